# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where along a load the throughput stops growing, and between which loads that is sure to be.

Two straight lines that meet, fitted to the logarithms of throughput and load: the slopes are elasticities, so that a
line of 1 grows as the load does and one of 0 not at all. Source of the fit, by least squares for every point where they
may meet: D. J. Hudson, Fitting segmented curves whose join points have to be estimated, J. Am. Stat. Assoc. 61 (1966)
1097-1129.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry.bottlenecks import MORE_DONE, MORE_LOAD

FEWEST = 4  # loads: two on each line
FOUND, GROWS, FLAT, UNDECIDED, FEW = "found", "grows", "flat", "undecided", "few_points"
STOPPED = math.log(MORE_DONE) / math.log(MORE_LOAD)  # the elasticity with which growth has stopped
LEVEL = 0.95
_DRAWS = 999  # of the bootstrap
_SEED = 1


class Knee(NamedTuple):
    """`status`, and of FOUND the load `at` which it is with the interval (95 %) from `low` to `high`."""

    status: str
    at: float | None = None
    low: float | None = None
    high: float | None = None


class Noise(NamedTuple):
    """The variance of the mean of a load's logarithms, and the degrees of freedom with which it is known."""

    variance: float
    freedom: float


def find(loads: Sequence[float], throughputs: Sequence[Sequence[float]], seconds: Noise | None = None) -> Knee:
    """The knee of a sweep. `loads` ascend; `throughputs`: of each load one value for each repetition; all above 0.

    `seconds`: the noise by the seconds within the repetitions, used where no load was repeated; without it only what
    the lines leave tells of the noise. FEW: fewer than four loads, or nothing that tells of the noise.
    """
    logs = [numpy.log(numpy.asarray(values, dtype=float)) for values in throughputs]
    if len(loads) < FEWEST:
        return Knee(FEW)
    x, y = numpy.log(numpy.asarray(loads, dtype=float)), numpy.asarray([each.mean() for each in logs])
    lines = _Lines(x)
    fitted = lines.fit(y[None])
    noise = _noise(_repeated(logs) or seconds, float(fitted.left[0]), len(loads) - FEWEST)
    if noise is None:
        return Knee(FEW)
    rng = numpy.random.default_rng(_SEED)
    draws = rng.normal(size=(_DRAWS, len(x)))
    unsure = rng.chisquare(noise.freedom, (_DRAWS, 1)) / noise.freedom  # how well the noise itself is known
    if not _bends(lines, y, noise, draws, unsure[:, 0]):
        return Knee(_without_bend(lines, y, noise))
    drawn = lines.fit(y + draws * numpy.sqrt(noise.variance / unsure))
    status = _status(float((drawn.before > STOPPED).mean()), float((drawn.after < STOPPED).mean()))
    if status != FOUND:
        return Knee(status)
    low, high = numpy.quantile(drawn.place, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Knee(FOUND, *(math.exp(float(value)) for value in (fitted.place[0], low, high)))


def _status(rises: float, stops: float) -> str:
    """By the shares of the draws whose first line rises, and whose second one does not."""
    if stops >= LEVEL and rises >= LEVEL:
        return FOUND
    if rises <= 1 - LEVEL:
        return FLAT
    return GROWS if stops <= 1 - LEVEL else UNDECIDED


class _Fits(NamedTuple):
    """Of each sample: where its lines meet (logarithm), what they leave (sum of squares), their slopes."""

    place: Any
    left: Any
    before: Any
    after: Any


class _Lines:
    """The fits for one set of loads (logarithms, ascending), of many samples at once (rows)."""

    def __init__(self, x: Any) -> None:
        self.x = x
        ones, zero = numpy.ones_like(x), numpy.zeros_like(x)
        self._at_load = [(k, numpy.column_stack([ones, numpy.minimum(x, k), numpy.maximum(x - k, 0.0)]))
                         for k in x[1:-1]]  # fmt: skip
        self._between = [
            (low, high, numpy.column_stack([*(numpy.where(x <= low, column, zero) for column in (ones, x)),
                                            *(numpy.where(x > low, column, zero) for column in (ones, x))]))
            for low, high in itertools.pairwise(x[1:-1])
        ]  # fmt: skip
        self._straight = numpy.column_stack([ones, x])

    def fit(self, samples: Any) -> _Fits:
        """The best fit: with the lines meeting at a load, or between two of them, where both lines are free."""
        found = []
        for place, design in self._at_load:
            fitted, left = _least_squares(design, samples)
            found.append(_Fits(numpy.full(len(samples), place), left, fitted[:, 1], fitted[:, 2]))
        for low, high, design in self._between:
            fitted, left = _least_squares(design, samples)
            bend = fitted[:, 3] - fitted[:, 1]
            place = numpy.divide(fitted[:, 0] - fitted[:, 2], bend, out=numpy.full(len(samples), low), where=bend != 0)
            is_between = (low < place) & (place < high)
            found.append(_Fits(place, numpy.where(is_between, left, numpy.inf), fitted[:, 1], fitted[:, 3]))
        best = numpy.argmin([fits.left for fits in found], axis=0)
        of_each = numpy.arange(len(samples))
        return _Fits(*(numpy.stack(values)[best, of_each] for values in zip(*found, strict=True)))

    def left_by_one(self, samples: Any) -> Any:
        """The sum of squares that one straight line leaves."""
        return _least_squares(self._straight, samples)[1]


def _least_squares(design: Any, samples: Any) -> tuple[Any, Any]:
    """(coefficients, sum of squares that is left) of each sample."""
    fitted = samples @ numpy.linalg.pinv(design).T
    return fitted, ((samples - fitted @ design.T) ** 2).sum(axis=1)


def _repeated(logs: Sequence[Any]) -> Noise | None:
    """Pooled over the loads, from their repetitions; the mean of each load has that of the least repeated one."""
    freedom = sum(len(each) - 1 for each in logs)
    if not freedom:
        return None
    squares = sum(float(((each - each.mean()) ** 2).sum()) for each in logs)
    return Noise(squares / freedom / min(map(len, logs)), freedom)


def _noise(known: Noise | None, left: float, freedom: int) -> Noise | None:
    """What repetitions or seconds show, and what the lines leave, together; of the latter alone, where it is more.

    A curve has no two lines: what they leave then is no noise, but makes their meeting as unsure.
    """
    if known is None or not known.variance:
        return Noise(max(left / freedom, 1e-12), freedom) if freedom > 0 else known and Noise(1e-12, known.freedom)
    if freedom <= 0:
        return known
    if left / freedom > known.variance * float(scipy_stats.f.ppf(LEVEL, freedom, known.freedom)):
        return Noise(left / freedom, freedom)
    both = known.freedom + freedom
    return Noise((known.freedom * known.variance + left) / both, both)


def _bends(lines: _Lines, y: Any, noise: Noise, draws: Any, unsure: Any) -> bool:
    """Whether two lines fit better than one by more than noise around one line makes them, in 19 of 20 draws."""
    fitted = lines.fit(y[None])
    gain = float(lines.left_by_one(y[None])[0] - fitted.left[0]) / noise.variance
    by_chance = (lines.left_by_one(draws) - lines.fit(draws).left) / unsure
    return bool(fitted.before[0] > fitted.after[0] and (by_chance >= gain).mean() <= 1 - LEVEL)


def _without_bend(lines: _Lines, y: Any, noise: Noise) -> str:
    """Of one straight line: whether it grows to its end."""
    slope = float(numpy.polyfit(lines.x, y, 1)[0])
    error = math.sqrt(noise.variance / float(((lines.x - lines.x.mean()) ** 2).sum()))
    half = float(scipy_stats.t.isf((1 - LEVEL), noise.freedom)) * error
    if slope - half > STOPPED:
        return GROWS
    return FLAT if slope + half < STOPPED else UNDECIDED
