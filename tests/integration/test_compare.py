# SPDX-License-Identifier: MIT
"""Runs of a cluster compared, and held against a baseline, as a CI job does it: by the plays' exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .conftest import ROOT, assert_measured, assert_nothing_left, read_json

pytestmark = pytest.mark.integration

FILES = Path("/var/lib/aifactory/local_cluster/scratch/test-files")
QUICK_S, SLOW_S = 0.02, 0.1
# so much is changed that a busy machine can't hide it, and so much is let pass that it can't make it up
THRESHOLD = "-e", "threshold=60%"


@pytest.fixture
def measure(play, recipe, home):
    """Run the server that answers after so many seconds: measure(0.02) → the run's id."""
    FILES.mkdir(mode=0o755, exist_ok=True)
    server = Path(shutil.copy(ROOT / "tests/bench/delayed_server.py", FILES))
    server.chmod(0o644)

    def run(delay_s: float) -> str:
        text = f"""
service:
  image: {FILES.parents[1]}/images/tools.sif
  command: "exec python3 /delayed_server.py {delay_s}"
  volumes: ["{server}:/delayed_server.py:ro"]
  port: 8080
  health: {{type: http, path: /}}
  time_limit: "00:05:00"
client: {{type: http, time_limit: "00:05:00"}}
benchmarks: {{duration: 1s, concurrency: 4, repetitions: 3}}
"""
        played = play("run", "-e", f"recipe={recipe(text, 'delayed')}")
        [identifier] = played.run_ids()
        assert_measured(played, home, identifier)
        return identifier

    return run


def compared(home: Path) -> dict:
    """The newest comparison."""
    return json.loads(max((home / "comparisons").iterdir()).joinpath("comparison.json").read_text())


def test_a_slow_server_fails_the_comparison_and_the_gate(play, home, measure):
    first, again, slow = runs = [measure(QUICK_S), measure(QUICK_S), measure(SLOW_S)]
    assert_nothing_left(runs)
    played = play("compare", "-e", f"run={first},{again}", *THRESHOLD, limit=None)
    assert played.rc == 0, played.output
    played = play("compare", "-e", f"run={first},{slow}", *THRESHOLD, limit=None)
    assert played.rc == 2 and "b against a: worse" in played.output, played.output
    numbers = {(each["metric"], each["statistic"]): each for each in compared(home)["comparisons"][0]["numbers"]}
    assert numbers["throughput", "value"]["verdict"] == numbers["response_time", "p50"]["verdict"] == "worse"
    assert numbers["response_time", "p50"]["change"] == pytest.approx(SLOW_S / QUICK_S, rel=0.4)
    assert "service.overrides.command" in [each["what"] for each in compared(home)["differences"]]

    assert play("baseline", "-e", "baseline=main", "-e", f"run={first}", *THRESHOLD, limit=None).rc == 0
    played = play("compare", "-e", "baseline=main", "-e", f"run={again}", limit=None)
    valid = all(read_json(home, run, "run.json")["verdict"] == "VALID" for run in (first, again))
    assert (played.rc, compared(home)["gate"]) == ((0, "passed") if valid else (2, "failed")), played.output
    assert valid or "not VALID" in played.output  # this machine was busy with something else
    played = play("compare", "-e", "baseline=main", limit=None)  # with the newest run
    assert played.rc == 2 and "gate main: FAILED" in played.output and "worse: " in played.output, played.output
