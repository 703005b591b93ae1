# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""Every mistake of the load gets its line, its field and its remedy."""

from __future__ import annotations

import pytest

from .helpers import model_of, problems_in

pytestmark = pytest.mark.usefixtures("made_up_workloads")

TOP = "service: {image: 'nginx:1.27', command: nginx}\nclient: {type: %s}\nbenchmarks:\n  duration: 10s\n"
COMMAND = TOP.replace("{type: %s}", "{command: curl, settings: {%s}}")
NO_RATE = "has no meaning without a rate"
ADD_RATE = "remove it, or add benchmarks.rate, such as rate: 100"


def lines(*more: str, workload: str = "made_up") -> str:
    return TOP % workload + "".join(f"  {line}\n" for line in more)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        # -- arrivals
        (["arrival: poisson"], ["5: benchmarks.arrival: needs a rate: without one, an operation begins when the one before has ended; " + ADD_RATE]),
        (["arrival: constant", "rate: max"], ["5: benchmarks.arrival: needs a rate"]),
        (["rate: 9", "arrival: poison"], ["6: benchmarks.arrival.type: unknown value 'poison'; did you mean 'poisson'? (allowed: poisson, constant, gamma, ramp, trace)"]),
        (["rate: 9", "arrival: 5"], ["6: benchmarks.arrival: expected a word or a mapping, found the number 5; write one of poisson, constant, gamma, ramp, trace"]),
        (["rate: 9", "arrival: {typ: gamma}"], ["6: benchmarks.arrival.typ: unknown key; did you mean 'type'? (allowed: type, burstiness, from, path)"]),
        (["rate: 9", "arrival: {type: gamma, burstiness: 0}"], ["6: benchmarks.arrival.burstiness: expected more than 0, found the number 0"]),
        (["rate: 9", "arrival: {type: gamma, burstiness: .inf}"], ["6: benchmarks.arrival.burstiness: expected a finite number, found the number inf"]),
        (["rate: 9", "arrival: {type: ramp, from: -1}"], ["6: benchmarks.arrival.from: expected at least 0, found the number -1"]),
        (
            ["rate: 9", "arrival:", "  type: constant", "  burstiness: 2", "  from: 3", "  path: x"],
            [
                "8: benchmarks.arrival.burstiness: belongs to arrivals of the type gamma, not constant; remove it, or set type: gamma",
                "9: benchmarks.arrival.from: belongs to arrivals of the type ramp, not constant; remove it, or set type: ramp",
                "10: benchmarks.arrival.path: belongs to arrivals of the type trace, not constant; remove it, or set type: trace",
            ],
        ),
        (["rate: 9", "arrival: trace"], ["6: benchmarks.arrival: a trace needs a file of times; write arrival: {type: trace, path: FILE}"]),
        (["rate: [9, 50%, max]", "arrival: {type: trace, path: /x}"], ["5: benchmarks.rate: 50% can't be had of a trace, whose file says when operations begin; write a number"]),
        (["sweep: {parameters: {rate: [max, 9]}}", "arrival: {type: trace, path: /x}"], ["5: benchmarks.sweep: max can't be had of a trace"]),
        # -- what belongs to one kind of loop
        (["rate: 9", "think_time: 1s"], ["6: benchmarks.think_time: has no meaning with a rate: the schedule says when operations begin; remove it, or remove the rate"]),
        (["max_in_flight: 9"], [f"5: benchmarks.max_in_flight: {NO_RATE}: no more operations are in flight than there are connections; {ADD_RATE}"]),
        (["stop_on:", "  over_saturation: true"], [f"6: benchmarks.stop_on.over_saturation: {NO_RATE}: a closed loop offers what the service takes; {ADD_RATE}"]),
        # -- amounts
        (["timeout: 0"], ["5: benchmarks.timeout: expected more than 0 seconds; write it like 30s, or remove it for no limit"]),
        (["retries: -1"], ["5: benchmarks.retries: expected at least 0, found the number -1"]),
        (["max_in_flight: 0", "rate: 9"], ["5: benchmarks.max_in_flight: expected at least 1, found the number 0"]),
        (["records: 1"], ["5: benchmarks.records: expected true or false, found the number 1"]),
        (["order: shuffled"], ["5: benchmarks.order: unknown value 'shuffled'; allowed: random, sequential"]),
        (["stop_on: {error_rate: 0}"], ["5: benchmarks.stop_on.error_rate: a share is more than 0 and at most 1, found the number 0; write a share of 1 such as 0.05"]),
        (["stop_on: {stable: 101%}"], ["5: benchmarks.stop_on.stable: a share is more than 0 and at most 1, found the text '101%'"]),
        (["stop_on: {errors: 1}"], ["5: benchmarks.stop_on.errors: unknown key; did you mean 'error_rate'?"]),
        # -- objectives
        (["slo: ttf_p95_ms < 500"], ["5: benchmarks.slo: term 'ttf_p95_ms < 500': there is no metric 'ttf'; did you mean 'ttft'? (metrics: e2e, latency, ttft, response_time,"]),
        (["slo: response_time_putt_p95 < 5", "metrics: [response_time_put]"], ["5: benchmarks.slo: term 'response_time_putt_p95 < 5': there is no metric 'response_time_putt'", "6: benchmarks.metrics[0]: 'response_time_put' is no metric of the workload made_up; did you mean"]),
        (["slo: latency_p98 < 5"], ["5: benchmarks.slo: term 'latency_p98 < 5': results have no p98; there are p50, p90, p95, p99, p999"]),
        (["slo: schedule_lag_p99_ms < 5"], ["5: benchmarks.slo: term 'schedule_lag_p99_ms < 5': there is no schedule_lag without a rate; add benchmarks.rate, or remove the term"]),
        (["slo: goodput > 5 and throughput > 3"], ["5: benchmarks.slo: term 'goodput > 5': goodput counts the operations that are within a bound of their time; add such a bound, as in response_time_p99_ms < 100"]),
        (["slo: ''"], ["5: benchmarks.slo: is empty"]),
        (["slo: 5"], ["5: benchmarks.slo: expected text, found the number 5"]),
        # -- searches
        (["search: {over: rate}"], ["5: benchmarks.search: needs an SLO that the load has to meet; add benchmarks.slo, such as slo: response_time_p99_ms < 100 and error_rate < 0.01"]),
        (["slo: throughput > 1", "search: {over: rats}"], ["6: benchmarks.search.over: unknown value 'rats'; did you mean 'rate'? (allowed: rate, concurrency)"]),
        (["slo: throughput > 1", "search: {from: 1}"], ["6: benchmarks.search.over: is required; add 'over:'"]),
        (["slo: throughput > 1", "search: {over: rate, from: 0}"], ["6: benchmarks.search.from: expected more than 0, found the number 0"]),
        (["slo: throughput > 1", "search: {over: rate, from: 5, to: 5}"], ["6: benchmarks.search.to: expected more than where the search begins (5), found the number 5; raise it, or lower search.from"]),
        (["slo: throughput > 1", "search: {over: concurrency, from: 1.5, to: 9.5}"], ["6: benchmarks.search.from: expected a whole number, found the number 1.5; round it", "6: benchmarks.search.to: expected a whole number, found the number 9.5"]),
        (["slo: throughput > 1", "search: {over: rate, tolerance: 5}"], ["6: benchmarks.search.tolerance: a share is more than 0 and at most 1, found the number 5"]),
        (["slo: throughput > 1", "search: {over: rate, max_trials: 1001}"], ["6: benchmarks.search.max_trials: expected at most 1000, found the number 1001"]),
        (["slo: throughput > 1", "search: {over: rate}", "rate: [1, 2]"], ["7: benchmarks.rate: a search chooses the rate; remove the rate"]),
        (["slo: throughput > 1", "search: {over: concurrency}", "rate: 1"], ["7: benchmarks.rate: a search over the concurrency has no rate; remove the rate"]),
        (["slo: throughput > 1", "search: {over: concurrency}", "concurrency: 2"], ["7: benchmarks.concurrency: a search chooses the concurrency; remove it"]),
        (["slo: throughput > 1", "search: {over: rate}", "concurrency: [1, 2]"], ["7: benchmarks.concurrency: is a list beside a search; remove it, or give one value"]),
        (["slo: throughput > 1", "search: {over: rate}", "repetitions: 2"], ["7: benchmarks.repetitions: has no meaning beside a search, which repeats the loads at the edge; write search: {repetitions: 2}"]),
        (["slo: throughput > 1", "search: {over: rate}", "sweep: {parameters: {concurrency: [1, 2]}}"], ["6: benchmarks.search: search and sweep exclude each other; remove one of them"]),
        (["slo: throughput > 1", "search: {over: rate}", "arrival: {type: ramp}"], ["7: benchmarks.arrival: a search needs an even load, not a ramp; set type: poisson, constant or gamma"]),
    ],
)  # fmt: skip
def test_one_mistake(more, expected):
    found = problems_in(lines(*more))
    assert len(found) == len(expected), found
    for line, words in zip(found, expected, strict=True):
        assert f"recipe.yml:{words}" in line


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["requests: 5", "cooldown: 1s"], "benchmarks.cooldown: has no meaning without a duration: the load ends with the last request"),
        (["requests: 5", "rate: 9", "arrival: ramp"], "benchmarks.arrival: a ramp needs a duration, over which its rate grows; give benchmarks.duration instead of requests"),
        (["slo: throughput > 1", "search: {over: rate}"], "benchmarks.search: needs a duration: the time of each trial; add duration: 30s"),
    ],
)  # fmt: skip
def test_what_needs_a_duration(more, expected):
    [found] = problems_in(lines(*more).replace("  duration: 10s\n", ""))
    assert expected in found


