# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import re

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import (
    baselines,
    judged,
    pages,
    terminal,
    words,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Side
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

from .. import samples
from ..test_optional import BASE, without
from ..test_report import EVIL, Page
from . import made

NOW = samples.BEGIN + 1e6


@pytest.fixture
def runs(tmp_path):
    """Five runs of the same, and from the sixth on slower ones."""
    return [None, *(made.run(tmp_path, n, capacity=500, slower=1.1 if n > 5 else 1.0) for n in range(1, 11))]


def compared(*sides, baseline=None, **options):
    named = [Side("abcdef"[number], list(side)) for number, side in enumerate(sides)]
    return compare.compare(named, compare.Options(**options), baseline, now=NOW)


def verdicts_of(record, number=0):
    return {
        words.name_of(each): each["verdict"] for each in record["comparisons"][number]["numbers"] if each["verdict"]
    }


def test_two_runs(runs):
    record = compared([runs[1]], [runs[6]])
    assert verdicts_of(record) == {
        **{f"{case} {name}": "worse" for case in made.CASES
           for name in ("throughput", "response time p50", "response time p99")},
        "search capacity": "undecided",
    }  # fmt: skip
    assert (record["is_regression"], record["gate"], record["comparisons"][0]["verdict"]) == (True, None, "worse")
    assert [each["code"] for each in record["warnings"]] == ["single_runs"]
    [number] = [each for each in record["comparisons"][0]["numbers"] if words.name_of(each) == "max throughput"]
    assert number["change"] == pytest.approx(number["other"]["mean"] / number["reference"]["mean"])
    assert number["interval"][0] < number["interval_95"][0] < 1 / 1.1 < number["interval_95"][1] < number["interval"][1]
    assert number["reference"]["repetitions"] == [5]
    json.dumps(record, allow_nan=False)


def test_several_runs_a_side_and_their_capacity(runs):
    record = compared(runs[1:6], runs[6:11])
    assert set(verdicts_of(record).values()) == {"worse"}
    assert record["warnings"] == []
    [capacity] = [each for each in record["comparisons"][0]["numbers"] if each["metric"] == "capacity"]
    assert (capacity["observation"], capacity["observations"], capacity["better"]) == ("run", [5, 5], "higher")
    assert compared(runs[1:3], runs[3:6])["is_regression"] is False


def test_what_is_judged_and_how_strictly(runs):
    record = compared([runs[1]], [runs[6]], metrics=["throughput", "error_rate"])
    assert set(verdicts_of(record)) == {
        f"{case} {name}" for case in made.CASES for name in ("throughput", "error rate")
    }
    unjudged = {each["metric"] for each in record["comparisons"][0]["numbers"] if not each["verdict"]}
    assert unjudged == {"response_time", "operations", "my_score", "capacity"}
    loose = compared([runs[1]], [runs[6]], metrics=["throughput"], thresholds=judged.Thresholds("20%"))
    assert set(verdicts_of(loose).values()) == {"same"}
    own = compared([runs[1]], [runs[6]], metrics=["my_score"], directions={"my_score": "lower"})
    assert set(verdicts_of(own).values()) == {"better"}
    for options, message in (
        ({"metrics": ["my_score"]}, "nobody knows which way my_score is better"),
        ({"metrics": ["latncy"]}, "no 'latncy'"),
        ({"varied": ["everything"]}, "varied=everything: what may differ on purpose is service, load"),
    ):
        with pytest.raises(RunError, match=message):
            compared([runs[1]], [runs[6]], **options)


def test_energy_can_be_judged(tmp_path):
    def measured(joules):
        cases = [{"case": "max", "repetition": n, "per": {"operation": joules * (1 + n / 1000)}} for n in range(1, 6)]
        return {"energy": {"status": "measured", "cases": cases}}

    record = compared(*([made.run(tmp_path, number, **measured(joules))] for number, joules in ((1, 2.0), (2, 2.4))),
                      metrics=["energy_per_operation"])  # fmt: skip
    assert verdicts_of(record) == {"max energy per operation": "worse"}
    assert verdicts_of(compared([made.run(tmp_path, 3)], [made.run(tmp_path, 4, energy=None)]))


def test_more_than_two_sides_are_judged_together(runs):
    record = compared([runs[1]], [runs[2]], [runs[6]], metrics=["throughput"])
    assert [each["verdict"] for each in record["comparisons"]] == ["same", "worse"]
    levels = {number["level"] for each in record["comparisons"] for number in each["numbers"] if number["verdict"]}
    assert max(levels) == pytest.approx(1 - 0.05 / 4)
    assert words.verdict(record) == "b against a: same; c against a: worse"


def test_a_single_side_tells_its_noise(runs, tmp_path):
    record = compared([runs[1]])
    assert (record["comparisons"], record["differences"], record["is_regression"]) == ([], [], False)
    numbers = record["sides"][0]["numbers"]
    assert all(each["needed"] >= 3 and 0 < each["cv"] < 0.05 for each in numbers if each["metric"] != "capacity")
    assert "measure 5 repetitions" in terminal.text(compared([made.run(tmp_path, 20, repetitions=1)]))
    assert "no reasonable number" in terminal.text(compared([made.run(tmp_path, 21, noise=0.3)]))


def test_sides_that_have_nothing_in_common(runs, tmp_path):
    with pytest.raises(RunError, match=r"no case in common: search, max, half \| burst"):
        compared([runs[1]], [made.run(tmp_path, 20, cases=("burst",))])
    empty = made.run(tmp_path, 21, cases=())
    with pytest.raises(RunError, match="the reference has no results"):
        compared([empty], [runs[1]])


def test_warnings(runs, tmp_path):
    invalid = made.run(tmp_path, 20, verdict="INVALID", reasons=[{"code": "errors"}, {"code": "dropped"}])
    record = compared([runs[1]], [invalid])
    assert "0014 (b) is INVALID: errors, dropped" in record["warnings"][0]["message"]
    cases = invalid.directory.read_json("cases.json")
    invalid.directory.write_json("cases.json", [{**cases[0], "cut": "stopped"}, *cases[1:]])
    again = made.run(tmp_path, 21, plan={"cluster": {"name": "other"}})
    record = compared([runs[1], again], [compare.Run(invalid.directory)])
    assert [each["code"] for each in record["warnings"]] == ["not_valid", "cut", "not_alike"]
    assert "differs in cluster.name" in record["warnings"][2]["message"]


# -- the gate ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "options", "gate", "reason"),
    [
        ({}, {}, "passed", None),
        ({"slower": 1.3}, {}, "failed", "max throughput"),
        ({"slower": 0.7}, {}, "passed", None),
        ({"verdict": "INVALID"}, {}, "failed", "not VALID: 20260921-141340"),
        ({"slower": 0.7, "verdict": "INVALID"}, {}, "failed", "not VALID"),
        ({"cases": ("max",)}, {}, "failed", "missing: half throughput"),
        ({"cases": ("max", "half", "new")}, {}, "passed", None),
        ({"noise": 0.2}, {}, "passed", None),
        ({"noise": 0.2}, {"strict": True}, "failed", "undecided: max throughput"),
    ],
)
def test_the_gate(runs, tmp_path, run, options, gate, reason):  # noqa: PLR0917
    baseline = baselines.changed(tmp_path, "main", runs[1:6], now=1.0)[0]
    record = compared(runs[1:6], [made.run(tmp_path, 20, capacity=500, **run)], baseline=baseline, **options)
    assert record["gate"] == gate, record["gate_reasons"]
    assert bool(words.failure(record)) == (gate == "failed")
    assert reason is None or reason in " ".join(record["gate_reasons"])
    assert record["baseline"] == {"name": "main", "runs": [each.id for each in runs[1:6]], "set_at": 1.0}


