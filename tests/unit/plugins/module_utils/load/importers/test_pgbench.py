# SPDX-License-Identifier: MIT
"""Real runs of pgbench (closed loop, rate, rate with retries, failures and skips), against what it printed itself."""

from __future__ import annotations

import re

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import foreign
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .support import FIXTURES, applied, read, read_text, statistics


def said(kind, pattern):
    return float(re.search(pattern, (FIXTURES / f"pgbench/{kind}/pgbench.out").read_text()).group(1))


def test_a_closed_loop_counts_from_the_send(tmp_path):
    imported = read("pgbench", tmp_path, "pgbench/closed")
    assert (imported.tool, imported.version, imported.latency_from) == ("pgbench", "15.18", "send")
    assert imported.operations == 160 and list(imported.histograms) == ["response_time"]
    assert imported.operations / imported.duration_s == pytest.approx(said("closed", r"tps = ([0-9.]+)"))
    # without --rate pgbench's own average is clients * time / transactions, with the pauses between them
    assert statistics(imported, "response_time")["mean"] * 1e3 == pytest.approx(
        said("closed", r"latency average = ([0-9.]+)"), rel=0.1
    )
    assert imported.errors == {} and imported.retries == 0


def test_a_rate_counts_from_the_schedule_and_has_a_lag(tmp_path):
    imported = read("pgbench", tmp_path, "pgbench/rate")
    assert imported.latency_from == "schedule"
    found, lag = statistics(imported, "response_time"), statistics(imported, "schedule_lag")
    assert found["count"] == lag["count"] == said("rate", r"actually processed: (\d+)")
    assert found["mean"] * 1e3 == pytest.approx(said("rate", r"latency average = ([0-9.]+)"), abs=0.0006)
    assert found["stddev"] * 1e3 == pytest.approx(said("rate", r"latency stddev = ([0-9.]+)"), abs=0.002)
    assert lag["mean"] * 1e3 == pytest.approx(said("rate", r"schedule lag: avg ([0-9.]+)"), abs=0.0006)
    assert lag["max"] * 1e3 == pytest.approx(said("rate", r"schedule lag: avg [0-9.]+ \(max ([0-9.]+)"), abs=0.0006)


def test_failures_skips_and_retries(tmp_path):
    imported = read("pgbench", tmp_path, "pgbench/retries")
    recorder, result = applied(imported)
    assert {name: kept["count"] for name, kept in result["errors"].items()} == {
        "serialization": said("retries", r"serialization failures: (\d+)"),
        "skipped": said("retries", r"transactions skipped: (\d+)"),
    }
    assert recorder.retries == said("retries", r"total number of retries: (\d+)") == 48
    found = statistics(imported, "response_time")
    assert found["count"] == imported.operations == 164
    assert found["mean"] * 1e3 == pytest.approx(said("retries", r"latency average = ([0-9.]+)"), abs=0.0006)
    assert sum(row[1] for row in result["series"]) == 164 and sum(row[2] for row in result["series"]) == 108
    assert min(row[0] for row in result["series"]) == 0


def test_a_later_run_does_not_read_the_logs_before_it(tmp_path):
    module = foreign.load("pgbench")
    outputs = foreign.Outputs(str(tmp_path), module.HINT)
    copies = {path.name: path.read_bytes() for path in (FIXTURES / "pgbench/rate").iterdir()}
    for name, content in copies.items():
        (tmp_path / name).write_bytes(content)
    assert module.read(outputs).operations == 195
    outputs.forget()
    for path in (FIXTURES / "pgbench/closed").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    second = module.read(outputs)
    assert (second.operations, second.latency_from) == (160, "send")
    assert second.histograms["response_time"].count == 160


@pytest.mark.parametrize("kind", ["rate", "retries"])
def test_the_report_alone_gives_what_it_says(tmp_path, kind):
    imported = read("pgbench", tmp_path, f"pgbench/{kind}/pgbench.out")
    assert imported.histograms == {}
    rows = {statistic: value for _metric, _unit, statistic, value in imported.statistics}
    assert rows["count"] == imported.operations == said(kind, r"actually processed: (\d+)")
    assert rows["mean"] * 1e3 == pytest.approx(said(kind, r"latency average = ([0-9.]+)"))
    assert rows["stddev"] * 1e3 == pytest.approx(said(kind, r"latency stddev = ([0-9.]+)"))
    errors = {name: count for name, (count, _example) in imported.errors.items()}
    assert errors == ({"serialization": 77, "skipped": 31} if kind == "retries" else {})


def test_a_log_without_its_report_cannot_be_told(tmp_path):
    with pytest.raises(LoadError, match=r"wrote no pgbench\.out in BENCHMARK_OUTPUT_DIR; run it with --log"):
        read_text("pgbench", tmp_path, {"pgbench_log.1": "0 1 100 0 1700000000 5\n"})


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("1700000000 5000 100 200 3 4\n", "has 6 columns and begins with 1700000000, where a transaction's line has 6"),
        ("0 1 100 0 1700000000 5 77\n", "has 7 columns and begins with 0, where a transaction's line has 6"),
        ("0 1 100 0 1700000000 5\n" * 159, "holds 159 transactions that succeeded, but the tool counted 160"),
        ("0 1 100 0 1700000000 5\n" * 160 + "0 1 10", "ends in the middle of a line"),
        ("0 1 100 0 x 5\n", "invalid literal"),
    ],
)
def test_bad_logs(tmp_path, log, message):
    report = (FIXTURES / "pgbench/closed/pgbench.out").read_text()
    with pytest.raises(LoadError) as caught:
        read_text("pgbench", tmp_path, {"pgbench.out": report, "pgbench_log.9": log})
    assert message in str(caught.value) and "pgbench_log" in str(caught.value)


def test_another_program_s_output_is_no_report(tmp_path):
    with pytest.raises(LoadError, match=r"pgbench\.out: `number of transactions actually processed` is missing"):
        read_text("pgbench", tmp_path, {"pgbench.out": "pgbench: error: connection refused\n"})
