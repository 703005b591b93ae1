# SPDX-License-Identifier: MIT
"""The stack as the role starts it: a real Prometheus, and grafana-standin, by the role's own scripts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import probes, surroundings
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import dashboards

from ..plugins.module_utils.load import servers
from .rendering import ROLES

ROLE = ROLES / "monitoring"
STANDIN = ROLES.parent / "tests/integration/standin/grafana.py"


@pytest.fixture
def role(tmp_path):
    """Renders what the role says: role("monitoring_grafana", **variables)."""
    loader = DataLoader()
    loader.set_basedir(str(ROLE))
    known: dict[str, Any] = {
        "monitoring_found": {"targets": "/s/monitoring/targets", "data": "/s/monitoring/data"},
        "benchmark_plan": {"run_dir": "/s/runs/x"},
    }
    for name in ("defaults", "vars"):
        known |= loader.load_from_file(str(ROLE / name / "main.yml"), trusted_as_template=True)

    for name in ("monitoring_prometheus", "monitoring_grafana"):
        del known[name]["start_script"]  # rendered by itself

    def render(name: str, **variables: Any) -> Any:
        templar = Templar(loader, {**known, **variables, "ansible_search_path": [str(ROLE)]})
        text = known.get(name)
        if text is None:
            text = trust_as_template((ROLE / "templates" / name).read_text())
        return templar.template(text)

    return render


def get(url: str, user: str = "", password: str = "") -> tuple[int, Any]:
    request = urllib.request.Request(url)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


@contextmanager
def started(script: str, folder: Path, health: dict[str, Any], **env: str):
    """A container's stand-in: the start script with its directories below `folder`, until it is healthy; its port."""
    (port,) = servers.free_ports(1)
    (folder / "data").mkdir()
    (folder / "tsdb").mkdir()
    path = folder / "start.sh"
    path.write_text(script.replace("/aifactory/", f"{folder}/"))
    variables = {
        "SERVICE_ADDRESS": "127.0.0.1",
        "SERVICE_PORT": str(port),
        "PATH": f"{folder}:{os.environ['PATH']}",
        **env,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["sh", str(path)], env=variables, stdout=log, stderr=subprocess.STDOUT)
    try:
        end, missing = time.monotonic() + 30, "not asked"
        while missing is not None:
            assert process.poll() is None and time.monotonic() < end, f"{missing}\n{(folder / 'log').read_text()}"
            try:
                secrets = {"SERVICE_SECRETS": str(folder / "secrets")}
                missing = probes.http("127.0.0.1", port, {"status": [200], "body": None, **health}, secrets)
            except OSError as error:
                missing = str(error)
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def prometheus(role, tmp_path):
    """(port, password) of a Prometheus."""
    folder = tmp_path / "prometheus"
    definition = role("monitoring_prometheus")
    surroundings.make_secrets(str(folder / "secrets"), definition["secrets"], definition["hashed_secrets"])
    certificate = tmp_path / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=push",
         "-keyout", "/dev/null", "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    variables = {
        "benchmark_pushgateway_url": "https://push.example.org:9091",
        "benchmark_pushgateway_user": "pusher",
        "benchmark_pushgateway_password": "secret",
        "benchmark_pushgateway_ca_file": str(certificate),
        "monitoring_scrape_configs": [{"job_name": "more", "static_configs": [{"targets": ["127.0.0.1:1"]}]}],
    }
    script = role("prometheus.sh.j2", **variables)
    with started(script, folder, definition["health"], PUSHGATEWAY_PASSWORD="secret") as port:
        assert (folder / "data/pushgateway.password").read_text() == "secret"
        assert (folder / "data/pushgateway.pem").read_text() == certificate.read_text()
        yield port, (folder / "secrets/password").read_text().strip()


def test_the_stack(role, prometheus, tmp_path):
    port, password = prometheus
    url = f"http://127.0.0.1:{port}"
    assert get(f"{url}/api/v1/query?query=up")[0] == 401
    assert get(f"{url}/api/v1/query?query=up", "prometheus", "wrong")[0] == 401
    status, answer = get(f"{url}/api/v1/status/config", "prometheus", password)
    read = yaml.safe_load(answer["data"]["yaml"])["scrape_configs"]
    assert status == 200 and [job["job_name"] for job in read] == ["aifactory", "pushgateway", "more"]
    assert read[0]["honor_labels"] and read[0]["file_sd_configs"][0]["files"] == [
        f"{tmp_path}/prometheus/targets/*.json"
    ]
    assert read[1]["static_configs"] == [{"targets": ["push.example.org:9091"]}] and read[1]["scheme"] == "https"
    assert read[1]["tls_config"]["ca_file"] == f"{tmp_path}/prometheus/data/pushgateway.pem"
    assert "secret" not in answer["data"]["yaml"].replace("<secret>", "")

    folder = tmp_path / "grafana"
    definition = role("monitoring_grafana")
    surroundings.make_secrets(str(folder / "secrets"), definition["secrets"])
    source = dashboards.Prometheus(
        "http://${SERVICE_PROMETHEUS_ADDRESS}:${SERVICE_PROMETHEUS_PORT}", "prometheus",
        f"{tmp_path}/prometheus/secrets/password",
    )  # fmt: skip
    for name, text in dashboards.files(f"{folder}/provisioning", source).items():
        (folder / "provisioning" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "provisioning" / name).write_text(text)
    (folder / "grafana").write_text(f'#!/bin/sh\nexec {sys.executable} {STANDIN} "$@"\n')
    (folder / "grafana").chmod(0o755)
    where = {"SERVICE_PROMETHEUS_ADDRESS": "127.0.0.1", "SERVICE_PROMETHEUS_PORT": str(port)}
    with started(role("grafana.sh.j2"), folder, definition["health"], **where) as at:
        url, own = f"http://127.0.0.1:{at}", (folder / "secrets/password").read_text().strip()
        assert get(f"{url}/api/search")[0] == get(f"{url}/api/search", "admin", "admin")[0] == 401
        found = get(f"{url}/api/search", "admin", own)[1]
        assert {each["uid"] for each in found} == {each.uid for each in dashboards.all_dashboards()}
        path = f"/api/datasources/proxy/uid/{dashboards.SOURCE_UID}/api/v1/query?query=up"
        assert get(url + path, "admin", own)[1]["status"] == "success"


def test_an_image_without_the_program_says_so(role, tmp_path):
    for script, name in ((role("prometheus.sh.j2"), "prometheus"), (role("grafana.sh.j2"), "grafana")):
        done = subprocess.run(
            ["/bin/sh", "-c", script], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 127 and f"this image has no {name}" in done.stderr


def test_a_prometheus_that_is_there_already_is_told_the_clusters_paths(role):
    found = role("monitoring_scrape_existing")
    assert found["authorization"] == {"credentials_file": "/s/monitoring/targets/token"}
    assert found["file_sd_configs"][0]["files"] == ["/s/monitoring/targets/*.json"] and found["honor_labels"]


def test_neither_ends_for_want_of_clients(role):
    for name in ("monitoring_prometheus", "monitoring_grafana"):
        assert role(name)["client_deadline_s"] == 0
