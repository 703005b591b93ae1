# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes by their id and the time of their start: an id alone may have become another's."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

_START, _STATE = 19, 0  # fields of /proc/PID/stat after the name: proc(5)

COLLECTIONS = Path(__file__).absolute().parents[6]  # where ansible_collections lies; a checkout is a link in it


def environment() -> dict[str, str]:
    """The environment of a Python that imports this collection, and finds the programs of its virtual environment."""
    first = {"PYTHONPATH": str(COLLECTIONS), "PATH": str(Path(sys.executable).parent)}
    return {**os.environ, **{name: _before(os.environ.get(name), path) for name, path in first.items()}}


def _before(paths: str | None, path: str) -> str:
    return os.pathsep.join([path, *filter(None, [paths])])


def me() -> dict[str, Any]:
    """This process, for a file that others read."""
    return {"pid": os.getpid(), "started": started(os.getpid())}


def started(pid: int) -> int | None:
    """When a process started, in ticks since the machine did; None when there is none, or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[_STATE] in ("Z", "X") else int(fields[_START])


def is_alive(process: dict[str, Any]) -> bool:
    """Whether the process that `me` described still runs."""
    return process.get("started") is not None and started(int(process["pid"])) == process["started"]


def end(process: dict[str, Any], patience_s: float) -> bool:
    """Ask a process to end, and kill it when it does not; whether it was there."""
    if not is_alive(process):
        return False
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        os.kill(process["pid"], signal_)
        until = time.monotonic() + patience_s
        while is_alive(process) and time.monotonic() < until:
            time.sleep(0.05)
        if not is_alive(process):
            break
    return True
