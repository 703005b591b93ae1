# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds what belongs to no living run on a cluster; ends its jobs, and names the runs that are left to be finished."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import adoption, orphans
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed

CANCEL_DEADLINE_S = 180.0
_THERE = 'for path in "$@"; do [ ! -d "$path" ] || printf "%s\\n" "$path"; done'
_TARGETS = 'cd "$1" 2>/dev/null || exit 0; for name in *.json; do [ ! -e "$name" ] || printf "%s\\n" "$name"; done'
_UNLIST = 'cd "$1" && shift && rm -f -- "$@"'
_REMOVE = 'rm -rf -- "$1" && [ ! -e "$1" ]'


class ActionModule(RunAction):
    """See the module run_orphans for the options."""

    OPTIONS = {"idle_s": {"type": "float", "default": 600.0}}

    def act(self) -> dict[str, Any]:
        """Judge, cancel and remove; in check mode only say what would be done."""
        remote = self.remote()
        scratch = self.scratch(remote)
        client = self.slurm(remote)
        # the directories last: a run that is submitted meanwhile has its directory before its jobs
        mine = client.slurm.queue_of_mine("list your jobs")
        jobs = [job for job in mine if orphans.run_of(job.name)]
        directories = adoption.on_cluster(remote, scratch)
        judgements = orphans.judge(jobs, directories, _elsewhere(remote, scratch, jobs), self.options["idle_s"])
        doing = "would be" if self.check_mode else "is"
        for each in judgements:
            said = {
                orphans.LEAVE: "left alone",
                orphans.CANCEL: f"{doing} cancelled",
                orphans.FINISH: f"{doing} collected and torn down",
                orphans.REMOVE: f"{doing} removed",
            }[each.verdict]
            self.say(f"{each.name} {said}: {each.why}")
        found = {
            verdict: [each for each in judgements if each.verdict == verdict]
            for verdict in (orphans.CANCEL, orphans.FINISH, orphans.REMOVE)
        }
        if not any(found.values()):
            self.say(f"no orphan in the queue and in {scratch}/runs")
        stale = self._stale_targets(remote, scratch, {each.name for each in judgements})
        names = {verdict: [each.name for each in those] for verdict, those in found.items()}
        if self.check_mode:
            return {**names, "finish": [], "would_finish": names[orphans.FINISH]}
        for each in found[orphans.CANCEL]:
            self._cancel(client, each)
        for each in found[orphans.REMOVE]:
            self._remove(remote, adoption.run_dir(scratch, each.name))
        if stale and (answer := remote.shell(_UNLIST, orphans.targets_of(scratch), *stale)).rc != 0:
            raise RunFailed(f"{orphans.targets_of(scratch)} on {self.host} can't be cleared: {answer.err.strip()}")
        return {"changed": bool(stale) or any(found.values()), **names}

    def _stale_targets(self, remote: Remote, scratch: str, known: set[str]) -> list[str]:
        """Files by which Prometheus would look for agents that are gone."""
        folder = orphans.targets_of(scratch)
        stale = orphans.stale_targets(remote.shell(_TARGETS, folder).out.splitlines(), known)
        if stale:
            doing = "would be" if self.check_mode else "is"
            self.say(f"{len(stale)} file(s) in {folder} {doing} removed: of runs that are gone")
        return stale

    def _cancel(self, client: SlurmClient, judgement: orphans.Judgement) -> None:
        ids = [job.id for job in judgement.jobs]
        client.cancel(ids, owner_name_prefix=run_jobs.name_prefix(judgement.name))
        gone = client.wait_gone(ids, deadline_s=CANCEL_DEADLINE_S)
        left = [f"{job_id} {proof['state']}" for job_id, proof in gone.items() if not proof["gone"]]
        if left:
            raise RunFailed(f"jobs of {judgement.name} still live after {CANCEL_DEADLINE_S:.0f} s: {', '.join(left)}")
        self.say(f"{judgement.name}: cancelled job(s) {', '.join(ids)}, and they are gone")

    def _remove(self, remote: Remote, path: str) -> None:
        answer = remote.shell(_REMOVE, path)
        if answer.rc != 0:
            raise RunFailed(f"{path} on {self.host} can't be removed: {answer.err.strip() or 'it is still there'}")


def _elsewhere(remote: Remote, scratch: str, jobs: list[Job]) -> list[str]:
    """Work directories of these jobs that are there, but not in this folder of runs."""
    here = adoption.run_dir(scratch, "")
    others = sorted({job.work_dir for job in jobs if job.work_dir and not job.work_dir.startswith(here)})
    return remote.shell(_THERE, *others).out.splitlines() if others else []
