# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows a run until it ends, a time limit, or a lost connection; can be left and entered again at any time."""

from __future__ import annotations

import functools
import os
import random
import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import watch
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import ClusterUnreachable
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    UNREACHABLE_S,
    RunAction,
    RunFailed,
    add_calls,
    controller_event,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError, read_events
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shared_queue import SharedQueue

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 10.0
FIRST_QUEUE_S, LONGEST_QUEUE_S = 1.0, 30.0
HEARTBEAT_S = 30.0
AFTER_SERVICE_S = 15.0
LAST_WORDS_S = 5.0
ABSENT_S = 20.0
QUEUE_GRACE_S = 120.0  # Slurm looks at its jobs' deadlines every minute


class ActionModule(RunAction):
    """See the module run_watch for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "timeout_s": {"type": "float", "default": 0.0},
    }

    def act(self) -> dict[str, Any]:
        """Poll and print until the run is over; `over` says whether it is, `state` where it stands."""
        self.run_files: RunDirectory = self.find(self.options["run"])
        remote = self.remote()
        client = self.client = self.slurm(remote)
        jobs = run_jobs.read(self.run_files) or run_jobs.adopt(self.run_files, client)
        if not jobs:
            raise RunFailed(f"run {self.run_files.id} has no job on {self.host}: nothing was submitted; start it again")
        self.jobs = {job["role"]: job for job in jobs}
        plan = self.run_files.read_json("plan.json")
        self.known: dict[str, Job] = {}
        # by this controller's clock, or that of the one that planned it: a wait of hours does not mind their difference
        self.queue_deadline = plan["created_at"] + plan["cluster"]["queue_deadline_s"]
        self.given_up: dict[str, str] = {}  # role → why its job will not run any more
        self.silent: dict[str, float] = {}  # role → since when its job is over without a last word of it
        self.told: set[str] = set()
        self.absent: dict[str, float] = {}  # role → since when squeue does not list its job
        self.events = [event for source in watch.SOURCES for event in self._mirrored(source)]
        self.on_terminal = _on_terminal()
        self.line_open = False
        self.last_line = time.monotonic()
        self.stopped_at = None if self._seen("service", "stopped") is None else time.monotonic()
        ids = [job["id"] for job in self.jobs.values()]
        queue = SharedQueue(self.home / "cache" / f"queue-{self.host}", self.run_files.id, ids)
        ask = functools.partial(watch.ask_slurmrestd, client.slurm, ids) if self.by_rest else None
        feed = watch.Feed(self.run_files, remote, plan["run_dir"], queue, ask)
        started = time.monotonic()
        try:
            over = self._follow(feed, started)
        finally:
            queue.leave()
            remote.calls.update(client.counts)
            add_calls(self.run_files, remote.calls)
        if not over:
            self.say(
                f"still going on; watch it again: ansible-playbook aifactory.benchmark.watch -e run={self.run_files.id}"
            )
        return {"run": self.run_files.id, "over": over}

    def _mirrored(self, source: str) -> list[dict[str, Any]]:
        return read_events(self.run_files.read_text(f"events/{source}.jsonl", ""))

    def _follow(self, feed: watch.Feed, started: float) -> bool:
        wait_s, queue_s = 0.0, FIRST_QUEUE_S
        next_queue, lost_since = started, None
        while not self._over():
            if self.options["timeout_s"] and time.monotonic() - started > self.options["timeout_s"]:
                return False
            ask_queue = time.monotonic() >= next_queue
            try:
                events, jobs = feed.poll(wait_s, queue_age_s=queue_s if ask_queue else None)
            except ClusterUnreachable as error:
                lost_since = lost_since or time.monotonic()
                self._endure(error, lost_since)
                continue
            except SlurmError as error:
                raise self._left(error) from error
            except RunError:
                if self._ended():
                    return True
                raise
            lost_since = None
            self._take(events, jobs)
            self._pass_on(feed)
            self._look_for_lost(jobs)
            if ask_queue:
                # not at the same moment as all others that began at the same time
                next_queue = time.monotonic() + queue_s * random.uniform(0.8, 1.2)
                # running jobs tell about themselves: the queue is then asked only to notice that they died
                queue_s = LONGEST_QUEUE_S if self._running() else min(queue_s * 1.6, LONGEST_QUEUE_S)
            wait_s = min(max(wait_s * 1.3, FIRST_WAIT_S), LONGEST_WAIT_S)
        return True

    def _left(self, error: Exception) -> RunFailed:
        """What is said when this controller can't follow the run any longer."""
        return RunFailed(
            f"{error}. The run goes on without this controller and ends by itself; follow it again with: "
            f"ansible-playbook aifactory.benchmark.watch -e run={self.run_files.id}"
        )

    def _endure(self, error: ClusterUnreachable, lost_since: float) -> None:
        if time.monotonic() - lost_since > UNREACHABLE_S:
            raise self._left(error)
        self._line(f"no connection, trying again: {error}")
        time.sleep(5)

    def _take(self, events: list[dict[str, Any]], jobs: list[Job] | None) -> None:
        roles = {job["id"]: role for role, job in self.jobs.items()}
        for job in jobs or []:
            role = roles.get(job.raw_id) or roles.get(job.id)
            before = self.known.get(role) if role else None
            if role and (before is None or (before.state, before.reason) != (job.state, job.reason)):
                self.known[role] = job
                controller_event(self.run_files, "state", job=role, state=job.state, reason=job.reason)
                if not job.final or not job.ok:
                    self._line(watch.narrate_job(role, job))
        self._note_late()
        for event in events:
            self.events.append(event)
            if (event.get("source"), event["event"]) == ("service", "stopped"):
                self.stopped_at = time.monotonic()
            if event["event"] == "progress":
                self._progress(event)
            else:
                text = watch.narrate(event)
                if text:
                    self._line(text)
        if time.monotonic() - self.last_line > HEARTBEAT_S:
            reports = [event for event in self.events[-5:] if event["event"] == "progress"]
            self._line(watch.progress_text(reports[-1]) if reports else "waiting")

    def _pass_on(self, feed: watch.Feed) -> None:
        """Tell one part that the other's job has ended and could not say so: it need not wait until that is plain."""
        for role, job in self.known.items():
            if role not in watch.SIGNS or role in self.told or not (job.final or role in self.given_up):
                continue
            since = self.silent.setdefault(role, time.monotonic())
            # what it said last may have been written between the two questions of one poll
            if not self._done(role) and time.monotonic() - since > LAST_WORDS_S:
                self.told.add(role)
                feed.tell(role, self.given_up.get(role) or f"its job {job.id} ended {job.state}")

    def _done(self, role: str) -> bool:
        if role == "service":
            return self._seen("service", "stopped") is not None
        return self._seen("clients", "done", "failed") is not None

    def _look_for_lost(self, listed: list[Job] | None) -> None:
        """A job that squeue does not list: it ended long ago, or slurmctld has lost it when it was killed."""
        if listed is None:
            return
        there = {job.raw_id for job in listed} | {job.id for job in listed}
        for role, job in self.jobs.items():
            if job["id"] in there or self._never_again(role):
                self.absent.pop(role, None)
                continue
            since = self.absent.setdefault(role, time.monotonic())
            if time.monotonic() - since < ABSENT_S:
                continue
            found = self.client.jobs([job["id"]])[job["id"]]
            if found.gone:
                self.known[role] = found
            if found.gone and not found.final:
                self.given_up[role] = f"Slurm has lost its job {job['id']}"
                controller_event(self.run_files, "job_lost", job=role, id=job["id"], reason=found.reason)
                self._line(f"Slurm has lost the {role} job {job['id']}: {found.reason}")

    def _note_late(self) -> None:
        """Slurm removes a job that can't start by its deadline, but not one that is held."""
        if time.time() < self.queue_deadline + QUEUE_GRACE_S:
            return
        for role, job in self.known.items():
            if job.phase in (states.PENDING, states.HELD) and role not in self.given_up:
                self.given_up[role] = f"its job {job.id} waited longer than benchmark_queue_deadline"
                controller_event(self.run_files, "queue_deadline", job=role, id=job.id, reason=job.reason)
                self._line(f"the {role} job {job.id} has waited longer than benchmark_queue_deadline: {job.reason}")

    def _progress(self, event: dict[str, Any]) -> None:
        if self.on_terminal:
            self._display.display(f"\r[{self.host}] {watch.progress_bar(event)}\x1b[K", newline=False)
            self.line_open = True

    def _line(self, text: str) -> None:
        if self.line_open:
            self._display.display("\r\x1b[K", newline=False)
            self.line_open = False
        self.last_line = time.monotonic()
        self.say(text)

    def _seen(self, source: str, *names: str) -> float | None:
        return next((e["t"] for e in self.events if e.get("source") == source and e["event"] in names), None)

    def _running(self) -> bool:
        return self._seen("service", "job_started") is not None and self._seen("clients", "job_started") is not None

    def _ended(self) -> bool:
        """Whether all parts have said their last word, or somebody has in their place."""
        # clients without a job of their own are in the service's
        return all(self._done(role) or (role if role in self.jobs else "service") in self.told for role in watch.SIGNS)

    def _over(self) -> bool:
        if self._ended() or self._seen("image", "failed"):
            return True
        roles = [role for role in self.jobs if role != "image"]
        if all(self._never_again(role) for role in roles):
            return True
        if any(role in self.told for role in roles) and all(self._never_began(role) for role in set(roles) - self.told):
            return True
        # clients that have not ended by then never started: teardown cancels them
        return self.stopped_at is not None and time.monotonic() - self.stopped_at > AFTER_SERVICE_S

    def _never_again(self, role: str) -> bool:
        job = self.known.get(role)
        return role in self.given_up or (job is not None and (job.final or job.reason == watch.NEVER))

    def _never_began(self, role: str) -> bool:
        return self._seen(role, "job_started") is None and self.known[role].phase in (states.PENDING, states.HELD)


def _on_terminal() -> bool:
    """Whether a person watches: workers have no terminal of their own, so the play's process is asked.

    Under AWX and ansible-runner there is a terminal too, but nobody at it: a bar would flood the event stream.
    """
    if any(os.environ.get(name) for name in ("AWX_ISOLATED_DATA_DIR", "JOB_ID", "CI", "NO_COLOR")):
        return False
    if os.environ.get("TERM", "dumb") == "dumb":
        return False
    try:
        return os.readlink(f"/proc/{os.getppid()}/fd/1").startswith("/dev/pts/")
    except OSError:
        return False
