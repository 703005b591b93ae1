# SPDX-License-Identifier: MIT
"""A run whose image lies in a private registry: pulled by a job, with the account of the inventory, kept nowhere."""

from __future__ import annotations

import json

import pytest

from .conftest import assert_nothing_left, read_json, ssh
from .standin.registry import Registry

pytestmark = pytest.mark.integration

WORD = "a-word-for-the-registry"
RECIPE = """
service: {{image: "docker://{name}:1", command: "true", port: 8080, time_limit: "00:05:00"}}
client: {{command: "true"}}
benchmarks: {{duration: 1s}}
"""


@pytest.fixture
def registry():
    with Registry(("user", WORD)) as found:
        yield found


def run(play, recipe, tmp_path, registry, **account):
    accounts = {"benchmark_registries": {registry.name.partition("/")[0]: {"insecure": True, **account}}}
    (tmp_path / "accounts.json").write_text(json.dumps(accounts))
    path = recipe(RECIPE.format(name=registry.name))
    return play("run", "-vvv", "-e", f"recipe={path}", "-e", f"@{tmp_path / 'accounts.json'}")


def test_its_image_is_pulled_by_the_digest_of_the_tag(play, home, recipe, tmp_path, registry):
    played = run(play, recipe, tmp_path, registry, username="user", password=WORD)
    [run_id] = played.run_ids()
    events = (home / "runs" / run_id / "events.jsonl").read_text()
    [pulled] = [event for event in map(json.loads, events.splitlines()) if event["event"] == "pull_done"]
    assert pulled["digest"] == registry.digest
    assert [image["digest"] for image in read_json(home, run_id, "provenance.json")["images"]] == [registry.digest]
    # the image holds one file and no shell
    assert "the service failed" in played.output
    kept = [file for file in (home / "runs" / run_id).rglob("*") if file.is_file()]
    assert [str(file) for file in kept if WORD in file.read_text(errors="replace")] == []
    assert WORD not in played.output
    assert_nothing_left([run_id])
    ssh("local", f"rm -f {pulled_path(home, run_id)}*")


def pulled_path(home, run_id: str) -> str:
    """Where the image lies in the cluster's cache."""
    return read_json(home, run_id, "provenance.json")["images"][0]["path"]


def test_without_the_account_it_is_said(play, recipe, tmp_path, registry):
    played = run(play, recipe, tmp_path, registry)
    text = " ".join(played.output.split())
    assert played.rc != 0
    assert "a private image needs a login" in text, played.output
    assert_nothing_left(played.run_ids())


def test_half_an_account_is_refused(play, recipe, tmp_path, registry):
    played = run(play, recipe, tmp_path, registry, username="user")
    assert played.rc != 0
    assert "benchmark_registries.127.0.0.1" in " ".join(played.output.split())