@pytest.mark.parametrize("workload", ["pgbench", "demanding"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("think_time: 1s", "think_time: the workload {} can't do this; remove it"),
        ("retries: 1", "retries: the workload {} can't do this; remove it"),
        ("records: true", "records: the workload {} can't do this; remove it"),
        ("cooldown: 1s", "cooldown: the workload {} can't do this; remove it"),
        ("timeout: 1s", "timeout: the workload {} can't do this; remove it"),
        ("drain: 1s", "drain: the workload {} can't do this; remove it"),
        ("max_in_flight: 9", "max_in_flight: the workload {} can't do this; remove it"),
        ("arrival: constant", "arrival: the workload {} has poisson arrivals only, not constant; write arrival: poisson, or remove it"),
        ("stop_on: {{over_saturation: true}}", "stop_on.over_saturation: the workload {} doesn't say what is in flight; remove it"),
    ],
)  # fmt: skip
def test_what_only_the_engine_can_do(workload, line, expected):
    more = ["rate: [max, 9]", line.format()]
    text = lines(*more, workload=f"{workload}, settings: {{size: 1}}" if workload == "demanding" else workload)
    assert problems_in(text) == [f"recipe.yml:6: benchmarks.{expected.format(workload)}"]
    assert model_of(lines(*more))


