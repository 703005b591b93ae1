# SPDX-License-Identifier: MIT
"""pgbench's per-transaction log: real lines, in pieces, with lag, retries and failures."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pgbench_log import LogReader
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from hypothesis import given
from hypothesis import strategies as st

START = 1_700_000_000.0


def reader(tmp_path, has_lag=False, end=START + 10):
    recorder = Recorder(START, end)
    return LogReader(str(tmp_path / "log"), recorder, has_lag), recorder


def line(at_s, took_us, lag=None, retries=None):
    us = round((START + at_s) * 1e6)
    extra = "".join(f" {value}" for value in (lag, retries) if value is not None)
    return f"0 1 {took_us} 0 {us // 1000000} {us % 1000000}{extra}\n"


def test_warm_up_measurement_and_what_comes_after(tmp_path):
    log, recorder = reader(tmp_path)
    (tmp_path / "log.1").write_text(line(-0.5, 1000) + line(0.0005, 1000) + line(5, 2000) + line(10.5, 1000))
    (tmp_path / "log.1.1").write_text(line(6, 3000) + line(10.2, 500000))  # the last one was begun in time
    log.read()
    histogram = recorder.histograms["response_time"]
    assert (histogram.count, histogram.min, histogram.max) == (3, 2000, 500000)
    assert recorder.operations == 3 and recorder.seen_operations == 6
    assert recorder.last_end == START + 10.2


def test_lines_that_are_still_being_written(tmp_path):
    log, recorder = reader(tmp_path)
    whole = line(1, 1000) + line(2, 2000)
    for size in range(len(whole) + 1):
        (tmp_path / "log.7").write_text(whole[:size])
        log.read()
    assert recorder.histograms["response_time"].sum == 3000


def test_lag_retries_and_failures(tmp_path):
    log, recorder = reader(tmp_path, has_lag=True)
    failures = (
        "0 2 serialization 0 1700000003 0 17 3\n1 2 skipped 0 1700000004 0 99 0\n0 3 skipped 0 1700000004 1 9 0\n"
    )
    (tmp_path / "log.1").write_text(line(1, 1000, 100, 0) + failures + line(2, 3000, 300, 1))
    log.read()
    assert recorder.operations == 2
    assert recorder.histograms["schedule_lag"].sum == 400
    assert {name: kept["count"] for name, kept in recorder.errors.items()} == {"serialization": 1, "skipped": 2}


def test_an_unknown_form_is_an_error(tmp_path):
    log, _recorder = reader(tmp_path)
    (tmp_path / "log.1").write_text("Segmentation fault\n")
    with pytest.raises(ValueError, match="unknown form"):
        log.read()


@given(st.lists(st.tuples(st.floats(-3, 13), st.integers(0, 10**6)), min_size=1, max_size=50))
def test_the_same_as_recording_one_by_one(tmp_path_factory, transactions):
    tmp_path = tmp_path_factory.mktemp("log")
    log, recorder = reader(tmp_path)
    (tmp_path / "log.1").write_text("".join(line(at, took) for at, took in transactions))
    log.read()
    expected = Recorder(START, START + 10)
    for at, took in transactions:
        end = round((START + at) * 1e6) / 1e6
        expected.operation(round(end * 1e6 - took) / 1e6, end)
    assert abs(recorder.operations - expected.operations) <= 2  # floats lose the last bit at the very borders
    assert recorder.seen_operations == len(transactions)
