# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The seconds of a measurement, put together into batches that can be tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy

FEWEST, MOST = 8, 120  # batches: of fewer nothing is said, and more say nothing more


def throughput(operations: Sequence[float], batch_s: int) -> Any:
    """Operations per second, means of batches of so many seconds; seconds beyond the last whole batch are left out."""
    values = numpy.asarray(operations, dtype=float)
    whole = len(values) // batch_s
    return values[: whole * batch_s].reshape(whole, batch_s).mean(axis=1)


def response_s(operations: Sequence[float], means_s: Sequence[float | None], batch_s: int) -> Any:
    """The mean response time (s) of each batch, every operation of it with equal weight; NaN of one without any."""
    counts = numpy.asarray(operations, dtype=float)
    sums = counts * numpy.asarray([0.0 if mean is None else mean for mean in means_s], dtype=float)
    counts = throughput(counts, batch_s)
    with numpy.errstate(invalid="ignore"):
        return throughput(sums, batch_s) / numpy.where(counts > 0, counts, numpy.nan)


def batch_s(seconds: int) -> int:
    """How many seconds a batch of a measurement has: one, as long as that makes no more than MOST of them."""
    return max(1, math.ceil(seconds / MOST))


def whole_batch_s(repetitions: Sequence[Sequence[float]]) -> int | None:
    """The shortest batch in which some operation ended every time, in each repetition; None: that would be too few.

    `repetitions`: the operations of each second.
    """
    shortest = min(map(len, repetitions), default=0)
    for length in range(batch_s(shortest), shortest // FEWEST + 1):
        if all((throughput(operations, length) > 0).all() for operations in repetitions):
            return length
    return None


def autocorrelation(series: Sequence[Any]) -> float:
    """The lag-1 autocorrelation of series (each a sequence of floats) in their steady part: their second halves.

    Pooled over the series; each half is too short to show all of it, of which (1 + 3ρ)/m are made good where the
    correlation is more than chance. Source: M. G. Kendall, Note on bias in the estimation of autocorrelation,
    Biometrika 41 (1954) 403-404.
    """
    together = spread = 0.0
    halves = [numpy.asarray(one, dtype=float)[len(one) // 2 :] for one in series]
    for half in halves:
        off = half - half.mean()
        together += float((off[1:] * off[:-1]).sum())
        spread += float((off * off).sum())
    if not spread:
        return 0.0
    found, length = together / spread, min(map(len, halves))
    corrected = min(0.95, found + (1 + 3 * found) / length)
    is_chance = corrected * math.sqrt(sum(map(len, halves))) < 1
    return max(0.0, found if is_chance else corrected)
