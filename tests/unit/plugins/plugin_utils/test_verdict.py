# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import verdict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict import Evidence, Thresholds, judge

from .test_results import row

JOBS = [{"role": role, "id": "1", "state": "COMPLETED", "exit_code": "0:0"} for role in ("service", "clients")]
EVENTS = [{"t": 9.0, "source": "clients", "event": "done"}]


def evidence(case=None, values=None, *, jobs=None, events=None, rates=None, repetitions=1, plan=None, **more):
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
    benchmarks = {"cases": [{"name": "a"}], "repetitions": repetitions, **(plan or {})}
    return Evidence(
        {"benchmarks": benchmarks, **more.pop("parts", {})}, jobs, events, [case], table, {}, rates or {}, **more
    )


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


def test_an_agent_that_could_not_write_why_it_ended():
    """Python ends with 120 when it cannot write what it printed."""
    jobs = [{**JOBS[0]}, {**JOBS[1], "state": "FAILED", "exit_code": "120:0"}]
    reason = judge(evidence(jobs=jobs, events=[]))[1][0]
    assert "No space left on device or a quota; make room below benchmark_scratch" in reason["message"]


@pytest.mark.parametrize("role", ["service", "clients"])
def test_a_job_that_was_cancelled_after_the_clients_were_done_is_no_reason(role):
    jobs = [{**job, "state": "CANCELLED by 0"} if job["role"] == role else job for job in JOBS]
    assert judge(evidence(jobs=jobs))[0] == verdict.VALID
    assert codes(judge(evidence(jobs=jobs, events=[]))) == [f"{role}_job"]


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


# -- the load --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ({"no tokens": 300}, ["empty_answers"]),
        ({"status 500": 200, "wrong row count": 100}, ["empty_answers"]),
        ({"redis OOM": 300}, ["empty_answers"]),
        ({"timeout": 300}, ["errors"]),
        ({"wrong content": 300, "timeout": 300}, ["empty_answers", "errors"]),
        ({"no tokens": 300, "timeout": 100}, ["empty_answers"]),  # 0.5 % without an answer
        ({"no tokens": 150, "timeout": 150}, ["errors"]),  # too many together
    ],
)
def test_answers_that_are_none_have_a_reason_of_their_own(classes, expected):
    errors = {name: {"count": count, "example": f"example of {name}"} for name, count in classes.items()}
    found = judge(evidence({"errors": errors}, {("errors", "value"): float(sum(classes.values()))}))
    assert codes(found) == expected
    assert f"example of {next(iter(classes))}" in found[1][0]["message"]


def test_what_was_dropped_explains_the_rate():
    case = {"offered_rate_per_s": 2500.0, "offered": 25_000, "dropped": 5_000}
    found = judge(evidence(case, plan={"max_in_flight": 64}))
    assert codes(found) == ["dropped"]
    assert "20.0%" in found[1][0]["message"]
    assert "benchmarks.max_in_flight" in found[1][0]["message"]
    assert "64" in found[1][0]["message"]
    assert judge(evidence({"offered_rate_per_s": 2000.0, "offered": 20_000, "dropped": 200}))[0] == verdict.VALID


def test_bursts_are_granted_more_chance_than_random_arrivals():
    case, values = {"offered_rate_per_s": 100.0}, {("throughput", "value"): 85.0}
    assert codes(judge(evidence(case, values))) == ["rate_not_delivered"]
    bursty = {"arrival": {"type": "gamma", "burstiness": 0.25}}  # twice the standard deviation
    assert judge(evidence(case, values, plan=bursty))[0] == verdict.VALID


def test_operations_that_failed_were_delivered_all_the_same():
    # 1,990/s ended well and 19.9/s not, of 2,010/s: 0.99 % errors, and nothing stayed behind
    values = {("throughput", "value"): 1990.0, ("operations", "value"): 19_900.0, ("errors", "value"): 199.0}
    assert judge(evidence({"offered_rate_per_s": 2010.0}, values))[0] == verdict.VALID


