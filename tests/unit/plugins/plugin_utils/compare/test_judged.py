# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import judged
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import Number, Thresholds
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError

KNOWN = [
    Number("throughput", "value"), *(Number("response_time", each) for each in ("mean", "p50", "p99")),
    *(Number("time_to_first_token", each) for each in ("mean", "p50", "p99")), Number("error_rate", "value"),
    *(Number("my_score", each) for each in ("mean", "p50")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "unit", "better"),
    [
        ("throughput", "1/s", "higher"), ("response_time", "s", "lower"), ("response_time_put", "s", "lower"),
        ("output_tokens_per_s", "token/s", "higher"), ("bytes_received_per_s", "B/s", "higher"),
        ("recall", "1", "higher"), ("error_rate", "1", "lower"), ("capacity", "1", "higher"),
        ("insert_time", "s", "lower"), ("offered_rate", "1/s", None), ("operations", "1", None),
        ("schedule_lag", "s", None), ("output_tokens", "token", None), ("my_score", "point", None),
    ],
)  # fmt: skip
def test_which_way_is_better(metric, unit, better):
    assert judged.direction(metric, unit) == better
    assert judged.direction(metric, unit, {metric: "lower"}) == "lower"
    assert judged.direction(metric, unit, {metric: "none"}) is None


def test_directions_of_the_user():
    assert judged.read_directions(None) == {}
    with pytest.raises(RunError, match="my_score is 'up'; say higher, lower or none"):
        judged.read_directions({"my_score": "up"})
    with pytest.raises(RunError, match="not a mapping"):
        judged.read_directions(["my_score"])


def test_the_most_exact_threshold_counts():
    thresholds = Thresholds("3%", {"response_time": "10%", "latency_p99": 0.2, "ttft_p99": "20 %"})
    assert thresholds.of(Number("throughput", "value")) == 0.03
    assert thresholds.of(Number("response_time", "p50")) == 0.1
    assert thresholds.of(Number("response_time", "p99")) == 0.2
    assert thresholds.of(Number("time_to_first_token", "p99")) == 0.2
    assert thresholds.of(Number("time_to_first_token", "p50")) == 0.03
    assert thresholds.of(Number("error_rate", "value")) == judged.SHARE_THRESHOLD
    assert Thresholds().of(Number("throughput", "value")) == judged.THRESHOLD


@pytest.mark.parametrize("value", ["5", 5, "1", "0", "0.1%", "five", "-3%", "200%", "nan", True, [1]])
def test_a_threshold_that_may_be_misread_is_refused(value):
    with pytest.raises(RunError, match=r"threshold is .*: write 5% or 0\.05"):
        Thresholds(value)


def test_a_threshold_of_what_is_not_there():
    Thresholds(None, {"ttft_p99": "10%"}).check(KNOWN)
    with pytest.raises(RunError, match=r"no 'respnse_time' .*did you mean response_time\?"):
        Thresholds(None, {"respnse_time": "10%"}).check(KNOWN)
    with pytest.raises(RunError, match="not a mapping"):
        Thresholds(None, ["throughput"])


def test_what_a_user_names():
    assert judged.asked(["throughput", "latency"], KNOWN) == [KNOWN[0], KNOWN[2], KNOWN[3]]
    assert judged.asked(["ttft_p99", "my_score", "ttft_p99"], KNOWN) == [KNOWN[6], KNOWN[8]]
    assert judged.asked(["my_score_p50"], KNOWN) == [KNOWN[9]]
    with pytest.raises(RunError, match="did you mean throughput"):
        judged.asked(["througput"], KNOWN)
    with pytest.raises(RunError, match="there is no 'no such'"):
        judged.asked(["no such"], KNOWN)


def test_the_headline_of_a_run_over_several_repetitions():
    lines = [("search", "capacity", "value"), ("max", "throughput", "mean"), ("max", "response_time", "p99"),
             ("half", "throughput", "mean"), ("max", "my_score", "mean")]  # fmt: skip
    record = {
        "headline": [{"case": case, "metric": metric, "statistic": statistic} for case, metric, statistic in lines]
    }
    assert judged.headline(record, KNOWN) == [KNOWN[0], KNOWN[3], KNOWN[8]]
    assert judged.headline({}, KNOWN) == []
