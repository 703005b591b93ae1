# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a sample looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy, scipy_stats


def summary(values: Sequence[float], level: float = 0.95) -> dict[str, Any]:
    """`count`, `mean`, `half_width` of its confidence interval (Student's t), `stddev`, `cv`; None: not to be told.

    `cv`, the coefficient of variation, is a share of 1.
    """
    sample = numpy.asarray(values, dtype=float)
    mean, spread, half_width = float(sample.mean()), None, None
    if len(sample) > 1:
        spread = float(sample.std(ddof=1))
        half_width = float(scipy_stats.sem(sample) * scipy_stats.t.isf((1 - level) / 2, len(sample) - 1))
    return {
        "count": len(sample),
        "mean": mean,
        "half_width": half_width,
        "stddev": spread,
        "cv": spread / abs(mean) if spread is not None and mean else None,
    }
