# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All runs: how many, how good, how dear, and how their results change."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard, Query, Variable
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.panels import last

CHOSEN = 'cluster=~"$cluster",recipe=~"$recipe"'
VARIABLES = (
    Variable("cluster", "aifactory_run_info", "cluster"),
    Variable("recipe", 'aifactory_run_info{cluster=~"$cluster"}', "recipe"),
)
_CASE = "cluster, recipe, case"
_RUN = "run, cluster, recipe"
# opens the run at its own time
_OPEN = {
    "matcher": {"id": "byName", "options": "run"},
    "properties": [
        {
            "id": "links",
            "value": [
                {
                    "title": "Open the run",
                    "url": "/d/aifactory-run?var-run=${__value.raw}"
                    "&from=${__data.fields.planned.numeric}&to=${__data.fields.over.numeric}",
                }
            ],
        }
    ],
}


def dashboard() -> Dashboard:
    """All runs of a time."""
    about = "All runs in the time that is shown"
    return Dashboard("overview", "AI Factory benchmarks", about, VARIABLES, (*_FIGURES, *_RUNS, *_TRENDS))


def _last(name: str, over: str = "$__range") -> str:
    return last(f"run_{name}", over=over, chosen=CHOSEN)


def _time(name: str) -> str:
    """In milliseconds, as Grafana counts."""
    return f"1000 * max by ({_RUN}) ({_last(f'{name}_timestamp_seconds')})"


_SPENT = f"sum by ({_RUN}) ({_last('node_seconds')})"


def _of_node_hours(share: str) -> str:
    """A share of each run's node hours as one of all of them: long runs count for more."""
    of_run = f"max by ({_RUN}) ({_last(share)})"
    return f"sum({of_run} * {_SPENT}) / sum({_SPENT} and {of_run})"


_WHAT = f"{_RUN}, service, workload, state, verdict"
_FIGURES = (
    panels.figure("Runs", f"count({_last('info')})"),
    panels.figure("Valid", f"avg({_last('valid')})", "percentunit", about="Share of the runs"),
    panels.figure("Node hours", f"sum({_last('node_seconds')}) / 3600"),
    panels.figure("GPU hours", f"sum({_last('gpu_seconds')}) / 3600"),
    panels.figure(
        "Measured",
        _of_node_hours("measured_ratio"),
        "percentunit",
        about="Share of the node hours in which was measured",
    ),
    panels.figure(
        "Wasted",
        _of_node_hours("wasted_ratio"),
        "percentunit",
        about="Share of the node hours that brought the measurement nothing",
    ),
)
_RUNS = (
    panels.table(
        "Runs",
        {
            "": (f"max by ({_WHAT}) ({_last('info')})", "short"),
            "planned": (_time("created"), "dateTimeAsIso"),
            "over": (_time("ended"), "dateTimeAsIso"),
        },
        overrides=(_OPEN,),
    ),
    panels.bars("Why runs are INVALID", f"sum by (code) ({_last('reasons')})", "{{code}}", width=8),
    panels.bars("Node hours by phase", f"sum by (phase) ({_last('node_seconds')}) / 3600", "{{phase}}", width=8),
    panels.bars("Calls to the clusters", f"sum by (call) ({_last('cluster_calls_total')})", "{{call}}", width=8),
)
_STEP = {"over": "$__interval", "chosen": CHOSEN}
_TRENDS = (
    panels.row("In the course of time"),
    panels.trend("Throughput", panels.result("throughput_per_second", _CASE, **_STEP), "ops"),
    panels.trend("Response time, p99", panels.worst("response_time_seconds", "p99", _CASE, **_STEP), "s"),
    panels.trend("Errors", panels.error_ratio(_CASE, **_STEP), "percentunit", about="Share of the operations"),
    panels.curves(
        "Node hours",
        Query(f"sum by (cluster) ({_last('node_seconds', over='$__interval')}) / 3600", "{{cluster}}"),
        points=True,
    ),
)