@pytest.mark.parametrize(
    ("settings", "line", "expected"),
    [
        ("", "arrival: gamma", "the workload command has poisson and constant arrivals only, not gamma; write arrival: constant, or remove it"),
        ("", "arrival: ramp", "the workload command has poisson and constant arrivals only, not ramp"),
        ("", "retries: 1", "the workload command can't do this"),
        ("", "records: true", "the workload command can't do this"),
        ("arrival: constant", "arrival: poisson", "client.settings.arrival says constant; remove one of them"),
        ("timeout: 5", "timeout: 6s", "client.settings.timeout says 5s; remove one of them"),
        ("drain: 5", "drain: 6s", "client.settings.drain says 5s; remove one of them"),
        ("", "slo: goodput > 1 and latency < 3", "term 'goodput > 1': the workload command doesn't judge each operation by itself; write throughput"),
        ("", "slo: latency < 3ms", "term 'latency < 3ms': expected a number, found '3ms'"),
    ],
)  # fmt: skip
def test_what_the_command_can_do(settings, line, expected):
    key = line.partition(":")[0]
    found = problems_in(COMMAND % settings + f"  rate: 9\n  {line}\n")
    assert found == [found[0]] and f"recipe.yml:6: benchmarks.{key}: {expected}" in found[0]


