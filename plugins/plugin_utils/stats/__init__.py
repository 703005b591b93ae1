# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Statistics of repetitions, by scipy: what is seen, what it says of a difference, how many would carry a claim. Pure.

Every value is one observation: a number of one repetition, or of one run. What is positive is compared as its
logarithm, so that a difference is the logarithm of a ratio.
"""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.holm import step_down
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import scipy_stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.sample_size import (
    FEWEST,
    PILOT,
    POWER,
    needed,
    needed_for_width,
    pooled_stddev,
    power,
    proposal,
    upper_stddev,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.summary import summary
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.two_samples import Estimate, difference

__all__ = [
    "FEWEST", "PILOT", "POWER", "Estimate", "difference", "library_is_here", "needed", "needed_for_width",
    "pooled_stddev", "power", "proposal", "step_down", "summary", "upper_stddev",
]  # fmt: skip


def library_is_here() -> None:
    """Raise ImportError, with the remedy, where scipy is not installed."""
    require(scipy_stats)
