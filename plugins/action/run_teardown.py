# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ends what a run still has on the cluster, and proves that nothing is left; can be repeated."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import sacct, scontrol, squeue, states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.orphans import targets_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    UNREACHABLE_S,
    RunAction,
    RunFailed,
    add_calls,
    controller_event,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

GOODBYE_S = 30.0
ACCOUNTING_LAG_S = 2.0  # slurmctld hands on to accounting what it knows within this, unless it has much to do
# Renamed first: who collects at the same time sees that it has half a directory.
_REMOVE = """[ ! -e "$1" ] || { rm -rf -- "$1.gone" && mv -- "$1" "$1.gone"; } || exit 1
rm -rf -- "$1.gone" && [ ! -e "$1" ] && [ ! -e "$1.gone" ]"""
_TARGETS = """rm -f -- "$1/$2"-*.json; for path in "$1/$2"-*.json; do [ ! -e "$path" ] || exit 1; done"""
_STOP = """[ ! -d "$1/control" ] || : >"$1/control/stop" """


class ActionModule(RunAction):
    """See the module run_teardown for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "grace_s": {"type": "float", "default": 0.0},
        "fail": {"type": "bool", "default": False},
        "keep_directory": {"type": "bool", "default": False},
        "deadline_s": {"type": "float", "default": 180.0},
    }

    def act(self) -> dict[str, Any]:
        """Stop, cancel, prove; writes teardown.json and returns it."""
        run = self.find(self.options["run"])
        plan = run.read_json("plan.json")
        remote = self.remote(patience_s=UNREACHABLE_S)
        self.client = self.slurm(remote)
        records = run_jobs.read(run) or run_jobs.adopt(run, self.client)
        if self.options["grace_s"]:
            self._ask_to_stop(remote, plan["run_dir"], records)
        checks, records = self._jobs(remote, run, records)
        if not self.options["keep_directory"]:
            # what the agents found, and the directory, are known when the run was collected
            checks += [*_agent_checks(run), *_client_checks(run)]
            checks.append(self._directory(remote, run, plan["run_dir"]))
            checks += self._targets(remote, run.id, plan["cluster"])
        teardown = {
            "schema": 1,
            "clean": all(check["ok"] for check in checks),
            "checked_at": time.time(),
            "checks": checks,
        }
        run.write_json("teardown.json", teardown)
        run.write_json("jobs.json", records)
        controller_event(run, "torn_down", clean=teardown["clean"])
        remote.calls.update(self.client.counts)
        add_calls(run, remote.calls)
        wrong = [f"{check['what']}: {check['found']}" for check in checks if not check["ok"]]
        if wrong:
            self.say(f"teardown NOT proven: {'; '.join(wrong)}", color="red")
        elif self.options["keep_directory"]:
            self.say("no job of the run is left")
        else:
            self.say(f"torn down, {len(checks)} checks: no job, port, process or file is left")
        if wrong and self.options["fail"]:
            raise RunFailed(f"run {run.id}: what is left can't be ruled out: {'; '.join(wrong)}")
        return {"changed": True, "run": run.id, "teardown": teardown}

    def _ask_to_stop(self, remote: Remote, run_dir: str, records: list[dict[str, Any]]) -> None:
        """Let the agents end in order (results written, data removed) before anything is cancelled."""
        remote.shell(_STOP, run_dir)
        running = [job["id"] for job in records if job["role"] != "image"]
        if running:
            self.say("asked the jobs to end")
            self.client.wait_gone(running, deadline_s=self.options["grace_s"])

    def _jobs(
        self, remote: Remote, run: RunDirectory, records: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Cancel what lives, wait until all are gone, and look by name for what nobody knows of."""
        ids = [job["id"] for job in records]
        names = [run_jobs.job_name(run.id, role) for role in run_jobs.ROLES]
        end = time.monotonic() + self.options["deadline_s"]
        found, named, unknown = self._look(remote, ids, names, end)
        # asked side by side: one answer may have a job that is over, another the same one still completing
        living = {job_id for job_id, job in found.items() if not job.gone} | {job.raw_id for job in named}
        if living:
            self._end(run, sorted(living))
            # what was asked before they ended proves nothing
            found, named, unknown = self._look(remote, ids, names, end)
        if _late_steps(found):
            time.sleep(ACCOUNTING_LAG_S)
            again, _named, _unknown = self._look(remote, ids, names, end)
            for job_id, job in again.items():
                found[job_id].steps = job.steps or found[job_id].steps
        checks = [
            {
                "what": f"{job['role']} job",
                "how": self._asked(job["id"], found[job["id"]].source),
                "found": found[job["id"]].state,
                "ok": found[job["id"]].gone,
            }
            for job in records
        ]
        checks.append(
            {
                "what": "jobs by name",
                "how": f"{'jobs named ' if self.by_rest else 'squeue --name='}{run_jobs.name_prefix(run.id)}…",
                "found": ", ".join(f"{job.id} {job.state}" for job in named) or unknown or "no job in the queue",
                "ok": not named and not unknown,
            }
        )
        return checks, [run_jobs.update(job, found[job["id"]]) for job in records]

    def _look(
        self, remote: Remote, ids: list[str], names: list[str], end: float
    ) -> tuple[dict[str, Job], list[Job], str]:
        """The run's jobs by id and by name, and why the latter are unknown; by commands with one remote call."""
        self._count(remote)
        if ids and not self.by_rest:
            # accounting may lag, then scontrol knows more
            asked = [squeue.argv(ids=ids), sacct.argv(ids=ids, steps=True), squeue.argv(names=names, mine=True)]
            self.client = SlurmClient(remote.prefetched([*asked, *map(scontrol.show_job_argv, ids)]))
        found, (named, unknown) = self.client.jobs(ids, steps=True), self._named(names, end)
        self._count(remote)
        return found, named, unknown

    def _count(self, remote: Remote) -> None:
        """Add what the client has asked so far to the run's calls, and go on with a new one."""
        remote.calls.update(self.client.counts)
        self.client = self.slurm(remote)

    def _named(self, names: list[str], end: float) -> tuple[list[Job], str]:
        """The jobs of these names in the queue; why nobody knows, where Slurm does not answer until `end`."""

        def ask() -> list[Job]:
            return self.client.slurm.queue_by_name("look for jobs of this run", names, None)

        try:
            listed = self.client.patiently(ask, max(0.0, end - time.monotonic()))
        except SlurmError as error:
            if not error.transient:
                raise
            return [], f"unknown: {error.message}"
        return [job for job in listed if not job.final], ""

    def _asked(self, job_id: str, source: str | None) -> str:
        return self.client.slurm.question(job_id, source) if self.by_rest else f"{source or 'squeue'} of job {job_id}"

    def _end(self, run: RunDirectory, living: list[str]) -> None:
        """Wait for jobs whose agents said goodbye, cancel the others, and wait until all are gone."""
        if _said_goodbye(run):
            # they need a moment to leave; cancelling them now would mark them CANCELLED
            gone = self.client.wait_gone(living, deadline_s=GOODBYE_S)
            living = [job_id for job_id in living if not gone[job_id]["gone"]]
        if not living:
            return
        cancelled = self.client.cancel(living, owner_name_prefix=run_jobs.name_prefix(run.id))
        if cancelled:
            self.say(f"cancelled job(s) {', '.join(cancelled)}")
        self.client.wait_gone(living, deadline_s=self.options["deadline_s"])

    def _directory(self, remote: Remote, run: RunDirectory, run_dir: str) -> dict[str, Any]:
        check = {"what": "run directory", "how": f"rm and stat {run_dir}"}
        if not run.has("manifest.json"):
            return {**check, "found": "kept: nothing was collected from it yet", "ok": False}
        answer = remote.shell(_REMOVE, run_dir)
        if answer.rc == 0:
            return {**check, "found": "removed", "ok": True}
        return {**check, "found": answer.err.strip() or "still there", "ok": False}

    def _targets(self, remote: Remote, run_id: str, cluster: dict[str, Any]) -> list[dict[str, Any]]:
        """What tells Prometheus of the run's agents, which an agent that was killed could not remove."""
        if not cluster.get("live_metrics"):
            return []
        folder = targets_of(cluster["scratch"])
        answer = remote.shell(_TARGETS, folder, run_id)
        found = "none left" if answer.rc == 0 else answer.err.strip() or "still there"
        return [{"what": "live targets", "how": f"rm and look in {folder}", "found": found, "ok": answer.rc == 0}]


