# SPDX-License-Identifier: MIT
"""Service types whose servers can't be had here: by their roles and small recipes, with stand-ins for the servers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from .conftest import ROOT, assert_measured, assert_nothing_left, read_json

pytestmark = [pytest.mark.integration, pytest.mark.cluster("local2411")]

FILES = Path("/var/lib/aifactory/local_cluster/scratch/test-files")


@pytest.fixture(scope="module", autouse=True)
def model_repository():
    """The one that recipes/triton-small.yml names."""
    folder = FILES / "model-repository/simple"
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "config.pbtxt").write_text('name: "simple"\nplatform: "standin"\n')
    for path in (FILES, folder.parent, folder, folder / "1"):
        path.chmod(0o755)


# A metric that the report has to show, and how much of it there is at least, by which column.
SAYS = {
    "minio": ("minio_api_requests_total", 1, 50),
    "ollama": ("ollama_models_loaded", 3, 1),
    "qdrant": ("rest_responses_total", 1, 20),
    "triton": ("nv_inference_request_success", 1, 80),
}


@pytest.mark.parametrize("service", sorted(SAYS))
def test_the_small_recipe(play, home, service):
    played = play("run", "-e", f"recipe={service}-small")
    assert played.run_ids(), played.output
    [run_id] = played.run_ids()
    assert assert_measured(played, home, run_id)["service"] == service
    with (home / "runs" / run_id / "results.csv").open() as stream:
        values = {
            (row["metric"], row["statistic"]): float(row["value"])
            for row in csv.DictReader(stream)
            if row["client"] == "all"
        }
    assert values["operations", "value"] > 0 and values["errors", "value"] == 0
    metric, column, least = SAYS[service]
    report = (home / "runs" / run_id / "report.md").read_text().replace("\\", "")
    rows = [line.split(" | ") for line in report.splitlines() if line.startswith(f"| {metric}")]
    assert rows and max(float(row[column].replace(",", "")) for row in rows) >= least, rows
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


@pytest.mark.parametrize(
    ("service", "change", "words"),
    [
        (
            "minio",
            ("  time_limit", "  settings: {drives: 4, storage_class: 'EC:3'}\n  time_limit"),
            "storage class parity 3 should be less than or equal to 2",
        ),
        ("ollama", ("llama3.2:1b", "no-such"), "pull model manifest: file does not exist"),
        (
            "qdrant",
            ("  time_limit", "  settings: {extra_config: {service: {max_workers: many}}}\n  time_limit"),
            'expected an integer for key "service.max_workers"',
        ),
        (
            "triton",
            ("  time_limit", "    model_control_mode: explicit\n    load_models: [other]\n  time_limit"),
            "failed to load all models",
        ),
    ],
)
def test_a_service_that_does_not_start_says_why(play, recipe, service, change, words):
    text = (ROOT / f"recipes/{service}-small.yml").read_text()
    assert change[0] in text
    played = play("run", "-e", f"recipe={recipe(text.replace(*change, 1))}")
    assert played.rc != 0
    assert words in played.output, played.output
    assert_nothing_left(played.run_ids())


def test_minio_on_several_nodes(play, home, recipe):
    text = (ROOT / "recipes/minio-small.yml").read_text()
    text = text.replace("  type: minio\n", "  type: minio\n  nodes: 2\n  settings: {drives: 2}\n", 1)
    played = play("run", "-e", f"recipe={recipe(text)}")
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    logs = [(home / "runs" / run_id / "logs" / name).read_text() for name in ("service.log", "service-001.log")]
    assert "on 2 drives" in logs[0] and "one of its other nodes" in logs[1]
    report = (home / "runs" / run_id / "report.md").read_text()
    assert "minio-1" in report and "minio-2" in report, "the clients talk to both, and both are asked"
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])
