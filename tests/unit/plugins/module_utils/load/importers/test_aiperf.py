# SPDX-License-Identifier: MIT
"""A real run of aiperf, against the tool's own summary beside it and against the server's known pace."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .support import (
    FIRST_S,
    FIXTURES,
    GAP_S,
    PROMPT_TOKENS,
    SLACK_S,
    TOKENS,
    load_json,
    read,
    read_text,
    statistics,
)

REQUESTS, SUMMARY = "aiperf/profile_export.jsonl", "aiperf/profile_export_aiperf.json"


@pytest.fixture
def imported(tmp_path):
    return read("aiperf", tmp_path, REQUESTS, SUMMARY)


def lines():
    return [json.loads(line) for line in (FIXTURES / REQUESTS).read_text().splitlines()]


def files(records=None, summary=None):
    records = lines() if records is None else records
    return {
        "profile_export.jsonl": "".join(json.dumps(record) + "\n" for record in records),
        "profile_export_aiperf.json": load_json(SUMMARY) | (summary or {}),
    }


def test_what_the_tool_says_of_the_same_requests(imported):
    summary = load_json(SUMMARY)
    assert imported.operations == summary["request_count"]["avg"] == 16
    assert imported.operations / imported.duration_s == pytest.approx(summary["request_throughput"]["avg"])
    for metric, name in (
        ("response_time", "request_latency"),
        ("time_to_first_token", "time_to_first_token"),
        ("time_per_output_token", "inter_token_latency"),
        ("inter_token_latency", "inter_chunk_latency"),
    ):
        found = statistics(imported, metric)
        assert found["count"] == summary[name]["count"]
        for ours, theirs in (("mean", "avg"), ("min", "min"), ("max", "max")):
            assert found[ours] * 1e3 == pytest.approx(summary[name][theirs], abs=0.001)
    assert imported.counters["output_tokens"][1] == summary["total_osl"]["avg"]
    assert imported.counters["input_tokens"][1] == summary["total_isl"]["avg"]
    assert (imported.version, imported.latency_from) == ("0.13.0", "send")


def test_what_the_server_did(imported):
    assert imported.errors["500 Internal Server Error"][0] == 2
    assert "the mock fails on purpose" in imported.errors["500 Internal Server Error"][1]
    assert imported.counters["output_tokens"][1] == imported.operations * TOKENS
    assert imported.counters["input_tokens"][1] == imported.operations * PROMPT_TOKENS
    first = statistics(imported, "time_to_first_token")
    assert FIRST_S <= first["min"] <= first["max"] < FIRST_S + SLACK_S
    gaps = statistics(imported, "inter_token_latency")
    assert gaps["count"] == imported.operations * (TOKENS - 1) and gaps["p50"] == pytest.approx(GAP_S, rel=0.1)
    # two warm-up requests are in the file, too
    assert sum(row[1] + row[2] for row in imported.series.to_list()) == 18 < len(lines())


def test_the_wait_for_a_worker_is_a_lag_where_there_is_a_rate(tmp_path, imported):
    theirs = load_json(SUMMARY)["credit_to_start_latency"]  # of the failed ones, too
    found = statistics(imported, "schedule_lag")
    assert theirs["min"] <= found["min"] * 1e3 + 0.001 and found["max"] * 1e3 <= theirs["max"] + 0.001
    assert found["mean"] * 1e3 == pytest.approx(theirs["avg"], rel=0.3)
    folder = tmp_path / "closed"
    folder.mkdir()
    phases = [{"name": "profiling", "kind": "profiling", "type": "concurrency", "concurrency": 4}]
    closed = read_text("aiperf", folder, files(summary={"input_config": {"phases": phases}}))
    assert "schedule_lag" not in closed.histograms and closed.operations == 16


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ({"schema_version": "2.0"}, "profile_export_aiperf.json: schema_version is 2.0, known is 1.x"),
        ({"schema_version": None}, "profile_export_aiperf.json: schema_version is missing"),
        ({"was_cancelled": True}, "profile_export_aiperf.json: is_complete says that aiperf was ended before its time"),
        ({"request_count": {"avg": 99.0}}, "profile_export.jsonl: holds 16 requests that succeeded, but the tool"),
        ({"error_request_count": None}, "profile_export.jsonl: holds 2 failed requests, but the tool counted 0"),
        ({"request_throughput": None}, "profile_export_aiperf.json: request_throughput is missing"),
    ],
)
def test_bad_summaries(tmp_path, summary, message):
    with pytest.raises(LoadError) as caught:
        read_text("aiperf", tmp_path, files(summary=summary))
    assert message in str(caught.value)


def test_bad_lines_are_named(tmp_path):
    records = lines()
    del next(record for record in records[3:] if record["metrics"])["metrics"]["request_latency"]
    with pytest.raises(LoadError, match=r"profile_export\.jsonl: line \d+\.metrics\.request_latency is missing"):
        read_text("aiperf", tmp_path, files(records))


def test_an_unknown_unit_is_no_number(tmp_path):
    records = lines()
    next(record for record in records[3:] if record["metrics"])["metrics"]["request_latency"]["unit"] = "min"
    with pytest.raises(LoadError, match=r"metrics\.request_latency\.unit is 'min', known are ns, us, ms, sec, s"):
        read_text("aiperf", tmp_path, files(records))


def test_when_all_failed_there_is_a_time_and_no_operation(tmp_path):
    failed = [record for record in lines() if "error" in record]
    summary = {"request_count": None, "request_throughput": None}
    imported = read_text("aiperf", tmp_path, files(failed, summary))
    assert imported.operations == 0 and imported.errors["500 Internal Server Error"][0] == 2
    assert imported.duration_s == pytest.approx(load_json(SUMMARY)["benchmark_duration"]["avg"])


def test_the_summary_must_be_there(tmp_path):
    with pytest.raises(LoadError, match=r"profile_export_aiperf\.json: cannot be read: No such file"):
        read("aiperf", tmp_path, REQUESTS)