def _late_steps(found: dict[str, Job]) -> bool:
    """Whether accounting still has a step running of a job that is gone: it lags behind."""
    return any(job.gone and any(not states.is_final(step["state"]) for step in job.steps) for job in found.values())


def _said_goodbye(run: RunDirectory) -> bool:
    """Whether both agents have told that they are done."""
    told = {(event.get("source"), event["event"]) for event in run.events()}
    return ("service", "stopped") in told and bool(told & {("clients", "done"), ("clients", "failed")})


def _agent_checks(run: RunDirectory) -> list[dict[str, Any]]:
    """What the service's agents found on their nodes when they ended; unknown where one could not say."""
    events = [event for event in run.events() if event.get("source") == "service"]
    started = {_who(event): event for event in events if event["event"] == "container_started"}
    stopped = {_who(event): event for event in events if event["event"] == "stopped"}
    ends = [
        (stopped.get(member), {**stopped, **started}[member].get("node")) for member in sorted({**stopped, **started})
    ]
    if not ends:
        return []
    nodes = ", ".join(dict.fromkeys(str(node) for _end, node in ends))
    # the agent says null of what the service never had
    wanted = (
        ("port", f"the agent connects to it on {nodes}", "port_closed", {True: "closed", False: "still open"}),
        ("processes", f"the agent looks in /proc on {nodes}", "processes_left", {0: "none left"}),
        ("node-local data", f"the agent removes it and looks on {nodes}", "data_removed",
         {True: "removed", False: "still there"}),
    )  # fmt: skip
    if any(end and end.get("gpu_memory_freed") is not None for end, _node in ends):
        words = {True: "as before the service", False: "more in use than before the service"}
        wanted += (("GPU memory", f"the agent asks nvidia-smi on {nodes}", "gpu_memory_freed", words),)
    return [{"what": what, "how": how, **_found(ends, key, words)} for what, how, key, words in wanted]


