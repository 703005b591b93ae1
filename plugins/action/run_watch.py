# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows a run until it ends, a time limit, or a lost connection; can be left and entered again at any time."""

from __future__ import annotations

import functools
import random
import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import terminal, watch
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.parts import Parts
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
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.standing import Standing

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 10.0
FIRST_QUEUE_S, LONGEST_QUEUE_S = 1.0, 30.0
HEARTBEAT_S = 30.0


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
        plan = self.run_files.read_json("plan.json")
        # by this controller's clock, or that of the one that planned it: a wait of hours does not mind their difference
        queue_deadline = plan["created_at"] + plan["cluster"]["queue_deadline_s"]
        heard = [event for source in watch.SOURCES for event in self._mirrored(source)]
        self.parts = Parts(jobs, heard, queue_deadline)
        self.standing = Standing(plan, self.parts)
        # of several clusters at once each would draw its bar over the others'
        alone = len(self.task_vars.get("ansible_play_hosts_all") or ()) <= 1
        self.on_terminal = alone and terminal.attended(terminal.STDOUT)
        self.line_open = False
        self.last_line = time.monotonic()
        ids = list(self.parts.ids.values())
        queue = SharedQueue(self.home / "cache" / f"queue-{self.host}", self.run_files.id, ids)
        ask = functools.partial(watch.ask_slurmrestd, client.slurm, ids) if self.by_rest else None
        feed = watch.Feed(self.run_files, remote, plan["run_dir"], queue, ask)
        started = time.monotonic()
        try:
            over = self._follow(feed, started)
        finally:
            self._clear()
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
        while not self.parts.over():
            if self.options["timeout_s"] and time.monotonic() - started > self.options["timeout_s"]:
                return False
            ask_queue = time.monotonic() >= next_queue
            try:
                events, jobs = feed.poll(wait_s, queue_age_s=queue_s if ask_queue else None)
                self._take(events, jobs)
                self._pass_on(feed)
            except ClusterUnreachable as error:
                lost_since = lost_since or time.monotonic()
                self._endure(error, lost_since)
                continue
            except SlurmError as error:
                raise self._left(error) from error
            except RunError:
                if self.parts.ended():
                    return True
                raise
            lost_since = None
            if jobs is not None:
                self._look_for_lost(jobs)
            if ask_queue:
                # not at the same moment as all others that began at the same time
                next_queue = time.monotonic() + queue_s * random.uniform(0.8, 1.2)
                # running jobs tell about themselves: the queue is then asked only to notice that they died
                queue_s = LONGEST_QUEUE_S if self.parts.running() else min(queue_s * 1.6, LONGEST_QUEUE_S)
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
        for role, job in self.parts.take(jobs or []):
            controller_event(self.run_files, "state", job=role, state=job.state, reason=job.reason)
            if not job.final or not job.ok:
                self._line(watch.narrate_job(role, job))
        for role, job in self.parts.late():
            controller_event(self.run_files, "queue_deadline", job=role, id=job.id, reason=job.reason)
            self._line(f"the {role} job {job.id} has waited longer than benchmark_queue_deadline: {job.reason}")
        for event in events:
            self.parts.hear(event)
            text = watch.narrate(event)
            if text:
                self._line(text)
        if self.on_terminal:
            self._draw()
        elif time.monotonic() - self.last_line > HEARTBEAT_S:
            self._line(self.standing.line())

    def _pass_on(self, feed: watch.Feed) -> None:
        """Tell one part that the other's job has ended and could not say so: it need not wait until that is plain."""
        for role, reason in self.parts.silent():
            feed.tell(role, reason)
            self.parts.spoken_for(role)

    def _look_for_lost(self, listed: list[Job]) -> None:
        for role in self.parts.absent(listed):
            job_id = self.parts.ids[role]
            found = self.client.jobs([job_id])[job_id]
            if self.parts.settle(role, found):
                controller_event(self.run_files, "job_lost", job=role, id=job_id, reason=found.reason)
                self._line(f"Slurm has lost the {role} job {job_id}: {found.reason}")

    def _draw(self) -> None:
        """The line that is drawn anew, below those that stay."""
        # one that is wider than the terminal would be drawn anew below itself
        line = f"[{self.host}] {self.standing.line(with_bar=True)}"[: terminal.columns() - 1]
        self._display.display(f"\r{line}\x1b[K", newline=False)
        self.line_open = True

    def _clear(self) -> None:
        if self.line_open:
            self._display.display("\r\x1b[K", newline=False)
            self.line_open = False

    def _line(self, text: str) -> None:
        self._clear()
        self.last_line = time.monotonic()
        self.say(text)
