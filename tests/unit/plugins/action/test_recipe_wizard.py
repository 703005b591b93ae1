# SPDX-License-Identifier: MIT
"""The wizard as a person meets it, on a pseudo-terminal, and without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))


@pytest.fixture
def start(tmp_path):
    (tmp_path / "inventory").write_text("a ansible_connection=local\nb ansible_connection=local\n")

    def command(*arguments):
        argv = [PLAYBOOK, "-i", str(tmp_path / "inventory"), str(ROOT / "playbooks/wizard.yml"), *arguments]
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("CI", "JOB_ID")},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "AIFACTORY_HOME": str(tmp_path / "home"), "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "TERM": "xterm",
        }  # fmt: skip
        return argv, environment

    return command


def test_a_conversation(start, tmp_path):
    argv, environment = start()
    child = pexpect.spawn(
        argv[0], argv[1:], env=environment, cwd=ROOT, timeout=60, encoding="utf-8", dimensions=(40, 80)
    )
    said = []
    for question, answer in (
        ("Cluster:", "b"), ("Service:", "redi"), ("did you mean 'redis'", None), ("Service:", "redis"),
        ("Start from", "redis-small"), ("GPUs:", ""), ("Clients:", "3"), ("Connections of each", "2"),
        ("Offered rate:", ""), ("Warm-up:", ""), ("Measured time:", "ten"), ("expected a duration", None),
        ("Measured time:", "4s"), ("Repetitions:", ""), ("Service level", ""), ("Run it now:", "no"),
    ):  # fmt: skip
        child.expect_exact(question)
        said.append(child.before)
        if answer is not None:
            child.expect(r"\r\n(?=$)|\]\r\n|objective.*\r\n|\r\n")
            child.send(answer + "\r")
    child.expect(pexpect.EOF)
    child.close()
    text = "".join(said) + child.before
    assert child.exitstatus == 0, text
    [path] = (tmp_path / "home/recipes").glob("*.yml")
    recipe = yaml.safe_load(path.read_text())
    assert recipe["configuration"]["target"] == "b" and recipe["service"]["type"] == "redis"
    assert (recipe["benchmarks"]["num_clients"], recipe["benchmarks"]["duration"]) == (3, "4s")
    assert f"-e recipe={path}" in text.replace("\r\n", "")
    assert not (tmp_path / "home/runs").exists()


@pytest.mark.parametrize("nobody", [{}, {"JOB_ID": "7"}])
def test_without_a_terminal_or_in_awx_nothing_is_asked(start, nobody):
    argv, environment = start("-e", "wizard_cluster=a")
    environment.update(nobody)
    if nobody:  # AWX has a terminal, and nobody at it
        child = pexpect.spawn(argv[0], argv[1:], env=environment, cwd=ROOT, timeout=60, encoding="utf-8")
        child.expect(pexpect.EOF)
        child.close()
        code, text = child.exitstatus, child.before
    else:
        done = subprocess.run(
            argv, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        code, text = done.returncode, done.stdout
    assert code == 2 and "-e wizard_service=…" in text, text
