# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What belongs to no living run: jobs and directories of runs that nobody will fetch any more.

A run's mark is its jobs' exact names, `aifactory-ID-ROLE`, and its directory, `scratch/runs/ID`. What does not bear
the whole mark is somebody else's, however similar its name is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.adoption import Found
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.parts import NEVER
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RUN_ID

_TARGET = re.compile(RUN_ID.pattern.rstrip("$") + r"-(service|clients)\b.*\.json$")
REMOVED = ".gone"  # what a teardown that was killed leaves of a directory

LEAVE, CANCEL, FINISH, REMOVE = "leave", "cancel", "finish", "remove"


@dataclass(frozen=True)
class Judgement:
    """What is to be done with a run, and why: LEAVE it, CANCEL its jobs, FINISH it (collect, tear down), REMOVE it."""

    name: str
    verdict: str
    why: str
    jobs: list[Job] = field(default_factory=list)


def run_of(job_name: str | None) -> str | None:
    """The run whose mark a job's name bears, or None."""
    match = re.fullmatch(rf"aifactory-(.+)-({'|'.join(run_jobs.ROLES)})", job_name or "")
    return match[1] if match and RUN_ID.match(match[1]) else None


def targets_of(scratch: str) -> str:
    """The directory on the cluster in which live agents say where they are (module_utils.agent.live.targets)."""
    return f"{scratch.rstrip('/')}/monitoring/targets"


def stale_targets(names: Iterable[str], known: Collection[str]) -> list[str]:
    """Of the names of files in the directory of targets those of runs that are not `known` (ids) any more."""
    ours = [name for name in names if _TARGET.match(name)]
    return [name for name in ours if not any(name.startswith(f"{run_id}-") for run_id in known)]


def judge(
    jobs: Iterable[Job], directories: Iterable[Found], elsewhere: Collection[str], idle_s: float
) -> list[Judgement]:
    """A judgement of each run that has a job or a directory, by name.

    `jobs`: the user's own in the queue. `directories`: those in the cluster's folder of runs. `elsewhere`: work
    directories of jobs that are there, but in another folder of runs: another inventory's. `idle_s`: a directory
    without jobs that nothing has touched for so long (s) is nobody's; until then a controller may be at it.
    """
    living: dict[str, list[Job]] = {}
    for job in jobs:
        run_id = run_of(job.name)
        if run_id and not job.final:
            living.setdefault(run_id, []).append(job)
    there = {found.name: found for found in directories}
    return [
        _judge(name, living.get(name, []), there.get(name), elsewhere, idle_s) for name in sorted({*living, *there})
    ]


def _judge(name: str, jobs: list[Job], found: Found | None, elsewhere: Collection[str], idle_s: float) -> Judgement:
    if found is None or jobs:
        verdict, why = _with_jobs(jobs, found is not None, elsewhere)
    elif name.endswith(REMOVED) and RUN_ID.match(name.removesuffix(REMOVED)):
        verdict, why = REMOVE, "a teardown did not come to its end"
    elif not found.is_run:
        verdict, why = LEAVE, "not a run's directory"
    elif found.idle_s < idle_s:
        verdict, why = LEAVE, f"has no job; touched {found.idle_s:.0f} s ago, a controller may be at it"
    elif not found.has_plan:
        verdict, why = REMOVE, "a submission did not come to its end: it has no plan.json and no job"
    else:
        verdict, why = FINISH, f"has no job, and nothing has touched it for {found.idle_s:.0f} s"
    return Judgement(name, verdict, why, jobs)


def _with_jobs(jobs: list[Job], has_directory: bool, elsewhere: Collection[str]) -> tuple[str, str]:
    listed = ", ".join(
        f"{job.id} {job.state}{'' if job.phase == states.RUNNING else f' ({job.reason})'}" for job in jobs
    )
    if any(job.work_dir in elsewhere for job in jobs):
        return LEAVE, f"its directory is in another benchmark_scratch; job {listed}"
    if not has_directory:
        return CANCEL, f"its run directory is gone; job {listed}"
    if all(job.phase == states.PENDING and job.reason == NEVER for job in jobs):
        return FINISH, f"can never start; job {listed}"
    return LEAVE, f"goes on; job {listed}"
