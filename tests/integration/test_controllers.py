# SPDX-License-Identifier: MIT
"""Controllers that die, come back, or are several: the run is the cluster's, and any of them finishes it."""

from __future__ import annotations

import json
import shutil

import pytest

from .conftest import assert_measured, assert_nothing_left, read_json
from .controllers import killed_at, start

pytestmark = [pytest.mark.integration, pytest.mark.alone]


IN_CI = ["submitted", "measuring", "collected"]
OTHERS = ["service starting", "clients starting", "warming up", "clients done"]  # make test-faults
STEPS = IN_CI + [pytest.param(words, marks=[pytest.mark.fault, pytest.mark.extra]) for words in OTHERS]


@pytest.mark.parametrize("words", STEPS)
def test_another_controller_with_an_empty_home_finishes_the_run(play, recipe, home, words):
    run_id = killed_at(home, words, "-e", f"recipe={recipe(duration='4s')}")
    if words == "collected":
        played = play("watch")  # what was collected is with the first controller, and what is left to do as well
    else:
        shutil.rmtree(home)
        played = play("watch", "-e", f"run={run_id[:-2]}", limit=None)
        assert f"run {run_id} was started by another controller" in played.output, played.output
    assert_measured(played, home, run_id)
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert read_json(home, run_id, "provenance.json")["recipe"]["sha256"]
    assert_nothing_left([run_id])


def test_the_latest_run_is_stopped_by_another_controller(play, recipe, home):
    run_id = killed_at(home, "measuring", "-e", f"recipe={recipe(duration='120s')}")
    shutil.rmtree(home)
    played = play("collect")
    assert played.rc == 0 and run_id in played.output, played.output
    assert read_json(home, run_id, "run.json")["verdict"] is None, "it goes on"
    shutil.rmtree(home)
    played = play("stop", limit=None)
    assert played.rc == 0 and run_id in played.output, played.output
    assert read_json(home, run_id, "run.json")["state"] == "stopped"
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


def test_a_run_that_nobody_knows(play):
    played = play("watch", "-e", "run=20200101", limit=None)
    text = " ".join(played.output.split())
    assert played.rc != 0 and "there is no run '20200101' in" in text, played.output
    assert "On local there is none in /var/lib" in text and "On local2411 there is none in /var/lib" in text


def test_two_controllers_at_once_do_no_harm(recipe, home, tmp_path):
    run_id = killed_at(home, "service starting", "-e", f"recipe={recipe(duration='3s')}")
    homes = [home, tmp_path / "other"]
    watching = [start(where, "watch", "-e", f"run={run_id}") for where in homes]
    said = [process.communicate(timeout=120)[0] for process in watching]
    measured = [where for where in homes if (where / "runs" / run_id / "results.csv").exists()]
    assert measured, said
    for where, process, text in zip(homes, watching, said, strict=True):
        if where in measured:
            assert read_json(where, run_id, "run.json")["state"] == "finished", text
        else:
            assert process.returncode != 0 and "another controller" in text, text
    assert_nothing_left([run_id])


def test_two_controllers_of_one_home_at_once_do_no_harm(recipe, home):
    run_id = killed_at(home, "service starting", "-e", f"recipe={recipe(duration='3s')}")
    watching = [start(home, "watch", "-e", f"run={run_id}") for _number in range(2)]
    said = [process.communicate(timeout=120)[0] for process in watching]
    assert read_json(home, run_id, "run.json")["state"] == "finished", said
    assert read_json(home, run_id, "teardown.json")["clean"], said
    manifest = json.loads((home / "runs" / run_id / "manifest.json").read_text())
    assert "results.csv" in manifest
    assert_nothing_left([run_id])
