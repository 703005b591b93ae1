# SPDX-License-Identifier: MIT
"""The playbooks compare and baseline as a person or a CI job starts them."""

from __future__ import annotations

import json

import pytest

from ..plugin_utils.compare import made
from .test_run_info import INVENTORY, play

__all__ = ["play"]
PREFIX = "20260921-14132"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    for number in range(1, 6):
        made.run(folder, number)
    made.run(folder, 6, slower=1.2)
    (folder / "inventory").write_text(INVENTORY)
    return folder


def comparisons(home):
    return sorted((home / "comparisons").glob("*"))


def test_a_regression_fails_the_play_and_leaves_its_files(play, home):
    before = len(comparisons(home))
    code, text = play("compare", "--check", run=f"{PREFIX}1,{PREFIX}6")
    assert code == 2, text
    assert len(comparisons(home)) == before, "with --check nothing is written"
    code, text = play("compare", "-e", "show_custom_stats=true", run=f"{PREFIX}1,{PREFIX}6")
    assert code == 2, text
    assert "b against a: worse" in text
    assert "max throughput 0.8" in text
    assert "Traceback" not in text
    folder = comparisons(home)[-1]
    assert sorted(path.name for path in folder.iterdir()) == ["comparison.html", "comparison.json", "comparison.md"]
    assert json.loads((folder / "comparison.json").read_text())["is_regression"] is True
    assert str(folder / "comparison.html") in text
    assert play("compare", run=f"{PREFIX}1,{PREFIX}6", fail=False)[0] == 0


def test_sides_by_name_and_on_a_cluster(play):
    sides = {"before": [f"{PREFIX}1", f"{PREFIX}2"], "after": [f"{PREFIX}3", f"{PREFIX}4"]}
    code, text = play(
        "compare", sides=sides, thresholds={"response_time_p99": "10%"}, metrics="throughput,response_time"
    )
    assert code == 0, text
    assert "before" in text
    code, text = play("compare", "-l", "other", run=f"latest,{PREFIX}1")
    assert code == 2, text
    assert "no run of other" in text


def test_a_baseline_and_its_gate(play, home):
    code, text = play("baseline", baseline="main", run="latest", thresholds={"respnse_time": "10%"})
    assert code == 2, text
    assert "did you mean response_time?" in text
    code, text = play("baseline", "--check", baseline="main", run=f"{PREFIX}1")
    assert (code, (home / "baselines").exists()) == (0, False), text
    runs = ",".join(f"{PREFIX}{number}" for number in range(1, 5))
    code, text = play("baseline", baseline="main", run=runs, threshold="6%")
    assert code == 0, text
    code, text = play("compare", baseline="main", run=f"{PREFIX}5")
    assert code == 0, text
    assert "gate main: passed" in text
    code, text = play("compare", baseline="main")
    assert code == 2, text
    assert "20260921-141326-postgresql-0006" in text, "the newest run since then"
    assert "gate main: FAILED: worse" in text
    [baseline] = [json.loads(path.read_text()) for path in (home / "baselines").iterdir()]
    assert baseline["threshold"] == "6%"
    code, text = play("baseline", baseline="main", state="absent")
    assert code == 0, text
    assert "removed" in text
    assert "no baseline in" in play("baseline")[1]
