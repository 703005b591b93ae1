# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Did a measurement still hold a warm-up, and how long was it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence.seconds import FEWEST, autocorrelation
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_special, scipy_stats

ALPHA = 0.05  # the chance that any warm-up is told of a run that has none
MATTERS = 0.01  # a share by which it moves the mean, at least: less is below what the other checks grant


class Found(NamedTuple):
    """A warm-up: `repetitions` (places in the sequence) that had it, how many `batches` it took.

    `bias`: the share by which it moved the mean; `is_settled`: whether it ended within the first half, beyond which
    nothing is looked for.
    """

    repetitions: list[int]
    batches: int
    bias: float
    is_settled: bool


def find(series: Mapping[Any, Sequence[Any]]) -> dict[Any, Found]:
    """The warm-ups of a run. `series`: what is looked at → of each repetition its batches (floats, equally many).

    Tested together by Holm's procedure, so that a run without any is told to have one in at most 1 of 20.
    """
    long_enough = {name: numpy.asarray(each, dtype=float) for name, each in series.items() if len(each[0]) >= FEWEST}
    scores = {
        name: scipy_special.ndtri(scipy_stats.rankdata(each, axis=1) / (each.shape[1] + 1))
        for name, each in long_enough.items()
    }
    # a short series hardly shows its own autocorrelation: those of one service are taken to have that of all, at least
    least = autocorrelation([one for each in scores.values() for one in each])
    p_values = {name: _p_values(each, least) for name, each in scores.items()}
    steps = iter(stats.step_down([p for several in p_values.values() for p in several], ALPHA))
    found = {}
    for name, several in p_values.items():
        rejected = [next(steps).rejected for _p in several]
        # where all together have one, those that show it by themselves, if not beyond doubt
        own = [is_sure or (rejected[-1] and p <= ALPHA) for is_sure, p in zip(rejected, several, strict=True)]
        warm = _warm_up(long_enough[name], own[: len(long_enough[name])]) if any(rejected) else None
        if warm is not None:
            found[name] = warm
    return found


def _p_values(scores: Any, least: float) -> list[float]:
    """Of each repetition, and of all together where there are several: that its begin is as the rest is.

    The first 1, 2, 4, 8 … batches against the rest by their normal scores (van der Waerden), which no single stall
    can sway; the variance is that of a process with the autocorrelation of the steady part (`least` at least). Of the
    several beginnings the least p-value counts, times their number (Bonferroni). All together: the sum of the
    repetitions' statistics.
    """
    count, length = scores.shape
    spreads = scores.std(axis=1, ddof=1)
    apart = numpy.abs(numpy.subtract.outer(numpy.arange(length), numpy.arange(length)))
    correlation = max(least, autocorrelation(scores)) ** apart
    begins = [2**power for power in range((length // 2).bit_length())]
    statistics = numpy.zeros((len(begins), count))
    for row, begin in zip(statistics, begins, strict=True):
        weights = numpy.where(numpy.arange(length) < begin, 1 / begin, -1 / (length - begin))
        error = spreads * numpy.sqrt(weights @ correlation @ weights)
        row[:] = numpy.divide(scores @ weights, error, out=numpy.zeros(count), where=error > 0)
    tested = [*statistics.T, *([statistics.sum(axis=1) / numpy.sqrt(count)] if count > 1 else [])]
    return [min(1.0, len(begins) * 2 * float(scipy_special.ndtr(-numpy.abs(each).max()))) for each in tested]


def _warm_up(series: Any, has_it: Sequence[bool]) -> Found | None:
    """Its length in the mean of the repetitions that have it (all, where none does by itself).

    None where the mean is hardly moved by it.
    """
    where = [number for number, has in enumerate(has_it) if has] or list(range(len(series)))
    mean = (series[where] / series[where].mean(axis=1, keepdims=True)).mean(axis=0)
    batches = truncation(mean)
    bias = float(mean.mean() / mean[batches:].mean() - 1)
    if not batches or abs(bias) < MATTERS:
        return None
    return Found(where, batches, bias, batches < len(mean) // 2)


def truncation(values: Sequence[float]) -> int:
    """How many of the first values to leave out, so that the mean of the rest is known best; at most half of them.

    MSER: the d that makes Σ(x_i − mean)² / (n − d)² over the rest the least. Source: K. P. White, An effective
    truncation heuristic for bias reduction in simulation output, Simulation 69 (1997) 323-334.
    """
    sample = numpy.asarray(values, dtype=float)
    half = len(sample) // 2
    counts = len(sample) - numpy.arange(half + 1)
    sums = numpy.cumsum(sample[::-1])[::-1][: half + 1]
    squares = numpy.cumsum(sample[::-1] ** 2)[::-1][: half + 1]
    return int(numpy.argmin((squares - sums**2 / counts) / counts**2))