def test_the_engine_opens_connections_and_is_granted_no_wait_for_one():
    values = {
        ("throughput", "value"): 20.0, ("response_time", "mean"): 0.15, ("response_time", "p50"): 0.14,
        ("schedule_lag", "mean"): 0.05, ("schedule_lag", "p99"): 0.6,
    }  # fmt: skip
    assert judge(evidence({"offered_rate_per_s": 20.0}, values))[0] == verdict.VALID
    assert codes(judge(evidence({"offered_rate_per_s": 20.0, "offered": 200}, values))) == ["schedule_lag"]


def test_another_tool_is_held_to_its_own_schedule():
    values = {("schedule_lag", "p99"): 8.7, ("response_time", "p50"): 0.15}
    assert codes(judge(evidence({"imported": {"tool": "aiperf"}}, values))) == ["schedule_lag"]


# -- repetitions that ended early ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "expected", "notes"),
    [
        ("error_rate", ["stopped_early"], []),
        ("over_saturation", ["over_saturated"], []),
        ("stable", [], ["stable"]),
    ],
)
def test_stop_rules(rule, expected, notes):
    why = {
        "t": 5.0,
        "source": "clients",
        "event": "cut",
        "case": "a",
        "repetition": 1,
        "reason": rule,
        "why": "since so",
    }
    found = judge(evidence({"cut": rule}, events=[*EVENTS, why]))
    assert codes(found) == expected
    assert [note["code"] for note in found[2]] == notes
    assert "since so" in [*found[1], *found[2]][0]["message"]


def test_a_case_that_a_rule_gave_up_is_not_incomplete_besides():
    found = judge(evidence({"cut": "error_rate"}, repetitions=3))
    assert codes(found) == ["stopped_early"]
    assert "not repeated" in found[1][0]["message"]


def test_over_saturation_says_it_and_the_rate_does_not_repeat_it():
    assert codes(judge(evidence({"cut": "over_saturation", "offered_rate_per_s": 9000.0}))) == ["over_saturated"]


@pytest.mark.parametrize("how", ["service failed", "stopped"])
def test_half_a_repetition_is_incomplete_and_not_judged(how):
    case = {"cut": how, "errors": {"connect": {"count": 9000, "example": "refused"}}}
    found = judge(evidence(case, {("errors", "value"): 9000.0}))
    assert codes(found) == ["incomplete"]
    assert how in found[1][0]["message"]
    assert "0 of 1" in found[1][0]["message"]


# -- clients and clocks ----------------------------------------------------------------------------------


def described(service, clients):
    return [
        *EVENTS,
        {"t": 1.0, "source": "service", "event": "node_described", "node": "n1", "boot_id": service},
        {"t": 1.0, "source": "clients", "event": "node_described", "node": "n2", "boot_id": clients},
    ]


def test_a_client_that_waited_for_a_cpu():
    found = judge(evidence({"client_run_delay_percent": {"0": 4.0, "1": 10.5}}))
    assert codes(found) == ["client_pressure"]
    assert "client 1" in found[1][0]["message"]
    assert judge(evidence({"client_run_delay_percent": {"0": 10.0}}))[0] == verdict.VALID


@pytest.mark.parametrize("measure", ["client_run_delay_percent", "client_psi_cpu_some_percent"])
@pytest.mark.parametrize(
    ("seconds", "percent", "valid"), [(0.037, 70.0, True), (0.06, 90.0, False), (0.001, 100.0, True)]
)
def test_a_few_turns_of_the_scheduler_are_no_pressure_however_short_the_measurement(measure, seconds, percent, valid):
    found = judge(evidence({measure: {"0": percent}, "measure_end": seconds}, events=described("x", "y")))
    assert codes(found) == ([] if valid else ["client_pressure"])


