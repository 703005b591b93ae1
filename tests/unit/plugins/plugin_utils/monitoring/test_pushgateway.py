# SPDX-License-Identifier: MIT
"""Results in a real Pushgateway, with an account and TLS, and in a real Prometheus that scrapes it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import pushgateway
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from prometheus_client.parser import text_string_to_metric_families

from .. import samples
from ..test_finish import finished
from . import prometheus

ROOT = Path(__file__).resolve().parents[5]
RUN = samples.RUN_ID.format(1)
PASSWORD = "the-pushing-password"
HASH = "$2b$04$IfsTqMuqDQdZEi5RMwejaeD5wRu1.o7e5e9Ml6j0jYbL58pg9aN86"  # its bcrypt
WEB = """\
tls_server_config: {{cert_file: {folder}/cert.pem, key_file: {folder}/key.pem}}
basic_auth_users: {{pusher: '{hash}'}}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """The URL of one without an account."""
    with prometheus.pushgateway(tmp_path_factory.mktemp("pushgateway")) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The variables for one with TLS and an account."""
    folder = tmp_path_factory.mktemp("guarded")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "password").chmod(0o600)
    web = WEB.format(folder=folder, hash=HASH)
    with prometheus.pushgateway(folder, web) as url:
        yield {
            "benchmark_pushgateway_url": url,
            "benchmark_pushgateway_user": "pusher",
            "benchmark_pushgateway_password_file": str(folder / "password"),
            "benchmark_pushgateway_ca_file": str(folder / "cert.pem"),
        }


def held(url, run=RUN):
    """(name, labels) → value of what a gateway holds of a run."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    found = [sample for family in families for sample in family.samples]
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for sample in found
        if sample.labels.get("run") == run
    }


def push(home, variables, run=RUN):
    pushgateway.named(variables.get).push(RunDirectory(home / "runs" / run))


def test_every_result_arrives(home, gateway):
    push(home, {"benchmark_pushgateway_url": gateway + "/"})
    found = held(gateway)
    run = RunDirectory(home / "runs" / RUN)
    rows = [row for row in run.results() if row["client"] == "all" and row["metric"] == "response_time"]
    labels = {"run": RUN, "cluster": "meluxina", "recipe": "quickstart", "job": pushgateway.JOB, "instance": ""}
    for row in rows:
        if row["statistic"] == "count":
            continue
        where = {"case": row["case"], "repetition": str(row["repetition"]), "statistic": row["statistic"]}
        key = ("aifactory_result_response_time_seconds", frozenset({**labels, **where}.items()))
        assert found[key] == pytest.approx(row["value"], rel=1e-12)
    assert found["aifactory_run_valid", frozenset(labels.items())] == 1
    ended = found["aifactory_run_ended_timestamp_seconds", frozenset(labels.items())]
    assert ended == pytest.approx(run.read_json("run.json")["ended_at"])
    names = {name for name, _labels in found}
    assert "aifactory_result_operations_total" in names and "aifactory_run_info" in names
    assert not any(name.startswith(("aifactory_node_", "aifactory_load_", "pg_")) for name in names)


def test_the_next_run_of_the_recipe_replaces_it(home, gateway):
    push(home, {"benchmark_pushgateway_url": gateway})
    assert held(gateway)
    later = samples.RUN_ID.format(3)
    push(home, {"benchmark_pushgateway_url": gateway}, later)
    assert not held(gateway)
    assert {value for (name, _labels), value in held(gateway, later).items() if name == "aifactory_run_valid"} == {0}


def test_prometheus_scrapes_it(home, gateway, tmp_path):
    push(home, {"benchmark_pushgateway_url": gateway})
    job = {
        "job_name": "push", "honor_labels": True, "scrape_interval": "1s",
        "static_configs": [{"targets": [gateway.removeprefix("http://")]}],
    }  # fmt: skip
    with prometheus.prometheus(tmp_path, json.dumps({"scrape_configs": [job]})) as server:
        end = time.monotonic() + 60
        while not (found := server.get("query", query="aifactory_result_throughput_per_second")["result"]):
            assert time.monotonic() < end
            time.sleep(0.1)
    assert len(found) == 4
    assert {(one["metric"]["job"], one["metric"]["cluster"]) for one in found} == {(pushgateway.JOB, "meluxina")}


def test_an_account_and_tls(home, guarded):
    assert PASSWORD not in repr(pushgateway.named(guarded.get))
    push(home, guarded)
    wrong = {**guarded, "benchmark_pushgateway_password_file": None, "benchmark_pushgateway_password": "hunter2"}
    with pytest.raises(RunError, match="401, check benchmark_pushgateway_user") as caught:
        push(home, wrong)
    assert "hunter2" not in str(caught.value) and base64.b64encode(b"hunter2").decode() not in str(caught.value)
    with pytest.raises(RunError, match=r"did not reach https://.*CERTIFICATE_VERIFY_FAILED"):
        push(home, {**guarded, "benchmark_pushgateway_ca_file": None})
    with pytest.raises(RunError, match="401"):
        push(home, {name: value for name, value in guarded.items() if not name.endswith(("user", "password_file"))})


