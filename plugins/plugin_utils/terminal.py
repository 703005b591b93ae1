# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a person sits at a terminal, and how wide it is.

Actions run in workers, which have no terminal of their own: the play's process is asked. Under AWX, ansible-runner and
in CI there may be a terminal, too, but nobody at it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.screen import WIDTH

# AWX_ISOLATED_DATA_DIR and JOB_ID: AWX; RUNNER_OMIT_EVENTS: ansible-runner
NOBODY = ("AWX_ISOLATED_DATA_DIR", "JOB_ID", "RUNNER_OMIT_EVENTS", "CI")
STDIN, STDOUT = 0, 1


def attended(descriptor: int, environ: Mapping[str, str] | None = None, pid: int | None = None) -> bool:
    """Whether `descriptor` of the play's process (default: this one's parent) is a terminal with a person at it."""
    environ = os.environ if environ is None else environ
    if any(environ.get(name) for name in NOBODY) or environ.get("TERM", "dumb") == "dumb":
        return False
    return _terminal(descriptor, pid) is not None


def columns(descriptor: int = STDOUT, pid: int | None = None) -> int:
    """Columns of that terminal; 80 where it is none or does not tell."""
    path = _terminal(descriptor, pid)
    if path is None:
        return WIDTH
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return WIDTH
    try:
        return os.get_terminal_size(opened).columns or WIDTH
    except OSError:
        return WIDTH
    finally:
        os.close(opened)


def _terminal(descriptor: int, pid: int | None) -> str | None:
    """The path of the terminal that is this descriptor of the process."""
    try:
        path = os.readlink(f"/proc/{os.getppid() if pid is None else pid}/fd/{descriptor}")
    except OSError:
        return None
    return path if path.startswith(("/dev/pts/", "/dev/tty")) else None
