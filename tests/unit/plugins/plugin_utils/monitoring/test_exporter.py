# SPDX-License-Identifier: MIT
"""The exporter, asked by a real Prometheus and by strangers."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import exporter
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from prometheus_client.parser import text_string_to_metric_families

from ...module_utils.load import servers
from .. import samples
from ..test_finish import finished
from ..test_optional import BASE, without
from . import prometheus

ROOT = Path(__file__).resolve().parents[5]


def ask(url, login=None):
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def values(text, name):
    """The labels and the value of each sample of a name."""
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return [(sample.labels, sample.value) for sample in found if sample.name == name]


def later(run, minutes, cluster="meluxina"):
    """A run that ended later, maybe on another cluster."""
    record = run.read_json("run.json")
    identifier = run.id.replace("141320", f"14{minutes:02d}20")
    copy = RunDirectory(run.path.parent / identifier)
    shutil.copytree(run.path, copy.path)
    copy.write_json(
        "run.json", {**record, "id": identifier, "cluster": cluster, "created_at": record["created_at"] + 60}
    )
    return copy


def test_the_latest_run_of_each_recipe_on_each_cluster(tmp_path):
    first, _record = finished(tmp_path, "finished")
    other = later(first, 14, cluster="other")
    said = []
    with exporter.served(exporter.Latest(tmp_path, None, said.append), "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        text = ask(url)
        assert {labels["run"] for labels, _value in values(text, "aifactory_run_info")} == {first.id, other.id}
        name = "aifactory_result_response_time_seconds"
        told = {labels["run"] for labels, _value in values(text, name)}
        assert told == {first.id, other.id} and text.count(f"# TYPE {name} ") == 1
        assert values(text, "aifactory_exporter_problems") == [({}, 0)]
        newer = later(first, 59)
        assert {labels["run"] for labels, _v in values(ask(url), "aifactory_run_info")} == {newer.id, other.id}
        newer.write_json("run.json", {**newer.read_json("run.json"), "verdict": "INVALID"})
        [valid] = [value for labels, value in values(ask(url), "aifactory_run_valid") if labels["run"] == newer.id]
        assert valid == 0, "its record was written again"
        newer.write_text("results.csv", "case,repetition,client,metric,unit,statistic,value\na,x")
        newer.write_json("run.json", newer.read_json("run.json"))
        for _again in range(2):
            text = ask(url)
            assert values(text, "aifactory_exporter_problems") == [({}, 1)]
            assert {labels["run"] for labels, _v in values(text, "aifactory_run_info")} == {first.id, other.id}
    [problem] = said
    assert f"{newer.id}/results.csv, line 2" in problem
    with pytest.raises(OSError, match="refused"):
        ask(url)


def test_prometheus_scrapes_it(home, tmp_path):
    (tmp_path / "password").write_text("hunter2")
    latest = exporter.Latest(home, None, pytest.fail)
    with exporter.served(latest, "127.0.0.1", 0, ("prometheus", "hunter2")) as port:
        job = {
            "job_name": "aifactory", "scrape_interval": "1s", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            "basic_auth": {"username": "prometheus", "password_file": str(tmp_path / "password")},
        }  # fmt: skip
        with prometheus.prometheus(tmp_path, json.dumps({"scrape_configs": [job]})) as server:
            end = time.monotonic() + 60
            while not (found := server.get("query", query="aifactory_run_valid")["result"]):
                assert time.monotonic() < end
                time.sleep(0.1)
            assert [one["metric"]["job"] for one in found] == ["aifactory"]
            [target] = server.get("targets")["activeTargets"]
            assert (target["health"], target["lastError"]) == ("up", "")


def test_strangers_are_told_nothing(tmp_path):
    latest = exporter.Latest(tmp_path, None, pytest.fail)
    with exporter.served(latest, "127.0.0.1", 0, ("prometheus", "hunter2")) as port:
        for login in (None, "prometheus:", "prometheus:hunter3", ":hunter2", "prometheus:hunter2 "):
            with pytest.raises(urllib.error.HTTPError) as caught:
                ask(f"http://127.0.0.1:{port}/metrics", login)
            assert caught.value.code == 401 and caught.value.read() == b""
        assert "aifactory_exporter_problems 0.0" in ask(f"http://127.0.0.1:{port}/metrics", "prometheus:hunter2")
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(f"http://127.0.0.1:{port}/", "prometheus:hunter2")
        assert caught.value.code == 404


def test_a_store_that_is_away_is_a_problem_and_no_end(tmp_path):
    said = []
    with exporter.served(exporter.Latest(tmp_path, "sqlite:////nowhere/store.db", said.append), "127.0.0.1", 0) as port:
        assert "aifactory_exporter_problems 1.0" in ask(f"http://127.0.0.1:{port}/metrics")
    assert "/nowhere/store.db" in said[0]


@pytest.mark.parametrize(
    ("address", "port", "told"),
    [
        ("0.0.0.0", 0, "others can reach 0.0.0.0: give exporter_password_file"),
        ("127.0.0.1", 1 << 20, "can't listen at 127.0.0.1:1048576"),
        ("127.0.0.1", None, "can't listen at .*in use"),
    ],
)
def test_what_can_not_be_listened_at(tmp_path, address, port, told):
    latest = exporter.Latest(tmp_path, None, pytest.fail)
    with exporter.served(latest, "127.0.0.1", 0) as taken:
        second = exporter.served(latest, address, taken if port is None else port)
        with pytest.raises(RunError, match=told), second:
            pytest.fail("it listens")


def test_without_the_library(tmp_path):
    statement = f"from {BASE} import exporter\nwith exporter.served(None, '127.0.0.1', 0): pass"
    assert "the exporter needs prometheus_client" in without("prometheus_client", statement)


def test_as_a_person_starts_and_ends_it(tmp_path):
    finished(tmp_path, "finished")
    (port,) = servers.free_ports(1)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(ROOT / "playbooks" / "monitoring.yml")]
    command += ["-i", "nowhere.invalid,"]  # no cluster of this machine
    environment = {
        **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "AIFACTORY_HOME": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }  # fmt: skip
    given = ["-e", f"exporter={port}"]
    wrong = subprocess.run(
        [*command, *given, "-e", "exporter_address=0.0.0.0"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode != 0 and "others can reach 0.0.0.0" in wrong.stdout + wrong.stderr
    url = f"http://127.0.0.1:{port}/metrics"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, *given], env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while not prometheus.answers(url):
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.1)
        assert samples.RUN_ID.format(1) in ask(url)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    end = time.monotonic() + 60
    while prometheus.answers(url):
        assert time.monotonic() < end, "it outlived its play"
        time.sleep(0.1)
    assert f"at {url}, until you interrupt it" in (tmp_path / "log").read_text()
