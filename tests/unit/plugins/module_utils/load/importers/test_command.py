# SPDX-License-Identifier: MIT
"""`client.parser`: the workload `command` runs a tool (here: cp, of what a tool wrote) and takes in its result."""

from __future__ import annotations

import re
import threading
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.shell import quote
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import Case, Context, LoadError

from .support import FIXTURES, load_json


def run(tmp_path, parser, command, **fields):
    """(result as the client writes it, log) of a case of `command`."""
    service = {"name": "s", "host": "h", "address": "127.0.0.1", "port": 1, "url": "tcp://h:1", "connection": {}}
    for directory in ("clients", "tmp"):
        (tmp_path / directory).mkdir(exist_ok=True)
    log = []
    context = {"run_id": "run", "client": 0, "clients": 1, "services": [service], "container": [], "env": {}}
    ctx = Context(
        **context,
        settings=registry.with_defaults("command", None),
        command=command,
        parser=parser,
        runtime="apptainer",
        run_dir=str(tmp_path),
        output_dir=str(tmp_path / "clients"),
        tmp_dir=str(tmp_path / "tmp"),
        log=log.append,
        stop=threading.Event(),
        cut=threading.Event(),
    )
    now = time.time()
    message = {"case": "max", "repetition": 1, "concurrency": 1, "rate": None, "requests": 1, "seed": 1}
    message |= {"duration_s": None, "warmup_s": 0, "warmup_start": now, "measure_start": now, "measure_end": None}
    case = Case(message | fields, 0, 1, "run")
    recorder = Recorder(case.measure_start, case.measure_end)
    try:
        extra = registry.load("command").Workload().run(ctx, case, recorder)
    finally:
        ctx.close()
    return recorder.result() | extra, log


def copy(*sources):
    paths = " ".join(quote(str(FIXTURES / source)) for source in sources)
    return f'cp {paths} "$BENCHMARK_OUTPUT_DIR"'


AIPERF = ("aiperf/profile_export.jsonl", "aiperf/profile_export_aiperf.json")


def test_what_the_tool_measured_is_the_result(tmp_path):
    result, _log = run(tmp_path, "aiperf", copy(*AIPERF))
    assert result["imported"] == {
        "tool": "aiperf",
        "version": "0.13.0",
        "latency_from": "send",
        "file": "clients/profile_export.jsonl",
        "runs": 1,
    }
    assert result["operations"] == 16 and result["histograms"]["response_time"]["count"] == 16
    assert result["counters"]["output_tokens"]["total"] == 128
    window_s = result["measure_end"] - result["measure_start"]
    assert 16 / window_s == pytest.approx(load_json(AIPERF[1])["request_throughput"]["avg"])
    assert result["threads"] >= 1


def test_a_tool_without_the_time_of_day_measured_just_before_its_end(tmp_path):
    before = time.time()
    result, _log = run(tmp_path, "vllm-bench", copy("vllm_bench/detailed.json"))
    assert result["measure_end"] - result["measure_start"] == pytest.approx(
        load_json("vllm_bench/detailed.json")["duration"]
    )
    assert before <= result["measure_end"] <= time.time()


def test_several_executions_are_added_up(tmp_path):
    """The second writes the same file anew; the time is that of both."""
    one, _log = run(tmp_path, "aiperf", copy(*AIPERF))
    two, _log = run(tmp_path, "aiperf", copy(*AIPERF), requests=2)
    assert two["operations"] == 2 * one["operations"] and two["imported"]["runs"] == 2
    assert two["measure_end"] - two["measure_start"] == pytest.approx(2 * (one["measure_end"] - one["measure_start"]))


def test_the_warm_up_s_results_are_left_out(tmp_path):
    now = time.time()
    command = copy(*AIPERF) + "; sleep 0.05"
    result, _log = run(tmp_path, "aiperf", command, warmup_start=now, measure_start=now + 0.2)
    assert result["operations"] == 16 and result["imported"]["runs"] == 1


def test_a_result_that_cannot_be_read_is_an_error_and_nothing_else(tmp_path):
    command = f'head -c 20000 {quote(str(FIXTURES / AIPERF[0]))} > "$BENCHMARK_OUTPUT_DIR/profile_export.jsonl"'
    result, log = run(tmp_path, "aiperf", f"{command}; {copy(AIPERF[1])}")
    assert result["operations"] == 0 and result["counters"] == {} and result["imported"] is None
    assert result["histograms"]["response_time"]["count"] == 0
    assert result["errors"]["import"]["count"] == 1
    assert re.search(r"profile_export\.jsonl: line \d+ is no whole JSON", result["errors"]["import"]["example"])
    assert any("the result of aiperf could not be read" in text for text in log)


def test_an_old_result_is_not_taken_for_a_new_one(tmp_path):
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "detailed.json").write_bytes((FIXTURES / "vllm_bench/detailed.json").read_bytes())
    result, _log = run(tmp_path, "vllm-bench", "true")
    assert result["operations"] == 0
    assert "the tool wrote no *.json in BENCHMARK_OUTPUT_DIR" in result["errors"]["import"]["example"]


def test_a_tool_that_fails_is_an_error_and_its_files_are_not_read(tmp_path):
    result, _log = run(tmp_path, "aiperf", copy(*AIPERF) + "; exit 3")
    assert result["operations"] == 0 and result["imported"] is None and list(result["errors"]) == ["exit 3"]


def test_without_a_parser_nothing_is_imported(tmp_path):
    result, _log = run(tmp_path, None, copy(*AIPERF))
    assert result["operations"] == 1 and "imported" not in result


@pytest.mark.parametrize("fields", [{"rate": 5.0}, {"concurrency": 2}])
def test_the_tool_makes_the_load_itself(tmp_path, fields):
    with pytest.raises(LoadError, match=r"with client\.parser the tool makes the load"):
        run(tmp_path, "aiperf", "true", **fields)
