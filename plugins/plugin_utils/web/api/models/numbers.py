# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models of comparisons and trends."""

from __future__ import annotations

from typing import Annotated, Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.common import Name, Strict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.runs import HeadlineLine


class CompareQuery(Strict):
    """What is compared."""

    runs: Annotated[str, Field(max_length=2000)] = Field("", description="ids with commas, the reference first")
    baseline: Name = Field("", description="in the place of the reference")
    threshold: Annotated[str, Field(max_length=20)] = Field("", description="such as 5%")
    metrics: Annotated[str, Field(max_length=500)] = Field("", description="with commas; without, the usual ones")


class Comparison(BaseModel):
    """The content of comparison.json (docs/compare.md)."""

    comparison: dict[str, Any]


class TrendQuery(Strict):
    """Whose numbers over time."""

    recipe: Name
    cluster: Name | None = None


class TrendPoint(HeadlineLine):
    """A number of one run."""

    id: str
    cluster: str | None
    created_at: float | None
    verdict: str | None


class Trend(BaseModel):
    """A number over time."""

    case: str
    metric: str
    statistic: str
    points: list[TrendPoint]


class Trends(BaseModel):
    """The numbers of a recipe over time, oldest run first."""

    trends: list[Trend]
