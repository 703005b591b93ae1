# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run: its phases, load, results, nodes and cost."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard, Query, Variable
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.panels import last

CHOSEN = 'run="$run"'
_CASES = "case, repetition"
_ONE = {"chosen": CHOSEN}


def dashboard() -> Dashboard:
    """One run."""
    run = Variable("run", "aifactory_run_info", "run", many=False, newest_first=True)
    about = "One run, at its own time: open it from the overview, or choose the time in which it ran"
    return Dashboard("run", "AI Factory: run", about, (run,), (*_HEAD, *_LOAD, *_RESULTS, *_NODES), since="now-24h")


def _last(name: str) -> str:
    return last(name, chosen=CHOSEN)


def _second(name: str, by: str) -> str:
    """A series of values for each second, as a mean over a step."""
    return f"sum by ({by}) (avg_over_time(aifactory_{name}{{{CHOSEN}}}[$__interval]))"


_VERDICTS = {"0": {"text": "INVALID", "color": "red"}, "1": {"text": "VALID", "color": "green"}}
_WHAT = "run, cluster, recipe, service, workload, state, verdict"
_LASTED = f"max({_last('run_ended_timestamp_seconds')}) - max({_last('run_created_timestamp_seconds')})"
_HEAD = (
    panels.figure(
        "Verdict",
        f"max({_last('run_valid')})",
        defaults={"mappings": [{"type": "value", "options": _VERDICTS}]},
    ),
    panels.figure("From planned to over", _LASTED, "s"),
    panels.figure("Node hours", f"sum({_last('run_node_seconds')}) / 3600"),
    panels.figure("GPU hours", f"sum({_last('run_gpu_seconds')}) / 3600"),
    panels.figure("Wasted", f"max({_last('run_wasted_ratio')})", "percentunit"),
    panels.figure("Calls", f"sum({_last('run_cluster_calls_total')})", about="To the cluster"),
    panels.table("What it is", {"": (f"max by ({_WHAT}) ({_last('run_info')})", "short")}, height=4),
    panels.states(
        "Phases",
        Query(f"max by (phase) (aifactory_run_phase{{{CHOSEN}}} > 0)", "{{phase}}"),
        width=16,
        height=7,
    ),
    panels.bars(
        "Time by phase",
        f"sum by (phase) ({_last('run_phase_duration_seconds')})",
        "{{phase}}",
        "s",
        width=8,
        height=7,
    ),
    panels.bars("Reasons why it is INVALID", f"sum by (code) ({_last('run_reasons')})", "{{code}}", height=5),
    panels.bars(
        "Capacity",
        f"max by (bound) ({_last('run_capacity_per_second')})",
        "{{bound}}",
        "ops",
        height=5,
        about="Of a search over the rate: the highest load that met the SLO, the lowest that did not, their middle",
    ),
)
_LOAD = (
    panels.row("Load, second by second"),
    panels.curves(
        "Operations",
        Query(_second("load_operations_per_second", _CASES), "done: {{case}} {{repetition}}"),
        Query(_second("load_offered_per_second", _CASES), "due: {{case}} {{repetition}}"),
        unit="ops",
    ),
    panels.curves("Errors", Query(_second("load_errors_per_second", _CASES), "{{case}} {{repetition}}"), unit="ops"),
    panels.curves(
        "Response time",
        Query(_second("load_response_time_mean_seconds", _CASES), "mean: {{case}} {{repetition}}"),
        Query(_second("load_response_time_max_seconds", _CASES), "max: {{case}} {{repetition}}"),
        unit="s",
    ),
    panels.curves("The service answers", Query(f"min by (service) (aifactory_service_up{{{CHOSEN}}})", "{{service}}")),
)
_RESULTS = (
    panels.row("Results"),
    panels.table(
        "By repetition",
        {
            "throughput": (panels.result("throughput_per_second", _CASES, **_ONE), "ops"),
            **{
                name: (panels.worst("response_time_seconds", name, _CASES, **_ONE), "s")
                for name in ("p50", "p90", "p95", "p99", "p999", "max")
            },
            "errors": (panels.error_ratio(_CASES, **_ONE), "percentunit"),
        },
    ),
    panels.table("Met the SLO", {"met": (f"min by (case) ({_last('run_slo_met')})", "bool_yes_no")}, width=12),
    panels.bars(
        "Schedule lag, p99",
        panels.worst("schedule_lag_seconds", "p99", _CASES, **_ONE),
        "{{case}} {{repetition}}",
        "s",
        about="How late operations began, where there is a schedule",
    ),
)
_NODES = (
    panels.row("Nodes"),
    panels.curves(
        "CPU",
        Query(_second("node_cpu_user_ratio", "role, node"), "user: {{role}} {{node}}"),
        Query(_second("node_cpu_system_ratio", "role, node"), "system: {{role}} {{node}}"),
        unit="percentunit",
    ),
    panels.curves(
        "Memory used", Query(_second("node_memory_used_bytes", "role, node"), "{{role}} {{node}}"), unit="bytes"
    ),
)
