# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs against one of them: results as ratios, spread over the repetitions, cost of an operation."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard, Variable
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.panels import last

VARIABLES = (
    Variable("recipe", "aifactory_run_info", "recipe"),
    Variable("baseline", 'aifactory_run_info{recipe=~"$recipe"}', "run", many=False),
    Variable("run", 'aifactory_run_info{recipe=~"$recipe"}', "run", newest_first=True),
)
_BY = "run, cluster, case"
_BASE = 'run="$baseline"'


def dashboard() -> Dashboard:
    """Any runs against a baseline, and clusters side by side."""
    about = "Runs beside the baseline, case by case. Whether they can be compared at all, the reports say."
    return Dashboard("compare", "AI Factory: comparison", about, VARIABLES, (*_TABLES, *_BARS))


def _to_baseline(metric: str, statistic: str = "") -> str:
    """1 is as much as the baseline's same case."""
    if statistic:
        ours = panels.worst(metric, statistic, _BY)
        base = panels.worst(metric, statistic, "case", chosen=_BASE)
    else:
        ours, base = panels.result(metric, _BY), panels.result(metric, "case", chosen=_BASE)
    return f"{ours} / on (case) group_left () {base}"


def _spread(metric: str) -> str:
    """Between the repetitions of a case: the difference of the largest and the least by their mean."""
    found = last(f"result_{metric}")
    return f"(max by ({_BY}) ({found}) - min by ({_BY}) ({found})) / avg by ({_BY}) ({found})"


def _of_run(name: str) -> str:
    return f"max by ({_ONE}) ({last(f'run_{name}')})"


_ONE = "run, cluster"
_HELD = last("run_node_seconds", chosen=f'{panels.CHOSEN},phase="measuring"')
_EACH = f"1000 * sum by ({_ONE}) ({_HELD}) / sum by ({_ONE}) ({last('result_operations_total')})"
_RESPONSE = "response_time_seconds"
_TABLES = (
    panels.table(
        "Results",
        {
            "throughput": (panels.result("throughput_per_second", _BY), "ops"),
            "to the baseline": (_to_baseline("throughput_per_second"), "percentunit"),
            "between repetitions": (_spread("throughput_per_second"), "percentunit"),
            "p50": (panels.worst(_RESPONSE, "p50", _BY), "s"),
            "p50 to the baseline": (_to_baseline(_RESPONSE, "p50"), "percentunit"),
            "p99": (panels.worst(_RESPONSE, "p99", _BY), "s"),
            "p99 to the baseline": (_to_baseline(_RESPONSE, "p99"), "percentunit"),
        },
        about="Percentiles are those of the worst repetition. Between repetitions: largest less least, by the mean",
        height=12,
    ),
    panels.table(
        "Cost",
        {
            "node seconds per 1000 operations": (_EACH, "s"),
            "price": (f"max by ({_ONE}, currency) ({last('run_price')})", "short"),
            "measured": (_of_run("measured_ratio"), "percentunit"),
            "wasted": (_of_run("wasted_ratio"), "percentunit"),
            "valid": (_of_run("valid"), "bool_yes_no"),
        },
        about="Node seconds of the measurement only",
    ),
)
_LEGEND = "{{cluster}} {{case}} {{run}}"
_BARS = (
    panels.row("Side by side"),
    panels.bars("Throughput", panels.result("throughput_per_second", _BY), _LEGEND, "ops"),
    panels.bars("Response time, p99", panels.worst(_RESPONSE, "p99", _BY), _LEGEND, "s"),
    panels.bars(
        "Throughput of the clusters",
        panels.result("throughput_per_second", "cluster, case"),
        "{{cluster}} {{case}}",
        "ops",
        about="Mean over all chosen runs",
    ),
    panels.bars(
        "Time in phases",
        f"sum by (run, phase) ({last('run_phase_duration_seconds')})",
        "{{phase}} {{run}}",
        "s",
    ),
)
