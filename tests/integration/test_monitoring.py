# SPDX-License-Identifier: MIT
"""Prometheus and Grafana as a job of a real cluster, and a run that Prometheus finds by itself.

Prometheus is the real one, of Debian; of Grafana no program is to be had here: its place takes grafana-standin, which
reads the same files and passes questions on to Prometheus.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from .conftest import assert_measured, assert_nothing_left, environment, playbook_argv, ssh

pytestmark = pytest.mark.integration

PLACE = Path("/var/lib/aifactory/local_cluster/scratch/u101/local/monitoring")
WHERE = re.compile(r"(Grafana|Prometheus): \S+, user (\w+), password in (\S+) \(on the cluster (http://[\d.]+:\d+)\)")
# of any moment of the run: it is over when it is asked for
SERIES = {
    'last_over_time(up{role="service"}[10m])',
    'last_over_time(up{role="clients"}[10m])',
    "max_over_time(aifactory_load_operations_per_second[10m]) > 0",
    "max_over_time(aifactory_load_response_time_mean_seconds[10m]) > 0",
    'max_over_time(aifactory_run_phase{phase="measuring"}[10m]) == 1',
    'max_over_time(aifactory_node_memory_used_bytes{role="clients"}[10m]) > 0',
    'max_over_time(aifactory_node_service_memory_bytes{role="service"}[10m]) > 0',
    "max_over_time(pg_stat_database_xact_commit[10m]) > 0",
}


@pytest.fixture(autouse=True)
def no_remains():
    yield
    ssh("local", f"rm -rf {PLACE}", check=False)


def asked(url: str, user: str, password: str, query: str) -> list[dict]:
    """What Prometheus finds, asked at `url`."""
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    text = f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    request = urllib.request.Request(text, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def where(output: str) -> dict[str, tuple[str, str, str]]:
    """Name → (URL, user, password)."""
    found = WHERE.findall(" ".join(output.split()))
    return {name: (url, user, Path(file).read_text().strip()) for name, user, file, url in found}


def test_the_stack_and_a_live_run(play, home, recipe, tmp_path):
    started = play("monitoring", "-e", "monitoring_state=started")
    assert started.rc == 0, started.output
    at = where(started.output)
    assert set(at) == {"Grafana", "Prometheus"}, started.output
    assert "ssh -N -L 3000:" in started.output
    try:
        played = play("run", "-e", f"recipe={recipe(duration='8s')}", "-e", "benchmark_live_metrics=true")
        [run_id] = played.run_ids()
        assert_measured(played, home, run_id)
        grafana, user, password = at["Grafana"]
        for ask in (at["Prometheus"], (f"{grafana}/api/datasources/proxy/uid/aifactory-prometheus", user, password)):
            empty = [
                query for query in SERIES if not [one for one in asked(*ask, query) if one["metric"]["run"] == run_id]
            ]
            assert empty == []
        assert not list((PLACE / "targets").glob("*.json"))
        teardown = json.loads((home / "runs" / run_id / "teardown.json").read_text())
        assert teardown["clean"] and "live targets" in {check["what"] for check in teardown["checks"]}
        assert_nothing_left([run_id])
        # another controller finds it, and starts no second one
        other = subprocess.run(
            playbook_argv("monitoring", "-e", "monitoring_state=started"), env=environment(tmp_path / "other"),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert other.returncode == 0 and where(other.stdout)["Grafana"][0] == at["Grafana"][0], other.stdout
        assert "submitted" not in other.stdout
    finally:
        stopped = play("monitoring", "-e", "monitoring_state=stopped")
    assert stopped.rc == 0 and "no job, port, process or file is left" in stopped.output, stopped.output
    folder = home / "monitoring/runs"
    [stack] = os.listdir(folder)
    assert json.loads((folder / stack / "teardown.json").read_text())["clean"]
    assert not list((home / "monitoring").glob("*.password"))
    assert_nothing_left([stack])
    assert not list((PLACE / "runs").iterdir())
    for path in (home / "monitoring").rglob("*"):
        assert not path.is_file() or not any(
            secret in path.read_text(errors="replace") for _u, _n, secret in at.values()
        )


def test_of_two_that_are_started_at_once_the_second_gives_way(play, home, tmp_path):
    """By two controllers, neither of which finds the other's at first."""
    asked = playbook_argv("monitoring", "-e", "monitoring_state=started")
    homes = [home, tmp_path / "other"]
    try:
        started = [
            subprocess.Popen(asked, env=environment(each), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for each in homes
        ]
        told = [each.communicate(timeout=180)[0] for each in started]
        assert [each.returncode for each in started] == [0, 0], "\n".join(told)
        first, second = (where(each) for each in told)
        assert first["Grafana"][0] == second["Grafana"][0] and first["Prometheus"][0] == second["Prometheus"][0], told
        assert ssh("local", "squeue -h -u u101 -o %j").split() == [f"aifactory-{stacks(homes)[0]}-service"]
    finally:
        stopped = play("monitoring", "-e", "monitoring_state=stopped")
    assert stopped.rc == 0, stopped.output
    assert_nothing_left(stacks(homes))


def stacks(homes: list[Path]) -> list[str]:
    """Ids of the stacks that several controllers know, in the order in which their jobs were submitted."""
    paths = [path for each in homes for path in each.glob("monitoring/runs/*/jobs.json")]
    ids = {path.parent.name: int(json.loads(path.read_text())[0]["id"]) for path in paths}
    return sorted(ids, key=ids.__getitem__)