def test_a_gate_that_judges_nothing_is_not_passed(tmp_path):
    sides = [[made.run(tmp_path, number, headline=[])] for number in (1, 2)]
    record = compared(*sides, baseline={"name": "main", "runs": [], "set_at": 1.0})
    assert (record["gate"], record["gate_reasons"]) == ("failed", ["no number is judged: none of them has a direction"])


# -- how it is told ----------------------------------------------------------------------------------


def many(tmp_path):
    cases = tuple(f"concurrency-{number},a-setting-with-a-long-name-{number}" for number in range(12))
    return [made.run(tmp_path, number, cases=cases, slower=slower) for number, slower in ((1, 1), (2, 1.1), (3, 1))]


def records(runs, tmp_path):
    other = made.run(tmp_path, 30, plan={"clients": {"type": "pgbench", "count": 64, "settings": {EVIL: EVIL * 9}}})
    invalid = made.run(tmp_path, 31, recipe=EVIL, verdict="INVALID", reasons=[{"code": "errors"}], cases=("max", EVIL))
    baseline = {"name": "main", "runs": ["x"], "set_at": 1.0}
    return {
        "two": compared([runs[1]], [runs[6]]),
        "single": compared([runs[1]]),
        "three": compared([runs[1]], [other], [invalid]),
        "pools": compared(runs[1:4], runs[4:7]),
        "gate": compared([runs[1]], [invalid], baseline=baseline),
        "one repetition": compared(*[[made.run(tmp_path, n, repetitions=1)] for n in (32, 33)]),
        "many": compared(*[[run] for run in many(tmp_path / "many")]),
    }


