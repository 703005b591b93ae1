# SPDX-License-Identifier: MIT
"""The fenced blocks of the documentation, and the commands in them, for the tests that run or check each of them.

A block without a language is commands; what is only to be read (a screen, a layout of files) says `text`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SITE = ROOT / "docs" / "site"  # these pages only put the others in order, and lie elsewhere when the site is built
DOCS = [page for page in sorted((ROOT / "docs").rglob("*.md")) if _SITE not in page.parents]
PAGES = [ROOT / "README.md", ROOT / "inventory" / "README.md", *DOCS]

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE_BEFORE = re.compile(r"`([\w./-]+\.yml)`[^`]*\Z")
_SEPARATORS = {";", "|", "||", "&&", "&", "(", ")"}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language (empty: commands), its text without the indent of a list."""

    page: str
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        """`PAGE:LINE` for people."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A simple command of a block: its words, with the variables that are set for it left out."""

    block: Block
    words: tuple[str, ...]
    line: str = field(compare=False)  # the whole line, as it is typed

    def __str__(self) -> str:
        """Where it stands, and the line."""
        return f"{self.block.where}: {self.line}"


def blocks(page: Path) -> list[Block]:
    """Every block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        indent, language, inner = match.groups()
        lines = [line.removeprefix(indent) for line in inner.splitlines(keepends=True)]
        number = text[: match.start()].count("\n") + 1
        found.append(Block(str(page.relative_to(ROOT)), number, language, "".join(lines)))
    return found


def files(page: Path) -> dict[str, str]:
    """What the page has its reader write: the name of a YAML file, told right before its block → its text."""
    text = page.read_text(encoding="utf-8")
    written = {}
    for match in FENCE.finditer(text):
        name = _FILE_BEFORE.search(text[: match.start()].rstrip().rsplit("\n\n", 1)[-1])
        comment = re.match(r" *# ([\w./-]+\.yml)\n", match.group(3))
        if match.group(2) == "yaml" and (name or comment):
            indent = match.group(1)
            inner = "".join(line.removeprefix(indent) for line in match.group(3).splitlines(keepends=True))
            written[(comment or name).group(1)] = inner
    return written


def commands(block: Block) -> list[Command]:
    """The simple commands of a block. Raises ValueError where a quote is not closed."""
    joined = block.text.replace("\\\n", " ")
    return [command for line in joined.splitlines() for command in _of_line(block, line.strip())]


def _of_line(block: Block, line: str) -> Iterator[Command]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&()")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    for token in [*lexer, ";"]:
        if token not in _SEPARATORS:
            words.append(token)
            continue
        # `do` and `export`, and assignments, come before what is run
        while words and (words[0] in ("do", "export") or re.match(r"\w+=", words[0])):
            words.pop(0)
        if words and words[0] not in ("for", "done"):
            yield Command(block, tuple(words), re.sub(r"\s+# .*$", "", line))
        words = []
