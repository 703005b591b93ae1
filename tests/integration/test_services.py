# SPDX-License-Identifier: MIT
"""Every service type by its own role, with the small recipe that is shipped and a real server."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, assert_measured, assert_nothing_left, read_json

pytestmark = [pytest.mark.integration, pytest.mark.cluster("local2411")]

FILES = Path("/var/lib/aifactory/local_cluster/scratch/test-files")


@pytest.fixture(scope="module", autouse=True)
def tiny_model():
    """The model that recipes/llamacpp-small.yml names."""
    FILES.mkdir(mode=0o755, exist_ok=True)
    script = ROOT / "tests/integration/images/tiny_gguf.py"
    subprocess.run([sys.executable, str(script), str(FILES / "tiny.gguf")], check=True)
    (FILES / "tiny.gguf").chmod(0o644)


# What the service says of itself, and how much of it there is at least (`per second` or `mean`).
SAYS = {
    "chromadb": ("chromadb_records", 2000),
    "faiss": ("faiss_searches_total", 50),
    "llamacpp": ("llamacpp:tokens_predicted_total", 100),
    "milvus": ("milvus_proxy_search_vectors_count", 20),
    "nginx": ("nginx_http_requests_total", 500),
    "postgresql": ("pg_stat_database_xact_commit", 50),
    "redis": ("redis_total_commands_processed", 1000),
}


@pytest.mark.parametrize("service", sorted(SAYS))
def test_the_small_recipe(play, home, service):
    played = play("run", "-e", f"recipe={service}-small")
    assert played.run_ids(), played.output
    [run_id] = played.run_ids()
    assert assert_measured(played, home, run_id)["service"] == service
    with (home / "runs" / run_id / "results.csv").open() as stream:
        rows = {
            (row["metric"], row["statistic"]): float(row["value"])
            for row in csv.DictReader(stream)
            if row["client"] == "all"
        }
    assert rows["operations", "value"] > 0 and rows["errors", "value"] == 0
    teardown = read_json(home, run_id, "teardown.json")
    assert teardown["clean"], teardown
    [stopped] = [event for event in events(home, run_id) if event["event"] == "stopped"]
    assert stopped["secrets_removed"] and stopped["data_removed"] in (True, None), stopped
    assert_nothing_left([run_id])
    metric, least = SAYS[service]
    rows = [line.replace("\\", "").split(" | ") for line in read_text(home, run_id, "report.md").splitlines()]
    shown = [row[1] if row[3] == "–" else row[3] for row in rows if row[0].partition("{")[0] == f"| {metric}"]
    assert shown and sum(float(value.replace(",", "")) for value in shown) >= least, shown


def read_text(home: Path, run_id: str, name: str) -> str:
    """A file of a run's directory."""
    return (home / "runs" / run_id / name).read_text()


def events(home: Path, run_id: str) -> list[dict]:
    """What the service's agent said."""
    lines = (home / "runs" / run_id / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["source"] == "service"]


@pytest.mark.parametrize(
    ("service", "change", "words"),
    [
        ("llamacpp", ("tiny.gguf", "no.gguf"), f"there is no model {FILES}/no.gguf"),
        ("llamacpp", ("threads: 1", "extra_arguments: [--no-such]"), "invalid argument: --no-such"),
        ("redis", ("type: redis\n", "type: redis\n  settings: {extra_parameters: {nonsense: 1}}\n"), "nonsense"),
        ("nginx", ('worker_processes: "1"', "server_config: 'nonsense;'"), 'unknown directive "nonsense"'),
    ],
)
def test_a_service_that_does_not_start_says_why(play, recipe, service, change, words):
    text = (ROOT / f"recipes/{service}-small.yml").read_text()
    assert change[0] in text
    played = play("run", "-e", f"recipe={recipe(text.replace(*change, 1))}")
    assert played.rc != 0
    assert words in played.output, played.output
    assert_nothing_left(played.run_ids())
