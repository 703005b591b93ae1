# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import baselines, sides, terminal
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import NoSuchRun, RunError

from . import made

PREFIX = "20260921-14132"


@pytest.fixture
def home(tmp_path):
    for number in range(1, 5):
        made.run(tmp_path, number)
    made.run(tmp_path, 5, cluster="other")
    return tmp_path


def ids(found):
    return {side.name: [int(run.id[-1]) for run in side.runs] for side in found}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"run": f"{PREFIX}1,{PREFIX}2"}, {"a": [1], "b": [2]}),
        ({"run": f"{PREFIX}1+{PREFIX}2, {PREFIX}4"}, {"a": [1, 2], "b": [4]}),
        ({"run": f"{PREFIX}1,latest"}, {"a": [1], "b": [5]}),
        ({"run": "latest@meluxina,latest@other"}, {"a": [4], "b": [5]}),
        ({"run": f"{PREFIX}3,latest", "clusters": ["meluxina"]}, {"a": [3], "b": [4]}),
        ({"runs": [f"{PREFIX}1", [f"{PREFIX}2", f"{PREFIX}3"]]}, {"a": [1], "b": [2, 3]}),
        ({"sides": {"old": f"{PREFIX}1", "new": [f"{PREFIX}2", f"{PREFIX}3"]}}, {"old": [1], "new": [2, 3]}),
        ({"run": f"{PREFIX}1"}, {"a": [1]}),
    ],
)
def test_the_forms(home, given, expected):
    assert ids(sides.read(home, **given)) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "say what to compare"),
        ({"run": "latest", "runs": ["latest"]}, "in one way only"),
        ({"run": f"{PREFIX}1,{PREFIX}1"}, "named twice, in a and in b"),
        ({"run": f"{PREFIX}1,,{PREFIX}2"}, "does not name runs"),
        ({"runs": [f"{PREFIX}1", 7]}, "7 does not name runs"),
        ({"runs": [f"{PREFIX}1", []]}, "does not name runs"),
        ({"runs": "latest" * 2}, "there is no run"),
        ({"runs": ["latest"] * 27}, "27 sides are too many"),
        ({"sides": ["latest"]}, "not a mapping"),
        ({"run": "2026,latest"}, "beginning of 5 runs"),
        ({"run": f"{PREFIX}1,nothing"}, "there is no run 'nothing'"),
    ],
)
def test_mistakes(home, given, message):
    with pytest.raises(RunError, match=message):
        sides.read(home, **given)


def test_a_run_that_goes_on_can_not_be_compared(home):
    going = made.run(home, 6, state="measuring", verdict=None)
    with pytest.raises(RunError, match=r"is not over \(measuring\).*watch -e run="):
        _ = going.record


def test_the_newest_of_the_same_recipe_and_cluster(home):
    baseline = [sides.find(home, f"{PREFIX}1"), sides.find(home, f"{PREFIX}2")]
    assert sides.newest_like(home, baseline).id.endswith("4")
    made.run(home, 6, state="measuring", verdict=None)
    made.run(home, 7, verdict="INVALID")
    assert sides.newest_like(home, baseline).id.endswith("7"), "an INVALID run is not skipped: it does not pass"
    with pytest.raises(NoSuchRun, match="no run of quickstart on other since the baseline"):
        sides.newest_like(home, [sides.find(home, f"{PREFIX}5")])


# -- baselines ---------------------------------------------------------------------------------------


def runs(home, *numbers):
    return [sides.find(home, f"{PREFIX}{number}") for number in numbers]


def test_a_baseline_is_set_shown_moved_and_kept(home):
    first, is_changed = baselines.changed(home, "main", runs(home, 1, 2), thresholds={"throughput": "3%"}, now=1.0)
    assert is_changed
    assert baselines.names(home) == []
    baselines.write(home, first)
    assert baselines.read(home, "main") == first
    assert "note" not in "\n".join(terminal.baseline_text(first))
    assert baselines.changed(home, "main", runs(home, 1, 2)) == (first, False)
    moved, is_changed = baselines.changed(home, "main", runs(home, 3), now=2.0)
    assert is_changed
    assert moved["thresholds"] == {"throughput": "3%"}, "they stay when the runs move"
    assert "three to five make a better baseline" in " ".join(" ".join(terminal.baseline_text(moved)).split())
    assert moved["history"] == [{"runs": first["runs"], "set_at": 1.0}]
    baselines.write(home, moved)
    looser, is_changed = baselines.changed(home, "main", runs(home, 3), threshold="8%", now=3.0)
    assert (is_changed, looser["threshold"], len(looser["history"])) == (True, "8%", 1)
    assert baselines.names(home) == ["main"]


def test_only_valid_runs_of_one_kind_make_a_baseline(home):
    made.run(home, 6, verdict="INVALID")
    with pytest.raises(RunError, match="is INVALID: a baseline needs VALID runs"):
        baselines.changed(home, "main", runs(home, 6))
    with pytest.raises(RunError, match="of the cluster other"):
        baselines.changed(home, "main", runs(home, 1, 5))


@pytest.mark.parametrize("name", ["", "../main", "a b", ".hidden", "x" * 65, "-f", "a/b"])
def test_names_that_are_no_names(home, name):
    with pytest.raises(RunError, match="a name has letters"):
        baselines.path_of(home, name)


def test_a_baseline_that_is_not_there_or_broken(home):
    with pytest.raises(RunError, match="there is none yet"):
        baselines.read(home, "main")
    baselines.write(home, baselines.changed(home, "main", runs(home, 1))[0])
    with pytest.raises(RunError, match=r"did you mean main\?"):
        baselines.read(home, "mian")
    with pytest.raises(RunError, match="there are main"):
        baselines.read(home, "nightly")
    for text in ("{", "[]", "{}", '{"runs": [], "schema": 1}', '{"runs": ["x"], "schema": 2}', "[" * 100_000):
        baselines.path_of(home, "main").write_text(text)
        with pytest.raises(RunError, match="set it again, or remove the file"):
            baselines.read(home, "main")