def test_a_gateway_that_is_away_or_no_gateway(home, gateway):
    with pytest.raises(RunError, match=r"run .* did not reach http://127.0.0.1:1: .*refused"):
        push(home, {"benchmark_pushgateway_url": "http://127.0.0.1:1"})
    with pytest.raises(RunError, match="404"):
        push(home, {"benchmark_pushgateway_url": f"{gateway}/nowhere"})


def test_a_metric_of_another_type(home, tmp_path):
    theirs = b"# TYPE aifactory_run_valid counter\naifactory_run_valid 1\n"
    with prometheus.pushgateway(tmp_path) as url:
        request = urllib.request.Request(f"{url}/metrics/job/theirs", data=theirs, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()
        with pytest.raises(RunError, match="400 pushed metrics are invalid or inconsistent"):
            push(home, {"benchmark_pushgateway_url": url})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"url": "push.example.org:9091"}, "must be http://HOST:PORT"),
        ({"url": "http://push.example.org:99x"}, "must be http://HOST:PORT"),
        ({"url": "ftp://push.example.org"}, "must be http://HOST:PORT"),
        ({"url": "http://me:hunter2@push.example.org"}, "must not have an account in it"),
        ({"url": "http://push.example.org", "user": "me"}, "set both benchmark_pushgateway_user and"),
        ({"url": "http://push.example.org", "password": "hunter2"}, "set both benchmark_pushgateway_user and"),
        ({"url": "http://push.example.org", "password_file": "/nowhere"}, "/nowhere can't be read: No such file"),
        ({"url": "https://push.example.org", "ca_file": "/nowhere"}, "there is no file /nowhere"),
    ],
)
def test_wrong_variables_are_named(variables, told):
    given = {f"benchmark_pushgateway_{name}": value for name, value in variables.items()}
    with pytest.raises(RunError) as caught:
        pushgateway.named(given.get)
    assert told in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_file_that_others_may_read_is_refused(tmp_path):
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o640)
    given = {"benchmark_pushgateway_url": "http://x", "benchmark_pushgateway_user": "me"}
    given["benchmark_pushgateway_password_file"] = str(tmp_path / "password")
    with pytest.raises(RunError, match=r"others may read .*: chmod 600"):
        pushgateway.named(given.get)


def test_without_the_variable_nothing_is_pushed():
    assert pushgateway.named({}.get) is None


# -- as a person starts it ---------------------------------------------------------------------------------


def play(folder, tasks, home, variables):
    """A play with these tasks, as verbose as can be; (exit code, all that it printed)."""
    (folder / "variables.json").write_text(json.dumps({"benchmark_home": str(home), **variables}))
    (folder / "play.json").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-vvvv", str(folder / "play.json")]
    environment = {
        **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "NO_COLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }  # fmt: skip
    command += ["-i", "localhost,", "-c", "local", "-e", f"@{folder}/variables.json"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_run_is_pushed_at_its_end_and_again_without_telling_the_password(tmp_path, guarded):
    run, _record = finished(tmp_path, "finished")
    report = {"aifactory.benchmark.run_report": {"run": run.id}}
    again = {"aifactory.benchmark.run_info": {"view": "metrics", "run": run.id, "push": True}}
    given = {**guarded, "benchmark_pushgateway_password_file": None, "benchmark_pushgateway_password": PASSWORD}
    code, text = play(tmp_path, [report, again], tmp_path, given)
    assert code == 0, text
    assert f"pushed to {guarded['benchmark_pushgateway_url']}" in text
    assert f"run {run.id}: pushed to" in text
    assert PASSWORD not in text and base64.b64encode(f"pusher:{PASSWORD}".encode()).decode() not in text
    for path in run.path.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path


def test_a_gateway_that_is_away_fails_no_run(tmp_path):
    run, _record = finished(tmp_path, "finished")
    report = {"aifactory.benchmark.run_report": {"run": run.id}}
    code, text = play(tmp_path, [report], tmp_path, {"benchmark_pushgateway_url": "http://127.0.0.1:1"})
    assert code == 0, text
    words = " ".join(text.split())
    assert "did not reach http://127.0.0.1:1" in words and f"-e run={run.id} -e push=true" in words
    code, text = play(tmp_path, [{"aifactory.benchmark.run_info": {"view": "metrics", "push": True}}], tmp_path, {})
    assert code != 0 and "set benchmark_pushgateway_url" in text
