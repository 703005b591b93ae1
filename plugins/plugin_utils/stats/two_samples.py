# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far apart the means of two samples are, and how sure that is."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_stats


@dataclass(frozen=True)
class Estimate:
    """A difference with its standard error (in the same unit) and the degrees of freedom of that."""

    difference: float
    standard_error: float
    degrees_of_freedom: float

    def interval(self, level: float) -> tuple[float, float]:
        """The confidence interval (lower, upper) at a level (0.95) by Student's t."""
        if not self.standard_error:
            return self.difference, self.difference
        low, high = scipy_stats.t.interval(
            level, self.degrees_of_freedom, loc=self.difference, scale=self.standard_error
        )
        return float(low), float(high)

    def p_below(self, limit: float) -> float:
        """One-sided p-value of "the true difference is at least `limit`": a small one says that it is below."""
        if not self.standard_error:
            return 0.0 if self.difference < limit else 1.0
        return float(scipy_stats.t.cdf((self.difference - limit) / self.standard_error, self.degrees_of_freedom))

    def p_above(self, limit: float) -> float:
        """One-sided p-value of "the true difference is at most `limit`": a small one says that it is above."""
        return Estimate(-self.difference, self.standard_error, self.degrees_of_freedom).p_below(-limit)


def difference(
    reference: Sequence[float], other: Sequence[float], inner: tuple[float, int] | None = None
) -> Estimate | None:
    """The mean of `other` less that of `reference`; None of one observation each, which say nothing of the noise.

    From two observations on a side: Welch's t-test, which does not ask for equal variances (scipy.stats.ttest_ind).
    Where one side has a single observation, it is taken to vary as the other does (Student's t), or as much as is
    seen within it, if that is more: `inner`, the variance of the single one and its degrees of freedom.
    """
    first, second = numpy.asarray(reference, dtype=float), numpy.asarray(other, dtype=float)
    estimate = float(second.mean() - first.mean())
    if min(len(first), len(second)) < 2:
        several = first if len(first) > 1 else second
        return _borrowed(estimate, several, inner) if len(several) > 1 else None
    error = float(numpy.hypot(scipy_stats.sem(first), scipy_stats.sem(second)))
    if not error:
        return Estimate(estimate, 0.0, math.inf)
    with warnings.catch_warnings():  # values that hardly differ: scipy fears for digits that do not matter here
        warnings.simplefilter("ignore", RuntimeWarning)
        freedom = float(scipy_stats.ttest_ind(second, first, equal_var=False).df)
    return Estimate(estimate, error, freedom)


def _borrowed(estimate: float, several: Sequence[float], inner: tuple[float, int] | None) -> Estimate:
    """Of several observations and a single one."""
    variance, freedom = float(several.var(ddof=1)), len(several) - 1
    single = variance
    if inner and inner[0] > variance:
        single, freedom = inner[0], min(freedom, inner[1])
    return Estimate(estimate, math.sqrt(variance / len(several) + single), freedom)
