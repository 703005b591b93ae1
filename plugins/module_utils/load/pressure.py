# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the client itself had to wait for a CPU while it measured.

/proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst) has the time that a thread could have run and
did not; /proc/pressure/cpu (Documentation/accounting/psi.rst) the time in which some task of the node did not.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import threading
import time


class Strain:
    """Measures from `measure_start` (epoch s) on, by what the calling thread waited; make it in that thread."""

    def __init__(self, measure_start):
        self.schedstat = _schedstat_path()
        self.begin = self._now()
        self.timer = threading.Timer(max(0.0, measure_start - time.time()), self._mark)
        self.timer.daemon = True
        self.timer.start()

    def measured(self):
        """`run_delay_percent` and `psi_cpu_some_percent` of the wall time (float, None where unknown)."""
        self.timer.cancel()
        t0, delay_ns, stalled_us = self.begin
        t1, delay_end_ns, stalled_end_us = self._now()
        elapsed_s = max(1e-6, t1 - t0)
        return {
            "run_delay_percent": _percent(delay_ns, delay_end_ns, 1e9 * elapsed_s),
            "psi_cpu_some_percent": _percent(stalled_us, stalled_end_us, 1e6 * elapsed_s),
        }

    def _mark(self):
        self.begin = self._now()

    def _now(self):
        return time.monotonic(), run_delay_ns(self.schedstat), cpu_stalled_us()


def run_delay_ns(path):
    """Nanoseconds (int) that a thread waited for a CPU, by its schedstat file; None where there is none."""
    try:
        with open(path) as stream:
            return int(stream.read().split()[1])
    except (OSError, IndexError, ValueError):
        return None


def cpu_stalled_us(path="/proc/pressure/cpu"):
    """Microseconds (int) in which some task of the node waited for a CPU; None where the kernel does not tell."""
    try:
        with open(path) as stream:
            line = stream.readline()
    except OSError:
        return None
    for word in line.split():
        if word.startswith("total="):
            return int(word[len("total=") :])
    return None


def _schedstat_path():
    """Of the calling thread; readable from any thread of the process."""
    try:
        with open("/proc/thread-self/stat") as stream:
            thread = stream.read().split(" ", 1)[0]
    except OSError:
        thread = "self"
    return "/proc/self/task/%s/schedstat" % thread


def _percent(before, after, of):
    return None if before is None or after is None else round(100.0 * (after - before) / of, 2)
