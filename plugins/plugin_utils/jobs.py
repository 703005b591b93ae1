# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run's jobs as run.json keeps them (jobs.json in the run's directory until then)."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

ROLES = ("image", "service", "clients")


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
    }


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
