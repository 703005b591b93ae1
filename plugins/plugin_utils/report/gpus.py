# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The GPUs of a run's service: what their telemetry says, and what it cost to ask them."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.nodes import mean_max, while_measuring
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

PREFIX = "gpu-"


def telemetry(run: RunDirectory) -> dict[str, list[dict[str, Any]]]:
    """Rows by the name of the GPU: its node and its number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(run.path.glob(f"telemetry/{PREFIX}*.csv")):
        for row in run.table(f"telemetry/{path.name}"):
            if isinstance(row.get("t"), float) and isinstance(row.get("gpu"), float):
                found.setdefault(f"{path.stem.removeprefix(PREFIX)} GPU {row['gpu']:.0f}", []).append(row)
    return found


def gather(
    by_gpu: dict[str, list[dict[str, Any]]], events: list[dict[str, Any]], segments: list[dict[str, Any]]
) -> dict[str, Any]:
    """A row for each GPU while the run measured; `asked`: what asking took; `missing`: why there is nothing."""
    done = [event for event in events if event["event"] == "gpu_telemetry_done"]
    samples = sum(event["samples"] for event in done)
    return {
        "rows": [_row(name, rows, segments) for name, rows in by_gpu.items()],
        "asked": {"samples": samples, "each_s": sum(event["seconds"] for event in done) / samples} if samples else None,
        "problems": [event["problem"] for event in done if event.get("problem")],
        "missing": [event["reason"] for event in events if event["event"] == "gpu_telemetry_missing"],
        "models": [
            {"node": event.get("node"), "driver": event.get("driver"), **gpu}
            for event in events
            if event["event"] == "gpu_telemetry_started"
            for gpu in event.get("gpus") or []
        ],
    }


def _row(name: str, rows: list[dict[str, Any]], segments: list[dict[str, Any]]) -> dict[str, Any]:
    used = while_measuring(rows, segments) or rows

    def of(column: str) -> tuple[float, float] | None:
        return mean_max([row[column] for row in used if isinstance(row.get(column), float)])

    return {
        "name": name,
        "samples": len(used),
        "utilization": of("utilization_percent"),
        "memory": of("memory_used_bytes"),
        "power_w": of("power_w"),
        "sm_clock_mhz": of("sm_clock_mhz"),
        "temperature_celsius": of("temperature_celsius"),
        "held_back": _held_back(used),
    }


def _held_back(rows: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """(what held the clocks back, in which share of the samples), the most frequent first."""
    reasons = [str(row["throttle_reasons"]).split("|") for row in rows if row.get("throttle_reasons")]
    names = dict.fromkeys(name for found in reasons for name in found)
    shares = [(name, sum(name in found for found in reasons) / len(rows)) for name in names]
    return sorted(shares, key=lambda pair: -pair[1])
