# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order in which the repetitions of all cases are measured.

A service drifts: it warms up, its caches fill, its neighbours come and go. Measured one after the other, the last
case would carry all of that; measured round by round in random order, every case carries a share of it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import random

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import seed_of

RANDOM, SEQUENTIAL = "random", "sequential"
MAX = "max"  # the case that a rate in percent refers to


def measured_order(benchmarks, run_id):
    """(case, repetition from 1) of the plan's `benchmarks` (dict), in the order in which to measure them.

    `sequential`, and where nothing is repeated: all repetitions of a case, then the next case. `random`: first all
    repetitions of `max`, if a rate is a share of it; then round by round, each round shuffled by a seed that
    belongs to the run, so that the same plan gives the same order.
    """
    cases = benchmarks["cases"]
    repetitions = range(1, int(benchmarks.get("repetitions") or 1) + 1)
    if benchmarks.get("order", RANDOM) == SEQUENTIAL or len(repetitions) == 1:
        return [(case, repetition) for case in cases for repetition in repetitions]
    relative = any(isinstance(case.get("rate"), str) for case in cases)
    first = [case for case in cases if relative and case["name"] == MAX]
    rest = [case for case in cases if case not in first]
    order = [(case, repetition) for case in first for repetition in repetitions]
    draw = random.Random(seed_of(run_id, benchmarks.get("seed") or 0, "order"))
    for repetition in repetitions:
        draw.shuffle(rest)
        order += [(case, repetition) for case in rest]
    return order
