# SPDX-License-Identifier: MIT
"""The five answers on the first screen of a report, and on top of report.md."""

from __future__ import annotations

import re

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import report
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import answers, content

from . import samples, samples_load
from .test_finish import finished

QUESTIONS = ("How fast", "Is it valid?", "How sure", "What limits it?", "What did it cost?")


def line(case, metric="throughput", value=100.0, half_width=None, repetitions=1, **more):
    told = {"unit": "1/s", "statistic": "mean", "samples": 1000, **more}
    return {
        "case": case, "metric": metric, "value": value, "half_width": half_width, "repetitions": repetitions, **told,
    }  # fmt: skip


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_they_come_first_and_in_their_order(tmp_path, variant):
    html, markdown = (path.read_text() for path in report.render(finished(tmp_path, variant)[0]))
    for text, first_section in ((html[html.index("<main>") :], "<h2>"), (markdown, "## ")):
        places = [text.index(question) for question in QUESTIONS]
        assert places == sorted(places)
        after = text.find(first_section, places[-1])
        assert after > places[-1], "and the rest follows"
    assert re.search(r"\| \*\*Is it valid\?\*\* \| \*\*(VALID|INVALID|not judged yet)\*\*", markdown)


def test_a_run_without_numbers_says_so_five_times(tmp_path):
    found = answers.gather(finished(tmp_path, "service_died")[1])
    assert found["fast"]["cases"] == []
    assert found["valid"]["word"] == "INVALID" and "the run failed" in found["valid"]["sentence"]
    assert found["sure"]["sentence"] == found["limits"]["sentence"] == "Nothing was measured."
    assert found["cost"]["amounts"][0][1] == "node-hours" and "0 %" in found["cost"]["sentence"]


def test_of_many_cases_the_fastest_that_meet_the_objective():
    names = [f"rate-{n}" for n in range(100, 1000, 100)]
    headline = [line(name, value=float(name[5:])) for name in names]
    outcomes = [{"case": name, "met": float(name[5:]) <= 600} for name in names]
    fast = answers.gather({"headline": headline, "slo": {"text": "", "cases": outcomes}})["fast"]
    assert [tile["case"] for tile in fast["cases"]] == ["rate-300", "rate-400", "rate-500", "rate-600"]
    assert fast["chosen"] == "4 of 9 cases: those with the most throughput that meet the SLO"
    assert all(tile["met"] for tile in fast["cases"])


def test_how_sure_is_what_the_statistics_say_of_it():
    confidence = {
        "statement": "Known to 3 %.", "cases": [],
        "remarks": [{"case": "max", "code": "trend", "message": "it became slower"}],
    }  # fmt: skip
    notes = [{"case": "max", "code": code, "message": code} for code in ("trend", "stable")]
    found = answers.gather({"headline": [line("max")], "confidence": confidence, "notes": notes})["sure"]
    assert found["sentence"] == "Known to 3 %."
    assert [remark["message"] for remark in found["remarks"]] == ["it became slower", "stable"], "each told once"


@pytest.mark.parametrize(
    ("headline", "expected"),
    [
        ([line("max")], "One repetition: no interval."),
        ([line("a", half_width=2.0, repetitions=3), line("b", half_width=5.0, repetitions=3)], "± 5 % or better"),
        ([line("search", "capacity", lower=90.0, upper=110.0, samples=None)], "between 90 and 110"),
        ([], "Nothing was measured."),
    ],
)
def test_how_sure_without_them_is_what_the_intervals_say(headline, expected):
    assert expected in answers.gather({"headline": headline})["sure"]["sentence"]


def test_a_search_says_what_it_cost_and_what_limits_it_at_its_capacity(tmp_path):
    _run, record = samples_load.finished(tmp_path, "search")
    best = f"search-rate-{record['search']['lower']:g}"
    assert [case["case"] for case in record["bottleneck"]["cases"]] == [best]
    assert [case["case"] for case in record["cost"]["cases"]] == [best]
    assert record["bottleneck"]["sentence"] == "nothing that is measured was saturated"


def test_the_table_of_every_case_has_a_column_for_each_number():
    by_case = answers.by_name([line("a", repetitions=2), line("b", statistic="value"), line("b", "recall", 0.9)])
    table = answers.every_case(by_case)
    assert table["columns"] == ["throughput", "recall"]
    assert [row["cells"][1] for row in table["rows"]] == ["–", "0.9/s"]


def test_report_md_fits_a_comment_of_a_pull_request(tmp_path):
    run, _record = finished(tmp_path, "finished")
    for number in range(8):
        run.write_text(f"logs/service-{number}.log", f"{'a line of a log ' * 10}\n" * 100)
    text = report.render(run)[1].read_text()
    assert len(text) <= report.MOST_CHARACTERS
    assert "to stay within what a pull request's comment holds: logs" in text
    assert content.collect(run)["logs"], "they are in report.html"
    assert text.count("<details>") == text.count("</details>")
