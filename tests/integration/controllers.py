# SPDX-License-Identifier: MIT
"""Playbooks that a test follows, and kills."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from .conftest import ROOT, RUN_ID, environment, playbook_argv


def start(home: Path, name: str, *arguments: str, limit: str | None = "local") -> subprocess.Popen:
    """A playbook in a session of its own."""
    return subprocess.Popen(
        playbook_argv(name, *arguments, limit=limit),
        env=environment(home),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen) -> None:
    """SIGKILL for the playbook and for its workers, which have sessions of their own."""
    os.kill(process.pid, signal.SIGSTOP)
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    doomed = [process.pid]
    for pid in doomed:
        doomed += [child for child, parent in parents.items() if parent == pid]
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def killed_at(home: Path, words: str, *arguments: str) -> str:
    """The run of a controller that is killed as soon as it says these words."""
    process = start(home, "run", *arguments)
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            break
    kill(process)
    assert words in said[-1], "".join(said)
    return RUN_ID.findall("".join(said))[0]
