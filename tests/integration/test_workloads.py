# SPDX-License-Identifier: MIT
"""Every workload against a real server in Apptainer, on a real cluster, over ssh as an ordinary user."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

from .conftest import assert_measured, assert_nothing_left, read_json

pytestmark = [pytest.mark.integration, pytest.mark.cluster("local2411")]

RECIPES = Path(__file__).parent / "recipes"
SMALL = {"size": 2000, "dimensions": 32, "queries": 200}


@pytest.fixture
def measure(play, home, tmp_path):
    """Run a shipped recipe with other settings: measure(name, settings, benchmarks=…) → (record, value of a row)."""

    def run(name: str, settings: dict | None = None, **benchmarks: object):
        recipe = yaml.safe_load((RECIPES / f"{name}.yml").read_text())
        recipe["client"].setdefault("settings", {}).update(settings or {})
        recipe["benchmarks"].update(benchmarks)
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump({key: value for key, value in recipe.items() if value}))
        played = play("run", "-e", f"recipe={path}", timeout_s=400)
        [run_id] = played.run_ids()
        record = assert_measured(played, home, run_id)
        assert read_json(home, run_id, "teardown.json")["clean"], played.output
        assert_nothing_left([run_id])
        with (home / "runs" / run_id / "results.csv").open() as stream:
            rows = [row for row in csv.DictReader(stream) if row["client"] == "all"]

        def value(metric: str, statistic: str = "value", case: str | None = None) -> float:
            [found] = [
                row
                for row in rows
                if row["metric"] == metric and row["statistic"] == statistic and case in (None, row["case"])
            ]
            return float(found["value"])

        record["folder"] = home / "runs" / run_id
        return record, value

    return run


@pytest.mark.parametrize(
    "settings",
    [
        {"input_tokens": 60, "output_tokens": 16},
        {"api": "openai-completions", "input_tokens": 60, "output_tokens": 16, "stream": False},
        {"input_tokens": 40, "output_tokens": 8, "turns": 3, "shared_prefix": 20},
    ],
    ids=["streamed", "whole", "conversations"],
)
def test_llm(measure, settings):
    record, value = measure("llm-llamacpp", settings, slo="ttft_p50_s < 60 and error_rate < 0.01")
    assert record["workload"] == "llm"
    # the model never ends by itself: every answer has all the tokens that were asked for
    assert value("output_tokens") == value("operations") * settings["output_tokens"]
    assert value("output_tokens_per_s") > 0
    if settings.get("stream", True):
        assert value("time_to_first_token", "count") == value("operations")
        assert value("inter_token_latency", "count") == value("operations") * (settings["output_tokens"] - 1)
        assert value("time_to_first_token", "p50") <= value("response_time", "p50")
        assert value("goodput") == pytest.approx(value("throughput"), rel=0.01)


def test_embeddings(measure):
    _record, value = measure("llm-llamacpp", {"api": "openai-embeddings", "input_tokens": 40})
    assert value("operations") > 0 and value("input_tokens") > value("operations") * 30


def test_http_with_several_requests_and_a_rate(measure):
    requests = [
        {"name": "small", "path": "/100", "matches": "^x{100}$", "weight": 8},
        {"name": "large", "path": "/1000000"},
        {"name": "missing", "path": "/none?n=${seq}", "status": [404]},
    ]
    _record, value = measure("http-nginx", {"requests": requests}, rate=100, arrival="constant", records=True)
    assert value("offered") == 300 and value("dropped") == 0
    assert value("operations") == 300
    kinds = [value(f"response_time_{name}", "count") for name in ("small", "large", "missing")]
    assert sum(kinds) == 300 and min(kinds) > 0
    assert value("bytes_received") > kinds[1] * 1e6
    assert value("schedule_lag", "count") == 300


def test_http_that_is_wrong_is_an_error(play, home, tmp_path):
    recipe = yaml.safe_load((RECIPES / "http-nginx.yml").read_text())
    recipe["client"]["settings"] = {"requests": [{"path": "/fail"}, {"path": "/moved"}, {"path": "/100"}]}
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump(recipe))
    played = play("run", "-e", f"recipe={path}")
    assert played.rc != 0
    [run] = played.run_ids()
    assert "INVALID" in played.output and "Traceback" not in played.output
    [case] = read_json(home, run, "cases.json")
    assert {"status 503", "redirect"} <= set(case["errors"])
    assert case["errors"]["status 503"]["example"] == "busy"


def test_s3(measure):
    operations = {"put": 2, "get": 4, "head": 1, "list": 1, "delete": 1}
    settings = {
        "operations": operations,
        "object_size": [{"size": "10KiB", "weight": 9}, {"size": "6MiB", "weight": 1}],
    }
    settings |= {"objects": 20, "multipart_size": "6MiB", "part_size": "5MiB"}
    _record, value = measure("s3-seaweedfs", settings)
    counts = [value(f"response_time_{kind}", "count") for kind in operations]
    assert sum(counts) == value("operations") and min(counts) > 0
    assert value("errors") == 0


def test_redis(measure):
    _record, value = measure("redis", {"operations": {"get": 9, "set": 1}, "keys": 1000, "pipeline": 8})
    assert value("commands") == 8 * value("operations") > 0
    assert value("errors") == 0


@pytest.mark.parametrize("adapter", ["chroma", "pgvector", "faiss"])
def test_vector(measure, adapter):
    settings = {**SMALL, "adapter": adapter, "index": {"type": "hnsw", "m": 8}}
    sweep = {"parameters": {"settings.search": [{"ef": 10}, {"ef": 200}]}}
    record, value = measure(f"vector-{adapter}", settings, sweep=sweep)
    cases = list(dict.fromkeys(case["case"] for case in json.loads((record["folder"] / "cases.json").read_text())))
    assert len(cases) == 2
    recalls = [value("recall", "mean", case) for case in cases]
    assert min(recalls) > 0.3 and max(recalls) > 0.9
    assert recalls[1] >= recalls[0] - 0.02, "a wider search finds no less"
    assert value("vectors", case=cases[0]) == 2000
    assert value("insert_rate", case=cases[0]) > 0


def test_vector_in_milvus(measure):
    """Version 2.3 chooses its index and its search by itself."""
    _record, value = measure("vector-milvus", {**SMALL, "adapter": "milvus"})
    assert value("recall", "mean") > 0.9
    assert value("vectors") == 2000


@pytest.mark.alone
def test_a_search_finds_what_the_service_can_do(measure):
    """nginx hands out at most 40 of these a second: its own limit is the known capacity."""
    record, _value = measure(
        "http-limited",
        {"path": "/limited"},
        arrival="constant",
        slo="error_rate < 0.01",
        search={"over": "rate", "from": 10, "to": 200, "tolerance": "5%", "repetitions": 1},
    )
    found = record["search"]
    assert found["reason"] == "converged", found
    assert 38 <= found["lower"] <= 42 and 40 <= found["upper"] <= 44, found
    assert found["capacity"] == pytest.approx(40, rel=0.05), found


def test_results_of_another_load_generator_are_imported(measure):
    record, value = measure("pgbench-imported")
    [case] = json.loads((record["folder"] / "cases.json").read_text())
    assert value("operations") == 400
    assert value("response_time", "count") == 400
    assert case["imported"]["tool"] == "pgbench"
