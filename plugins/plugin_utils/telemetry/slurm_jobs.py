# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Slurm says that a run's jobs used: accounting at their end, else sstat at the end of the load, else why not."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.timeline import job_ran

FILE = "telemetry/slurm.csv"
BEFORE, AFTER = "before", "after"
SSTAT = "sstat"
# of the steps of a job: how each is taken together
OVER_STEPS = {
    "cpu_s": sum, "max_rss_bytes": max, "max_disk_read_bytes": max, "max_disk_write_bytes": max,
    "disk_read_bytes": sum, "disk_write_bytes": sum,
}  # fmt: skip
_NOTHING = {"source": None, "reason": None, "energy_j": None, **dict.fromkeys(OVER_STEPS), "steps": []}
_NO_GATHERING = "accounting gathers nothing of jobs: JobAcctGatherType is none on this cluster"
_NO_STEPS = (
    "accounting told of no step: the cluster keeps none, keeps none of steps (AccountingStorageEnforce=nosteps), or "
    "was late"
)

Rows = list[dict[str, Any]]


def gathering(run: RunDirectory) -> dict[str, str] | None:
    """What the cluster gathers of jobs (usage, energy, frequency) by its configuration; None where nobody told."""
    cluster = (run.read_json("provenance.json", None) or {}).get("cluster") or {}
    return cluster.get("gathering") or None


def samples(run: RunDirectory) -> Rows:
    """Rows of telemetry/slurm.csv; ids as text, as Slurm writes them."""
    return [
        {**row, **{name: _text(row.get(name)) for name in ("job", "component", "step", "nodes")}}
        for row in run.table(FILE)
        if isinstance(row.get("t"), float)
    ]


def _text(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value or "")


def asked(events: list[dict[str, Any]]) -> int:
    """How often the jobs asked sstat."""
    return sum(bool(event.get("asked")) for event in events if event["event"] == "slurm_usage")


def with_usage(run: RunDirectory, jobs: Rows, events: list[dict[str, Any]]) -> Rows:
    """The jobs, each with `usage`: what it used by Slurm, with its `source`, or the `reason` why nobody knows."""
    gathers, rows = gathering(run), samples(run)
    return [{**job, "usage": _usage(run.id, job, gathers, rows, events)} for job in jobs]


def _usage(
    run_id: str, job: dict[str, Any], gathers: dict[str, str] | None, rows: Rows, events: list[dict[str, Any]]
) -> dict[str, Any]:
    known = job.get("usage") or {}
    if known.get("steps"):
        return {**_NOTHING, **known, "reason": _why_incomplete(run_id, known, gathers)}
    if not job_ran(job):
        return {**_NOTHING, "reason": "the job never ran"}
    if gathers and gathers["usage"] == "none":
        return {**_NOTHING, "reason": _NO_GATHERING}
    if job.get("end") is None:
        return {**_NOTHING, "reason": "accounting is asked when the job is over"}
    last = [row for row in rows if row["moment"] == AFTER and row["job"] == str(job["id"])]
    if last:
        return _by_sstat(last)
    failed = [event["reason"] for event in events if event["event"] == "slurm_usage" and event.get("reason")]
    return {**_NOTHING, "reason": "; ".join([_NO_STEPS, *dict.fromkeys(failed[-1:])])}


def _why_incomplete(run_id: str, known: dict[str, Any], gathers: dict[str, str] | None) -> str | None:
    """Why some of it is missing, or too small; None where all is told."""
    running = [step["step"] for step in known["steps"] if not states.is_final(step["state"])]
    if running:
        again = f"ansible-playbook aifactory.benchmark.teardown -e run={run_id}"
        return f"accounting still had {', '.join(running)} running when it was asked; ask again: {again}"
    if known.get("max_rss_bytes") is None and gathers and gathers["usage"] == "none":
        return _NO_GATHERING
    return None


def _by_sstat(rows: Rows) -> dict[str, Any]:
    found = {**_NOTHING, "source": SSTAT, "reason": f"{_NO_STEPS}; this is what sstat said at the end of the load"}
    steps = [{**row, "cpu_s": _cpu_s(row)} for row in rows]
    for name, over in OVER_STEPS.items():
        values = [step[name] for step in steps if isinstance(step.get(name), float)]
        found[name] = over(values) if values else None
    return found


def _cpu_s(row: dict[str, Any]) -> float | None:
    """Of a step that runs: sstat knows only the mean over its tasks."""
    mean, tasks = row.get("mean_task_cpu_s"), row.get("tasks")
    return mean * tasks if isinstance(mean, float) and isinstance(tasks, float) else None
