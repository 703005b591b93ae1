# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target host without a Python that this ansible-core can use: say so, and what to set. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Source: the support matrix of ansible-core. What comes after the last one is taken for as demanding.
_NEEDED = {(2, 16): (3, 6), (2, 17): (3, 7), (2, 18): (3, 8), (2, 19): (3, 8), (2, 20): (3, 9), (2, 21): (3, 9)}
# Words of ansible-core 2.16 to 2.21 when Python is not there, or too old to even read the module.
_SIGNS = re.compile(
    r"deserialization failed|MODULE FAILURE|requires a minimum of Python|interpreter .* was not found|SyntaxError"
    r"|No such file or directory|command not found|: not found|No start of json char"
)
PROBE = 'exec "$1" -c "import sys; print(\'%d.%d\' % sys.version_info[:2])"'


def needed(core_version: str) -> tuple[int, int]:
    """The oldest Python (major, minor) on target hosts that an ansible-core can use."""
    core = tuple(int(word) for word in core_version.split(".")[:2])
    return _NEEDED.get(core[:2]) or (min(_NEEDED.values()) if core < min(_NEEDED) else max(_NEEDED.values()))


def is_suspect(result: Mapping[str, Any]) -> bool:
    """Whether a module's result may come from a Python that is too old, or not there."""
    said = " ".join(str(result.get(key, "")) for key in ("msg", "module_stderr", "module_stdout", "exception"))
    return bool(result.get("failed")) and bool(_SIGNS.search(said))


def explanation(host: str, interpreter: str, probed: str, core_version: str) -> str | None:
    """What to tell the user, or None when the interpreter is new enough and the module failed of something else.

    probed: what the script PROBE printed on the target host; nothing when there is no such Python.
    """
    want = needed(core_version)
    match = re.search(r"^(\d+)\.(\d+)$", probed.strip(), re.MULTILINE)
    if match and (int(match.group(1)), int(match.group(2))) >= want:
        return None
    is_so = f"{interpreter} is Python {match.group(0)}" if match else f"there is no {interpreter} that runs"
    core = ".".join(core_version.split(".")[:2])
    return (
        f"{host}: {is_so}; modules of ansible-core {core} need Python {want[0]}.{want[1]} or newer there. "
        f"Set ansible_python_interpreter to a newer Python of {host}, or benchmark_slurm_transport to shell, which "
        "needs no Python there, or use ansible-core 2.16 for Python 3.6"
    )
