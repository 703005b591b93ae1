# SPDX-License-Identifier: MIT
"""The playbook monitoring as a person starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.action import grafana_provisioning
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def play(tmp_path):
    def start(*arguments, **variables):
        command = [str(Path(sys.executable).with_name("ansible-playbook")), str(ROOT / "playbooks" / "monitoring.yml")]
        # no cluster of this machine: what would go to one finds no such host
        command += ["-i", "nowhere.invalid,", *arguments, "-e", json.dumps(variables)]
        environment = {
            **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        }  # fmt: skip
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return start


def test_files_are_written_once(play, tmp_path):
    folder = tmp_path / "provisioning"
    code, text = play("--check", provisioning=str(folder))
    assert code == 0 and "10 files new or changed" in text and not folder.exists(), text
    code, text = play(provisioning=str(folder), prometheus_url="http://prometheus.example.org:9090")
    assert code == 0 and f"10 files new or changed in {folder}" in text, text
    [source] = yaml.safe_load((folder / "datasources" / "aifactory.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus.example.org:9090"
    [provider] = yaml.safe_load((folder / "dashboards" / "aifactory.yaml").read_text())["providers"]
    assert {path.suffix for path in Path(provider["options"]["path"]).iterdir()} == {".json"}
    (folder / "dashboards" / "aifactory" / "run.json").write_text("{}")
    code, text = play(provisioning=str(folder), prometheus_url="http://prometheus.example.org:9090")
    assert code == 0 and "1 files new or changed" in text, text
    code, text = play(
        provisioning=str(folder), grafana_path="/etc/grafana/provisioning", prometheus_user="me",
        prometheus_password_file="/run/secrets/prometheus",
    )  # fmt: skip
    assert code == 0 and "2 files new or changed" in text, text
    assert "/etc/grafana/provisioning/dashboards/aifactory" in (folder / "dashboards" / "aifactory.yaml").read_text()


@pytest.mark.parametrize(
    ("asked", "hosts"),
    [({}, 0), ({"provisioning": "/x"}, 0), ({"exporter": 0}, 0), ({"monitoring_state": "stopped"}, 1)],
)
def test_clusters_are_left_alone_unless_they_are_meant(play, asked, hosts):
    """It only lists them: a play that is wrong here would start jobs."""
    code, text = play("--list-hosts", **asked)
    assert code == 0 and "play #2 (" in text, text
    assert text.partition("play #2 (")[2].count("nowhere.invalid") == hosts, text


def test_a_directory_that_is_missing_or_no_directory(play):
    code, text = play()
    assert code != 0 and "what is to be done? -e provisioning=DIRECTORY" in text, text
    code, text = play(provisioning="/dev/null/x")
    assert code != 0 and "cannot be written: Not a directory" in text and "Traceback" not in text, text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"prometheus_url": "localhost:9090"}, "prometheus_url must be http://HOST:PORT"),
        ({"prometheus_url": "http://[::1"}, "prometheus_url must be http://HOST:PORT"),
        ({"prometheus_url": "http://me:hunter2@x"}, "must not have an account in it"),
        ({"prometheus_user": "me"}, "set both prometheus_user and prometheus_password_file"),
        ({"prometheus_password_file": "/x"}, "set both prometheus_user and prometheus_password_file"),
        ({"grafana_path": "provisioning"}, "grafana_path must be absolute"),
    ],
)
def test_mistakes_are_told(given, told):
    options = dict.fromkeys(("grafana_path", "prometheus_user", "prometheus_password_file"))
    with pytest.raises(RunError) as caught:
        grafana_provisioning._prometheus({**options, "prometheus_url": "http://x", **given})
    assert told in str(caught.value) and "hunter2" not in str(caught.value)
