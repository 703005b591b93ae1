# SPDX-License-Identifier: MIT
"""Merging clients, and the files that a case leaves."""

from __future__ import annotations

import csv
import json
import statistics as library

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Merged, Results, statistics
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from hypothesis import given
from hypothesis import strategies as st


def result(client, times_ms, end=10.0, errors=0):
    recorder = Recorder(0.0, end)
    for number, ms in enumerate(times_ms):
        recorder.operation(number * 0.01, number * 0.01 + ms / 1000)
    for _number in range(errors):
        recorder.error(1, 2, "exit 1", "broken")
    recorder.value("tokens", 10 * client, "1")
    return {**recorder.result(), "client": client, "cpu_percent": 5.0}


def test_clients_are_merged_not_averaged():
    merged = Merged([result(1, [100] * 10), result(0, [1] * 90, end=20.0, errors=2)])
    rows = {(client, metric, statistic): value for client, metric, _unit, statistic, value in merged.rows()}
    assert rows["all", "response_time", "p90"] == pytest.approx(0.001, rel=0.002)
    assert rows["all", "response_time", "p95"] == pytest.approx(0.1, rel=0.002)
    assert rows["all", "operations", "value"] == 100
    assert rows["all", "throughput", "value"] == pytest.approx(100 / 20)
    assert rows[1, "throughput", "value"] == pytest.approx(10 / 10)
    assert rows["all", "errors", "value"] == 2 and rows[1, "errors", "value"] == 0
    assert rows["all", "tokens", "max"] == 10
    assert merged.errors == {"exit 1": {"count": 2, "example": "broken"}}


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_statistics_of_reported_values(values):
    found = dict(statistics(values))
    assert found["mean"] == pytest.approx(library.fmean(values), abs=1e-6)
    assert found["stddev"] == pytest.approx(library.stdev(values), abs=1e-6)
    assert found["p50"] == sorted(values)[(len(values) + 1) // 2 - 1]
    assert (found["min"], found["max"]) == (min(values), max(values))


def test_files_grow_with_every_case(tmp_path):
    results = Results(run_dir.RunDir({"run_dir": str(tmp_path)}))
    results.add("50 %, of max", 1, Merged([result(0, [2])]), {"clients": 1})
    results.add("b", 2, Merged([result(0, [3])]), {"clients": 1})
    cases = json.loads((tmp_path / "results/cases.json").read_text())
    assert [case["case"] for case in cases] == ["50 %, of max", "b"]
    assert cases[0]["series"] == "results/series-50____of_max-1.csv"
    for case in cases:
        assert (tmp_path / case["series"]).exists()
        assert (tmp_path / case["histograms"]["response_time"]).exists()
    with open(tmp_path / "results/results.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["case"], row["repetition"]) for row in rows} == {("50 %, of max", "1"), ("b", "2")}
    assert [path.name for path in tmp_path.rglob("*.part-*")] == []
