# SPDX-License-Identifier: MIT
"""What a service needs is fetched by the image job, in the service's container, before the service's job starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import assert_nothing_left, read_json, ssh

pytestmark = pytest.mark.integration

IMAGE = "/var/lib/aifactory/local_cluster/images/tools.sif"
WORD = "a-word-for-the-hub"
RECIPE = f"""
service:
  image: {IMAGE}
  command: 'exec python3 -m http.server --directory /models --bind "$SERVICE_ADDRESS" "$SERVICE_PORT"'
  port: 8080
  health: {{type: http, path: /weights, body: fetched}}
  env: {{MODEL: "a model"}}
  secrets: {{HF_TOKEN: {{env: TEST_TOKEN}}}}
  volumes: ["FOLDER:/models"]
  prefetch: PREFETCH
  time_limit: "00:05:00"
client: {{command: 'curl --fail --silent "$SERVICE_URL/weights"', time_limit: "00:05:00"}}
benchmarks: {{duration: 1s}}
"""


@pytest.fixture
def folder(tmp_path):
    path = f"/var/lib/aifactory/local_cluster/scratch/u101/{tmp_path.name}"
    ssh("local", f"mkdir {path}")
    yield path
    ssh("local", f"rm -r {path}")


@pytest.fixture
def run(play, recipe, folder, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", WORD)

    def start(*commands: str):
        text = RECIPE.replace("FOLDER", folder).replace("PREFETCH", json.dumps(commands))
        return play("run", "-e", f"recipe={recipe(text)}")

    return start


def events(home: Path, run_id: str, source: str) -> list[dict]:
    lines = (home / "runs" / run_id / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["source"] == source]


def test_the_service_finds_what_was_fetched(run, home, folder):
    length = f'test "${{#HF_TOKEN}}" = {len(WORD)}'
    played = run(f'{length} && echo "fetched $MODEL" >/models/part', "mv /models/part /models/weights")
    assert played.rc == 0, played.output
    assert "prefetch 2 of 2: mv /models/part /models/weights" in played.output
    [run_id] = played.run_ids()
    image = events(home, run_id, "image")
    assert [event["event"] for event in image] == ["prefetch_started", "prefetch_done"] * 2
    assert image[-1]["t"] <= events(home, run_id, "service")[0]["t"]
    jobs = {job["role"]: job for job in read_json(home, run_id, "run.json")["jobs"]}
    assert jobs["image"]["state"] == "COMPLETED" and jobs["image"]["end"] <= jobs["service"]["start"]
    assert ssh("local", f"cat {folder}/weights").strip() == "fetched a model"
    assert "$ mv /models/part" in (home / "runs" / run_id / "logs/prefetch.log").read_text()
    assert "#SBATCH --gpus" not in (home / "runs" / run_id / "image.sbatch").read_text()
    assert_nothing_left([run_id])


def test_one_that_fails_ends_the_run_before_the_service_starts(run, home):
    played = run("true", 'echo "no such model for $HF_TOKEN" >&2; exit 3', "touch /models/never")
    assert played.rc != 0
    text = " ".join(played.output.split())
    assert "the prefetch command 'echo \"no such model for $HF_TOKEN\" >&2; exit 3' ended with exit code 3" in text
    assert "no such model for …" in text and "see logs/prefetch.log" in text
    [run_id] = played.run_ids()
    record = read_json(home, run_id, "run.json")
    assert record["state"] == "failed" and record["verdict"] == "INVALID"
    assert [reason["code"] for reason in record["reasons"]] == ["prefetch_failed", "no_results"]
    assert events(home, run_id, "service") == []
    kept = {path for path in (home / "runs" / run_id).rglob("*") if path.is_file()}
    assert [path.name for path in kept if WORD in path.read_text(errors="replace")] == []
    assert WORD not in played.output
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


def test_a_dry_run_shows_it_and_runs_nothing(play, recipe, folder, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", WORD)
    text = RECIPE.replace("FOLDER", folder).replace("PREFETCH", "touch /models/never")
    played = play("run", "--check", "-e", f"recipe={recipe(text)}")
    assert played.rc == 0, played.output
    assert "agent.pyz prefetch --spec spec.json" in played.output
    assert ssh("local", f"ls {folder}") == ""
