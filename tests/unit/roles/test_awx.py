# SPDX-License-Identifier: MIT
"""The playbook awx against a fake AWX server, which refuses what AWX refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..plugins.plugin_utils.awx.fake_awx import TOKEN, FakeAwx, serving

ROOT = Path(__file__).resolve().parents[3]
URL = "https://git.example.org/benchmark.git"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----"
NIGHTLY = {"name": "nightly", "recipe": "redis", "baseline": "main", "limit": "meluxina",
           "rrule": "DTSTART;TZID=Europe/Luxembourg:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1"}  # fmt: skip
WEBHOOK = {"name": "chat", "notification_type": "webhook", "events": ["error"],
           "notification_configuration": {"url": "https://c.example.org", "headers": {}, "password": "p"}}  # fmt: skip
VARIABLES = {
    "awx_token": TOKEN, "awx_project_scm_url": URL, "awx_hf_token": "hf", "awx_ssh_username": "u1", "awx_ssh_key": KEY,
    "awx_execution_environment_image": "registry.example.org/benchmark-ee:1", "awx_schedules": [NIGHTLY],
    "awx_notifications": [WEBHOOK],
}  # fmt: skip


@pytest.fixture
def awx():
    fake = FakeAwx({URL: ROOT})
    with serving(fake) as fake.host:
        yield fake


def play(fake, *arguments, **variables):
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), str(ROOT / "playbooks/awx.yml"), *arguments]
    argv += ["-e", json.dumps({"awx_host": fake.host, **VARIABLES, **variables})]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "NO_COLOR": "1",
                   "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}  # fmt: skip
    fake.calls.clear()
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_everything_is_made_once(awx):
    code, text = play(awx, "--check")
    assert code == 0 and "job_template 'Benchmark: run' made" in text, text
    assert awx.written == [], "check mode asks only"

    code, text = play(awx)
    assert code == 0, text
    assert all(secret not in text for secret in (KEY, '"hf"'))
    run = awx.named("job_templates", "Benchmark: run")
    assert run["playbook"] == "playbooks/run.yml" and "redis" in run["survey_spec"]["spec"][0]["choices"]
    assert json.loads(run["extra_vars"]) == {"benchmark_home": "/var/lib/aifactory", "watch_timeout": 3000}
    assert run["execution_environment"] == awx.named("execution_environments", "Benchmark environment")["id"]
    attached = awx.lists["job_templates", run["id"], "credentials"]
    assert {awx.objects["credentials"][each]["name"] for each in attached} == {
        "Benchmark clusters",
        "Benchmark secrets",
    }
    gate = awx.named("workflow_job_templates", "Benchmark: run, watch and gate")
    assert len(awx.lists["workflow_job_templates", gate["id"], "notification_templates_error"]) == 1
    assert awx.named("schedules", "nightly")["unified_job_template"] == gate["id"]
    assert chain(awx, gate["id"]) == ["run", *(f"watch-{number}" for number in range(1, 7)), "gate"]

    code, text = play(awx)
    assert code == 0 and "everything in AWX is as it should be" in text, text
    assert awx.written == [], "twice changes nothing"


def chain(fake, workflow):
    """The identifiers of a workflow's nodes, from the first along its edges."""
    kind = "workflow_job_template_nodes"
    nodes = {each["id"]: each for each in fake.objects[kind].values() if each["workflow_job_template"] == workflow}
    edges = {number: [each for (_kind, at, _link), others in fake.lists.items() if (_kind, at) == (kind, number)
                      for each in others] for number in nodes}  # fmt: skip
    [first] = set(nodes) - {each for others in edges.values() for each in others}
    found = [first]
    while edges[found[-1]]:
        [following] = edges[found[-1]]
        found.append(following)
    assert set(found) == set(nodes)
    return [nodes[number]["identifier"] for number in found]


def test_times_that_do_not_fit_are_refused_before_anything_is_asked(awx):
    code, text = play(awx, awx_watch_timeout_s=3590)
    assert code != 0 and "must be at least 120 s less" in " ".join(text.split()), text
    assert awx.calls == []
