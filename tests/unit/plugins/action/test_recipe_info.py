# SPDX-License-Identifier: MIT
"""The playbooks validate and recipes, as a person runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def play(tmp_path):
    """A function that runs a playbook of the collection in a folder with a good and a bad recipe."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "good.yml").write_text("# Mine\nservice: {type: postgresql}\n")
    (tmp_path / "own" / "bad.yml").write_text("service:\n  type: postgresql\n  num_gpu: 1\n  tiem_limit: 1\n")
    (tmp_path / "hosts.yml").write_text("all: {hosts: {unreachable.invalid: }}\n")

    def go(name: str, *arguments: str) -> tuple[int, str]:
        environment = {
            **os.environ,
            "AIFACTORY_HOME": str(tmp_path / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        playbook = Path(sys.executable).with_name("ansible-playbook")
        command = [str(playbook), f"aifactory.benchmark.{name}", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return go


@pytest.mark.parametrize("limits", [[], ["-i", "hosts.yml"], ["-i", "hosts.yml", "-l", "unreachable.invalid"]])
def test_valid_recipes_whatever_the_inventory(play, limits):
    code, output = play("validate", "-e", "recipe=quickstart", *limits)
    assert code == 0, output
    assert "recipes/quickstart.yml: valid: service postgresql (1 node), 4 pgbench clients (1 node)" in output


def test_every_problem_is_a_line_and_the_play_fails(play):
    code, output = play("validate", "-e", "recipe=own")
    assert code != 0
    lines = output.splitlines()
    assert any(
        line.startswith("own/bad.yml:3: service.num_gpu: unknown key; did you mean 'num_gpus'?") for line in lines
    )
    assert any(line.startswith("own/bad.yml:4: service.tiem_limit: unknown key") for line in lines)
    assert any(line.startswith("own/good.yml: valid: ") for line in lines)
    assert "2 problems in 1 of 2 recipes: see the lines above" in output
    assert "Traceback" not in output


def test_the_original_recipe_is_valid_without_its_cluster(play):
    code, output = play("validate", "-e", "recipe=original", "-i", "hosts.yml")
    assert code == 0, output
    assert "original.yml: note: target 'meluxina' is not in this inventory" in output
    assert "note:" not in play("validate", "-e", "recipe=original", "-i", "hosts.yml", "-l", "all")[1]


def test_a_recipe_that_is_not_there(play):
    code, output = play("validate", "-e", "recipe=quikstart")
    assert code != 0 and "there is no recipe 'quikstart'; did you mean 'quickstart'?" in output


def test_the_list_is_a_table(play):
    code, output = play("recipes")
    assert code == 0, output
    assert re.search(r"^quickstart +postgresql +4 pgbench +10s", output, re.MULTILINE)
    assert '"recipes"' not in output
