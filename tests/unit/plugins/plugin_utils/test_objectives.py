# SPDX-License-Identifier: MIT
from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import objectives
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table

TEXT = "ttft_p95_ms < 500 and error_rate < 0.01"
PLAN = {"benchmarks": {"slo": {"text": TEXT, "terms": slo.parse(TEXT)}, "cases": [{"name": "b"}, {"name": "a"}]}}
FOUND = {
    "over": "rate", "unit": "1/s", "slo": TEXT, "lower": 480.0, "upper": 500.0, "capacity": 490.0,
    "reason": "converged", "trials": [{"value": 480.0, "case": "search-rate-480"}, {"value": 500.0, "case": "x"}],
}  # fmt: skip


def case(name, repetition, first_token_s, **fields):
    values = {"time_to_first_token": first_token_s, "error_rate": 0.0}
    judged = slo.evaluate(PLAN["benchmarks"]["slo"]["terms"], lambda metric, _statistic: values[metric])
    return {"case": name, "repetition": repetition, "slo": judged, **fields}


def test_a_case_meets_it_when_every_repetition_does():
    cases = [case("a", 2, 0.6), case("a", 1, 0.4), case("b", 1, 0.3), case("t", 1, 0.9, trial={"number": 1})]
    outcome = objectives.slo_outcome(PLAN, cases, Table([]))
    assert outcome["text"] == TEXT
    assert [(each["case"], each["met"], each["repetitions_met"]) for each in outcome["cases"]] == [
        ("b", True, 1), ("a", False, 1)
    ]  # fmt: skip
    terms = {term["text"]: term for term in outcome["cases"][1]["terms"]}
    assert terms["ttft_p95_ms < 500"]["values"] == [0.4, 0.6]
    assert terms["ttft_p95_ms < 500"]["unit"] == "s"
    assert terms["error_rate < 0.01"]["met"]
    assert objectives.term_text(terms["ttft_p95_ms < 500"]) == "ttft_p95_ms < 500 was 600 ms"


def test_what_was_not_measured_is_said_so():
    [outcome] = objectives.slo_outcome(PLAN, [case("a", 1, None)], Table([]))["cases"]
    assert not outcome["met"]
    assert objectives.term_text(outcome["terms"][0]) == "ttft_p95_ms < 500 was not measured"


def test_without_an_slo_there_is_no_outcome():
    assert objectives.slo_outcome({}, [], Table([])) is None


def test_what_a_search_came_to():
    outcome = objectives.search_outcome(FOUND)
    assert outcome["trials"] == 2
    assert objectives.search_text(outcome) == f"capacity 490/s (480 to 500) meets {TEXT}"
    [line] = objectives.search_line(FOUND)
    assert (line["value"], line["lower"], line["upper"], line["repetitions"]) == (490.0, 480.0, 500.0, 1)
    assert objectives.best_case(FOUND) == "search-rate-480"


def test_a_search_that_found_nothing():
    nothing = {**FOUND, "capacity": None, "upper": None, "reason": "above_to"}
    assert objectives.search_line(nothing) == []
    assert objectives.search_text(objectives.search_outcome(nothing)) == f"no capacity found for {TEXT} (480/s met it)"
    assert objectives.search_outcome(None) is None
    assert objectives.best_case(None) is None


def test_loads():
    assert objectives.load_text(480.0, "1/s") == "480/s"
    assert objectives.load_text(16, "1") == "16 connections"
