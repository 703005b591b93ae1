# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs that go on: what their agents say when Prometheus asks them."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import (
    Dashboard,
    Panel,
    Query,
    Variable,
)

CHOSEN = 'run=~"$run"'
VARIABLES = (
    Variable("cluster", "aifactory_load_clients", "cluster"),
    Variable("run", 'aifactory_load_clients{cluster=~"$cluster"}', "run", newest_first=True),
)
_CASE, _NODE, _GPU = "run, case, repetition", "run, role, node", "run, node, gpu"


def dashboard() -> Dashboard:
    """Live."""
    about = "Runs with benchmark_live_metrics while they go on; numbers of the last seconds, not judged"
    return Dashboard(
        "live", "AI Factory: live", about, VARIABLES, (*_RUNS, *_LOAD, *_NODES), since="now-15m", refresh="5s"
    )


def _now(name: str, by: str) -> str:
    return f"max by ({by}) (aifactory_{name}{{{CHOSEN}}})"


def _last(name: str, by: str) -> str:
    """The last of the time that is shown: a run that is over for some minutes stays in tables."""
    return f"max by ({by}) ({panels.last(name)})"


def _curve(title: str, unit: str, by: str, *named: tuple[str, str], **more: str) -> Panel:
    """A curve for each set of the labels `by`; `named`: what it is, name without aifactory_."""
    labels = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    queries = (Query(_now(name, by), f"{what} {labels}".strip()) for what, name in named)
    return panels.curves(title, *queries, unit=unit, interval="5s", **more)


_RUNS = (
    panels.states(
        "Phases", Query(f"max by (run, phase) (aifactory_run_phase{{{CHOSEN}}}) > 0", "{{run}}: {{phase}}"), height=6
    ),
    panels.table(
        "Where they are",
        {
            "done": (_last("load_repetitions_done", "run, recipe, cluster"), "short"),
            "of": (_last("load_repetitions", "run, recipe, cluster"), "short"),
            "clients": (_last("load_clients", "run, recipe, cluster"), "short"),
            "lost": (_last("load_clients_lost", "run, recipe, cluster"), "short"),
        },
        about="Repetitions of all cases; how many there will be is not known in a search",
        width=12,
        height=6,
    ),
    panels.bars(
        "Of this repetition",
        f"{_last('load_elapsed_seconds', _CASE)} / {_last('load_duration_seconds', _CASE)}",
        "{{run}} {{case}} {{repetition}}",
        "percentunit",
        height=6,
    ),
    panels.states("Agents that answer", Query(f"max by ({_NODE}) (up{{{CHOSEN}}})", "{{role}} {{node}}"), height=6),
)
_LOAD = (
    panels.row("Load"),
    _curve(
        "Operations", "ops", _CASE, ("done:", "load_operations_per_second"), ("due:", "load_offered_per_second")
    ),
    _curve(
        "Response time", "s", _CASE,
        ("mean:", "load_response_time_mean_seconds"), ("longest:", "load_response_time_max_seconds"),
    ),
    _curve("Errors", "ops", _CASE, ("", "load_errors_per_second"), width=8),
    _curve("In flight", "short", _CASE, ("", "load_in_flight"), width=8),
    _curve("Schedule lag, longest", "s", _CASE, ("", "load_schedule_lag_seconds"), width=8),
)  # fmt: skip
_NODES = (
    panels.row("Nodes"),
    _curve("CPU: user", "percentunit", _NODE, ("", "node_cpu_user_ratio"), width=8),
    _curve("Memory used", "bytes", _NODE, ("", "node_memory_used_bytes"), width=8),
    _curve(
        "Waiting for a CPU", "percentunit", _NODE, ("", "node_psi_cpu_some_ratio"), width=8,
        about="Share of the time in which some task waited: clients that wait are measured instead of the service",
    ),
    _curve("CPU of the service", "percentunit", _NODE, ("", "node_service_cpu_ratio"), width=8, about="1: one CPU"),
    _curve("GPU in use", "percentunit", _GPU, ("", "gpu_utilization_ratio"), width=8),
    _curve("GPU power", "watt", _GPU, ("", "gpu_power_watts"), width=8),
)  # fmt: skip
