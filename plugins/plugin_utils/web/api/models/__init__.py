# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes in and out of the API. Times are seconds since the epoch unless a name says otherwise."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.common import api, problems
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.numbers import (
    CompareQuery,
    Comparison,
    Trend,
    TrendPoint,
    TrendQuery,
    Trends,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.plays import (
    Ask,
    Cluster,
    Clusters,
    Launch,
    Play,
    PlayDetail,
    PlayPath,
    PlayQuery,
    Plays,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.recipes import (
    Checked,
    Draft,
    Mistake,
    OwnPath,
    Recipe,
    RecipePath,
    Recipes,
    RecipeText,
    Save,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.runs import (
    HeadlineLine,
    LogLine,
    LogLines,
    LogQuery,
    Result,
    ResultQuery,
    Results,
    Run,
    RunDetail,
    RunPath,
    RunQuery,
    Runs,
    Stop,
)

__all__ = [
    "Ask",
    "Checked",
    "Cluster",
    "Clusters",
    "CompareQuery",
    "Comparison",
    "Draft",
    "HeadlineLine",
    "Launch",
    "LogLine",
    "LogLines",
    "LogQuery",
    "Mistake",
    "OwnPath",
    "Play",
    "PlayDetail",
    "PlayPath",
    "PlayQuery",
    "Plays",
    "Recipe",
    "RecipePath",
    "RecipeText",
    "Recipes",
    "Result",
    "ResultQuery",
    "Results",
    "Run",
    "RunDetail",
    "RunPath",
    "RunQuery",
    "Runs",
    "Save",
    "Stop",
    "Trend",
    "TrendPoint",
    "TrendQuery",
    "Trends",
    "api",
    "problems",
]
