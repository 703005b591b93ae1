# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why Slurm ended a job with a signal: somebody cancelled it, or its time was up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal

# The scripts ask for the signal 60 s before the limit, and Slurm may send it up to 60 s earlier (sbatch(1), --signal).
_AHEAD_S = 125


def why_ended(number, limit_s, section, when=""):
    """A sentence (str). number: of the signal; limit_s: of the job, None where it isn't known; section: of the recipe;
    when: what was going on.
    """
    name = signal.Signals(number).name
    when = " " + when if when else ""
    if not limit_s:
        return "%s: the job was cancelled or reached its time limit%s" % (name, when)
    if ran_s() < limit_s - _AHEAD_S:
        return "%s: the job was cancelled%s" % (name, when)
    text = "%s: the job reached its time limit of %d s%s, or was cancelled: raise %s.time_limit"
    return text % (name, limit_s, when, section)


def ran_s():
    """Seconds since this process began: since the job's script did, which becomes the agent by exec."""
    with open("/proc/self/stat") as stream:
        began_ticks = int(stream.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/uptime") as stream:
        return float(stream.read().split()[0]) - began_ticks / os.sysconf("SC_CLK_TCK")
