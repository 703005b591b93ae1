# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import verdict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict import Evidence, Thresholds, judge

from .test_results import row

JOBS = [{"role": role, "id": "1", "state": "COMPLETED", "exit_code": "0:0"} for role in ("service", "clients")]
EVENTS = [{"t": 9.0, "source": "clients", "event": "done"}]


def evidence(case=None, values=None, *, jobs=None, events=None, rates=None, repetitions=1):
    jobs = JOBS if jobs is None else jobs
    events = EVENTS if events is None else events
    case = {
        "case": "a", "repetition": 1, "rate": None, "concurrency": 1, "clients": 4, "measure_start": 0.0,
        "measure_end": 10.0, "offered_rate_per_s": None, "errors": {}, "client_cpu_percent": {}, "failed_clients": [],
        **(case or {}),
    }  # fmt: skip
    values = {
        ("throughput", "value"): 2000.0, ("operations", "value"): 20_000.0, ("errors", "value"): 0.0,
        ("response_time", "count"): 20_000.0, ("response_time", "p50"): 0.002, ("response_time", "mean"): 0.002,
        **(values or {}),
    }  # fmt: skip
    table = Table([row(metric=metric, statistic=name, value=value) for (metric, name), value in values.items()])
    plan = {"benchmarks": {"cases": [{"name": "a"}], "repetitions": repetitions}}
    return Evidence(plan, jobs, events, [case], table, {}, rates or {})


def codes(found):
    return [reason["code"] for reason in found[1]]


def test_a_run_without_fault_is_valid():
    assert judge(evidence()) == (verdict.VALID, [], [])


@pytest.mark.parametrize(
    ("case", "values", "code"),
    [
        ({"failed_clients": [{"client": 3, "reason": "exit code 2"}]}, {}, "client_failed"),
        ({"errors": {"timeout": {"count": 300, "example": "…"}}}, {("errors", "value"): 300.0}, "errors"),
        ({}, {("operations", "value"): 0.0}, "no_operations"),
        ({"offered_rate_per_s": 2200.0}, {}, "rate_not_delivered"),
        ({"client_cpu_percent": {"0": 20.0, "1": 81.0}}, {}, "client_saturated"),
        (
            {"offered_rate_per_s": 2000.0},
            {("schedule_lag", "p99"): 0.05, ("schedule_lag", "mean"): 0.0005},
            "schedule_lag",
        ),
    ],
)
def test_what_makes_a_run_invalid(case, values, code):
    found = judge(evidence(case, values))
    assert found[0] == verdict.INVALID
    assert codes(found) == [code]
    assert found[1][0]["case"] == "a"


@pytest.mark.parametrize(
    ("case", "values"),
    [
        ({}, {("errors", "value"): 199.0}),  # 0.99 % of all
        ({"offered_rate_per_s": 2015.0}, {}),
        # Poisson: of 10 s at 10/s, ±√100 arrivals are chance, and three times that is granted
        ({"offered_rate_per_s": 10.0}, {("throughput", "value"): 7.5}),
        ({"client_cpu_percent": {"0": 80.0, "1": None}}, {}),
        # microseconds late never count
        ({"offered_rate_per_s": 2000.0}, {("schedule_lag", "p99"): 0.004, ("schedule_lag", "mean"): 0.0001}),
        # 4 connections that are half busy make operations wait: that is the service's
        (
            {"offered_rate_per_s": 20.0},
            {("throughput", "value"): 20.0, ("response_time", "mean"): 0.15, ("response_time", "p50"): 0.14,
             ("schedule_lag", "mean"): 0.05, ("schedule_lag", "p99"): 0.6},
        ),
    ],
)  # fmt: skip
def test_what_does_not(case, values):
    assert judge(evidence(case, values))[0] == verdict.VALID


def test_a_closed_loop_has_no_schedule_to_lag_behind():
    assert judge(evidence({}, {("schedule_lag", "p99"): 1.0}))[0] == verdict.VALID


def test_thresholds_are_options():
    strict = Thresholds(error_rate=0.0)
    assert codes(judge(evidence({}, {("errors", "value"): 1.0}), strict)) == ["errors"]


def test_incomplete_and_missing_results():
    assert codes(judge(evidence(repetitions=3))) == ["incomplete"]
    nothing = evidence()._replace(cases=[], table=Table([]))
    assert codes(judge(nothing)) == ["no_results"]


def test_failures_of_the_parts_come_first_and_once():
    events = [
        {"t": 1.0, "source": "service", "event": "service_failed", "reason": "it died", "exit_code": 1},
        {"t": 2.0, "source": "clients", "event": "failed", "reason": "no service"},
    ]
    jobs = [{**job, "state": "FAILED", "exit_code": "1:0"} for job in JOBS]
    found = judge(evidence(events=events, jobs=jobs))
    assert codes(found) == ["service_failed", "clients_failed"]
    assert "exit code 1" in found[1][0]["message"]


@pytest.mark.parametrize("state", ["OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL", "CANCELLED by 1000", "UNKNOWN"])
def test_a_job_that_slurm_ended_is_a_reason(state):
    jobs = [{**JOBS[0]}, {**JOBS[1], "state": state, "exit_code": "0:125"}]
    found = judge(evidence(jobs=jobs, events=[]))
    assert "clients_job" in codes(found)
    assert state in found[1][0]["message"]


def test_a_service_that_teardown_cancelled_after_the_clients_were_done_is_no_reason():
    jobs = [{**JOBS[0], "state": "CANCELLED by 0"}, JOBS[1]]
    assert judge(evidence(jobs=jobs))[0] == verdict.VALID


def test_a_hundred_clients_that_failed_alike_are_one_reason():
    failed = [{"client": number, "reason": "exit code 2"} for number in range(100)]
    found = judge(evidence({"failed_clients": failed}))
    assert codes(found) == ["client_failed"]
    assert "99 more" in found[1][0]["message"]


@pytest.mark.parametrize(("p", "needed"), [(0.5, 20), (0.9, 100), (0.99, 1000), (0.999, 10_000)])
def test_ten_samples_above_a_percentile_carry_it(p, needed):
    assert verdict.samples_needed(p) == needed


def test_few_samples_are_a_note_and_leave_the_verdict_alone():
    found = judge(evidence({}, {("response_time", "count"): 999.0}))
    assert found[0] == verdict.VALID
    assert [(note["code"], note["percentile"]) for note in found[2]] == [("few_samples", "p99")]
    assert not judge(evidence({}, {("response_time", "count"): 10_000.0}))[2]


def test_a_throughput_that_still_rises_is_a_note():
    rising = {("a", 1): [100.0, 110.0, 150.0, 190.0]}
    assert [note["code"] for note in judge(evidence(rates=rising))[2]] == ["not_steady"]
    assert not judge(evidence(rates={("a", 1): [100.0, 110.0, 105.0, 108.0]}))[2]
    assert not judge(evidence({"offered_rate_per_s": 2000.0}, rates=rising))[2], "an open loop offers what it offers"
