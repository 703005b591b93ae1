# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recipe over time: the numbers of its runs as their summaries tell them, each cluster a line."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import (
    COLOURS,
    RED,
    axis,
    axis_of,
    figure,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("trends", __name__, url_prefix="/trends")
MOST_RUNS = 500
PLOTTED = 12
Key = tuple[str, str, str]  # case, metric, statistic


@blueprint.get("/")
def show() -> Any:
    """The page."""
    given, here = flask.request.args, reading.settings()
    with Store(here.home, here.store_url) as store:
        choices = store.choices("recipe", "cluster")
        recipe = given.get("recipe") or next(iter(choices["recipe"]), None)
        filters = {"recipe": recipe, "cluster": given.get("cluster") or None, "state": "finished"}
        records = store.runs(limit=MOST_RUNS, **filters) if recipe else []
    records.reverse()
    series = gather(records)
    shown = dict(list(series.items())[:PLOTTED])
    plots = {f"trend_{number}": _figure(key, points) for number, (key, points) in enumerate(shown.items())}
    return flask.render_template(
        "trends.html.j2", recipe=recipe, cluster=given.get("cluster") or "", choices=choices, records=records,
        titles=[_title(key) for key in shown], left_out=len(series) - len(shown),
        **page.figures(plots), series=list(shown.values()),
    )  # fmt: skip


def gather(records: list[dict[str, Any]]) -> dict[Key, list[dict[str, Any]]]:
    """Number → its points: the headline's line with the run's `id`, `cluster`, `created_at` and `verdict`.

    In the order of the latest run's headline, which begins with the capacity where there is one.
    """
    found: dict[Key, list[dict[str, Any]]] = {}
    for record in reversed(records):
        about = {key: record.get(key) for key in ("id", "cluster", "created_at", "verdict")}
        for line in record.get("headline") or []:
            found.setdefault((line["case"], line["metric"], line["statistic"]), []).append({**about, **line})
    return {key: points[::-1] for key, points in found.items()}


def _title(key: Key) -> str:
    case, metric, statistic = key
    return f"{case}: {formatting.metric({'metric': metric, 'statistic': statistic})}"


def _figure(key: Key, points: list[dict[str, Any]]) -> dict[str, Any]:
    y, scale = axis_of(formatting.metric(points[0]), [point["value"] for point in points], points[0]["unit"])
    clusters = list(dict.fromkeys(point["cluster"] for point in points))
    lines = [
        _line(name, [point for point in points if point["cluster"] == name], scale, COLOURS[number % len(COLOURS)])
        for number, name in enumerate(clusters)
    ]
    return figure(lines, axis("", type="date"), y)


def _line(name: str | None, points: list[dict[str, Any]], scale: float, colour: str) -> dict[str, Any]:
    """A cluster's line: intervals as error bars, runs that are not VALID as crosses."""
    ends = [_ends(point) for point in points]
    return {
        "type": "scatter", "mode": "lines+markers", "name": str(name), "line": {"color": colour, "width": 1.5},
        "x": [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(point["created_at"] or 0)) for point in points],
        "y": [float(f"{point['value'] * scale:.6g}") for point in points],
        "error_y": {
            "type": "data", "symmetric": False, "thickness": 1.2,
            "arrayminus": [float(f"{low * scale:.6g}") for low, _high in ends],
            "array": [float(f"{high * scale:.6g}") for _low, high in ends],
        },
        "marker": {
            "size": 8, "color": [colour if point["verdict"] == "VALID" else RED for point in points],
            "symbol": ["circle" if point["verdict"] == "VALID" else "x" for point in points],
        },
        "text": [f"{point['id']}: {formatting.with_interval(point)}" for point in points], "hoverinfo": "text",
    }  # fmt: skip


def _ends(point: dict[str, Any]) -> tuple[float, float]:
    """How far the interval reaches below and above the value."""
    if point.get("lower") is not None and point.get("upper") is not None:
        return point["value"] - point["lower"], point["upper"] - point["value"]
    half = point.get("half_width") or 0.0
    return half, half
