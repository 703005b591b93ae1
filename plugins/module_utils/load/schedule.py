# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When operations are due: arrivals of an open loop, and seeds that no two clients share."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import random

CONSTANT = "constant"
POISSON = "poisson"


def seed_of(*parts):
    """A 31-bit seed (int) out of (run, case, repetition, client, ...): the same parts, the same seed."""
    text = "\0".join(str(part) for part in parts)
    return int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:8], 16) & 0x7FFFFFFF


def arrivals(rate_per_s, kind=POISSON, seed=0, offset=0.0):
    """Endless arrival times (float, seconds from the start) at `rate_per_s` (float > 0) on average.

    `constant`: evenly spaced, the first at `offset` (0 to 1) of an interval, so that several clients can
    interleave. `poisson`: exponential intervals.
    """
    if not rate_per_s > 0:
        raise ValueError("the rate must be above 0, not %r" % (rate_per_s,))
    if kind == CONSTANT:
        number = 0
        while True:
            # a product, not a running sum: no drift
            yield (number + offset) / rate_per_s
            number += 1
    if kind != POISSON:
        raise ValueError("arrivals are %s or %s, not %r" % (CONSTANT, POISSON, kind))
    draw = random.Random(seed).expovariate
    t = 0.0
    while True:
        t += draw(rate_per_s)
        yield t
