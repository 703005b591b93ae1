# SPDX-License-Identifier: MIT
"""A real result of `vllm bench serve`, against the tool's own summary in it and against the server's known pace."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .support import FIRST_S, GAP_S, PROMPT_TOKENS, SLACK_S, TOKENS, load_json, read, read_text, statistics

DETAILED = "vllm_bench/detailed.json"


@pytest.fixture
def imported(tmp_path):
    return read("vllm-bench", tmp_path, DETAILED)


def test_what_the_tool_says_of_the_same_requests(imported):
    report = load_json(DETAILED)
    assert imported.operations == report["completed"] == 21
    assert imported.duration_s == report["duration"]
    assert imported.operations / imported.duration_s == pytest.approx(report["request_throughput"])
    assert imported.counters == {
        "input_tokens": ["token", report["total_input_tokens"]],
        "output_tokens": ["token", report["total_output_tokens"]],
    }
    for metric, name in (
        ("time_to_first_token", "ttft"),
        ("time_per_output_token", "tpot"),
        ("inter_token_latency", "itl"),
    ):
        found = statistics(imported, metric)
        assert found["mean"] * 1e3 == pytest.approx(report[f"mean_{name}_ms"], abs=0.001)
        assert found["p50"] * 1e3 == pytest.approx(report[f"median_{name}_ms"], rel=0.004)
    assert imported.latency_from == "send" and imported.version is None


def test_what_the_server_did(imported):
    assert imported.errors == {"Internal Server Error": [3, "Internal Server Error"]}
    assert imported.counters["output_tokens"][1] == imported.operations * TOKENS
    assert imported.counters["input_tokens"][1] == imported.operations * PROMPT_TOKENS
    first = statistics(imported, "time_to_first_token")
    assert FIRST_S <= first["min"] <= first["max"] < FIRST_S + SLACK_S
    whole = statistics(imported, "response_time")
    assert FIRST_S + (TOKENS - 1) * GAP_S <= whole["min"] <= whole["max"] < FIRST_S + TOKENS * GAP_S + SLACK_S
    # The mock's last chunk has no text and comes at once: vLLM counts its gap, too.
    gaps = statistics(imported, "inter_token_latency")
    assert gaps["count"] == imported.operations * TOKENS and gaps["min"] < 0.001
    assert gaps["p50"] == pytest.approx(GAP_S, rel=0.1)


def test_waiting_in_the_client_is_a_lag_where_there_is_a_rate(tmp_path, imported):
    report = load_json(DETAILED)
    waited = [t for t, error in zip(report["queue_times"], report["errors"], strict=True) if not error]
    assert statistics(imported, "schedule_lag")["mean"] == pytest.approx(sum(waited) / len(waited), abs=1e-6)
    assert statistics(imported, "schedule_lag")["max"] > 0.1  # four connections are too few for the rate asked
    for name, rate in (("inf", "inf"), ("none", None)):
        folder = tmp_path / name
        folder.mkdir()
        found = read_text("vllm-bench", folder, {"r.json": report | {"request_rate": rate}})
        assert "schedule_lag" not in found.histograms


def test_an_older_file_without_latencies_says_the_same(tmp_path, imported):
    report = load_json(DETAILED)
    for field in ("latencies", "queue_times"):
        del report[field]
    folder = tmp_path / "older"
    folder.mkdir()
    found = read_text("vllm-bench", folder, {"r.json": report})
    assert statistics(found, "response_time")["mean"] == pytest.approx(
        statistics(imported, "response_time")["mean"], abs=1e-6
    )


def test_embeddings_have_no_tokens_out(tmp_path):
    report = {
        "duration": 2.0,
        "completed": 2,
        "input_lens": [7, 9, 8],
        "latencies": [0.1, 0.3, 0.0],
        "errors": ["", "", "Traceback (most recent call last):\n  x\nasyncio.TimeoutError: too late\n"],
    }
    found = read_text("vllm-bench", tmp_path, {"r.json": report})
    assert list(found.histograms) == ["response_time"] and found.histograms["response_time"].sum == 400_000
    assert found.counters == {"input_tokens": ["token", 16]}
    assert found.errors == {"asyncio.TimeoutError": [1, report["errors"][2]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_lens": None}, "input_lens is missing; run it with --save-result --save-detailed"),
        ({"ttfts": None}, "ttfts is missing"),
        ({"itls": [[0.1]]}, "itls has 1 values where there are 24 requests"),
        ({"errors": []}, "errors has 0 values where there are 24 requests"),
        ({"completed": 22}, "holds 21 requests that succeeded, but the tool counted 22"),
        ({"duration": "long"}, 'duration is no number: "long"'),
    ],
)
def test_bad_files_name_the_field(tmp_path, change, message):
    with pytest.raises(LoadError) as caught:
        read_text("vllm-bench", tmp_path, {"r.json": load_json(DETAILED) | change})
    assert f"{tmp_path}/r.json: {message}" in str(caught.value)
