# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""Which clusters a play is about, asked as a play asks: through `hosts`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PLAYBOOK = """\
- name: Which
  hosts: "{{ lookup('aifactory.benchmark.clusters', recipe=recipe | default(''), run=run | default('')) }}"
  gather_facts: false
  tasks:
    - name: Say
      ansible.builtin.debug:
        msg: "chosen={{ inventory_hostname }}"
"""
GROUPED = "clusters: {hosts: {alpha: , beta: }}\nother: {hosts: {gamma: }}\n"
RECIPE = "configuration: {target: gamma}\nservice: {type: postgresql}\n"
RUN_ID = "20260921-141320-postgresql-00ff"


@pytest.fixture
def play(tmp_path):
    """A function that runs the play in an empty folder: (exit code, chosen hosts, what it printed)."""
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    (tmp_path / "grouped.yml").write_text(GROUPED)
    (tmp_path / "plain.yml").write_text("all: {hosts: {delta: }}\n")
    (tmp_path / "good.yml").write_text(RECIPE)
    (tmp_path / "bad.yml").write_text("service:\n  type: postgresql\n  num_gpu: 1\n  tiem_limit: 1\n")
    run = tmp_path / "home" / "runs" / RUN_ID
    run.mkdir(parents=True)
    (run / "plan.json").write_text(json.dumps({"cluster": {"name": "beta"}}))

    def go(*arguments: str, inventory: str = "grouped.yml") -> tuple[int, list[str], str]:
        environment = {
            **os.environ,
            "AIFACTORY_HOME": str(tmp_path / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", inventory, "play.yml", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        chosen = [line.split("chosen=")[1].strip('"') for line in done.stdout.splitlines() if "chosen=" in line]
        return done.returncode, sorted(chosen), done.stdout + done.stderr

    return go


@pytest.mark.parametrize(
    ("arguments", "inventory", "expected"),
    [
        ([], "grouped.yml", ["alpha", "beta"]),
        ([], "plain.yml", ["delta"]),
        (["-l", "gamma"], "grouped.yml", ["gamma"]),
        (["-e", "recipe=good.yml"], "grouped.yml", ["gamma"]),
        (["-e", "recipe=good.yml", "-l", "alpha"], "grouped.yml", ["alpha"]),
        (["-e", "recipe=quickstart"], "grouped.yml", ["alpha", "beta"]),
        (["-e", "run=latest"], "grouped.yml", ["beta"]),
        (["-e", f"run={RUN_ID[:15]}"], "grouped.yml", ["beta"]),
        (["-e", "run=2027"], "grouped.yml", ["alpha", "beta"]),
        (["-e", "run=all_orphans"], "grouped.yml", ["alpha", "beta"]),
    ],
)
def test_the_chosen_clusters(play, arguments, inventory, expected):
    code, chosen, output = play(*arguments, inventory=inventory)
    assert (code, chosen) == (0, expected), output


def test_the_home_may_be_an_extra_variable(play, tmp_path):
    (tmp_path / "home").rename(tmp_path / "elsewhere")
    code, chosen, output = play(
        "-e", "run=latest", "-e", f"where={tmp_path}", "-e", "benchmark_home={{where}}/elsewhere"
    )
    assert (code, chosen) == (0, ["beta"]), output


@pytest.mark.parametrize(
    ("arguments", "inventory", "lines"),
    [
        (["-e", "recipe=bad.yml"], "grouped.yml", ["bad.yml:3: service.num_gpu: unknown key", "bad.yml:4: service.tiem_limit"]),
        (["-e", "recipe=bad.yml", "-l", "alpha"], "grouped.yml", ["bad.yml:3: service.num_gpu: unknown key"]),
        (["-e", "recipe=original"], "grouped.yml", ["the inventory has no host or group 'meluxina'; hosts and groups: alpha"]),
        (["-e", "run=latest"], "plain.yml", ["the inventory has no host or group 'beta'"]),
        ([], os.devnull, ["the inventory has no host: give one with -i"]),
    ],
)  # fmt: skip
def test_mistakes_end_the_play_in_words(play, arguments, inventory, lines):
    code, chosen, output = play(*arguments, inventory=inventory)
    assert code != 0 and not chosen
    for line in lines:
        assert line in output
    assert "Traceback" not in output and "<class" not in output
