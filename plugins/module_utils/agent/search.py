# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The search for the highest load that still meets the SLO: which load to try next, and what the trials say.

Pure. Three steps, of which the first two are the usual exponential search:
- `bracket`: from the first load on doubled until one does not meet the SLO, or halved until one does;
- `bisect`: the middle of the two, until they are within the tolerance of each other;
- `edge`: both ends are tried `repetitions` times again, and the majority of these counts (a tie is a load that did
  not meet the SLO). The first trial does not count with them: where chance made a load fail, it is for that very
  reason that it is an end. Where they contradict it, the interval moves, and bisecting goes on from what is known.

A load counts as not met as soon as a lower one was not met: the interval lies below the lowest load that failed.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math
from collections import namedtuple

RATE, CONCURRENCY = "rate", "concurrency"
BRACKET, BISECT, EDGE = "bracket", "bisect", "edge"
CONVERGED, MAX_TRIALS, ABOVE_TO, BELOW_FROM, STOPPED = "converged", "max_trials", "above_to", "below_from", "stopped"

_LOWEST_SHARE = 1.0 / 1024  # of the first rate: ten times halved

#: What to try next: value (float; int for a concurrency), step, repetition (int from 1).
Proposal = namedtuple("Proposal", "value step repetition")


class Search:
    """settings: the plan's `search` (dict).

    Ask `next()` for a Proposal, tell `take(value, met)` what came of it, until `next()` is None. At any time
    `lower` is the highest load that met the SLO below all that did not, `upper` the lowest that did not (each None
    before there is one), and `reason` why it is over.
    """

    def __init__(self, settings):
        self.whole = settings["over"] == CONCURRENCY
        self.tolerance = float(settings["tolerance"])
        self.repetitions = max(1, int(settings.get("repetitions") or 1))
        self.max_trials = int(settings["max_trials"])
        self.most = None if settings.get("to") is None else self._value(float(settings["to"]))
        first = self._value(float(settings["from"]))
        self.first = first if self.most is None else min(first, self.most)
        self.least = 1 if self.whole else self.first * _LOWEST_SHARE
        self.outcomes = {}  # value -> [met, ...]
        self.reason = STOPPED  # until it is over by itself

    @property
    def trials(self):
        """How many (int) were made."""
        return sum(len(outcomes) for outcomes in self.outcomes.values())

    @property
    def upper(self):
        """The lowest load that did not meet the SLO, or None."""
        return min((value for value in self.outcomes if not self._met(value)), default=None)

    @property
    def lower(self):
        """The highest load that met the SLO and is below `upper`, or None."""
        upper = self.upper
        met = [value for value in self.outcomes if self._met(value) and (upper is None or value < upper)]
        return max(met, default=None)

    @property
    def capacity(self):
        """The middle of the interval (float), or None where it is open."""
        lower, upper = self.lower, self.upper
        return None if lower is None or upper is None else (lower + upper) / 2.0

    def take(self, value, met):
        """One more trial of a load."""
        self.outcomes.setdefault(value, []).append(bool(met))

    def next(self):
        """The next Proposal, or None when the search is over; then `reason` says why."""
        value, step = self._next()
        if value is None:
            self.reason = step
            return None
        if self.trials >= self.max_trials:
            self.reason = MAX_TRIALS
            return None
        return Proposal(value, step, len(self.outcomes.get(value, ())) + 1)

    def _next(self):
        """(value, step), or (None, reason)."""
        lower, upper = self.lower, self.upper
        if lower is None and upper is None:
            return self.first, BRACKET
        if upper is None and lower != self.most:
            doubled = lower * 2
            return (doubled if self.most is None else min(doubled, self.most)), BRACKET
        if lower is None and upper > self.least:
            return max(self._value(upper / 2.0), self.least), BRACKET
        if lower is not None and upper is not None:
            middle = self._between(lower, upper)
            if middle is not None:
                return middle, BISECT
        return self._edge(lower, upper)

    def _edge(self, lower, upper):
        """The end that was tried less often, as long as one needs it."""
        ends = [value for value in (lower, upper) if value is not None]
        value = min(ends, key=lambda end: len(self.outcomes[end]))
        if len(self.outcomes[value]) <= self.repetitions:
            return value, EDGE
        if upper is None:
            return None, ABOVE_TO
        return None, BELOW_FROM if lower is None else CONVERGED

    def _between(self, lower, upper):
        """A load between the two (not one of them), or None when they are close enough."""
        if (upper - lower) <= self.tolerance * upper or (self.whole and upper - lower <= 1):
            return None
        middle = (lower + upper) / 2.0
        if self.whole:
            return int(middle)
        rounded = _significant(middle, self.tolerance)
        return rounded if lower < rounded < upper else middle

    def _value(self, value):
        return max(1, round(value)) if self.whole else value

    def _met(self, value):
        first, again = self.outcomes[value][0], self.outcomes[value][1:]
        if 2 * sum(again) > self.repetitions:
            return True
        if 2 * (len(again) - sum(again)) >= self.repetitions:
            return False
        return first


def _significant(value, tolerance):
    """`value` (float > 0), at most a tenth of the tolerance (share of it) off: a load that a person can read."""
    return round(value, -int(math.floor(math.log10(tolerance)) + math.floor(math.log10(value))))
