# SPDX-License-Identifier: MIT
"""The logs of a run that goes on, followed by ansible-playbook; this machine is the login node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ..plugin_utils import samples

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def there(tmp_path):
    """The directory on the cluster of a run that goes on."""
    run = samples.make(tmp_path / "home", "running")
    plan = run.read_json("plan.json")
    plan["run_dir"] = str(tmp_path / "there")
    plan["cluster"]["name"] = "site"
    run.write_json("plan.json", plan)
    for name in ("logs", "events"):
        (tmp_path / "there" / name).mkdir(parents=True)
    (tmp_path / "there/logs/service.log").write_text("ready\nERROR:  relation does not exist\n")
    (tmp_path / "inventory").write_text("site ansible_connection=local\nother ansible_host=192.0.2.2\n")
    return tmp_path / "there"


@pytest.fixture
def follow(there):
    def start(*arguments, **variables):
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(there.parent / "inventory")]
        command += [str(ROOT / "playbooks/logs.yml"), *arguments, "-e", json.dumps({"follow": True, **variables})]
        environment = {
            **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "AIFACTORY_HOME": str(there.parent / "home"),
        }  # fmt: skip
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "does not exist" in line and start.then:
                start.then.pop()()
        return process.wait(), "".join(seen)

    start.then = []
    return start


def test_until_the_service_has_ended(follow, there):
    def goes_on():
        with (there / "logs/client-000.log").open("a") as stream:
            stream.write("a client came\n")
        threading.Timer(1.0, ends).start()

    def ends():
        (there / "events/service.jsonl").write_text('{"t":1.0,"source":"service","event":"stopped"}\n')

    follow.then.append(goes_on)
    code, text = follow(run="latest", follow_timeout=120)
    assert code == 0, text
    shown = [
        line.split("  ", 1)[1] for line in text.splitlines() if " service.log  " in line or " client-000.log  " in line
    ]
    assert shown == ["ready", "ERROR:  relation does not exist", "a client came"]
    assert "the service has ended: no more is to come" in text


def test_until_the_deadline(follow):
    code, text = follow("-l", "site", follow_timeout=1, level="error", tail=5)
    assert code == 0, text
    assert "relation does not exist" in text and "ready" not in text
    assert "1 s are over and run" in text and "follow_timeout=SECONDS" in text
    code, text = follow(follow_timeout=0)
    assert code != 0 and "timeout_s must be more than 0 seconds" in text and "Traceback" not in text


def test_a_run_that_was_torn_down(follow, there):
    there.rename(there.parent / "gone")
    code, text = follow()
    assert code != 0 and "was torn down" in text and "Traceback" not in text