@pytest.mark.parametrize("percent", [3.0, 50.0, 92.0])
@pytest.mark.parametrize(
    ("events", "parts", "shared"),
    [
        (described("x", "y"), {}, False),
        (described("x", "x"), {}, True),  # two nodes of Slurm on one laptop
        (EVENTS, {"clients": {"placement": "shared"}}, True),
        (EVENTS, {"clients": {"placement": "separate"}}, False),
    ],
)
def test_pressure_of_a_node(percent, events, parts, shared):
    found = judge(evidence({"client_psi_cpu_some_percent": {"0": percent}}, events=events, parts=parts))
    expected = ["client_pressure"] if percent > 50 else []
    assert codes(found) == ([] if shared else expected)
    assert [note["code"] for note in found[2]] == (expected if shared else [])


@pytest.mark.parametrize(
    ("offset_s", "uncertainty_s", "valid"),
    [
        (0.3, 0.0, False),
        (-0.3, 0.01, False),
        (0.12, 0.1, True),  # may be as little as 20 ms
        (0.09, 0.0, True),  # 1 % of the 10 s
        (0.11, 0.005, False),
    ],
)
def test_clocks(offset_s, uncertainty_s, valid):
    offsets = {"n1": {"offset_s": 0.0, "uncertainty_s": 0.001}}
    offsets["n2"] = {"offset_s": offset_s, "uncertainty_s": uncertainty_s}
    found = judge(evidence(events=[*EVENTS, {"t": 1.0, "source": "clients", "event": "clocks", "offsets": offsets}]))
    assert codes(found) == ([] if valid else ["clock_offset"])
    assert all("n2" in reason["message"] for reason in found[1])


def test_data_that_was_left_behind_is_a_note():
    left = {"t": 9.0, "source": "clients", "event": "cleanup_failed", "reason": "bucket not empty"}
    assert [note["code"] for note in judge(evidence(events=[*EVENTS, left]))[2]] == ["cleanup_failed"]


# -- samples ---------------------------------------------------------------------------------------------


def few(count, **benchmarks):
    values = {("response_time", "count"): float(count), ("time_to_first_token", "count"): float(count)}
    return judge(evidence({}, values, plan=benchmarks))


def test_a_percentile_that_the_recipe_asks_for_needs_its_samples():
    found = few(500, metrics=["throughput", "response_time_p999"])
    assert codes(found) == ["few_samples"]
    reason = found[1][0]
    assert (reason["percentile"], reason["samples"], reason["needed"]) == ("p999", 500, 10_000)
    assert "p99.9" in reason["message"]
    assert "10,000" in reason["message"]
    assert [note["percentile"] for note in found[2]] == ["p99"], "nobody asked for that one"
    assert not few(500, metrics=["response_time", "response_time_p95", "ttft_p95"])[1]


def test_the_percentiles_of_an_slo_too():
    terms = [
        {"metric": "time_to_first_token", "statistic": "p99", "operator": "<", "value": 0.5, "text": "ttft_p99 < 1"}
    ]
    found = few(999, slo={"text": "ttft_p99 < 1", "terms": terms})
    assert [(reason["metric"], reason["samples"]) for reason in found[1]] == [("time_to_first_token", 999)]
    assert not few(1000, slo={"text": "ttft_p99 < 1", "terms": terms})[1]


def test_repetitions_are_merged_for_a_metric_and_not_for_the_slo():
    rows = [row(repetition=n, metric="response_time", statistic="count", value=600.0) for n in (1, 2)]
    rows += [row(repetition=n, metric="operations", value=600.0) for n in (1, 2)]
    base = evidence(repetitions=2, plan={"metrics": ["response_time_p99"]})
    both = base._replace(cases=[{**base.cases[0], "repetition": n} for n in (1, 2)], table=Table(rows))
    assert judge(both)[0] == verdict.VALID, "1,200 samples"
    terms = [{"metric": "response_time", "statistic": "p99", "operator": "<", "value": 0.5, "text": "t"}]
    both.plan["benchmarks"]["slo"] = {"text": "t", "terms": terms}
    found = judge(both)
    assert [(reason["samples"], reason["needed"]) for reason in found[1]] == [(600, 1000)]


