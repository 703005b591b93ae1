# SPDX-License-Identifier: MIT
"""Objects of AWX, against a fake server that refuses what AWX refuses."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx import client as client_module
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx import survey
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx.client import AwxError, Client
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx.objects import Objects

from .fake_awx import TOKEN, FakeAwx, serving

URL = "https://git.example.org/b.git"
ORGANIZATION = {"type": "organization", "name": "HPC"}
SECRETS = {"type": "credential_type", "name": "S", "kind": "cloud",
           "inputs": {"fields": [{"id": "token", "type": "string", "label": "T", "secret": True}]},
           "injectors": {"env": {"T": "{{ token }}"}}}  # fmt: skip
CREDENTIAL = {
    "type": "credential",
    "name": "c",
    "organization": "HPC",
    "credential_type": "S",
    "inputs": {"token": "1"},
}
PROJECT = {"type": "project", "name": "P", "organization": "HPC", "scm_type": "git", "scm_url": URL}
INVENTORY = {"type": "inventory", "name": "I", "organization": "HPC"}
TEMPLATE = {"type": "job_template", "name": "run", "project": "P", "inventory": "I", "playbook": "run.yml",
            "extra_vars": '{"a": 1}'}  # fmt: skip
WORKFLOW = {"type": "workflow_job_template", "name": "W", "organization": "HPC"}
SCHEDULE = {"type": "schedule", "name": "s", "unified_job_template": "W"}
NIGHTLY = "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"
BASE = [ORGANIZATION, PROJECT, INVENTORY]


@pytest.fixture
def awx(tmp_path, monkeypatch):
    monkeypatch.setattr(client_module, "PROJECT_POLL_S", 0.01)
    (tmp_path / "run.yml").write_text("- name: A play\n  hosts: all\n")
    (tmp_path / "tasks.yml").write_text("- name: A task\n  debug:\n")
    fake = FakeAwx({URL: tmp_path})
    with serving(fake) as fake.host:
        yield fake


def have(awx, *wanted, token=TOKEN, **options):
    objects = Objects(Client(awx.host, token=token), **options)
    awx.calls.clear()
    for each in wanted:
        objects.have(each)
    return objects.changes


def test_only_what_differs_is_changed(awx):
    assert have(awx, *BASE, TEMPLATE) != []
    same = {**TEMPLATE, "extra_vars": "a:   1\n"}
    assert have(awx, *BASE, same) == [] and awx.written == []
    assert have(awx, *BASE, {**same, "timeout": 60}) == ["job_template 'run' changed: timeout"]
    assert [method for method, _path in awx.written] == ["PATCH"]


def test_check_mode_tells_the_same_and_sends_nothing(awx):
    wanted = (*BASE, TEMPLATE, {**WORKFLOW, "nodes": [{"identifier": "a", "unified_job_template": "run"}]})
    told = have(awx, *wanted, check_mode=True)
    assert awx.written == []
    assert have(awx, *wanted) == told


def test_a_secret_is_set_once_and_again_when_that_is_asked(awx):
    have(awx, ORGANIZATION, SECRETS, CREDENTIAL)
    other = {**CREDENTIAL, "inputs": {"token": "2"}}
    assert have(awx, ORGANIZATION, SECRETS, other) == []
    assert have(awx, ORGANIZATION, SECRETS, other, update_secrets=True) == ["credential 'c' changed: inputs"]
    assert awx.named("credentials", "c")["inputs"] == {"token": "2"}


def test_a_template_has_exactly_the_credentials_that_are_wanted(awx):
    second = {**SECRETS, "name": "S2"}, {**CREDENTIAL, "name": "d", "credential_type": "S2"}
    base = (*BASE, SECRETS, CREDENTIAL, *second)
    have(awx, *base, {**TEMPLATE, "credentials": ["c"]})
    assert have(awx, *base, {**TEMPLATE, "credentials": ["d"]}) == [
        "job_template 'run': credentials: without c",
        "job_template 'run': credentials: with d",
    ]
    other = {**CREDENTIAL, "name": "e", "credential_type": "S2"}
    assert have(awx, *base, other, {**TEMPLATE, "credentials": ["e"]})[1:], "AWX takes one of each type"


def test_a_project_that_has_a_new_playbook_is_fetched_again(awx, tmp_path):
    have(awx, *BASE, TEMPLATE)
    (tmp_path / "late.yml").write_text("- import_playbook: aifactory.benchmark.run\n")
    from . import fake_awx_rules

    fake_awx_rules.playbooks.cache_clear()
    project = awx.named("projects", "P")
    awx.repositories[URL] = tmp_path
    have(awx, *BASE, {**TEMPLATE, "name": "late", "playbook": "late.yml"})
    assert project["status"] == "successful" and awx.named("job_templates", "late")


def test_edges_of_a_workflow_turn_round(awx):
    def workflow(link, first, second):
        nodes = [{"identifier": first, "unified_job_template": "run", link: [second]},
                 {"identifier": second, "unified_job_template": "run"}]  # fmt: skip
        return {**WORKFLOW, "nodes": nodes}

    have(awx, *BASE, TEMPLATE, workflow("always_nodes", "a", "b"))
    for wanted in (workflow("success_nodes", "a", "b"), workflow("success_nodes", "b", "a")):
        assert have(awx, *BASE, TEMPLATE, wanted) != []
        assert have(awx, *BASE, TEMPLATE, wanted) == []
    assert have(awx, *BASE, TEMPLATE, workflow("success_nodes", "b", "c")) != []
    names = {each["identifier"] for each in awx.objects["workflow_job_template_nodes"].values()}
    assert names == {"b", "c"}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([{**SECRETS, "kind": "ssh"}], "kind: Must be 'cloud' or 'net'"),
        ([{**SECRETS, "injectors": {"env": {"ANSIBLE_X": "y"}}}], "ANSIBLE_X is not allowed"),
        ([{**SECRETS, "injectors": {"env": {"X": "{{ tokn }}"}}}], "X uses an undefined field"),
        ([ORGANIZATION, {**PROJECT, "scm_url": "https://nowhere"}, INVENTORY, TEMPLATE], "ended with failed"),
        ([*BASE, {**TEMPLATE, "playbook": "tasks.yml"}], "lacks tasks.yml"),
        ([*BASE, {**TEMPLATE, "inventory": "J"}], "AWX has no inventory 'J'"),
        ([{"type": "inventory", "name": "J", "must_exist": True}], "AWX has no inventory 'J'"),
        ([{"type": "schedul", "name": "x"}], "no type of objects 'schedul'"),
        ([ORGANIZATION, WORKFLOW, {**SCHEDULE, "rrule": "RRULE:FREQ=DAILY"}], "INTERVAL required"),
        ([ORGANIZATION, {**WORKFLOW, "survey_enabled": True, "survey": survey.named("recipe", ["redis"])},
          {**SCHEDULE, "rrule": NIGHTLY, "extra_data": {"recipe": "rediss"}}], "Value rediss for 'recipe'"),
        ([ORGANIZATION, WORKFLOW, {**SCHEDULE, "rrule": NIGHTLY, "limit": "a"}], "not configured to prompt"),
        ([*BASE, TEMPLATE, {**WORKFLOW, "nodes": [
            {"identifier": "a", "unified_job_template": "run", "always_nodes": ["b"]},
            {"identifier": "b", "unified_job_template": "run", "always_nodes": ["a"]}]}], "Cycle detected"),
    ],
)  # fmt: skip
def test_refusals(awx, wanted, words):
    with pytest.raises(AwxError, match="(?s)" + words.replace("(", r"\(")):
        have(awx, *wanted)


def test_who_is_not_known_is_told_so(awx):
    with pytest.raises(AwxError, match="Check the token"):
        have(awx, ORGANIZATION, token="wrong")
    with pytest.raises(AwxError, match="expected https://NAME"):
        Client("awx.example.org", token=TOKEN)
    with pytest.raises(AwxError, match="can't be reached"):
        Client("http://127.0.0.1:9", token=TOKEN).get("organizations/")
