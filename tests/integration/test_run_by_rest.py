# SPDX-License-Identifier: MIT
"""A whole run with Slurm reached by slurmrestd: no command of Slurm is run, files go over ssh."""

from __future__ import annotations

import json

import pytest

from .conftest import CLUSTERS, assert_measured, assert_nothing_left, eventually, read_json, ssh

REST = ("-e", json.dumps({"benchmark_slurm_transport": "slurmrestd", "ansible_python_interpreter": "/nowhere/python3"}))
COMMANDS = {"sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo", "sacctmgr"}

pytestmark = pytest.mark.integration


@pytest.fixture
def token(monkeypatch):
    """token(cluster): a fresh one is in the controller's environment; returns it."""

    def make(cluster, lifespan_s=600):
        found = ssh(cluster, f"scontrol token lifespan={lifespan_s}").strip().partition("=")[2]
        monkeypatch.setenv("SLURM_JWT", found)
        return found

    return make


@pytest.mark.parametrize("cluster", sorted(CLUSTERS))
def test_a_run(cluster, token, play, recipe, home):
    secret = token(cluster)
    played = play("run", "-e", f"recipe={recipe()}", *REST, limit=cluster)
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    calls = read_json(home, run_id, "calls.json")
    assert calls["POST slurm/job"] == 2
    assert not COMMANDS & set(calls)
    for job in read_json(home, run_id, "run.json")["jobs"]:
        assert job["usage"]["source"] == "slurmdb" and job["usage"]["cpu_s"] > 0, job["usage"]
    proofs = [check["how"] for check in read_json(home, run_id, "teardown.json")["checks"]]
    assert any(how.startswith("GET /slurm") for how in proofs), proofs
    assert_nothing_left([run_id])
    kept = [path for path in (home / "runs" / run_id).rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if secret.encode() in path.read_bytes()]
    assert secret not in played.output


@pytest.mark.cluster("local2411")
def test_a_run_that_is_stopped(token, play, recipe, home):
    token("local2411")
    text = recipe(duration="120s")
    started = play("run", "-e", f"recipe={text}", "-e", "run_watch_timeout_s=5", *REST)
    [run_id] = started.run_ids()
    assert "still going on" in started.output
    stopped = play("stop", "-e", f"run={run_id}", *REST)
    assert "torn down" in stopped.output or "no job of the run is left" in stopped.output, stopped.output
    assert eventually(lambda: run_id not in ssh("local2411", "squeue -h -o %j"))


@pytest.mark.cluster("local2411")
def test_a_token_that_ends_while_the_run_is_followed_leaves_the_run_alone(token, play, recipe, home):
    token("local2411", lifespan_s=40)
    left = play("run", "-e", f"recipe={recipe(duration='120s')}", *REST)
    [run_id] = left.run_ids()
    assert left.rc != 0
    assert "the token for slurmrestd expired" in left.output, left.output
    assert f"aifactory.benchmark.watch -e run={run_id}" in left.output
    assert run_id in ssh("local2411", "squeue -h -o %j")
    token("local2411")
    stopped = play("stop", "-e", f"run={run_id}", *REST)
    assert_nothing_left([run_id])
    assert "Traceback" not in left.output + stopped.output


@pytest.mark.cluster("local2411")
def test_a_dry_run_says_what_was_not_asked(token, play, recipe):
    token("local2411")
    played = play("run", "-e", f"recipe={recipe()}", "--check", *REST)
    assert played.rc == 0, played.output
    assert "cannot test a submission" in played.output
    assert "nothing was submitted" in played.output


@pytest.mark.cluster("local2411")
def test_a_token_that_expired_is_named_before_anything_is_submitted(token, play, recipe):
    token("local2411", lifespan_s=1)
    assert eventually(lambda: "expired" in play("run", "-e", f"recipe={recipe()}", *REST).output)
