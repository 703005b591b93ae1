# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The time series of a run: its phases, the load, the nodes' telemetry, what the services said of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import naming
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import (
    public_labels,
    public_name,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.openmetrics.families import COUNTER, UNKNOWN, Families
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry.service_series import read

# Prometheus forgets a value after 5 minutes; what stays the same is said again so often
_AGAIN_S = 15.0
_PHASE_AGAIN_S = 60.0
_GPU, _GPU_COUNTERS = "gpu", ("energy_j",)
_PER_SECOND = {"operations": "1/s", "errors": "1/s", "offered": "1/s"}
_ABOUT_LOAD = "What the clients did and measured in a second, over all of them"


def add(families: Families, run: RunDirectory, record: dict[str, Any]) -> None:
    """Add every time series of a run. Raises RunError: a file cannot be read."""
    _phases(families, record.get("timeline") or [])
    for case in run.cases():
        _load(families, run, case)
    for path in sorted(run.path.glob("telemetry/*-*.csv")):  # slurm.csv is no series of a node
        _telemetry(families, run, path.stem)
    for path in sorted(run.path.glob("metrics/*.csv")):
        _service(families, run, path.stem)


def _phases(families: Families, segments: list[dict[str, Any]]) -> None:
    """1 while a run is in a phase, 0 in the others; all 0 from its end on."""
    about = "1 while the run is in this phase"
    for segment in segments:
        for t in _moments(segment["start"], segment["end"], _PHASE_AGAIN_S):
            for phase in timeline.PHASES:
                families.add("aifactory_run_phase", about, phase == segment["phase"], t, phase=phase)
    for phase in timeline.PHASES if segments else ():
        families.add("aifactory_run_phase", about, 0, segments[-1]["end"], phase=phase)


def _load(families: Families, run: RunDirectory, case: dict[str, Any]) -> None:
    name = run.case_file(case.get("series"), "series")
    where = {"case": case["case"], "repetition": case["repetition"]}
    for row in run.table(name) if name else []:
        t, phase = row.pop("t", None), row.pop("phase", None)
        if not isinstance(t, float):
            continue
        for column, value in _numbers(row):
            unit = _PER_SECOND.get(column)
            named, factor = (
                naming.of_result(column, unit, room="load") if unit else naming.of_column(column, room="load")
            )
            families.add(named, _ABOUT_LOAD, value * factor, t, **where, phase=str(phase or ""))


def _telemetry(families: Families, run: RunDirectory, stem: str) -> None:
    """Of one node; the file is ROLE-NODE.csv, or gpu-NODE.csv."""
    role, _dash, node = stem.partition("-")
    rows = run.table(f"telemetry/{stem}.csv")
    if role == _GPU:
        _gpus(families, rows, node)
        return
    for row in rows:
        t = row.pop("t", None)
        if not isinstance(t, float):
            continue
        for column, value in _numbers(row):
            name, factor = naming.of_column(column, room="node")
            about = f"{column} of the telemetry, a mean over a second where it is a rate or a share"
            families.add(name, about, value * factor, t, role=role, node=node)


def _gpus(families: Families, rows: list[dict[str, Any]], node: str) -> None:
    """Of each GPU of a node. What holds one back is 1 while it does, else 0, of what once did."""
    held_back = {reason for row in rows for reason in _reasons(row)}
    for row in rows:
        t, gpu = row.pop("t", None), row.pop("gpu", None)
        if not isinstance(t, float) or not isinstance(gpu, float):
            continue
        where = {"node": node, "gpu": f"{gpu:g}", "uuid": str(row.pop("uuid", None) or "")}
        now = _reasons(row)
        for reason in held_back:
            families.add(
                "aifactory_gpu_throttled", "1 while this holds the GPU back", reason in now, t, **where, reason=reason
            )
        for column, value in _numbers(row):
            name, factor = naming.of_column(column, room=_GPU)
            kind = {"kind": COUNTER} if column in _GPU_COUNTERS else {}
            families.add(name, f"{column} of a GPU's telemetry", value * factor, t, **kind, **where)


def _reasons(row: dict[str, Any]) -> set[str]:
    told = row.get("throttle_reasons")
    return set(told.split("|")) if isinstance(told, str) else set()


def _service(families: Families, run: RunDirectory, stem: str) -> None:
    """Under the names that the service gave; a label of its own that is taken becomes exported_LABEL."""
    found = read(run, f"metrics/{stem}.csv")
    last = max((one.times[-1] for one in found.values()), default=0.0)
    for one in found.values():
        name = public_name(one.metric)
        if name is None:
            continue  # the cluster wrote the file
        labels = {**dict(public_labels(one.labels, {*families.labels, "service"})), "service": stem}
        # unknown: a counter of OpenMetrics would have to end with _total
        # what did not change is as it was until the last question
        for t, until, value in zip(one.times, [*one.times[1:], last], one.values, strict=True):
            for moment in (*_moments(t, until, _AGAIN_S), *([last] if until == last else [])):
                families.add(name, "Told by the service itself", value, moment, kind=UNKNOWN, **labels)


def _moments(start: float, end: float, step_s: float) -> list[float]:
    """`start`, and so on every `step_s` before `end`."""
    return [start + step_s * number for number in range(max(1, int((end - start) / step_s) + 1))]


def _numbers(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    return ((column, value) for column, value in row.items() if isinstance(value, float))
