# SPDX-License-Identifier: MIT
"""What belongs to the warm-up, what to the measurement, and the series over both."""

from __future__ import annotations

import csv

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import EXAMPLE_CHARACTERS, Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import Series
from hypothesis import given
from hypothesis import strategies as st

START, END = 1000.0, 1010.0
OPERATIONS = st.lists(st.tuples(st.floats(990, 1012), st.floats(0, 5)), max_size=100)


@given(OPERATIONS)
def test_only_what_was_due_in_the_measurement_is_measured(operations):
    recorder = Recorder(START, END)
    for due, took in operations:
        recorder.operation(due, due + took)
    result = recorder.result()
    inside = [(due, took) for due, took in operations if START <= due < END]
    assert result["operations"] == result["histograms"]["response_time"]["count"] == len(inside)
    assert recorder.progress() == (len(operations), 0)
    assert sum(row[1] for row in result["series"]) == len(operations)


def test_the_last_whole_second_is_the_recent_one():
    recorder = Recorder(START, END)
    recorder.operation(START + 2.0, START + 2.1)
    recorder.operation(START + 2.0, START + 2.3)
    recorder.operation(START + 3.0, START + 3.1)
    recorder.error(START + 2.0, START + 2.5, "broken")
    assert recorder.recent(START + 3.5) == (2, 400000, 300000)
    assert recorder.recent(START + 9.0) is None


def test_errors_are_no_response_times_and_keep_the_first_example():
    recorder = Recorder(START, END)
    recorder.error(999, 999.5, "exit 1", "in the warm-up")
    recorder.error(1001, 1002, "exit 1", "x" * 1000)
    recorder.error(1002, 1003, "exit 1", "second")
    result = recorder.result()
    assert result["errors"] == {"exit 1": {"count": 2, "example": "x" * EXAMPLE_CHARACTERS}}
    assert result["operations"] == result["histograms"]["response_time"]["count"] == 0
    assert recorder.progress() == (0, 3)


def test_without_an_end_everything_from_the_start_on_counts():
    recorder = Recorder(START)
    recorder.operation(999.9, 1000.5)
    recorder.operation(5000, 5001, lag_s=0.25)
    assert recorder.result()["operations"] == 1
    assert recorder.result()["histograms"]["schedule_lag"]["sum"] == 250000


def test_reported_metrics():
    recorder = Recorder(START, END)
    recorder.value("tokens", 3, "1")
    recorder.value("tokens", 4.5, "1")
    assert recorder.result()["metrics"]["tokens"]["values"] == [3, 4.5]
    with pytest.raises(ValueError, match="changes its unit"):
        recorder.value("tokens", 1, "s")
    for nonsense in (True, "3", None, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="is no number"):
            recorder.value("other", nonsense)


@given(OPERATIONS, OPERATIONS)
def test_series_merge_like_the_operations(one, other):
    def series(operations):
        made = Series()
        for due, took in operations:
            made.operation(int(due - START), round(took * 1e6))
        return made

    merged = series(one)
    merged.merge(Series.from_list(series(other).to_list()))
    assert merged.to_list() == series(one + other).to_list()


def test_the_series_file_has_every_second_and_nothing_after_the_end():
    series = Series()
    series.operation(-2, 1000)
    series.operation(0, 2000)
    series.operation(0, 4000)
    series.error(2)
    series.operation(3, 1)  # the load was being taken away
    rows = list(csv.DictReader(series.to_csv(START, START + 2.5).splitlines()))
    assert [(row["t"], row["phase"], row["operations"], row["errors"]) for row in rows] == [
        ("998.000", "warmup", "1", "0"),
        ("999.000", "warmup", "0", "0"),
        ("1000.000", "measure", "2", "0"),
        ("1001.000", "measure", "0", "0"),
        ("1002.000", "measure", "0", "1"),
    ]
    assert (rows[2]["response_time_mean_s"], rows[2]["response_time_max_s"]) == ("0.003000", "0.004000")
    assert rows[1]["response_time_mean_s"] == ""
