# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many tests at once, and still at most one chance in twenty of any wrong verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """One test: whether its null hypothesis is rejected, and the level (share of 1) at which it was tested."""

    rejected: bool
    level: float


def step_down(p_values: Sequence[float], alpha: float) -> list[Step]:
    """Holm's procedure, in the order of `p_values`: the family-wise error is at most `alpha`, whatever depends on what.

    The smallest of m is tested at alpha/m, the next at alpha/(m − 1) and so on; with the first that is not
    rejected it ends, and those that follow share its level.
    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979) 65-70.
    """
    steps: list[Step] = [Step(False, alpha)] * len(p_values)
    is_going, level = True, alpha
    for place, number in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        level = alpha / (len(p_values) - place) if is_going else level
        is_going = is_going and p_values[number] <= level
        steps[number] = Step(is_going, level)
    return steps
