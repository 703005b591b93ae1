# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Child processes of a workload, and waiting for a time of day."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import subprocess
import time

_GRACE_S = 2.0


def signal_group(process, number):
    """Send a signal to the process group that a Popen leads; nothing happens when it has ended."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass  # ended since: whoever waits for it will see


def stop_group(process, grace_s=_GRACE_S):
    """End a Popen that leads its own process group: SIGTERM, after `grace_s` SIGKILL. Returns its exit code."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_group(process, number)
        try:
            return process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            continue
    return process.wait()


def sleep_until(t, stop):
    """Sleep until the epoch time `t` (s). Returns True when `stop` (threading.Event) was set before."""
    return stop.wait(max(0.0, t - time.time()))
