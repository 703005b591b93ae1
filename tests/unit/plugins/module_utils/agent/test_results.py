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


def test_counters_and_rates_count_over_the_whole_window():
    first = {**result(0, [1] * 30), "counters": {"output_tokens": {"unit": "token", "total": 600}}, "good": 25}
    second = {
        **result(1, [1] * 50, end=20.0),
        "counters": {"output_tokens": {"unit": "token", "total": 400}},
        "good": 15,
    }
    for one, offered, dropped in ((first, 40, 3), (second, 60, 0)):
        one.update(offered=offered, dropped=dropped, retries=1)
    merged = Merged([first, second], rate=10.0, clients=4)
    rows = {
        (client, metric): (value, unit)
        for client, metric, unit, statistic, value in merged.rows()
        if statistic == "value"
    }
    assert rows["all", "output_tokens"] == (1000, "token")
    assert rows["all", "output_tokens_per_s"] == (1000 / 20, "token/s")
    assert rows[0, "output_tokens_per_s"] == (60, "token/s")
    assert rows["all", "goodput"] == (40 / 20, "1/s") and rows[1, "goodput"] == (15 / 20, "1/s")
    assert (rows["all", "offered"][0], rows["all", "dropped"][0], rows["all", "retries"][0]) == (100, 3, 2)
    assert rows["all", "offered_rate"][0] == 10 and rows[0, "offered_rate"][0] == 2.5
    assert merged.value("throughput", "value") == 80 / 20
    assert merged.value("response_time", "p95") == pytest.approx(0.001, rel=0.002)
    assert merged.value("response_time", "p42") is None and merged.value("recall", "mean") is None


def test_what_one_client_cannot_know_nobody_knows_of_all():
    merged = Merged([{**result(0, [1]), "good": 1, "offered": 5}, {**result(1, [1]), "good": None, "offered": None}])
    assert merged.totals["good"] is None and merged.totals["offered"] is None
    assert {row[0] for row in merged.rows() if row[1] == "goodput"} == {0}


def test_statistics_of_another_program_are_never_merged():
    foreign = [["time_to_first_token", "s", "p99", 0.3]]
    one = {**result(0, [1]), "statistics": foreign}
    assert ("all", "time_to_first_token", "s", "p99", 0.3) in Merged([one]).rows()
    two = Merged([one, {**result(1, [1]), "statistics": foreign}])
    assert [row[0] for row in two.rows() if row[1] == "time_to_first_token"] == [0, 1]
    assert two.value("time_to_first_token", "p99") is None


def test_the_error_rate_is_of_all_that_was_tried():
    merged = Merged([result(0, [1] * 30, errors=10), result(1, [1] * 60)])
    assert merged.value("error_rate", "value") == 0.1
    assert Merged([result(0, [])]).value("error_rate", "value") == 0.0


def test_merging_leaves_the_clients_as_they_are():
    results = [result(number, [number + 1] * 10) for number in range(5)]
    before = json.dumps(results)
    merged = Merged(results)
    rows = [row for row in merged.rows() if row[1] == "response_time" and row[3] == "count"]
    assert [row[-1] for row in rows] == [10] * 5 + [50]
    assert json.dumps(results) == before


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
    first = (tmp_path / "results/results.csv").read_text()
    record = results.add("b", 2, Merged([result(0, [3])]), {"clients": 1})
    assert (tmp_path / "results/results.csv").read_text().startswith(first)
    cases = json.loads((tmp_path / "results/cases.json").read_text())
    assert [case["case"] for case in cases] == ["50 %, of max", "b"] and record == cases[1]
    assert [case["order"] for case in cases] == [0, 1]
    assert cases[0]["series"] == "results/series-50____of_max-1.csv"
    for case in cases:
        assert (tmp_path / case["series"]).exists()
        assert (tmp_path / case["histograms"]["response_time"]).exists()
        [hlog] = (tmp_path / "histograms").glob(f"*-{case['repetition']}.hlog")
        assert "Tag=response_time," in hlog.read_text()
    with open(tmp_path / "results/results.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["case"], row["repetition"]) for row in rows} == {("50 %, of max", "1"), ("b", "2")}
    assert [path.name for path in tmp_path.rglob("*.part-*")] == []
