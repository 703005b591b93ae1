# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run's jobs as run.json keeps them (jobs.json in the run's directory until then)."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist, usage
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

ROLES = ("image", "service", "clients")
REST_SOURCES = ("slurm", "slurmdb")
_OVER_STEPS = {
    "cpu_s": sum, "max_rss_bytes": max, "max_disk_read_bytes": max, "max_disk_write_bytes": max,
    "disk_read_bytes": sum, "disk_write_bytes": sum,
}  # fmt: skip
_STEP = ("job_id", "step", "name", "state", "tasks", "elapsed_s", "cpu_s", *usage.KEYS[1:])


def job_name(run_id: str, role: str) -> str:
    """The Slurm job name of a run's job."""
    return f"{name_prefix(run_id)}{role}"


def name_prefix(run_id: str) -> str:
    """What every job name of a run begins with; nothing else is ever cancelled."""
    return f"aifactory-{run_id}-"


def submitted(role: str, run_id: str, job_id: str, *, adopted: bool) -> dict[str, Any]:
    """The record of a job that was submitted a moment ago."""
    return {"role": role, "id": job_id, "name": job_name(run_id, role), "state": None, "adopted": adopted}


def update(record: dict[str, Any], job: Job) -> dict[str, Any]:
    """The record with what Slurm says of the job; an unknown state never replaces a known one."""
    if job.state == "UNKNOWN" and record.get("state"):
        return {**record, "reason": job.reason}
    code = None if job.exit_code is None else f"{job.exit_code}:{job.signal or 0}"
    return {
        **record,
        "state": job.state,
        "reason": job.reason,
        "partition": job.partition or record.get("partition"),
        "account": job.account or record.get("account"),
        "qos": job.qos or record.get("qos"),
        "exit_code": code,
        "node_list": hostlist.compress(job.nodes) if job.nodes else None,
        "submit": job.submit_s,
        "start": job.start_s,
        "end": job.end_s,
        "elapsed_s": job.elapsed_s,
        "nodes": job.tres.get("node") or job.node_count,
        "cpus": job.tres.get("cpu"),
        "gpus": job.tres.get("gres/gpu", 0),
        "usage": usage_of(job) or record.get("usage"),
    }


def usage_of(job: Job) -> dict[str, Any] | None:
    """What accounting says that a job used: sums and maxima over its steps, and the steps. None where it told of none.

    `cpu_s`, `disk_…_bytes`: of all tasks; `max_…`: of the one task that had most; None where no step tells.
    """
    if not job.steps:
        return None
    told: dict[str, Any] = {
        "source": "slurmdb" if job.source in REST_SOURCES else "sacct",
        "energy_j": _counted_energy(job),
    }
    for name, over in _OVER_STEPS.items():
        values = [step[name] for step in job.steps if step.get(name) is not None]
        told[name] = over(values) if values else None
    return {**told, "steps": [_step(step) for step in job.steps]}


def _counted_energy(job: Job) -> int | None:
    """Joules that Slurm writes down for a job as a whole, among its resources."""
    found = usage.counted(job.tres.get("energy")) if isinstance(job.tres.get("energy"), int) else None
    return found or None


def _step(step: dict[str, Any]) -> dict[str, Any]:
    plain = {name: step.get(name) for name in _STEP}
    nodes = step["nodes"]
    where = {"nodes": len(nodes), "node_list": hostlist.compress(nodes)}
    return {**plain, **where, "start": step["start_s"], "end": step["end_s"]}


def adopt(run: RunDirectory, client: SlurmClient) -> list[dict[str, Any]]:
    """Find the jobs of a run by their names, for a controller that died before it could write down their ids.

    Writes jobs.json when there are any. Raises SlurmError when Slurm does not answer.
    """
    found = client.find_many([job_name(run.id, role) for role in ROLES])
    jobs = [
        submitted(role, run.id, found[job_name(run.id, role)][0].raw_id, adopted=True)
        for role in ROLES
        if found.get(job_name(run.id, role))
    ]
    if jobs:
        run.write_json("jobs.json", jobs)
    return jobs


def read(run: RunDirectory) -> list[dict[str, Any]]:
    """The run's jobs, in the order in which they start; none when nothing was submitted."""
    jobs = run.read_json("jobs.json", [])
    return sorted(jobs, key=lambda job: ROLES.index(job["role"]))
