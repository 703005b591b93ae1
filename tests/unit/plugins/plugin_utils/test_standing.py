# SPDX-License-Identifier: MIT
from __future__ import annotations

import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.parts import Parts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.standing import Standing

NOW = 1_790_000_100.0
PLAN = {"benchmarks": {"cases": [{"name": "max"}, {"name": "half"}], "repetitions": 2, "duration_s": 20.0,
                       "warmup_s": 5.0, "cooldown_s": 0.0, "search": None}}  # fmt: skip


class Clock:
    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def time():
        return NOW


@pytest.fixture
def parts():
    records = [{"role": "service", "id": "11"}, {"role": "clients", "id": "12"}]
    return Parts(records, [], NOW + 9999, Clock)


def line(parts, plan=PLAN, **options):
    return Standing(plan, parts, Clock).line(**options)


def hear(parts, ago_s, name, source="service", **fields):
    parts.hear({"t": NOW - ago_s, "source": source, "event": name, **fields})


def pending(job_id, reason, **fields):
    return Job(id=job_id, raw_id=job_id, state="PENDING", reason=reason, **fields)


def test_in_the_queue_it_says_why_and_for_how_long(parts):
    assert line(parts) == "waiting"
    jobs = [pending("11", "Priority", submit_s=int(NOW) - 125), pending("12", "Dependency")]
    list(parts.take(jobs))
    assert line(parts) == "service job 11 PENDING (Priority) for 2 min 05 s, clients job 12 PENDING (Dependency)"
    list(parts.take([pending("11", "Resources", expected_start_s=int(NOW) + 600)]))
    assert "Slurm expects it to start at" in line(parts)


def test_a_phase_and_how_long_it_lasts(parts):
    hear(parts, 35, "job_started", node="n1")
    assert line(parts) == "service starting, 35.0 s"
    hear(parts, 30, "healthy", after_s=5)
    list(parts.take([pending("12", "Resources")]))
    assert line(parts) == "clients job 12 PENDING (Resources)"
    hear(parts, 20, "job_started", "clients")
    hear(parts, 70, "setup_started", "clients")
    assert line(parts) == "set-up of the workload, 1 min 10 s"
    hear(parts, -3, "done", "clients")  # by a clock that is ahead
    assert line(parts) == "ending, 0.0 s"


def test_a_job_that_has_spoken_waits_no_more_whatever_the_queue_told_last(parts):
    list(parts.take([pending("12", "Dependency", submit_s=int(NOW) - 18)]))
    hear(parts, 10, "job_started", "clients")
    hear(parts, 2, "done", "clients")
    hear(parts, 1, "stopping")
    assert line(parts) == "service stopping, 1.0 s"


def test_a_measurement_is_one_of_all_and_has_an_end(parts):
    hear(parts, 12, "measure_started", "clients", case="max", repetition=1)
    hear(parts, 11, "measure_ended", "clients", case="max", repetition=1)
    hear(parts, 10, "warmup_started", "clients", case="half", repetition=1)
    report = {"case": "half", "repetition": 1, "elapsed_s": 10.0, "duration_s": 25.0, "operations": 500, "errors": 0}
    hear(parts, 0, "progress", "clients", rate_per_s=50.0, **report)
    assert line(parts) == " 40 % 500 operations, 50/s, 0 errors, measurement 2 of 4, 1 min 05 s left"
    drawn = line(parts, with_bar=True)
    assert drawn.startswith("[########............]") and "2 of 4" in drawn


def test_what_nobody_knows_is_not_said(parts):
    hear(
        parts,
        0,
        "progress",
        "clients",
        case="a",
        repetition=1,
        elapsed_s=1.0,
        duration_s=None,
        operations=5,
        rate_per_s=5.0,
    )
    of_requests = {"benchmarks": {**PLAN["benchmarks"], "duration_s": None}}
    assert line(parts, of_requests) == "5 operations, 5/s, 0 errors, measurement 1 of 4"
    search = {"benchmarks": {**PLAN["benchmarks"], "search": {"over": "rate"}}}
    assert "left" not in line(parts, search) and "measurement" not in line(parts, search)