# -- the search ------------------------------------------------------------------------------------------

TERMS = [{"metric": "response_time", "statistic": "p95", "operator": "<", "value": 0.5, "text": "latency_p95 < 0.5"}]


def trial(number, value, met, **fields):
    return {
        "number": number, "case": "a", "repetition": number, "value": value, "step": "bisect", "met": met,
        "terms": [{"text": "latency_p95 < 0.5", "value": 0.4 if met else 0.6, "met": met}], "throughput": value,
        "valid": True, "why": None, **fields,
    }  # fmt: skip


def searched(values=None, *, fields=None, **found):
    found = {
        "over": "rate", "unit": "1/s", "slo": "latency_p95 < 0.5", "tolerance": 0.05, "lower": 480.0, "upper": 500.0,
        "capacity": 490.0, "reason": "converged", "trials": [trial(1, 480.0, True), trial(2, 500.0, False)], **found,
    }  # fmt: skip
    plan = {"cases": [], "search": {"from": 10.0}, "slo": {"text": "latency_p95 < 0.5", "terms": TERMS}}
    case = {"trial": {"number": 1, "step": "bisect"}, "offered_rate_per_s": 5000.0, "cut": "over_saturation",
            "errors": {"timeout": {"count": 900, "example": ""}}, **(fields or {})}  # fmt: skip
    return judge(evidence(case, {("errors", "value"): 900.0, **(values or {})}, plan=plan, search=found))


def test_trials_may_be_over_the_limit():
    assert searched() == (verdict.VALID, [], [])


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"reason": "above_to", "upper": None, "trials": [trial(1, 800.0, True)]}, "800/s"),
        ({"reason": "below_from", "lower": None, "trials": [trial(1, 10.0, False)]}, "latency_p95 < 0.5"),
        ({"reason": "max_trials", "upper": None}, "after 2 trials"),
        ({"reason": "stopped", "lower": None, "trials": []}, "no trial"),
    ],
)
def test_a_search_that_found_nothing(found, words):
    result = searched(capacity=None, **found)
    assert codes(result) == ["search_found_nothing"]
    assert words in result[1][0]["message"]


def test_a_plan_with_a_search_and_no_search():
    plan = {"cases": [], "search": {"from": 10.0}}
    assert codes(judge(evidence({"trial": {"number": 1}}, plan=plan))) == ["search_found_nothing"]


def test_a_limit_that_the_clients_set_is_not_the_services():
    limited = trial(2, 500.0, False, valid=False, why="client 0 used 97 % of its cores")
    result = searched(trials=[trial(1, 480.0, True), limited])
    assert codes(result) == ["search_limited_by_clients"]
    assert "97 %" in result[1][0]["message"]
    assert not searched(trials=[trial(1, 480.0, True), limited, trial(3, 500.0, False)])[1], "once was the service"


def test_a_limit_that_the_clients_may_have_set_is_not_the_services():
    slow = {"repetition": 2, "client_run_delay_percent": {"0": 25.0}}  # in the trial that missed
    assert codes(searched(fields=slow)) == ["search_limited_by_clients"]
    assert not searched(fields={**slow, "repetition": 1})[1], "the one that met the SLO all the same"


def test_a_search_that_ran_out_of_trials_is_noted():
    assert [note["code"] for note in searched(reason="max_trials")[2]] == ["search_open"]


def test_the_load_that_met_the_slo_needs_its_samples():
    result = searched({("response_time", "count"): 150.0})
    assert [(reason["code"], reason["case"], reason["needed"]) for reason in result[1]] == [("few_samples", "a", 200)]


@pytest.mark.parametrize(
    ("adapter", "codes"), [("faiss", ["in_process"]), ("faiss_server", ["own_server"]), ("chroma", [])]
)
def test_what_is_no_server_like_the_others_is_a_note(adapter, codes):
    parts = {"clients": {"type": "vector", "settings": {"adapter": adapter}}}
    assert [note["code"] for note in judge(evidence(parts=parts))[2]] == codes
