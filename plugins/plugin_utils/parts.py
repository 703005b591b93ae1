# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the parts of a run stand, by what they say and by what Slurm says of their jobs; and when it is over.

A part ends with its last word, which is an event. One whose job ended without it, was lost by Slurm, or waited too long
has to be spoken for, so that the other part ends in order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job

LAST_WORDS = {"service": ("stopped",), "clients": ("done", "failed")}
NEVER = "DependencyNeverSatisfied"  # the reason of a job that waits for one that failed

AFTER_SERVICE_S = 15.0
LAST_WORDS_S = 5.0
ABSENT_S = 20.0
QUEUE_GRACE_S = 120.0  # Slurm looks at its jobs' deadlines every minute


class Parts:
    """`jobs`: their records (jobs.json); `events`: said so far; `queue_deadline`: epoch (s) by which they must start.

    `clock` has time() and monotonic(), like the module `time`.
    """

    def __init__(
        self,
        jobs: Iterable[dict[str, Any]],
        events: Iterable[dict[str, Any]],
        queue_deadline: float,
        clock: Any = time,
    ) -> None:
        self.ids = {job["role"]: job["id"] for job in jobs}
        self.events: list[dict[str, Any]] = []
        self._clock = clock
        self._queue_deadline = queue_deadline
        self._known: dict[str, Job] = {}
        self._given_up: dict[str, str] = {}  # role → why its job will not run any more
        self._silent_since: dict[str, float] = {}
        self._absent_since: dict[str, float] = {}
        self._spoken_for: set[str] = set()
        self._service_stopped_at: float | None = None
        for event in events:
            self.hear(event)

    # -- what is heard ---------------------------------------------------------------------------------

    def hear(self, event: dict[str, Any]) -> None:
        """Take note of an event of a part."""
        self.events.append(event)
        if (event.get("source"), event["event"]) == ("service", "stopped"):
            self._service_stopped_at = self._clock.monotonic()

    def take(self, listed: Iterable[Job]) -> Iterator[tuple[str, Job]]:
        """Take note of what squeue lists; gives each of the run's jobs that has changed, with its role."""
        roles = {job_id: role for role, job_id in self.ids.items()}
        for job in listed:
            role = roles.get(job.raw_id) or roles.get(job.id)
            before = self._known.get(role) if role else None
            if role and (before is None or (before.state, before.reason) != (job.state, job.reason)):
                self._known[role] = job
                yield role, job

    def late(self) -> Iterator[tuple[str, Job]]:
        """Jobs that wait for too long, each once: Slurm removes one that can't start in time, but not one it holds."""
        if self._clock.time() < self._queue_deadline + QUEUE_GRACE_S:
            return
        for role, job in self._known.items():
            if job.phase in (states.PENDING, states.HELD) and role not in self._given_up:
                self._given_up[role] = f"its job {job.id} waited longer than benchmark_queue_deadline"
                yield role, job

    def absent(self, listed: Iterable[Job]) -> Iterator[str]:
        """Roles whose jobs squeue has not listed for a while: they ended long ago, or slurmctld lost them."""
        there = {job_id for job in listed for job_id in (job.raw_id, job.id)}
        for role, job_id in self.ids.items():
            if job_id in there or self._never_again(role):
                self._absent_since.pop(role, None)
            elif self._clock.monotonic() - self._absent_since.setdefault(role, self._clock.monotonic()) >= ABSENT_S:
                yield role

    def settle(self, role: str, job: Job) -> bool:
        """Take note of what Slurm says when it is asked about an absent job; whether it has lost it."""
        if job.gone:
            self._known[role] = job
        lost = job.gone and not job.final
        if lost:
            self._given_up[role] = f"Slurm has lost its job {job.id}"
        return lost

    def waiting(self) -> list[tuple[str, Job]]:
        """The jobs that have not started, with their roles: as squeue last told, and by no word of their own."""
        spoken = {event.get("source") for event in self.events}
        waits = (states.PENDING, states.HELD)
        return [(role, job) for role, job in self._known.items() if job.phase in waits and role not in spoken]

    # -- what is to be done ----------------------------------------------------------------------------

    def silent(self) -> Iterator[tuple[str, str]]:
        """Roles that have to be spoken for, and the reason: they end without a last word."""
        for role in LAST_WORDS:
            job = self._known.get(role)
            if job is None or role in self._spoken_for or not (job.final or role in self._given_up):
                continue
            since = self._silent_since.setdefault(role, self._clock.monotonic())
            # what it said last may have been written between the two questions of one poll
            if not self._done(role) and self._clock.monotonic() - since > LAST_WORDS_S:
                yield role, self._given_up.get(role) or f"its job {job.id} ended {job.state}"

    def spoken_for(self, role: str) -> None:
        """Its last word was said in its place."""
        self._spoken_for.add(role)

    # -- where they stand ------------------------------------------------------------------------------

    def running(self) -> bool:
        """Whether both parts have begun: from then on they tell about themselves."""
        return all(self._seen(role, "job_started") for role in LAST_WORDS)

    def ended(self) -> bool:
        """Whether all parts have said their last word, or somebody has in their place."""
        # clients without a job of their own are in the service's
        return all(
            self._done(role) or (role if role in self.ids else "service") in self._spoken_for for role in LAST_WORDS
        )

    def over(self) -> bool:
        """Whether nothing more is to come; what still has a job then is teardown's."""
        if self.ended() or self._seen("image", "failed"):
            return True
        roles = {role for role in self.ids if role != "image"}
        if all(self._never_again(role) for role in roles):
            return True
        if self._spoken_for & roles and all(self._never_began(role) for role in roles - self._spoken_for):
            return True
        # clients that have not ended by then never started
        stopped_at = self._service_stopped_at
        return stopped_at is not None and self._clock.monotonic() - stopped_at > AFTER_SERVICE_S

    def _seen(self, source: str, *names: str) -> bool:
        return any(event.get("source") == source and event["event"] in names for event in self.events)

    def _done(self, role: str) -> bool:
        return self._seen(role, *LAST_WORDS[role])

    def _never_again(self, role: str) -> bool:
        job = self._known.get(role)
        return role in self._given_up or (job is not None and (job.final or job.reason == NEVER))

    def _never_began(self, role: str) -> bool:
        job = self._known.get(role)
        waits = job is None or job.phase in (states.PENDING, states.HELD)
        return waits and not self._seen(role, "job_started")
