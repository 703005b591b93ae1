# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run cost: node-, core- and GPU-hours, split by phase.

Allocated time is what a site bills, so it is counted from Slurm's job records (start to end, times the nodes,
CPUs and GPUs that the job had), not from what was busy. Each second of a job belongs to the phase that the run
was in; all of an image job is `starting`, since it prepares the service.

`wasted_share` is the share of the node-hours that brought the measurement nothing: `ready` (nodes held while
nothing was measured) and `ending`; all of it when nothing was measured. `starting` and `warmup` are the price
of a measurement, `measuring` is the measurement.

What a million operations or tokens cost is what the nodes of service and clients would cost for as long as these took
to be measured: without queue, start, warm-up and end, which a service that runs for days does not pay again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.estimate import price_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.timeline import PHASES, job_ran

_KINDS = (("node_hours", "nodes"), ("core_hours", "cpus"), ("gpu_hours", "gpus"))
_COUNTED = {"operation": "operations", "output_token": "output_tokens"}
_WASTED = ("queued", "ready", "ending")


def cost(jobs: list[dict[str, Any]], segments: list[dict[str, Any]], now: float | None = None) -> dict[str, Any]:
    """Node-, core- and GPU-hours of a run, in sum and `by_phase`.

    `jobs` as in run.json (`nodes`, `cpus` and `gpus` are the whole job's), `segments` as timeline.build gives
    them. A job without an end counts until `now` (epoch, s), or until the timeline's end.
    """
    horizon = now if now is not None else (segments[-1]["end"] if segments else None)
    hours = {phase: {kind: 0.0 for kind, field in _KINDS} for phase in PHASES}
    for job in jobs:
        for phase, seconds in _seconds_by_phase(job, segments, horizon).items():
            for kind, field in _KINDS:
                hours[phase][kind] += seconds * float(job.get(field) or 0) / 3600.0
    total = {kind: round(sum(of_phase[kind] for of_phase in hours.values()), 6) for kind, field in _KINDS}
    spent = {
        phase: {kind: round(value, 6) for kind, value in of_phase.items()}
        for phase, of_phase in hours.items()
        if any(of_phase.values())
    }
    return {**total, "by_phase": spent, **_shares(total, spent)}


def _seconds_by_phase(job: dict[str, Any], segments: list[dict[str, Any]], horizon: float | None) -> dict[str, float]:
    """How long a job held its nodes in each phase; what lies outside of the timeline counts as `ending`."""
    if not job_ran(job):
        return {}
    start = float(job["start"])
    end = job.get("end") if job.get("end") is not None else horizon
    if end is None or end <= start:
        return {}
    if job.get("role") == "image":
        return {"starting": end - start}
    seconds: dict[str, float] = {}
    for segment in segments:
        overlap = min(end, segment["end"]) - max(start, segment["start"])
        if overlap > 0:
            seconds[segment["phase"]] = seconds.get(segment["phase"], 0.0) + overlap
    outside = (end - start) - sum(seconds.values())
    if outside > 1e-9:
        seconds["ending"] = seconds.get("ending", 0.0) + outside
    return seconds


def _shares(total: dict[str, float], spent: dict[str, dict[str, float]]) -> dict[str, float | None]:
    whole = total["node_hours"]
    if whole <= 0:
        return {"measured_share": None, "wasted_share": None}
    measured = spent.get("measuring", {}).get("node_hours", 0.0)
    wasted = sum(spent.get(phase, {}).get("node_hours", 0.0) for phase in _WASTED) if measured else whole
    return {"measured_share": round(measured / whole, 4), "wasted_share": round(min(1.0, wasted / whole), 4)}


def of_cases(
    jobs: list[dict[str, Any]], cases: Iterable[dict[str, Any]], table: Table, prices: dict[str, Any]
) -> list[dict[str, Any]]:
    """What a million of each kind cost in each case: `case`, `per_million` (operation or output_token → hours, price).

    `cases` as in cases.json; all repetitions of a case count together. Price as `estimate.price_of` has it.
    """
    paid = [job for job in jobs if job.get("role") != "image"]
    held = {kind: sum(float(job.get(field) or 0) for job in paid) for kind, field in _KINDS}
    found: dict[str, dict[str, Any]] = {}
    for case in cases:
        if not case.get("measure_end"):
            continue
        sums = found.setdefault(case["case"], {"seconds": 0.0, **dict.fromkeys(_COUNTED, 0.0)})
        sums["seconds"] += case["measure_end"] - case["measure_start"]
        for unit, metric in _COUNTED.items():
            sums[unit] += table.value(case["case"], case["repetition"], metric, "value") or 0.0
    return [
        {"case": name, "per_million": {
            unit: _per_million(held, sums["seconds"], sums[unit], prices) for unit in _COUNTED if sums[unit]}}
        for name, sums in found.items()
    ]  # fmt: skip


def _per_million(held: dict[str, float], seconds: float, count: float, prices: dict[str, Any]) -> dict[str, Any]:
    hours = {kind: amount * seconds / 3600.0 / (count / 1e6) for kind, amount in held.items()}
    return {**hours, "price": price_of(hours, prices)}
