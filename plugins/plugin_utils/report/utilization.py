# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How busy the service's nodes, its GPUs and the clients' nodes were: over time, and in each case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.nodes import cpu_percent

Rows = list[dict[str, Any]]
SERVICE, GPUS, CLIENTS = "CPUs of the service's nodes", "GPUs", "CPUs of the clients' nodes"


def over_time(nodes: dict[str, Rows], gpus: dict[str, Rows]) -> dict[str, list[tuple[float, float]]]:
    """Name of a group → (epoch in s, mean in % of all its members that told in that second), by time."""
    found = {}
    for name, rows, of in _groups(nodes, gpus):
        seconds: dict[int, list[float]] = {}
        for row in rows:
            value = of(row)
            if value is not None:
                seconds.setdefault(int(row["t"]), []).append(value)
        if seconds:
            found[name] = [(float(t), sum(values) / len(values)) for t, values in sorted(seconds.items())]
    return found


def by_load(
    nodes: dict[str, Rows], gpus: dict[str, Rows], cases: list[dict[str, Any]], load: Callable[[dict[str, Any]], Any]
) -> dict[str, list[tuple[Any, float, None]]]:
    """Name of a group → (load, mean in % while that was measured, None: no interval), by load.

    `cases` as in cases.json; `load` gives a repetition's place on the axis, or None.
    """
    groups = over_time(nodes, gpus)
    found: dict[str, list[tuple[Any, float, None]]] = {}
    for name, points in groups.items():
        values: dict[Any, list[float]] = {}
        for case in cases:
            at = load(case)
            if at is not None and case.get("measure_end"):
                inside = [value for t, value in points if case["measure_start"] <= t < case["measure_end"]]
                values.setdefault(at, []).extend(inside)
        told = [(at, sum(inside) / len(inside), None) for at, inside in values.items() if inside]
        if told:
            found[name] = sorted(told, key=lambda point: point[0])
    return found


def _groups(
    nodes: dict[str, Rows], gpus: dict[str, Rows]
) -> Iterable[tuple[str, Rows, Callable[[dict[str, Any]], float | None]]]:
    def of(prefix: str) -> Rows:
        return [row for name, rows in nodes.items() if name.startswith(prefix) for row in rows]

    yield SERVICE, of("service-"), cpu_percent
    yield GPUS, [row for rows in gpus.values() for row in rows], _gpu_percent
    yield CLIENTS, of("clients-"), cpu_percent


def _gpu_percent(row: dict[str, Any]) -> float | None:
    value = row.get("utilization_percent")
    return value if isinstance(value, float) else None
