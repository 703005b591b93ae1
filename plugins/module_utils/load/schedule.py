# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When operations are due: arrivals of an open loop, and seeds that no two clients share."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import itertools
import math
import random

CONSTANT = "constant"
POISSON = "poisson"
GAMMA = "gamma"
RAMP = "ramp"
TRACE = "trace"
KINDS = (POISSON, CONSTANT, GAMMA, RAMP, TRACE)


def seed_of(*parts):
    """A 31-bit seed (int) out of (run, case, repetition, client, ...): the same parts, the same seed."""
    text = "\0".join(str(part) for part in parts)
    return int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:8], 16) & 0x7FFFFFFF


def arrivals(rate_per_s, kind=POISSON, seed=0, offset=0.0, burstiness=1.0):
    """Endless arrival times (float, seconds from the start) at `rate_per_s` (float > 0) on average.

    `constant`: evenly spaced, the first at `offset` (0 to 1) of an interval, so that several clients can
    interleave. `poisson`: exponential intervals. `gamma`: intervals of a gamma distribution with the shape
    `burstiness`; 1 is Poisson, below it arrivals come in bursts (coefficient of variation burstiness ** -0.5).
    """
    if not rate_per_s > 0:
        raise ValueError("the rate must be above 0, not %r" % (rate_per_s,))
    if kind == CONSTANT:
        # a product, not a running sum: no drift
        return ((number + offset) / rate_per_s for number in itertools.count())
    draw = random.Random(seed)
    if kind == POISSON:
        return itertools.accumulate(draw.expovariate(rate_per_s) for _number in itertools.count())
    if kind == GAMMA:
        if burstiness <= 0:
            raise ValueError("the burstiness must be above 0, not %r" % (burstiness,))
        scale = 1.0 / (rate_per_s * burstiness)
        return itertools.accumulate(draw.gammavariate(burstiness, scale) for _number in itertools.count())
    raise ValueError("arrivals are %s, %s or %s, not %r" % (POISSON, CONSTANT, GAMMA, kind))


def ramp(first_per_s, last_per_s, warmup_s, duration_s, seed=0):
    """Endless Poisson arrivals whose rate goes linearly from one rate to another.

    For `warmup_s` at `first_per_s` (>= 0), over the next `duration_s` to `last_per_s` (> 0), there it stays. By
    time rescaling: with the cumulative rate L(t), L of the arrivals are a Poisson process of rate 1.
    """
    if not (first_per_s >= 0 and last_per_s > 0 and duration_s > 0):
        raise ValueError("a ramp goes from a rate >= 0 to one > 0 in a time > 0")
    draw = random.Random(seed)
    slope = (last_per_s - first_per_s) / duration_s
    warmed = first_per_s * warmup_s
    ramped = warmed + (first_per_s + last_per_s) / 2.0 * duration_s
    due = 0.0
    while True:
        due += draw.expovariate(1.0)
        if due < warmed:
            yield due / first_per_s
        elif due < ramped:
            yield warmup_s + _time_of(due - warmed, first_per_s, slope)
        else:
            yield warmup_s + duration_s + (due - ramped) / last_per_s


def _time_of(area, rate, slope):
    """The time t >= 0 with rate * t + slope * t * t / 2 == area, in the form that does not cancel."""
    if not area:
        return 0.0
    return 2.0 * area / (rate + math.sqrt(max(0.0, rate * rate + 2.0 * slope * area)))


def traced(times, client, clients, rate_per_s=None):
    """The arrivals (list of float, seconds) of a trace that are this client's: every `clients`-th.

    `rate_per_s` (of all clients) stretches the trace to that mean rate; None: as it is.
    """
    factor = 1.0 if rate_per_s is None else len(times) / (times[-1] or 1.0) / rate_per_s
    return [t * factor for t in times[client::clients]]


def read_trace(path):
    """The times (list of float, seconds from the start, not descending) of a trace file.

    One number a line; of a CSV line the first field; lines that begin with `#`, empty ones, and a heading are
    passed over. Raises ValueError that names file and line.
    """
    times = []
    with open(path) as stream:
        for number, line in enumerate(stream, 1):
            word = line.split(",")[0].strip()
            if not word or word.startswith("#"):
                continue
            try:
                t = float(word)
            except ValueError:
                if number == 1:
                    continue  # the heading
                raise ValueError("%s, line %d: %r is no number of seconds" % (path, number, word))
            if not 0 <= t < math.inf:
                raise ValueError("%s, line %d: a time is at least 0 seconds, not %s" % (path, number, word))
            if times and t < times[-1]:
                raise ValueError("%s, line %d: %s comes before the line above" % (path, number, word))
            times.append(t)
    if not times:
        raise ValueError("%s has no times: write one number of seconds a line" % path)
    return times