def test_the_screen_has_80_columns(runs, tmp_path):
    for name, record in records(runs, tmp_path).items():
        text = terminal.text(record)
        assert max(map(len, text.splitlines())) <= 80, f"{name}\n{text}"
        assert "None" not in text, name
    text = terminal.text(compared([runs[1]], [runs[6]]))
    assert re.search(r"max +throughput +1,4\d\d/s +1,2\d\d/s +0\.9\d\d \(0\.\d+ to 0\.\d+\) worse", text)
    assert "b against a: worse" in text
    assert "nothing that matters differs" in text


def test_differences_come_before_the_numbers(runs, tmp_path):
    other = made.run(tmp_path, 30, plan={"service": {"type": "postgresql", "settings": {"shared_buffers": "1GB"}}})
    other.directory.write_json("provenance.json", {**samples.PROVENANCE, "cluster": {"slurm": "22.05.8"}})
    text = terminal.text(compared([runs[1]], [other]))
    assert " ! cluster.slurm: 24.11.5 → 22.05.8" in text
    assert "   service.settings.shared_buffers: 256MB → 1GB" in text
    assert text.index("shared_buffers") < text.index("throughput")
    assert " ! " not in terminal.text(
        compared([runs[1]], [compare.Run(other.directory)], varied=["service", "machine"])
    )


def test_pages(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "plotly", lambda: "plotly")  # millions of characters, which are always the same
    for name, record in records(runs, tmp_path).items():
        paths = pages.write(compare.directory(tmp_path, record), record)
        html, markdown = (
            RunDirectory(tmp_path).read_text(paths[kind][len(str(tmp_path)) + 1 :]) for kind in ("html", "markdown")
        )
        parsed = Page(html)
        text = " ".join(parsed.text)
        for found in (text, markdown):
            assert "Undefined" not in found, name
            assert "None" not in found, name
        assert "<script>alert" not in "".join(markdown)
        assert all(tag not in ("link", "iframe", "object", "img") for tag, _attributes in parsed.elements), name
        for each in record["comparisons"]:
            for number in each["numbers"]:
                if number["verdict"]:
                    assert words.ratio(number) in text, "what the plot shows stands in a table, too"
                    assert words.ratio(number) in markdown
        assert ("plotly" in html.lower()) == bool(pages.figures(record))
        assert json.loads(RunDirectory(paths["json"]).path.read_text()) == json.loads(json.dumps(record))


def test_the_plot_has_every_ratio_with_its_interval(runs):
    record = compared([runs[1]], [runs[6]], [runs[2]])
    [figure] = pages.figures(record).values()
    assert [line["name"] for line in figure["data"]] == ["b", "c"]
    low, high = figure["layout"]["xaxis"]["range"]
    assert 0.8 < low < 0.9
    assert 1.1 < high < 1.3
    for line, each in zip(figure["data"], record["comparisons"], strict=True):
        judged_ = [number for number in each["numbers"] if number["verdict"] and number.get("interval")]
        assert line["y"] == [words.name_of(number) for number in judged_]
        for x, more, less, number in zip(
            line["x"], *(line["error_x"][k] for k in ("array", "arrayminus")), judged_, strict=False
        ):
            assert [x - less, x + more] == pytest.approx(number["interval"], abs=1e-4)


def test_the_plot_is_not_spoilt_by_a_single_wide_interval(tmp_path):
    [figure] = pages.figures(compared(*([made.run(tmp_path, n, noise=0.4)] for n in (1, 2)))).values()
    low, high = figure["layout"]["xaxis"]["range"]
    assert 0 < low < 1 < high < 4.5


def test_without_scipy():
    statement = f"from {BASE} import compare; compare.library_is_here()"
    assert "comparing runs needs scipy on the controller: pip install" in without("scipy", statement)
