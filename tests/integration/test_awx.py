# SPDX-License-Identifier: MIT
"""Runs as AWX has them: by ansible-runner, in jobs that end before the run does; and at a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import ansible_runner
import pexpect
import pytest

from .conftest import INVENTORY, ROOT, assert_nothing_left, environment, playbook_argv, read_json

pytestmark = pytest.mark.integration


@pytest.fixture
def job(tmp_path, home):
    """A job of AWX: job(playbook, **variables) → its return code, what it shows, its artifacts."""

    def start(name, **variables):
        folder = tmp_path / f"job-{len(list(tmp_path.glob('job-*')))}"
        folder.mkdir()
        runner = ansible_runner.run(
            private_data_dir=str(folder), project_dir=str(ROOT), playbook=f"playbooks/{name}.yml",
            inventory=str(INVENTORY), limit="local", quiet=True,
            extravars={"benchmark_home": str(home), "awx_workflow_job_id": 41, **variables},
            envvars={**environment(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "JOB_ID": "7"},
        )  # fmt: skip
        events = list(runner.events)
        stats = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        text = "\n".join(event["stdout"] for event in events)
        return runner.rc, text, (stats[-1].get("artifact_data") or {}) if stats else {}

    return start


def test_a_workflow_goes_on_where_a_job_ends(job, recipe, home):
    code, text, first = job("run", recipe=recipe(duration="8s"), watch_timeout=2)
    assert code == 0, text
    run_id = first["run"]
    assert first["benchmark_runs"]["local"]["is_over"] is False and "\r[" not in text
    # the job that AWX killed has left nothing: the run is found by the number of the workflow
    code, text, second = job("watch")
    told = second["benchmark_runs"]["local"]
    assert second["run"] == run_id and told["is_over"] is True, text
    record = read_json(home, run_id, "run.json")
    assert (told["state"], told["verdict"]) == (record["state"], record["verdict"])
    assert (code == 0) == (record["verdict"] == "VALID") and told["headline"]
    code, text, _third = job("watch", **second)
    assert (code == 0) == (record["verdict"] == "VALID"), text
    assert_nothing_left([run_id])


def test_the_last_job_of_a_workflow_fails_when_the_run_goes_on(job, recipe):
    _code, text, first = job("run", recipe=recipe(duration="60s"), watch_timeout=2)
    code, text, _artifacts = job("watch", watch_timeout=1, watch_must_end=True, **first)
    assert code == 2 and "is not over yet" in " ".join(text.split()), text
    assert job("stop", run=first["run"])[0] == 0
    assert_nothing_left([first["run"]])


def test_at_a_terminal_a_line_says_what_goes_on(recipe, home):
    argv = playbook_argv("run", "-e", f"recipe={recipe(duration='4s')}")
    persons = {name: value for name, value in environment(home).items() if name not in ("CI", "JOB_ID")}
    child = pexpect.spawn(
        argv[0], argv[1:], env={**persons, "TERM": "xterm"}, cwd=ROOT, timeout=180, encoding="utf-8",
        dimensions=(40, 80),
    )  # fmt: skip
    child.expect(pexpect.EOF)
    text = child.before
    drawn = [
        part.partition("\x1b[K")[0] for part in text.split("\r") if part.startswith("[local] ") and "\x1b[K" in part
    ]
    assert any("[#" in line or "[." in line for line in drawn), text
    assert all(len(line) < 80 for line in drawn)
    assert "\x1b[3" not in text, "NO_COLOR"
