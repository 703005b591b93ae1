# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values that are far from the others of their kind. They are shown, and stay in the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_stats

FEWEST = 5
MATTERS = 0.05  # share of the median by which it is off, at least
_USUAL = 3.5  # from so large a score on a value may be an outlier (Iglewicz and Hoaglin)
# (values, scores beyond which the largest of so many normal values is in 5 and in 1 of 100 samples), by simulation
# (held against it by tests/bench/bench_confidence.py); beyond 3.5 it is in 20 of 100 samples of five, and 12 of ten
_LIMITS = (
    (5, 7.9, 18.7), (6, 5.8, 10.7), (8, 5.1, 8.3), (10, 4.6, 6.9), (12, 4.4, 6.3), (20, 4.0, 5.3), (30, 3.9, 4.8),
    (50, 3.8, 4.6),
)  # fmt: skip


class Outlier(NamedTuple):
    """`place` of a value in the sequence, its `score`, and the `median` of all."""

    place: int
    value: float
    median: float
    score: float


def limit(count: int, tested: int = 1) -> float:
    """The score beyond which one of `count` values is an outlier, where `tested` such samples are looked at.

    Source of 3.5: B. Iglewicz and D. C. Hoaglin, How to detect and handle outliers, ASQC (1993), which is for larger
    samples. It is raised for small ones, and for many values or samples, so that normal ones have an outlier in 1 of 20
    runs: between and beyond the levels of the table the logarithm of the score is a line over that of the level.
    """
    _count, in_5, in_1 = next((row for row in reversed(_LIMITS) if count >= row[0]), _LIMITS[0])
    small = in_5 * (in_1 / in_5) ** (math.log(tested) / math.log(5))
    return max(_USUAL, small, float(scipy_stats.norm.isf(0.025 / count / tested)))


def scores(values: Sequence[float]) -> Any:
    """Modified z-scores: 0.6745·(x − median)/MAD; where more than half are equal, by the mean deviation instead."""
    sample = numpy.asarray(values, dtype=float)
    off = sample - numpy.median(sample)
    spread = float(scipy_stats.median_abs_deviation(sample, scale="normal"))
    spread = spread or 1.253314 * float(numpy.abs(off).mean())
    return off / spread if spread else off


def find(values: Sequence[float], tested: int = 1) -> list[Outlier]:
    """The outliers of one of `tested` sequences, from FEWEST values on."""
    if len(values) < FEWEST:
        return []
    median, most = float(numpy.median(values)), limit(len(values), tested)
    return [
        Outlier(place, float(value), median, float(score))
        for place, (value, score) in enumerate(zip(values, scores(values), strict=True))
        if abs(score) > most and abs(value - median) > MATTERS * abs(median)
    ]
