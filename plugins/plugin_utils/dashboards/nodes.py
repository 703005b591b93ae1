# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of runs: CPU, memory, disks, network, pressure, and and GPUs."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import (
    Dashboard,
    Panel,
    Query,
    Variable,
)

CHOSEN = 'run=~"$run",node=~"$node"'
VARIABLES = (
    Variable("cluster", "aifactory_node_memory_used_bytes", "cluster"),
    Variable("run", 'aifactory_node_memory_used_bytes{cluster=~"$cluster"}', "run", newest_first=True),
    Variable("node", 'aifactory_node_memory_used_bytes{run=~"$run"}', "node"),
)
_NODE, _CASE = "run, role, node", "run, cluster, case"


def dashboard() -> Dashboard:
    """Nodes and GPUs."""
    about = "Nodes while runs held them, second by second"
    return Dashboard("nodes", "AI Factory: nodes and GPUs", about, VARIABLES, (*_NODES, *_GPUS), since="now-24h")


def _mean(name: str) -> Query:
    expr = f"avg by ({_NODE}) (avg_over_time(aifactory_node_{name}{{{CHOSEN}}}[$__interval]))"
    return Query(expr, "{{role}} {{node}}")


def _panel(title: str, name: str, unit: str, **more: str) -> Panel:
    return panels.curves(title, _mean(name), unit=unit, width=8, **more)


def _gpu(title: str, name: str, unit: str, **more: str) -> Panel:
    expr = f"avg by (run, node, gpu) (avg_over_time(aifactory_gpu_{name}{{{CHOSEN}}}[$__interval]))"
    return panels.curves(title, Query(expr, "{{node}} GPU {{gpu}}"), unit=unit, width=8, **more)


_NODES = (
    panels.row("Nodes"),
    _panel("CPU: user", "cpu_user_ratio", "percentunit", about="1: all CPUs of the node"),
    _panel("CPU: system", "cpu_system_ratio", "percentunit"),
    _panel("CPU: waiting for disks", "cpu_iowait_ratio", "percentunit"),
    _panel("Memory used", "memory_used_bytes", "bytes"),
    _panel("Memory available", "memory_available_bytes", "bytes"),
    _panel("Network received", "network_receive_bytes_per_second", "Bps"),
    _panel("Network sent", "network_transmit_bytes_per_second", "Bps"),
    _panel("Disks read", "disk_read_bytes_per_second", "Bps"),
    _panel("Disks written", "disk_write_bytes_per_second", "Bps"),
    _panel(
        "Waiting for a CPU", "psi_cpu_some_ratio", "percentunit", about="Share of the time in which some task waited"
    ),
    _panel("Waiting for memory", "psi_memory_some_ratio", "percentunit"),
    _panel("Waiting for disks", "psi_io_some_ratio", "percentunit"),
    _panel("CPU power", "cpu_power_watts", "watt", about="Of all processors, where the node tells"),
    panels.row("The service on its node"),
    panels.curves("CPU of the service", _mean("service_cpu_ratio"), unit="percentunit", about="1: one CPU"),
    panels.curves("Memory of the service", _mean("service_memory_bytes"), unit="bytes"),
)
_GPUS = (
    panels.row("GPUs"),
    _gpu("GPU in use", "utilization_ratio", "percentunit", about="Share of the time in which something ran on it"),
    _gpu(
        "Memory in use",
        "memory_busy_ratio",
        "percentunit",
        about="Share of the time in which memory was read or written",
    ),
    _gpu("GPU memory used", "memory_used_bytes", "bytes"),
    _gpu("GPU power", "power_watts", "watt"),
    _gpu("Clock", "sm_clock_hertz", "hertz"),
    _gpu("Temperature", "temperature_celsius", "celsius"),
    panels.states(
        "What holds GPUs back",
        Query(
            f"max by (run, node, gpu, reason) (max_over_time(aifactory_gpu_throttled{{{CHOSEN}}}[$__interval])) > 0",
            "{{node}} GPU {{gpu}}: {{reason}}",
        ),
        width=16,
    ),
    panels.curves(
        "Power by the energy counter",
        Query(
            f"sum by (run, node) (rate(aifactory_gpu_energy_joules_total{{{CHOSEN}}}[$__rate_interval]))",
            "{{run}} {{node}}",
        ),
        unit="watt",
        width=8,
        interval="15s",
    ),
    panels.table(
        "Energy by case",
        {
            "joules": (panels.result("energy_joules", _CASE), "joule"),
            "above idle": (panels.result("energy_above_idle_joules", _CASE), "joule"),
            "of an operation": (panels.result("energy_per_operation_joules", _CASE), "joule"),
            "of an output token": (panels.result("energy_per_output_token_joules", _CASE), "joule"),
        },
        about="While the case was measured, mean over the repetitions",
    ),
    panels.table(
        "GPU hours by run and phase",
        {"GPU hours": (f"sum by (run, phase) ({panels.last('run_gpu_seconds')}) / 3600", "short")},
    ),
)
