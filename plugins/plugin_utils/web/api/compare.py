# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Comparisons and trends."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api import models
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.runs import line
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.pages import compare, trends

api = models.api("numbers", "runs side by side, and over time")


@api.get("/comparison", responses={200: models.Comparison, **models.problems(501)})
def compare_runs(query: models.CompareQuery) -> Any:
    """Compare runs that are over: ratios with their intervals, what differs, the verdict."""
    runs = [name.strip() for name in query.runs.split(",") if name.strip()]
    return flask.jsonify(comparison=compare.judged(runs, query.baseline, query.threshold, query.metrics))


@api.get("/trends", responses={200: models.Trends})
def get_trends(query: models.TrendQuery) -> Any:
    """The numbers of a recipe over time, by cluster."""
    here = reading.settings()
    with Store(here.home, here.store_url) as store:
        records = store.runs(limit=trends.MOST_RUNS, recipe=query.recipe, cluster=query.cluster, state="finished")
    found = trends.gather(records[::-1])
    return flask.jsonify(
        trends=[
            {"case": case, "metric": metric, "statistic": statistic, "points": [line(point) for point in points]}
            for (case, metric, statistic), points in found.items()
        ]
    )
