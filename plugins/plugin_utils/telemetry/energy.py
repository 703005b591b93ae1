# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What energy each measurement took, from the best source that a node has, and what that was per operation.

A GPU's own counter of energy is better than its power, which is sampled once a second and integrated by trapezoids;
where there are both, the report says how well they agree. Processors tell by RAPL, where the site lets users read it.
Only what the devices say counts: memory, fans and power supplies of a node are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import slurm_energy

MEASURED, UNKNOWN = "measured", "unknown"
COUNTER, POWER = "counter", "power"
_GPU_FILE, _NODE_FILE = "telemetry/gpu-*.csv", "telemetry/service-*.csv"
_GAP_S = 3.0  # samples come once a second: further from a bound of a measurement, nobody knows
_IDLE_S = 5.0  # of being ready and idle, below which its power says nothing
# what one of is counted, by the metric that counts it, and how many make a unit
_UNITS = {
    "operation": (("operations",), 1.0),
    "output_token": (("output_tokens",), 1.0),
    "gigabyte": (("bytes_received", "bytes_sent"), 1e9),
}


class Meter(NamedTuple):
    """The energy (J) that one device has used up to each of some times (epoch, s), by its counter or by its power."""

    node: str
    device: str
    kind: str
    source: str
    times: Any
    joules: Any
    other_joules: float | None = None  # over all the time by the other source, where it has both

    def used(self, start: float, end: float) -> float | None:
        """Joules between two times; None where the samples do not reach as far."""
        import numpy as np

        if self.times[0] > start + _GAP_S or self.times[-1] < end - _GAP_S:
            return None
        before, after = np.interp([start, end], self.times, self.joules)
        return float(after - before)


def outcome(
    run: RunDirectory,
    segments: list[dict[str, Any]],
    events: list[dict[str, Any]],
    jobs: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The energy of a run, as run.json has it: status, devices, idle power, each repetition, and what Slurm counted.

    `jobs` with their `usage` (slurm_jobs.with_usage).
    """
    found = meters(run)
    slurm = slurm_energy.reconcile(run, jobs, found, events)
    if not found:
        reason = _why_unknown(events)
        return {"status": UNKNOWN, "reason": reason, "devices": [], "idle_w": None, "cases": [], "slurm": slurm}
    idle_w = _idle_w(found, segments, events)
    table = Table(run.results(merged=True))
    cases = [_of_case(found, case, table, idle_w) for case in run.cases() if case.get("measure_end")]
    return {
        "status": MEASURED if any(case["joules"] is not None for case in cases) else UNKNOWN,
        "reason": None if cases else "nothing was measured",
        "devices": [_device(meter) for meter in found],
        "idle_w": idle_w,
        "cases": cases,
        "slurm": slurm,
    }


def meters(run: RunDirectory) -> list[Meter]:
    """Of every device of the service's nodes that tells of its energy, GPUs first."""
    found: list[Meter] = []
    for path in sorted(run.path.glob(_GPU_FILE)):
        rows = run.table(f"telemetry/{path.name}")
        for gpu in dict.fromkeys(row["uuid"] for row in rows):
            meter = _gpu(path.stem.partition("-")[2], str(gpu), [row for row in rows if row["uuid"] == gpu])
            found += [meter] if meter else []
    for path in sorted(run.path.glob(_NODE_FILE)):
        powers = _pairs(run.table(f"telemetry/{path.name}"), "cpu_power_w")
        if len(powers) > 1:
            found.append(_processors(path.stem.partition("-")[2], powers))
    return found


def _pairs(rows: list[dict[str, Any]], column: str) -> list[tuple[float, float]]:
    pairs = [(row["t"], row.get(column)) for row in rows if isinstance(row.get("t"), float)]
    return sorted((t, value) for t, value in pairs if isinstance(value, float))


def _gpu(node: str, uuid: str, rows: list[dict[str, Any]]) -> Meter | None:
    import numpy as np
    from scipy.integrate import cumulative_trapezoid

    counter, powers = _pairs(rows, "energy_j"), _pairs(rows, "power_w")
    by_power = None
    if len(powers) > 1:
        times, watts = np.array(powers).T
        by_power = Meter(node, uuid, "gpu", POWER, times, cumulative_trapezoid(watts, times, initial=0.0))
    values = [value for _t, value in counter]
    if len(counter) < 2 or values != sorted(values):  # a driver that was loaded anew counts from 0
        return by_power
    times, joules = np.array(counter).T
    return Meter(node, uuid, "gpu", COUNTER, times, joules - joules[0],
                 float(by_power.joules[-1]) if by_power else None)  # fmt: skip


def _processors(node: str, powers: list[tuple[float, float]]) -> Meter:
    """A row's power is the mean since the row before, of a counter."""
    import numpy as np

    times, watts = np.array(powers).T
    joules = np.concatenate([[0.0], np.cumsum(np.diff(times) * watts[1:])])
    return Meter(node, "processors", "cpu", COUNTER, times, joules)


def _device(meter: Meter) -> dict[str, Any]:
    return {
        "node": meter.node, "device": meter.device, "kind": meter.kind, "source": meter.source,
        "joules": round(float(meter.joules[-1]), 3),
        "joules_by_power": None if meter.other_joules is None else round(meter.other_joules, 3),
    }  # fmt: skip


def _sum(found: Iterable[Meter], spans: list[tuple[float, float]]) -> float | None:
    """Joules of all devices in all spans of time; None where one of them is not known."""
    used = [meter.used(start, end) for meter in found for start, end in spans]
    return None if None in used else sum(used)


def _idle_w(found: list[Meter], segments: list[dict[str, Any]], events: list[dict[str, Any]]) -> float | None:
    """Mean power while the service was healthy and nothing was asked of it; None where that was too short.

    The set-up of a workload fills a database, or loads a model, while the service is ready.
    """
    set_up = [event["t"] for event in events if event["event"] in ("setup_started", "setup_done")]
    busy = (min(set_up), max(set_up)) if set_up else (0.0, 0.0)
    spans = []
    for segment in segments:
        if segment["phase"] == "ready":
            spans += [
                (segment["start"], min(segment["end"], busy[0])),
                (max(segment["start"], busy[1]), segment["end"]),
            ]
    spans = [(start, end) for start, end in spans if end > start]
    seconds = sum(end - start for start, end in spans)
    used = _sum(found, spans) if seconds >= _IDLE_S else None
    return None if used is None else round(used / seconds, 3)


def _of_case(found: list[Meter], case: dict[str, Any], table: Table, idle_w: float | None) -> dict[str, Any]:
    start, end = case["measure_start"], case["measure_end"]
    joules = _sum(found, [(start, end)])
    per: dict[str, float] = {}
    for unit, (metrics, size) in _UNITS.items() if joules is not None else ():
        counts = [table.value(case["case"], case["repetition"], metric, "value") for metric in metrics]
        count = sum(count for count in counts if count is not None)
        if count:
            per[unit] = joules / (count / size)
    return {
        "case": case["case"],
        "repetition": case["repetition"],
        "seconds": round(end - start, 6),
        "joules": joules,
        "joules_above_idle": None if None in (joules, idle_w) else joules - idle_w * (end - start),
        "per": per,
    }


def _why_unknown(events: list[dict[str, Any]]) -> str:
    missing = [event["reason"] for event in events if event["event"] == "gpu_telemetry_missing"]
    gpus = f"the GPUs do not tell ({missing[0]})" if missing else "there is no GPU"
    return f"{gpus}, and the nodes do not let a user read what their processors use"
