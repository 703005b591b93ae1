# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Do numbers change from repetition to repetition, as when caches fill, data grow or processors get hot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_stats

FEWEST = 5  # repetitions: of four, even those in perfect order are so by chance in 1 of 12 cases
ALPHA, MATTERS = 0.05, 0.01  # the chance of any false alarm; the share by which they change in all, at least


class Trend(NamedTuple):
    """`share`: of the median, by which a number changes with each repetition; Kendall's `tau` and its `p_value`."""

    share: float
    tau: float
    p_value: float


def find(values: Mapping[Any, Sequence[float]]) -> dict[Any, Trend]:
    """Trends; `values`: what is looked at → its value in each repetition, in the order of measuring.

    Whether: Kendall's rank correlation with the order, tested together by Holm's procedure; how much: the slope of
    Theil and Sen, the median of the slopes of all pairs. Source: P. K. Sen, Estimates of the regression coefficient
    based on Kendall's tau, J. Am. Stat. Assoc. 63 (1968) 1379-1389.
    """
    tested = {name: list(each) for name, each in values.items() if len(each) >= FEWEST and len(set(each)) > 1}
    taus = {name: scipy_stats.kendalltau(range(len(each)), each) for name, each in tested.items()}
    steps = stats.step_down([float(tau.pvalue) for tau in taus.values()], ALPHA)
    found = {}
    for (name, tau), step in zip(taus.items(), steps, strict=True):
        middle = float(numpy.median(tested[name]))
        if not step.rejected or not middle:
            continue
        share = float(scipy_stats.theilslopes(tested[name]).slope) / middle
        if abs(share) * (len(tested[name]) - 1) >= MATTERS:
            found[name] = Trend(share, float(tau.statistic), float(tau.pvalue))
    return found