def _client_checks(run: RunDirectory) -> list[dict[str, Any]]:
    """Nothing when the clients' agents ended by themselves, which then have removed what they made."""
    events = [event for event in run.events() if event.get("source") == "clients"]
    begun = [event for event in events if event["event"] == "job_started"]
    if not begun or any(event["event"] in ("done", "failed") for event in events):
        return []
    node = begun[0].get("node")
    found = f"unknown: the agent on {node} was killed before it could remove it"
    return [{"what": "clients' node-local data", "how": "the agents remove it", "found": found, "ok": False}]


def _who(event: dict[str, Any]) -> tuple[str, int]:
    """Which member of which service an event is of."""
    return event.get("service", ""), event.get("member", 0)


def _found(ends: list[tuple[dict[str, Any] | None, Any]], key: str, words: dict[Any, str]) -> dict[str, Any]:
    """`found` and `ok` of one check over all members: what is wrong with the first of which something is."""
    texts = []
    for end, node in ends:
        if end is None or (end.get(key) is None and key == "processes_left"):
            return {"found": f"unknown: the agent on {node} was killed before it could look", "ok": False}
        value = end.get(key)
        right = value in (0, []) if key == "processes_left" else value in (True, None)
        if not right:
            where = f" on {node}" if len(ends) > 1 else ""
            return {"found": words.get(value, f"{value} left") + where, "ok": False}
        texts.append("the service has none" if value is None else words.get(value or 0, words.get(value, "")))
    return {"found": texts[0], "ok": True}
