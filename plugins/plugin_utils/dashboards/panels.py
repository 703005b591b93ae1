# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Panels of each kind with the options that all of them have here, and expressions that several dashboards use.

A result is one sample at the end of its repetition, which Prometheus forgets after five minutes. So no query asks for a
result at a moment: tables and figures ask for the last one in the time that is shown, curves for that of each step.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import COLUMNS, Panel, Query

CHOSEN = 'run=~"$run"'
_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True}


def row(title: str) -> Panel:
    """A heading."""
    return Panel("row", title, width=COLUMNS, height=1)


def curves(title: str, *queries: Query, unit: str = "short", points: bool = False, **more: Any) -> Panel:
    """Values over time; `points`: each is a result by itself, with a line to the next one."""
    custom = {
        "drawStyle": "line", "lineWidth": 1, "fillOpacity": 5, "spanNulls": points,
        "showPoints": "always" if points else "auto", "pointSize": 6 if points else 4,
    }  # fmt: skip
    options = {"legend": {**_LEGEND, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}}
    defaults = {"unit": unit, "min": 0, "custom": custom}
    return Panel("timeseries", title, queries, options, defaults, **{"interval": "" if points else "1s", **more})


def figure(title: str, expr: str, unit: str = "short", **more: Any) -> Panel:
    """One number."""
    options = {"colorMode": "none", "graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"], "values": False}}
    defaults = {"unit": unit, "noValue": "none", **more.pop("defaults", {})}
    return Panel("stat", title, (Query(expr, instant=True),), options, defaults, **{"width": 4, "height": 4, **more})


def bars(title: str, expr: str, legend: str, unit: str = "short", **more: Any) -> Panel:
    """A bar for each value at the end of the time that is shown."""
    options = {
        "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False},
    }  # fmt: skip
    defaults = {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}}
    return Panel("bargauge", title, (Query(expr, legend, instant=True),), options, defaults, **more)


def states(title: str, *queries: Query, **more: Any) -> Panel:
    """Which state when; a query's legend is its name."""
    options = {"mergeValues": True, "showValue": "never", "alignValue": "center", "rowHeight": 0.8, "legend": _LEGEND}
    defaults = {"custom": {"fillOpacity": 80, "lineWidth": 0}, "color": {"mode": "thresholds"}}
    return Panel("state-timeline", title, queries, options, defaults, **{"interval": "1s", **more})


def table(title: str, columns: dict[str, tuple[str, str]], **more: Any) -> Panel:
    """A row for each set of labels; `columns`: heading → (expression, unit). An empty heading is not shown."""
    queries = tuple(Query(expr, instant=True, table=True) for expr, _unit in columns.values())
    letters = [chr(ord("A") + number) for number in range(len(queries))]
    # of several queries Grafana calls the values by their letters
    names = [f"Value #{letter}" for letter in letters] if len(letters) > 1 else ["Value"]
    renamed = {name: heading for name, heading in zip(names, columns, strict=True) if heading}
    hidden = {"Time": True, **{name: True for name, heading in zip(names, columns, strict=True) if not heading}}
    organize = {"excludeByName": hidden, "renameByName": renamed, "indexByName": {}}
    units = tuple(
        {"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "unit", "value": unit}]}
        for heading, (_expr, unit) in columns.items()
        if heading
    )
    transformations = ({"id": "merge", "options": {}}, {"id": "organize", "options": organize})
    overrides = (*units, *more.pop("overrides", ()))
    options = {"showHeader": True, "cellHeight": "sm"}
    return Panel(
        "table", title, queries, options, {}, overrides, transformations, **{"width": COLUMNS, "height": 9, **more}
    )


# -- expressions -------------------------------------------------------------------------------------------


def last(name: str, *, over: str = "$__range", chosen: str = CHOSEN) -> str:
    """The last sample of each series in a time. `name`: without aifactory_."""
    return f"last_over_time(aifactory_{name}{{{chosen}}}[{over}])"


def result(metric: str, by: str, *, over: str = "$__range", chosen: str = CHOSEN) -> str:
    """A result that is one number: its mean over the repetitions. `metric`: without aifactory_result_."""
    return f"avg by ({by}) ({last(f'result_{metric}', over=over, chosen=chosen)})"


def worst(metric: str, statistic: str, by: str, *, over: str = "$__range", chosen: str = CHOSEN) -> str:
    """A percentile: that of the worst repetition, since percentiles are not averaged."""
    found = last(f"result_{metric}", over=over, chosen=f'{chosen},statistic="{statistic}"')
    return f"max by ({by}) ({found})"


def error_ratio(by: str, *, over: str = "$__range", chosen: str = CHOSEN) -> str:
    """Errors by all operations, over all repetitions."""
    names = ("result_errors_total", "result_operations_total")
    errors, done = (f"sum by ({by}) ({last(name, over=over, chosen=chosen)})" for name in names)
    return f"{errors} / ({errors} + {done})"


def trend(title: str, expr: str, unit: str, **more: Any) -> Panel:
    """A result in the course of time; `expr` has the labels cluster, recipe and case."""
    return curves(title, Query(expr, "{{cluster}} {{recipe}} {{case}}"), unit=unit, points=True, **more)