@pytest.mark.parametrize(
    "text",
    [
        lines("rate: [max, 9]", "arrival: {type: gamma, burstiness: 0.5}", "think_time: 1s", "max_in_flight: 9"),
        lines("rate: 9", "arrival: {type: ramp, from: 1}", "stop_on: {over_saturation: true}", "cooldown: 1s"),
        lines("arrival: {type: trace, path: /on/the/cluster.csv}", "max_in_flight: 9", "slo: schedule_lag_max < 1"),
        lines("metrics: [response_time_p999, ttft_p99, ttft, throughput]"),
        lines("slo: goodput > 5 and ttft_p95_ms < 3 and recall > 90%", "metrics: [inserted_per_s, service_time]"),
        lines("slo: response_time_put_p99_ms < 5", "metrics: [response_time_get]", workload="made_up, settings: {quick: true}"),
        lines("slo: throughput > 1", "search: {over: rate, from: 5, to: 5.5, tolerance: 1%}", "concurrency: 4", "max_in_flight: 9"),
        lines("slo: throughput > 1", "search: {over: concurrency, to: 64}", "think_time: 1s", "rate: max"),
        lines("slo: latency_p99_9_ms < 9", "stop_on: {error_rate: 50%, stable: 0.05}", "rate: 9", workload="pgbench"),
        COMMAND % "arrival: constant, timeout: 5" + "  rate: 9\n  arrival: constant\n  timeout: 5s\n  drain: 5s\n  slo: own_ms < 5\n",
    ],
)  # fmt: skip
def test_what_goes_together(text):
    assert model_of(text)


def test_a_parser_needs_a_command():
    wrong = lines().replace("type: made_up", "type: made_up, parser: warp")
    assert problems_in(wrong) == [
        "recipe.yml:2: client.parser: reads the results of a command, and there is none;"
        " add the command that runs the tool, or remove the parser"
    ]
    misspelt = (COMMAND % "").replace("command: curl", "command: curl, parser: vlm-bench")
    assert "client.parser: unknown value 'vlm-bench'; did you mean 'vllm-bench'?" in problems_in(misspelt)[0]


def test_settings_are_judged_together_by_their_workload():
    text = TOP.replace(
        "{type: %s}", "\n  type: made_up\n  settings:\n    kind: flat\n    ef: 60\n    more: [{size: 10}]"
    )
    assert problems_in(text) == [
        "recipe.yml:6: client.settings.ef: 60 is too far for kind flat; lower it, or set kind: graph",
        "recipe.yml:7: client.settings.more[0].size: is too large; take at most 9",
    ]
    assert len(problems_in(text.replace("ef: 60", "ef: x"))) == 1  # a wrong setting is told first
    both = problems_in(text.replace("kind: flat", "colour: red"))
    assert [line.split(": ")[1] for line in both] == [
        "client.settings.colour",
        "client.settings.ef",
        "client.settings.more[0].size",
    ]
    misspelt = problems_in(text.replace("ef: 60", "eff: 60").replace("kind: flat", "ef: 70"))
    assert [line.split(": ")[1] for line in misspelt] == ["client.settings.eff", "client.settings.more[0].size"]


def test_every_wrong_term_of_an_objective_at_once():
    found = problems_in(lines("slo: ttf_p95_ms < 500 and throughput > 3 and error_rate < 7"))
    assert len(found) == 2
    assert "there is no metric 'ttf'" in found[0] + found[1] and "is a share of 1" in found[0] + found[1]


def test_a_wrong_field_causes_no_second_message():
    for more in (
        ["rate: fast", "arrival: constant"],
        ["sweep: {mode: grd, parameters: {rate: [9]}}", "arrival: constant", "slo: schedule_lag_max < 1"],
        ["search: {over: rte}", "max_in_flight: 9"],
        ["slo: 5", "search: {over: rate}"],
    ):
        assert len(problems_in(lines(*more))) == 1, more


def test_the_time_of_a_search_and_of_a_cool_down_counts():
    text = lines("slo: throughput > 1", "search: {over: rate, max_trials: 10}", "warmup: 5s", "cooldown: 1s")
    short = text.replace("type: made_up", "type: made_up, time_limit: '00:03:00'")
    assert problems_in(short) == [
        "recipe.yml:2: client.time_limit: 00:03:00 is too short: 10 trial(s) x (5s warm-up + 10s + 1s cool-down) and 60s"
        " to start need 00:04:00; set time_limit to '00:04:00' or more, or measure less"
    ]
