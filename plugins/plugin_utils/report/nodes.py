# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of a run: what their telemetry says, and how far their clocks were apart."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

NODES_SHOWN = 12


def telemetry(run: RunDirectory) -> dict[str, list[dict[str, Any]]]:
    """Rows of every telemetry file, the service's first."""
    names = sorted(path.stem for role in ("clients", "service") for path in run.path.glob(f"telemetry/{role}-*.csv"))
    names.sort(key=lambda name: not name.startswith("service"))
    tables = {name: run.table(f"telemetry/{name}.csv") for name in names}
    return {name: [row for row in rows if isinstance(row.get("t"), float)] for name, rows in tables.items() if rows}


def cost_s(events: list[dict[str, Any]]) -> float | None:
    """What one row of a service's node took its agent (s, of one core); None where nobody told."""
    done = [event for event in events if event["event"] == "telemetry_done" and event.get("samples")]
    return sum(event["seconds"] for event in done) / sum(event["samples"] for event in done) if done else None


def cpu_percent(row: dict[str, Any]) -> float | None:
    """A node's processors at work, of all it has."""
    parts = [row.get(f"cpu_{kind}_percent") for kind in ("user", "system", "iowait")]
    known = [part for part in parts if isinstance(part, float)]
    return sum(known) if known else None


def while_measuring(rows: list[dict[str, Any]], segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those rows whose time lies in a measurement."""
    spans = [(s["start"], s["end"]) for s in segments if s["phase"] == "measuring"]
    return [row for row in rows if any(start <= row["t"] < end for start, end in spans)]


def node_row(name: str, rows: list[dict[str, Any]], segments: list[dict[str, Any]]) -> dict[str, Any]:
    """What a node did while the run measured (all of its time when it never did)."""
    measured = while_measuring(rows, segments)
    used = measured or rows

    def of(field: str) -> list[float]:
        return [row[field] for row in used if isinstance(row.get(field), float)]

    cpu = [value for value in map(cpu_percent, used) if value is not None]
    return {
        "name": name,
        "samples": len(used),
        "measured": bool(measured),
        "cpu": mean_max(cpu),
        "memory": mean_max(of("memory_used_bytes")),
        "service_memory": mean_max(of("service_memory_bytes")),
        "network": mean_max([sum(pair) for pair in zip(
            of("network_receive_bytes_per_s"), of("network_transmit_bytes_per_s"), strict=False)]),
        "disk": mean_max([sum(pair) for pair in zip(
            of("disk_read_bytes_per_s"), of("disk_write_bytes_per_s"), strict=False)]),
        "cpu_pressure": mean_max(of("psi_cpu_some_percent")),
    }  # fmt: skip


def mean_max(values: list[float]) -> tuple[float, float] | None:
    """(mean, maximum) of values; None without any."""
    return (sum(values) / len(values), max(values)) if values else None
