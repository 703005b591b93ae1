# SPDX-License-Identifier: MIT
"""Where the parts of a run stand, and when it is over."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import parts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.parts import Parts

DEADLINE = 10_000.0


class Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def run(clock):
    """Service and clients, each with a job of its own."""
    return Parts([{"role": "service", "id": "1"}, {"role": "clients", "id": "2"}], [], DEADLINE, clock)


def job(number: str, state: str, reason: str | None = None, **fields) -> Job:
    return Job(id=number, raw_id=number, state=state, reason=reason, **fields)


def event(source: str, name: str) -> dict:
    return {"t": 1.0, "source": source, "event": name}


def listed(run: Parts, *jobs: Job) -> list[tuple[str, str]]:
    return [(role, found.state) for role, found in run.take(jobs)]


def test_a_change_is_told_once_and_others_jobs_are_not(run):
    assert listed(run, job("1", "PENDING", "Priority"), job("9", "RUNNING")) == [("service", "PENDING")]
    assert listed(run, job("1", "PENDING", "Priority")) == []
    assert listed(run, job("1", "PENDING", "Resources")) == [("service", "PENDING")]


def test_it_is_over_with_the_last_words_of_both(run):
    run.hear(event("clients", "done"))
    assert not run.over()
    run.hear(event("service", "stopped"))
    assert run.ended() and run.over()


def test_clients_that_never_ended_are_waited_for_a_little_after_the_service(run, clock):
    run.hear(event("service", "stopped"))
    assert not run.over()
    clock.now += parts.AFTER_SERVICE_S + 1
    assert run.over() and not run.ended()


@pytest.mark.parametrize("reason", [None, parts.NEVER])
def test_jobs_that_ended_or_can_never_start_are_over(run, reason):
    ended = job("2", "CANCELLED") if reason is None else job("2", "PENDING", reason)
    listed(run, job("1", "FAILED"), ended)
    assert run.over()


def test_a_failed_image_is_the_end(run):
    run.hear(event("image", "failed"))
    assert run.over()


def test_a_part_whose_job_ended_silently_is_spoken_for_and_the_other_may_end(run, clock):
    listed(run, job("1", "NODE_FAIL"), job("2", "RUNNING"))
    run.hear(event("clients", "job_started"))
    assert list(run.silent()) == [], "its last word may be on the way"
    clock.now += parts.LAST_WORDS_S + 1
    assert list(run.silent()) == [("service", "its job 1 ended NODE_FAIL")]
    assert list(run.silent()) != [], "until it was said"
    run.spoken_for("service")
    assert list(run.silent()) == [] and not run.over(), "the clients write what they have"
    run.hear(event("clients", "failed"))
    assert run.ended()


def test_a_part_that_said_its_last_word_is_not_spoken_for(run, clock):
    listed(run, job("1", "COMPLETED"))
    run.hear(event("service", "stopped"))
    list(run.silent())
    clock.now += 100
    assert list(run.silent()) == []


@pytest.mark.parametrize("known", [True, False])
def test_clients_that_never_began_do_not_keep_it_open(run, clock, known):
    listed(run, job("1", "CANCELLED"), *([job("2", "PENDING", "Dependency")] if known else []))
    list(run.silent())
    clock.now += parts.LAST_WORDS_S + 1
    assert [role for role, _reason in run.silent()] == ["service"]
    run.spoken_for("service")
    assert run.over()


def test_a_held_job_is_given_up_once(run, clock):
    listed(run, job("1", "PENDING", "JobHeldUser"), job("2", "PENDING", "Dependency"))
    clock.now = DEADLINE + parts.QUEUE_GRACE_S - 1
    assert list(run.late()) == []
    clock.now += 2
    assert [role for role, _job in run.late()] == ["service", "clients"]
    assert list(run.late()) == [] and run.over()


def test_a_job_that_slurm_has_lost(run, clock):
    there = [job("2", "RUNNING")]
    assert list(run.absent(there)) == []
    clock.now += parts.ABSENT_S - 1
    assert list(run.absent(there)) == []
    assert list(run.absent([*there, job("1", "RUNNING")])) == [], "it is there again"
    assert list(run.absent(there)) == []
    clock.now += parts.ABSENT_S
    assert list(run.absent(there)) == ["service"]
    assert not run.settle("service", job("1", "UNKNOWN")), "Slurm did not answer: nothing is known"
    assert list(run.absent(there)) == ["service"]
    assert run.settle("service", job("1", "UNKNOWN", left_queue=True))
    assert list(run.absent(there)) == []
    list(run.silent())
    clock.now += parts.LAST_WORDS_S + 1
    assert list(run.silent()) == [("service", "Slurm has lost its job 1")]


def test_an_absent_job_that_ended_long_ago_is_not_lost(run, clock):
    list(run.absent([]))
    clock.now += parts.ABSENT_S
    assert not run.settle("service", job("1", "COMPLETED"))
    assert not run.settle("clients", job("2", "COMPLETED"))
    assert run.over()


def test_clients_within_the_services_job_are_spoken_for_with_it(clock):
    run = Parts([{"role": "service", "id": "1"}], [event("service", "job_started")], DEADLINE, clock)
    listed(run, job("1", "NODE_FAIL"))
    assert run.over(), "no other job is left"
    assert not run.ended()
    run.spoken_for("service")
    assert run.ended()
