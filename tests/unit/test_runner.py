# SPDX-License-Identifier: MIT
"""Playbooks as AWX runs them: by path in a project, by ansible-runner, which hands on events and artifacts."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import ansible_runner
import pytest

from .plugins.plugin_utils import samples
from .plugins.plugin_utils.test_finish import finished

ROOT = Path(__file__).resolve().parents[2]
FAILING = """
- hosts: meluxina
  gather_facts: false
  tasks:
    - block:
        - aifactory.benchmark.run_report: {run: latest}
          register: reported
      always:
        - ansible.builtin.include_role:
            name: aifactory.benchmark.run
            tasks_from: artifacts
          vars: {run_told: "{{ reported }}", run_is_over: true}
"""


@pytest.fixture
def run(tmp_path):
    """Run a playbook of a project: run(project, playbook, **variables) → the runner."""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts").write_text("meluxina ansible_host=192.0.2.1\n")  # TEST-NET: nothing answers there

    def start(project, playbook, **variables):
        return ansible_runner.run(
            private_data_dir=str(tmp_path), project_dir=str(project), playbook=playbook, quiet=True,
            extravars={"benchmark_home": str(tmp_path / "home"), **variables},
            envvars={
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "AIFACTORY_HOME": str(tmp_path / "home"),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            },
        )  # fmt: skip

    return start


def shown(runner):
    """What AWX shows of a job."""
    return "\n".join(event["stdout"] for event in runner.events)


def artifacts(runner):
    """What AWX hands to the next job of a workflow."""
    [stats] = [event for event in runner.events if event["event"] == "playbook_on_stats"]
    return stats["event_data"].get("artifact_data", {})


def test_a_playbook_of_the_checkout_by_its_path(run, tmp_path):
    finished(tmp_path / "home", "finished", 1)
    runner = run(ROOT, "playbooks/list.yml")
    assert runner.rc == 0, shown(runner)
    [listing] = [event for event in runner.events if samples.RUN_ID.format(1) in event["stdout"]]
    assert listing["event"] == "verbose", "a line of the action itself, not a result in JSON"
    assert "\r" not in listing["stdout"].replace("\r\n", "")


def test_a_project_of_ones_own_with_recipes(run, tmp_path):
    project = tmp_path / "mine"
    (project / "recipes").mkdir(parents=True)
    shutil.copy(ROOT / "recipes/quickstart.yml", project / "recipes/ours.yml")
    (project / "validate.yml").write_text("- import_playbook: aifactory.benchmark.validate\n")
    runner = run(project, "validate.yml", recipe="ours")
    assert runner.rc == 0 and "ours.yml: valid: service postgresql" in shown(runner), shown(runner)


def test_a_run_that_fails_the_play_leaves_its_artifacts(run, tmp_path):
    finished(tmp_path / "home", "overloaded", 1)
    project = tmp_path / "project"
    project.mkdir()
    (project / "fail.yml").write_text(FAILING)
    runner = run(project, "fail.yml")
    assert runner.rc == 2, shown(runner)
    told = artifacts(runner)
    record = json.loads(next((tmp_path / "home/runs").iterdir()).joinpath("run.json").read_text())
    assert told["run"] == record["id"]
    of_cluster = told["benchmark_runs"]["meluxina"]
    assert (of_cluster["verdict"], of_cluster["state"]) == (record["verdict"], record["state"])
    assert of_cluster["is_over"] is True and of_cluster["headline"] and of_cluster["report"].endswith("report.html")


def test_a_run_that_the_workflow_has_finished_is_not_watched_again(run):
    known = {"meluxina": {"run": "20260901-120000-x-00aa", "is_over": True, "verdict": "VALID"}}
    runner = run(ROOT, "playbooks/watch.yml", benchmark_runs=known, run="20260901-120000-x-00aa")
    assert runner.rc == 0, shown(runner)
