# SPDX-License-Identifier: MIT
"""The data of every dashboard as pages: each panel in its place, with what a real Prometheus answers to its queries.

usage: python dashboards.py FOLDER

Grafana itself is not here. This draws lines, bars, figures and tables of the same answers, in the same grid, so that
somebody can see whether they are what the panel's title promises. History: runs of every kind, as in the tests.
"""

from __future__ import annotations

import html
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.offline

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import dashboards  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import (  # noqa: E402
    Dashboard,
    Panel,
    Query,
)

from tests.bench.bench_dashboards import POINTS, SHOWN_S, copies, exported  # noqa: E402
from tests.unit.plugins.plugin_utils import samples  # noqa: E402
from tests.unit.plugins.plugin_utils.monitoring import history, prometheus  # noqa: E402
from tests.unit.plugins.plugin_utils.monitoring.test_dashboards import SCRAPE_S, choices, filled  # noqa: E402

RUNS, DAYS = 60, 30.0
Times = tuple[float, float]
ROW_PX = 38  # a unit of the grid's height
OWN_S = (-20.0, 120.0)  # the time of one run, from its begin
PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 13px sans-serif; margin: 12px }}
main {{ display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: {row_px}px; gap: 6px }}
section {{ border: 1px solid #ccc; overflow: auto; padding: 4px }} h3 {{ margin: 0 0 2px; font-size: 13px }}
td, th {{ padding: 1px 6px; border-bottom: 1px solid #eee; text-align: left }} .none {{ color: #b00 }}
.figure {{ font-size: 26px }} .plot {{ height: calc(100% - 20px) }}</style>
<h2>{title}</h2><p>{about}<br>Shown: {chosen}</p><main>{panels}</main>
<script>{plotly}</script><script>{draw}</script></html>
"""
DRAW = """{plots}.forEach(function (plot) {{
  Plotly.newPlot(plot.id, plot.data, plot.layout, {{ displayModeBar: false }}); }});"""


def answer(server: Any, panel: Panel, query: Query, chosen: dict[str, str], times: Times) -> Any:
    """The series that a query finds, asked as Grafana asks it."""
    start, end = times
    step = max((end - start) / POINTS, float(panel.interval.rstrip("s") or SCRAPE_S))
    expr = filled(query.expr, chosen, end - start, step)
    if query.instant:
        return server.get("query", query=expr, time=end)["result"]
    return server.range(expr, start, end, step)


def legend(query: Query, metric: dict[str, str]) -> str:
    """As Grafana names a series."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: metric.get(found[1], ""), query.legend) or json.dumps(metric)


def traces(panel: Panel, answers: list[tuple[Query, Any]]) -> Iterator[dict[str, Any]]:
    """What plotly draws of them."""
    for query, series in answers:
        for each in series:
            name = legend(query, each["metric"])
            if panel.kind == "bargauge":
                yield {"type": "bar", "orientation": "h", "name": name, "x": [float(each["value"][1])], "y": [name]}
            else:
                pairs = [(1e3 * t, float(value)) for t, value in each["values"]]
                mode = "lines+markers" if panel.defaults.get("custom", {}).get("spanNulls") else "lines"
                yield {
                    "type": "scatter",
                    "mode": mode,
                    "name": name,
                    "x": [p[0] for p in pairs],
                    "y": [p[1] for p in pairs],
                }


def rows(answers: list[tuple[Query, Any]]) -> str:
    """A table: a row for each set of labels, a column for each query."""
    merged: dict[str, dict[int, str]] = {}
    for number, (_query, series) in enumerate(answers):
        for each in series:
            labels = ", ".join(f"{name}={value}" for name, value in sorted(each["metric"].items()))
            merged.setdefault(labels, {})[number] = f"{float(each['value'][1]):.6g}"
    body = "".join(
        f"<tr><td>{html.escape(labels)}</td>" + "".join(f"<td>{values.get(n, '–')}</td>" for n in range(len(answers)))
        for labels, values in merged.items()
    )
    return f"<table>{body}</table>"


def section(server: Any, panel: Panel, place: dict[str, Any], chosen: dict[str, str], times: Times) -> Any:
    """(HTML of a panel in its place, what plotly draws in it or None)."""
    grid = place["gridPos"]
    style = f"grid-column:{grid['x'] + 1}/span {grid['w']};grid-row:{grid['y'] + 1}/span {grid['h']}"
    head, identifier = f"<h3>{html.escape(panel.title)}</h3>", f"panel{place['id']}"
    if panel.kind == "row":
        return f'<section style="{style}">{head}</section>', None
    answers = [(query, answer(server, panel, query, chosen, times)) for query in panel.queries]
    plot = None
    if not any(series for _query, series in answers):
        inside = '<p class="none">nothing</p>'
    elif panel.kind == "stat":
        found = [float(each["value"][1]) for _query, series in answers for each in series]
        inside = f'<p class="figure">{", ".join(f"{value:.5g}" for value in found)} {panel.defaults["unit"]}</p>'
    elif panel.kind == "table":
        inside = rows(answers)
    else:
        inside = f'<div class="plot" id="{identifier}"></div>'
        layout = {
            "margin": {"l": 50, "r": 8, "t": 4, "b": 24}, "legend": {"orientation": "h", "font": {"size": 9}},
            "xaxis": {"type": "linear" if panel.kind == "bargauge" else "date"},
            "yaxis": {"title": {"text": panel.defaults.get("unit", "")}, "rangemode": "tozero"},
        }  # fmt: skip
        plot = {"id": identifier, "data": list(traces(panel, answers)), "layout": layout}
    return f'<section style="{style}">{head}{inside}</section>', plot


def page(server: Any, dashboard: Dashboard) -> str:
    """A dashboard with the newest of what can be chosen one by one."""
    shown_s = SHOWN_S[dashboard.since]
    end = samples.BEGIN + min(1140.0, shown_s - 60)
    times = (end - shown_s, end)
    if any(variable.name == "run" and not variable.many for variable in dashboard.variables):
        times = (samples.BEGIN + OWN_S[0], samples.BEGIN + OWN_S[1])
    chosen = choices(server, dashboard, *times)[-1]
    made = [
        section(server, panel, place, chosen, times)
        for panel, place in zip(dashboard.panels, dashboard.json()["panels"], strict=True)
    ]
    plots = json.dumps([plot for _text, plot in made if plot]).replace("</", "<\\/")
    return PAGE.format(
        title=html.escape(dashboard.title), about=html.escape(dashboard.about), row_px=ROW_PX,
        chosen=html.escape(str({name: value[:80] for name, value in chosen.items()})),
        panels="".join(text for text, _plot in made), plotly=plotly.offline.get_plotlyjs(),
        draw=DRAW.format(plots=plots),
    )  # fmt: skip


def main() -> None:
    """Write a page for each dashboard."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aifactory-dashboards-") as name:
        folder = Path(name)
        files = copies(exported(folder), folder / "copies", RUNS, DAYS - 1)
        files += [*sorted((folder / "openmetrics").iterdir()), folder / "live.om"]
        files[-1].write_text(history.live(folder / "home"))
        prometheus.backfill(files, folder / "data")
        with prometheus.prometheus(folder) as server:
            for dashboard in dashboards.all_dashboards():
                path = target / f"{dashboard.name}.html"
                path.write_text(page(server, dashboard))
                print(path)


if __name__ == "__main__":
    main()
