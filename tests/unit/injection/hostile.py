# SPDX-License-Identifier: MIT
"""Values that a shell, Slurm, Apptainer or Jinja would take for more than values."""

from __future__ import annotations

from hypothesis import strategies as st

from .renderer import CANARY

PIECES = [
    f"$(touch {CANARY})", f"`touch {CANARY}`", f"; touch {CANARY} ;", f"\ntouch {CANARY}\n", f"| touch {CANARY}",
    f"' ; touch {CANARY} ; '", f'" ; touch {CANARY} ; "', f"&& touch {CANARY}", f"${{x:-$(touch {CANARY})}}",
    f"\nCONF\ntouch {CANARY}\n", f"\nCONFIG\ntouch {CANARY}\n",
    f"\nPYTHON\ntouch {CANARY}\n", f"\nEOF\ntouch {CANARY}\n",
    f"{{{{ lookup('pipe', 'touch {CANARY}') }}}}", "{{ 1 + 1 }}", "{% if true %}x{% endif %}", "{# x #}", "#jinja2: x",
    "'", '"', "\\", "\\'", "$", "`", "#", " # ", ";", "&", "|", "<", ">", "(", ")", "!", "*", "?", "[", "]", "{", "}",
    "~",
    "=", "%", "%j", "%s", "\\n", "\\0", "--", "-", "--help", "-c", " ", "  ", "\t", "\n", "\r", "\r\n", "\n\n", "$HOME",
    "${PATH}", "$1", "$@", "$$", "é", "名前", "\U0001f600", "\u2028", "\u00a0", "\x85", "\x01",
    "\x1b[31m", "\x7f", "a", "0",
    "CONF", "\n#SBATCH --wrap=x", "!unsafe", "&a", "*a", "- a", "a: b", "null", "true", "1e3", "[1, 2]", "{'a': 1}",
]  # fmt: skip
_CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=("Cs",))


def texts(without: str = "", least: int = 0) -> st.SearchStrategy[str]:
    """Any text of Unicode, rich in what means something to somebody; `without`: characters that it lacks."""
    pieces = [piece for piece in PIECES if not set(piece) & set(without)]
    plain = st.characters(exclude_characters="\0" + without, exclude_categories=("Cs",))
    piece = st.one_of(st.sampled_from(pieces), st.text(plain, max_size=8))
    return st.lists(piece, min_size=least, max_size=5).map("".join).filter(lambda text: len(text) >= least)


# What stands in one line: no control character, no separator of lines or paragraphs.
CONTROL = "".join(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029]))
# What no name of Slurm's has.
NO_WORD = CONTROL + " \t'\"\\#`$;" + "\u00a0"


def lines(without: str = "", least: int = 1) -> st.SearchStrategy[str]:
    """Like `texts`, in one line."""
    return texts(CONTROL + without, least)
