# SPDX-License-Identifier: MIT
"""A run that is run again is the same run, on its cluster and on another one."""

from __future__ import annotations

import pytest

from .conftest import assert_measured, assert_nothing_left, read_json

pytestmark = pytest.mark.integration


def test_a_run_is_run_again_as_it_was(play, recipe, home):
    path = recipe(benchmarks="  seed: 7")
    [first] = play("run", "-e", f"recipe={path}").run_ids()
    recipe(benchmarks="  seed: 8")  # what counts is what was stored
    dry = play("rerun", "-e", f"run={first}", "--check")
    assert dry.rc == 0, dry.output
    for line in (f"again: run {first}", "the same file, ", "nothing else differs", "nothing was submitted"):
        assert line in dry.output, (line, dry.output)
    played = play("rerun", "-e", f"run={first}", limit=None)
    again = next(run for run in played.run_ids() if run != first)
    record = assert_measured(played, home, again)
    assert record["rerun_of"] == first and record["cluster"] == "local"
    then, now = (read_json(home, run, "provenance.json") for run in (first, again))
    for name in ("plan_sha256", "recipe", "modules"):
        assert then[name] == now[name], name
    assert {name: now["scripts"][name] for name in then["scripts"] if name in now["scripts"]} == {
        name: sha256 for name, sha256 in then["scripts"].items() if name != "image.sbatch"
    }
    for name in ("sha256", "sif_id", "path", "asked"):
        assert [image[name] for image in then["images"]] == [image[name] for image in now["images"]], name
    assert all(image["sif_id"] for image in now["images"])
    assert now["rerun_of"] == first
    assert_nothing_left([first, again])


@pytest.mark.alone
def test_a_run_is_run_again_on_another_cluster(play, recipe, home):
    [first] = play("run", "-e", f"recipe={recipe()}").run_ids()
    played = play("rerun", "-e", "run=latest", limit="local2411")
    again = next(run for run in played.run_ids() if run != first)
    assert assert_measured(played, home, again)["cluster"] == "local2411"
    assert "inventory: cluster.name: local → local2411" in played.output
    assert_nothing_left([first, again])


def test_a_run_that_is_not_there(play):
    played = play("rerun", "-e", "run=20200101-000000-none-0000")
    assert played.rc != 0 and "there is no run '20200101-000000-none-0000'" in played.output
