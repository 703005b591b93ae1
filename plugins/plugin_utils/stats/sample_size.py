# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many observations a claim needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_stats

MOST = 500
POWER = 0.95  # of the change that a proposed number of observations has to tell
FEWEST = 3  # observations that are proposed at least
PILOT = 5  # observations to begin with, where nothing is known of the noise


def power(count: int, effect: float, stddev: float, alpha: float) -> float:
    """The chance that `count` observations a side tell an effect of that size, at a two-sided level `alpha`."""
    return float(_powers(numpy.asarray([count]), effect, stddev, alpha)[0])


def needed(effect: float, stddev: float, *, alpha: float, wanted: float, most: int = MOST) -> int | None:
    """The fewest observations a side (from 2 on) with which the power is `wanted`; None when `most` are too few.

    `effect` (above 0) and `stddev` of an observation are in the same unit, such as logarithms.
    """
    counts = numpy.arange(2, most + 1)
    enough = numpy.flatnonzero(_powers(counts, effect, stddev, alpha) >= wanted)
    return int(counts[enough[0]]) if len(enough) else None


def _powers(counts: object, effect: float, stddev: float, alpha: float) -> object:
    """Of the two-sample t-test with equal sizes: by the noncentral t distribution (scipy.stats.nct)."""
    if not stddev:
        return numpy.ones(len(counts))
    freedom = 2 * counts - 2
    shift = effect / stddev * numpy.sqrt(counts / 2)
    found = scipy_stats.nct.sf(scipy_stats.t.isf(alpha / 2, freedom), freedom, shift)
    # far out, where the power is 1 to all digits, the series of nct does not converge
    return numpy.where(numpy.isnan(found), 1.0, found)


def needed_for_width(half_width: float, stddev: float, *, alpha: float, most: int = MOST) -> int | None:
    """The fewest observations (from 2 on) whose mean has an interval of at most ± `half_width`, by Student's t.

    None when `most` are too few; `half_width` and `stddev` of an observation are in the same unit.
    """
    counts = numpy.arange(2, most + 1)
    widths = scipy_stats.t.isf(alpha / 2, counts - 1) * stddev / numpy.sqrt(counts)
    enough = numpy.flatnonzero(widths <= half_width)
    return int(counts[enough[0]]) if len(enough) else None


def proposal(samples: Sequence[Sequence[float]], gap: float, alpha: float) -> tuple[int | None, float | None]:
    """(observations a side, or None where no number of them is enough or known; the noise: their standard deviation).

    `gap`: how far beyond the threshold the change is that has to be found, on the samples' scale.
    """
    pooled = pooled_stddev(*samples)
    if pooled is None:
        return None, None
    found = needed(gap, upper_stddev(*pooled), alpha=alpha, wanted=POWER)
    return (None if found is None else max(FEWEST, found)), pooled[0]


def pooled_stddev(*samples: Sequence[float]) -> tuple[float, int] | None:
    """(standard deviation within the samples, its degrees of freedom); None where none has two observations."""
    samples = [numpy.asarray(sample, dtype=float) for sample in samples if len(sample) > 1]
    freedom = sum(len(sample) - 1 for sample in samples)
    if not freedom:
        return None
    squares = sum(float(sample.var(ddof=1)) * (len(sample) - 1) for sample in samples)
    return math.sqrt(squares / freedom), freedom


def upper_stddev(stddev: float, freedom: int, confidence: float = 0.8) -> float:
    """The upper confidence limit of a standard deviation that was estimated with so many degrees of freedom.

    A plan that rests on the estimate itself has too few observations in half of all cases.
    Source: R. H. Browne, On the use of a pilot sample for sample size determination, Stat. Med. 14 (1995) 1933-1940.
    """
    return stddev * math.sqrt(freedom / float(scipy_stats.chi2.ppf(1 - confidence, freedom)))
