# SPDX-License-Identifier: MIT
"""Plays by a real ansible-runner; those here need no cluster, or find none."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import run_directory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher, processes
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import NotThere, Refused

from .. import samples


@pytest.fixture(autouse=True)
def written(settings, monkeypatch):
    settings.write()
    monkeypatch.setenv("HF_TOKEN", "not-for-files")


def ended(settings, play, timeout_s=90):
    until = time.monotonic() + timeout_s
    while launcher.state(settings, play) in launcher.GOING_ON:
        assert time.monotonic() < until, launcher.output(settings, play)
        time.sleep(0.1)
    return launcher.state(settings, play), launcher.output(settings, play)[0]


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_play_prints_what_a_terminal_shows_and_keeps_no_secret(settings, runs, client):
    run = runs["finished"]
    play = launcher.start(settings, "logs", {"run": run.id, "search": "checkpoint"})
    state, output = ended(settings, play)
    assert state == launcher.SUCCESSFUL, output
    assert "checkpoint" in output and "\x1b" not in output
    told = client.get(f"/plays/{play.id}/").text
    assert "It has ended as it should" in told and "checkpoint" in told
    folder = settings.folder / "plays" / play.id
    assert not [path for path in files(folder) if b"not-for-files" in path.read_bytes()]
    assert not [path for path in files(folder) if path.stat().st_mode & 0o077]
    assert play.id in [each.id for each in launcher.plays(settings, run.id)]


def test_a_run_is_named_as_soon_as_it_has_a_page(settings, runs, client, program):
    play = launcher.start(settings, "logs", {"run": runs["finished"].id})
    ended(settings, play)
    run = run_directory(settings.home, "20260921-150000-quickstart-00ff")
    (settings.folder / "plays" / play.id / "runs.json").write_text(json.dumps([run.id]))

    def named():
        told = program.get(f"/api/v1/plays/{play.id}").json["runs"]
        assert (f"/runs/{run.id}/" in client.get(f"/plays/{play.id}/").text) == (told == [run.id])
        return told

    assert named() == [], "it was planned, and may be refused before anything is written"
    run.write_text("service.sbatch", "#!/bin/sh")
    assert named() == []
    run.write_json("plan.json", samples.plan_of(run.id))
    assert named() == [run.id] and client.get(f"/runs/{run.id}/").status_code == 200


def test_a_play_that_fails_says_why(settings, program):
    asked = {"name": "quickstart", "limit": "first", "check": True}
    found = program.post("/api/v1/plays", json=asked)
    assert found.status_code == 202, found.text
    play = launcher.find(settings, found.json["id"])
    state, output = ended(settings, play)
    assert state == launcher.FAILED
    assert "first" in output and "UNREACHABLE" not in output.split("\n")[0]
    assert program.get(f"/api/v1/plays/{play.id}").json["state"] == "failed"
    rest = program.get(f"/api/v1/plays/{play.id}?offset={len(output.encode()) - 3}").json
    assert rest["output"] == output[-3:]


def fake(settings, play_id, process, **created):
    folder = settings.folder / "plays" / play_id
    folder.mkdir(parents=True, exist_ok=True)
    play = {"id": play_id, "kind": "run", "created_at": time.time(), "variables": {"recipe": "/x/y.yml"}, **created}
    (folder / "play.json").write_text(json.dumps(play))
    if process:
        (folder / "worker.json").write_text(json.dumps(process))
    return launcher.find(settings, play_id)


def test_what_became_of_a_play_is_read_from_its_files(settings):
    me = processes.me()
    assert launcher.state(settings, fake(settings, "20260101-000000-run-0001", me)) == launcher.RUNNING
    other = {**me, "started": me["started"] + 1}
    assert launcher.state(settings, fake(settings, "20260101-000000-run-0002", other)) == launcher.LOST, "pid reused"
    assert launcher.state(settings, fake(settings, "20260101-000000-run-0003", None)) == launcher.STARTING
    old = fake(settings, "20260101-000000-run-0004", None, created_at=time.time() - 3600)
    assert launcher.state(settings, old) == launcher.LOST
    with pytest.raises(NotThere):
        launcher.find(settings, "../../etc")


def test_not_too_many_plays_go_on_at_once(settings, monkeypatch):
    fake(settings, "20260101-000000-run-0001", processes.me())
    monkeypatch.setattr(launcher, "MOST_AT_ONCE", 1)
    with pytest.raises(Refused, match="1 plays go on already"):
        launcher.start(settings, "clusters", {})


def test_a_process_is_ended_only_where_it_is_the_one_that_is_meant():
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        process = {"pid": child, "started": processes.started(child)}
        assert not processes.end({**process, "started": process["started"] + 1}, 1.0)
        assert processes.is_alive(process)
        assert processes.end(process, 5.0)
    finally:
        os.waitpid(child, 0)
    assert not processes.is_alive(process)


def test_a_run_is_stopped_only_when_that_is_confirmed(client, csrf, program, runs, monkeypatch):
    started = []

    def start(here, kind, variables):
        started.append((kind, variables))
        return fake(here, "20260101-000000-stop-0009", processes.me(), kind=kind, variables=variables)

    monkeypatch.setattr(launcher, "start", start)
    run = runs["running"]
    assert "Stop this run?" in client.get(f"/runs/{run.id}/stop").text
    assert client.post(f"/runs/{run.id}/stop", data={"csrf": csrf}).status_code == 422
    assert program.post(f"/api/v1/runs/{run.id}/stop", json={"confirm": runs["again"].id}).status_code == 422
    assert program.post(f"/api/v1/runs/{run.id}/stop", json={}).json["field"] == "confirm"
    assert not started
    answer = client.post(f"/runs/{run.id}/stop", data={"csrf": csrf, "confirm": run.id})
    assert answer.headers["Location"].endswith("stop-0009/")
    assert started == [("stop", {"run": run.id})]
    assert program.post(f"/api/v1/runs/{run.id}/stop", json={"confirm": run.id}).status_code == 202
    assert len(started) == 1, "the play that stops it already is joined"
    over = runs["finished"].id
    assert program.post(f"/api/v1/runs/{over}/stop", json={"confirm": over}).status_code == 409
