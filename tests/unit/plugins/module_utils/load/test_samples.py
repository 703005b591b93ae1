# SPDX-License-Identifier: MIT
"""Rows of known times, and what is made of them."""

from __future__ import annotations

import random

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import Samples
from hypothesis import given
from hypothesis import strategies as st

START, END = 1000.0, 1010.0
OFFSET = 900.0  # the monotonic clock is that much behind the time of day


def row(due, start, end, *, first=0.0, last=0.0, kind=0, tokens=0):
    """Times as epoch seconds."""
    clock = [t - OFFSET if t else 0.0 for t in (due, start, first, last, end)]
    return (*clock, 200, 1, kind, 100, 10, 5, tokens)


def samples(**options):
    return Samples(START, END, OFFSET, **options)


OPERATIONS = st.lists(st.tuples(st.floats(990, 1012), st.floats(0, 0.1), st.floats(0, 5)), max_size=60)


@given(OPERATIONS)
def test_many_at_once_are_what_one_by_one_would_be(operations):
    made = samples(scheduled=True)
    for due, lag, took in sorted(operations, key=lambda o: o[0] + o[1] + o[2]):
        made.add(row(due, due + lag, due + lag + took))
    result = made.result()
    inside = [(lag, took) for due, lag, took in operations if START <= due < END]
    assert result["operations"] == len(inside)
    for name, expected in (
        ("response_time", [lag + took for lag, took in inside]),
        ("service_time", [took for _lag, took in inside]),
        ("schedule_lag", [lag for lag, _took in inside]),
    ):
        histogram = Histogram.from_dict(result["histograms"].get(name) or Histogram().to_dict())
        assert histogram.count == len(expected)
        if expected:
            assert histogram.mean == pytest.approx(sum(expected) / len(expected), abs=2e-6)
            assert histogram.max * 1e-6 == pytest.approx(max(expected), abs=2e-6)
    assert sum(entry[1] for entry in result["series"]) == len(operations)


def test_an_operation_that_began_in_the_warmup_and_ended_among_the_measured_is_no_result():
    made = samples()
    for entry in [row(1001, 1001, 1001.1), row(999.9, 999.9, 1001.2), row(1001.1, 1001.1, 1001.3)]:
        made.add(entry)
    assert made.result()["operations"] == 2


def test_times_of_a_stream():
    made = samples()
    made.add(row(1001, 1001.01, 1002.0, first=1001.2, last=1001.9, tokens=8))
    made.gaps.extend([100_000] * 7)
    histograms = made.result()["histograms"]
    assert histograms["time_to_first_token"]["sum"] == 200_000
    assert histograms["time_per_output_token"]["sum"] == 100_000
    assert histograms["inter_token_latency"]["count"] == 7
    assert made.result()["counters"]["output_tokens"] == {"unit": "token", "total": 8}


def test_one_token_has_no_time_per_token():
    made = samples()
    made.add(row(1001, 1001, 1002, first=1001.5, last=1001.5, tokens=1))
    assert "time_per_output_token" not in made.result()["histograms"]


def test_kinds_have_response_times_of_their_own():
    made = samples(kinds=["get", "put"])
    for number in range(30):
        made.add(row(1001, 1001, 1001.1 + number % 2, kind=number % 2))
    histograms = made.result()["histograms"]
    assert histograms["response_time"]["count"] == 30
    assert (histograms["response_time_get"]["count"], histograms["response_time_put"]["count"]) == (15, 15)
    assert histograms["response_time_put"]["min"] == pytest.approx(1_100_000, abs=2)


@given(OPERATIONS)
def test_what_is_kept_in_short_is_the_same(operations):
    term = {"metric": "response_time", "operator": "<", "value": 2.5}
    kept = {"in full": [], "in short": []}
    in_full, in_short = (samples(terms=[term], keep=rows.extend) for rows in kept.values())
    in_short.repeated = (0, 10)
    for due, _wait, took in sorted(operations, key=sum):
        at = row(due, due, due + took)
        in_full.add((*at[:-2], 0, 0))
        in_short.repeats.append((at[0], at[4], 200, 100))
    assert in_short.progress() == in_full.progress()
    assert in_short.result() == in_full.result()
    assert kept["in short"] == kept["in full"]


@pytest.mark.parametrize(("metric", "good"), [("response_time", 2), ("time_to_first_token", 1), ("service_time", 3)])
def test_goodput_is_by_every_term_of_one_operation(metric, good):
    terms = [{"metric": metric, "operator": "<", "value": 0.5}]
    made = samples(scheduled=True, terms=terms)
    made.add(row(1001, 1001, 1001.4, first=1001.3, last=1001.35, tokens=3))
    made.add(row(1002, 1002, 1002.45, first=1002.5, last=1002.5, tokens=3))
    made.add(row(1003, 1003.2, 1003.6, first=1003.55, last=1003.6, tokens=3))
    assert made.result()["good"] == good


def test_the_pace_of_a_service_that_keeps_up_is_the_measurement():
    made = samples(scheduled=True)
    draw = random.Random(1)
    for number in range(1000):
        due = START + number / 100
        made.add(row(due, due, due + 2 + draw.random()))  # long, and not always alike, but no queue
    assert made.pace_end() == pytest.approx(END, abs=0.2)


def test_the_pace_of_a_service_that_falls_behind_is_its_own():
    made = samples(scheduled=True)
    for number in range(1000):  # 100 a second are asked for, 50 are done
        made.add(row(START + number / 100, START + number / 100, START + number / 50 + 0.1))
    made.flush()
    assert 1000 / (made.pace_end() - START) == pytest.approx(50, rel=0.01)


def test_one_straggler_does_not_change_the_pace():
    made = samples(scheduled=True)
    for number in range(1000):
        made.add(row(START + number / 100, START + number / 100, START + number / 100 + 0.1))
    made.add(row(1005, 1005, 1060))
    made.flush()
    assert made.pace_end() == pytest.approx(END, abs=0.05)
