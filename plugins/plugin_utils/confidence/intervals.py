# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How well a number of a case is known over its repetitions, and how many would tell it well enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.slo import SHARES
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats

ALPHA = 0.05
NARROW = 0.05  # share of the number: half the width of an interval that carries a claim
CHANGE, THRESHOLD = 0.10, 0.05  # a change that a comparison should find, and the one that does not matter to it
_WIDEST = 20.0  # logarithm of a ratio


def of_line(line: dict[str, Any], values: Sequence[float], tested: int = 1) -> dict[str, Any]:
    """What a headline's number is over its repetitions, whose values these are.

    `mean`, `low`, `high`, `half_width`, `relative`, `cv` (the last two shares of 1), and how many repetitions bring the
    interval to ±5 % (`repetitions_for_5_percent`), and how many a side tell a change of 10 % where `tested` numbers are
    compared together (`repetitions_to_see_10_percent`); None: not to be told.

    Means have Student's t of the values. Percentiles of a repetition are skewed: t of their logarithms, and the
    geometric mean. No bootstrap: of few repetitions its intervals are too short (docs/decisions/percentiles-by-t.md).
    """
    usual = stats.summary(values)
    told = {key: line[key] for key in ("case", "metric", "statistic", "unit")}
    told |= {"repetitions": len(values), "cv": usual["cv"], "mean": usual["mean"], "low": None, "high": None}
    ratio = line["metric"] not in SHARES and all(value > 0 for value in values)
    logs = [math.log(value) for value in values] if ratio else []
    if ratio and line["statistic"] != "mean":
        found = stats.summary(logs)
        told["mean"] = math.exp(found["mean"])
        if found["half_width"] is not None:
            half = min(_WIDEST, found["half_width"])
            told |= {"low": told["mean"] * math.exp(-half), "high": told["mean"] * math.exp(half)}
    elif usual["half_width"] is not None:
        told |= {"low": usual["mean"] - usual["half_width"], "high": usual["mean"] + usual["half_width"]}
    half_width = None if told["low"] is None else (told["high"] - told["low"]) / 2
    told["half_width"] = half_width
    told["relative"] = half_width / abs(told["mean"]) if half_width is not None and told["mean"] else None
    return told | _proposals(logs, tested)


def _proposals(logs: Sequence[float], tested: int) -> dict[str, int | None]:
    pooled = stats.pooled_stddev(logs)
    narrow = change = None
    if pooled is not None:
        narrow = stats.needed_for_width(math.log1p(NARROW), stats.upper_stddev(*pooled), alpha=ALPHA)
        gap = math.log1p(CHANGE) - math.log1p(THRESHOLD)
        change, _noise = stats.proposal([logs], gap, ALPHA / tested)
    return {"repetitions_for_5_percent": narrow, "repetitions_to_see_10_percent": change}
