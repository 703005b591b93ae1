# SPDX-License-Identifier: MIT
"""A real report of GuideLLM, against the tool's own metrics in it and against the server's known pace."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .support import FIRST_S, GAP_S, PROMPT_TOKENS, SLACK_S, TOKENS, load_json, read, read_text, statistics

REPORT = "guidellm/benchmarks.json"


@pytest.fixture
def imported(tmp_path):
    return read("guidellm", tmp_path, REPORT)


def test_what_the_tool_says_of_the_same_requests(imported):
    benchmark = load_json(REPORT)["benchmarks"][0]
    assert imported.operations == benchmark["metrics"]["request_totals"]["successful"] == 10
    assert (imported.start, imported.duration_s) == (benchmark["start_time"], benchmark["duration"])
    for metric, name, scale in (
        ("response_time", "request_latency", 1.0),
        ("time_to_first_token", "time_to_first_token_ms", 1e3),
        ("time_per_output_token", "inter_token_latency_ms", 1e3),
        ("schedule_lag", "request_dispatch_delay", 1.0),
    ):
        theirs, found = benchmark["metrics"][name]["successful"], statistics(imported, metric)
        for ours, statistic in (("mean", "mean"), ("min", "min"), ("max", "max")):
            assert found[ours] * scale == pytest.approx(theirs[statistic], abs=1e-6 * scale)
    assert (
        imported.counters["output_tokens"][1] == benchmark["metrics"]["output_token_count"]["successful"]["total_sum"]
    )
    assert (imported.version, imported.latency_from) == ("0.8.1", "send")


def test_what_the_server_did(imported):
    assert imported.errors["HTTPStatusError"][0] == 2
    assert "500 Internal Server Error" in imported.errors["HTTPStatusError"][1]
    assert imported.counters["output_tokens"][1] == imported.operations * TOKENS
    assert imported.counters["input_tokens"][1] == imported.operations * PROMPT_TOKENS
    first = statistics(imported, "time_to_first_token")
    assert FIRST_S <= first["min"] <= first["max"] < FIRST_S + SLACK_S
    assert statistics(imported, "time_per_output_token")["p50"] == pytest.approx(GAP_S, rel=0.1)
    assert "inter_token_latency" not in imported.histograms  # it keeps no single gaps
    assert sum(row[1] + row[2] for row in imported.series.to_list()) == 12


def test_without_a_schedule_there_is_no_lag(tmp_path):
    report = load_json(REPORT)
    report["benchmarks"][0]["config"]["strategy"]["type_"] = "concurrent"
    assert "schedule_lag" not in read_text("guidellm", tmp_path, {"r.json": report}).histograms


def test_what_is_outside_its_measurement_is_left_out_by_its_own_rule(tmp_path):
    """With a warm-up the report's time begins later; a request that touches it counts."""
    report = load_json(REPORT)
    benchmark = report["benchmarks"][0]
    ends = sorted(request["request_end_time"] for request in benchmark["requests"]["successful"])
    benchmark["start_time"] = (ends[2] + ends[3]) / 2
    kept = [
        sum(request["request_end_time"] >= benchmark["start_time"] for request in benchmark["requests"][status])
        for status in ("successful", "errored")
    ]
    benchmark["metrics"]["request_totals"] = dict(zip(("successful", "errored"), kept, strict=True))
    assert read_text("guidellm", tmp_path, {"r.json": report}).operations == kept[0] == 7


def several(report):
    report["benchmarks"] *= 2


def other_version(report):
    report["metadata"]["version"] = 1


def sampled(report):
    del report["benchmarks"][0]["requests"]["successful"][3:]


def no_start(report):
    report["benchmarks"][0]["requests"]["successful"][1]["info"]["timings"]["request_start"] = None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (several, "benchmarks has 2 entries: give GuideLLM one rate a command"),
        (other_version, "metadata.version is 1, known is 2"),
        (sampled, "holds 3 requests that succeeded, but the tool counted 10; give it no sample_size"),
        (no_start, "successful[1].info.timings.request_start is missing"),
    ],
)
def test_bad_files_name_the_field(tmp_path, spoil, message):
    report = load_json(REPORT)
    spoil(report)
    with pytest.raises(LoadError) as caught:
        read_text("guidellm", tmp_path, {"r.json": report})
    assert str(caught.value) == f"{tmp_path}/r.json: {message}"
