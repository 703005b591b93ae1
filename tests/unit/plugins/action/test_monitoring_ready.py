# SPDX-License-Identifier: MIT
"""What is said of Prometheus and Grafana that were submitted, from the files of their job."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest
from ansible_collections.aifactory.benchmark.plugins.action import monitoring_ready
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Result
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunFailed
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

ENDPOINT = {
    "services": [{"address": "10.0.0.7", "port": 3000}],
    "companions": {"prometheus": [{"address": "10.0.0.7", "port": 20123}]},
}


class Shell:
    """Stands for the connection: this machine's own shell."""

    transport = "ssh"

    def __init__(self, **options):
        self.options = {"remote_user": "u1", "host": "login", "port": 2222, "private_key_file": None, **options}

    def shell(self, script, *args):
        done = subprocess.run(["sh", "-c", script, "sh", *args], capture_output=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def get_option(self, name):
        return self.options[name]


class Ready(monitoring_ready.ActionModule):
    """The action, without a play around it; `jobs`: those of the stack that Slurm knows."""

    def __init__(self, tmp_path, gone=False) -> None:
        self.options, self.host, self.home = {"run": "x", "timeout_s": 0.05}, "mel", tmp_path / "home"
        self._connection = Shell()
        self.directory = RunDirectory(tmp_path / "20261129-101112-grafana-00ff")
        self.directory.write_json("plan.json", {"run_dir": str(tmp_path / "there")})
        self.directory.write_json("jobs.json", [{"role": "service", "id": "37"}])
        self.job = SimpleNamespace(id="37", state="PENDING", reason="Priority", gone=gone)
        (tmp_path / "there/control").mkdir(parents=True)
        (tmp_path / "there/secrets/prometheus").mkdir(parents=True)

    def find(self, reference):
        return self.directory

    def remote(self, **_patience):
        return self._connection

    def slurm(self, remote):
        return SimpleNamespace(jobs=lambda ids: dict.fromkeys(ids, self.job))


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(monitoring_ready, "FIRST_WAIT_S", 0.01)


def test_where_they_are_and_how_to_reach_them(tmp_path):
    ready = Ready(tmp_path)
    (tmp_path / "there/control/endpoint.json").write_text(json.dumps(ENDPOINT) + "\n")
    (tmp_path / "there/secrets/password").write_text("one\n")
    (tmp_path / "there/secrets/prometheus/password").write_text("two\n")
    found = ready.act()
    assert found["tunnel"] == (
        "ssh -N -L 3000:10.0.0.7:3000 -L 9090:10.0.0.7:20123 -p 2222 u1@login"
    )  # fmt: skip
    assert (found["grafana"]["url"], found["grafana"]["here"]) == ("http://10.0.0.7:3000", "http://localhost:3000")
    file = tmp_path / "home/mel-prometheus.password"
    assert found["prometheus"]["password_file"] == str(file)
    assert file.read_text() == "two\n" and file.stat().st_mode & 0o777 == 0o600
    assert "one" not in json.dumps(found) and "two" not in json.dumps(found)
    ready._connection.transport = "local"
    assert ready.act()["tunnel"] == "" == ready.act()["grafana"]["here"]


def test_one_that_failed_says_why(tmp_path):
    ready = Ready(tmp_path)
    failed = {"reason": "the service prometheus: exit code 1", "log_tail": ["no space"], "log": None}
    (tmp_path / "there/control/service.failed").write_text(json.dumps(failed))
    with pytest.raises(RunFailed, match=r"exit code 1\nno space\nIts logs: .*monitoring_state=stopped"):
        ready.act()


def test_one_that_waits_goes_on(tmp_path):
    with pytest.raises(RunFailed, match=r"not ready after 0.05 s: job 37 PENDING Priority\. It goes on"):
        Ready(tmp_path).act()


def test_one_whose_job_is_gone(tmp_path):
    with pytest.raises(RunFailed, match="ended before it was ready"):
        Ready(tmp_path, gone=True).act()
