# SPDX-License-Identifier: MIT
"""What run.json says of how sure a run is, and how it is shown."""

from __future__ import annotations

import csv
import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, report, results, screen, verdict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import of_run, sweeps, words
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import bottlenecks

from .. import samples, samples_load
from ..test_optional import without
from ..test_run_schema import check


@pytest.fixture
def run(tmp_path):
    return samples.make(tmp_path, "finished")


def codes(found):
    return {remark["code"] for remark in found["remarks"]}


def series_of(run, case, change):
    """Rewrite the measured seconds of a case, four times as many: `change`(second, row) changes a row in place."""
    for path in run.path.glob(f"series/series-{case}-*.csv"):
        rows = run.table(f"series/{path.name}")
        rows += [dict(row) for _again in range(3) for row in rows if row["phase"] == "measure"]
        for second, row in enumerate(row for row in rows if row["phase"] == "measure"):
            change(second, row)
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def evidence(values, rates=None, **case):
    """Evidence of cases (name → its throughput in each repetition), and the headline of them."""
    cases = [
        {"case": name, "repetition": number + 1, "order": number, "measure_start": 10.0, "measure_end": 70.0,
         "concurrency": place + 1, "rate": None, **case}
        for place, (name, each) in enumerate(values.items()) for number in range(len(each))
    ]  # fmt: skip
    rows = [
        {"case": name, "repetition": number + 1, "client": "all", "metric": "throughput", "unit": "1/s",
         "statistic": "value", "value": value}
        for name, each in values.items() for number, value in enumerate(each)
    ]  # fmt: skip
    table = results.Table(rows)
    plan = {"benchmarks": {"repetitions": max(map(len, values.values()))}}
    found = verdict.Evidence(plan, [], [], cases, table, {}, rates or {})
    return found, results.headline(table, {})


def test_a_run_says_how_well_its_numbers_are_known(run):
    found = finish.preview(run)["confidence"]
    assert found["statement"].startswith("Response time p50 is known within ±8.5 % to 11.7 % in 2 of 2 cases (95 %, 2")
    lines = {(line["case"], line["metric"], line["statistic"]): line for line in found["cases"]}
    headline = finish.preview(run)["headline"]
    for line in headline:
        known = lines[line["case"], line["metric"], line["statistic"]]
        if line["half_width"] is not None:
            assert known["half_width"] == pytest.approx(line["half_width"], rel=1e-3)
        assert known["relative"] > 0 and known["repetitions"] == 2
    assert codes(found) == {"wide_interval", "short"}
    json.dumps(found, allow_nan=False)


def test_a_warm_up_that_was_measured_is_told_with_the_remedy_and_kept(run):
    before = finish.preview(run)["headline"]

    def cold(second, row):
        row["operations"] = int(row["operations"] * (0.4 if second < 3 else 1))

    series_of(run, "max", cold)
    record = finish.preview(run)
    [warm] = record["confidence"]["warmups"]
    assert (warm["case"], warm["metric"], warm["is_settled"]) == ("max", "throughput", True)
    assert warm["seconds"] == pytest.approx(3, abs=2) and warm["warmup_s"] == samples.WARMUP_S + warm["seconds"]
    [remark] = [each for each in record["confidence"]["remarks"] if each["code"] == "warm_up"]
    assert f"Set benchmarks.warmup: {warm['warmup_s']}s" in remark["message"] and remark["case"] == "max"
    assert record["headline"] == before and record["verdict"] == "VALID"
    assert record["confidence"]["statement"].endswith("a warm-up is still in it.")


def test_of_a_rate_the_response_time_tells_a_warm_up(run):
    def slow(second, row):
        row["response_time_mean_s"] *= 3 if second < 3 else 1
        row["operations"] *= 0.5 if second < 3 else 1

    series_of(run, "half", slow)
    assert [each["metric"] for each in finish.preview(run)["confidence"]["warmups"]] == ["response_time"]
    plan = run.read_json("plan.json")
    plan["benchmarks"]["arrival"] = {"type": "ramp"}
    run.write_json("plan.json", plan)
    assert finish.preview(run)["confidence"]["warmups"] == [], "a ramp changes on purpose"


def test_one_repetition_carries_no_interval():
    found = of_run(*evidence({"max": [100.0]}, {("max", 1): [100.0] * 12}))
    assert found["statement"].startswith("One repetition: ") and found["cases"][0]["half_width"] is None
    assert codes(found) == {"one_repetition", "short"}
    assert [remark["code"] for remark in words.beside_statement(found)] == ["short"], "said once on a screen"


def test_outliers_trends_and_missing_repetitions_are_named():
    values = {
        "a": [100.0, 101.0, 99.0, 100.5, 60.0, 100.2],
        "b": [100.0, 97.0, 95.0, 92.0, 90.0, 88.0],
        "c": [5.0, 5.1],
    }
    found = of_run(*evidence(values))
    [odd] = found["outliers"]
    assert (odd["case"], odd["repetition"], odd["value"], odd["client"]) == ("a", 5, 60.0, None)
    assert [each["case"] for each in found["trends"]] == ["b"]
    assert {"outlier_repetition", "trend", "fewer_repetitions", "wide_interval"} <= codes(found)
    assert found["cases"][0]["mean"] == pytest.approx(sum(values["a"]) / 6), "kept in the numbers"


def test_each_kind_of_record_fits_the_published_schema(run):
    record = finish.preview(run)
    for values in ({"a": [100.0, 101.0, 99.0, 100.5, 60.0, 100.2], "b": [100.0, 97.0, 95.0, 92.0, 90.0]}, SWEEP):
        check({**record, "confidence": of_run(*evidence(values))})


def test_a_client_that_is_far_from_the_others_is_named():
    made, headline = evidence({"max": [100.0, 100.0]})
    rows = [
        {**row, "client": str(client), "value": (5.0 if client == 7 else 10.0 + client / 100) + number / 10}
        for number, row in enumerate(made.table.rows) for client in range(10)
    ]  # fmt: skip
    found = of_run(made._replace(table=results.Table([*made.table.rows, *rows])), headline)
    [odd] = found["outliers"]
    assert odd["client"] == "7" and odd["value"] == pytest.approx(5.05, rel=0.01)
    assert "client 7 is far from the others" in next(r["message"] for r in found["remarks"] if "client" in r["message"])


def test_seconds_that_repeat_each_other():
    wave = [100.0 + 20 * (second // 10 % 2) for second in range(100)]
    found = of_run(*evidence({"max": [100.0, 101.0]}, {("max", 1): wave, ("max", 2): wave}))
    assert "autocorrelated" in codes(found)


SWEEP = {f"c-{load}": [50.0 * min(load, 3.4) * (1 + (-1) ** k / 200) for k in range(3)] for load in range(1, 7)}


def test_the_knee_of_a_sweep_and_what_is_said_of_its_limit(run):
    made, headline = evidence(SWEEP)
    [knee] = of_run(made, headline)["knees"]
    assert knee["status"] == "found" and knee["low"] < 3.4 < knee["high"] and knee["over"] == "concurrency"
    assert knee["message"].startswith("the throughput stops growing at 3.4") and "connections" in knee["message"]
    stopped = bottlenecks.outcome(run, made.planned, made.table, {}, [knee])["stopped"]
    assert (stopped["before"], stopped["case"]) == ("c-4", "c-5")
    two_dimensions = [{**case, "settings": {"ef": case["concurrency"] % 2}} for case in made.cases]
    assert [len(each["cases"]) for each in sweeps.knees(made._replace(cases=two_dimensions))] == [3, 3]


def test_a_step_that_brought_no_more_below_the_knee_is_noise(run):
    made, _headline = evidence({**SWEEP, "c-2": [value * 0.52 for value in SWEEP["c-2"]]})
    assert bottlenecks._stopped(made.planned, made.table)["case"] == "c-2"
    knee = {"over": "concurrency", "cases": list(SWEEP), "status": "found", "low": 3.3}
    assert bottlenecks._stopped(made.planned, made.table, [knee])["case"] == "c-5"
    assert bottlenecks._stopped(made.planned, made.table, [{**knee, "status": "grows", "low": None}]) is None


def test_a_search_has_an_interval_of_its_own(tmp_path):
    found = finish.preview(samples_load.make(tmp_path, "search"))["confidence"]
    assert found["statement"].startswith("The capacity is ") and found["cases"] == []


def test_it_is_shown(run):
    series_of(run, "max", lambda second, row: row.update(operations=row["operations"] * (0.4 if second < 3 else 1)))
    record = finish.preview(run)
    record["confidence"]["outliers"] = [{"case": "max", "repetition": 2, "client": None}]
    run.write_json("run.json", record)
    text = screen.summary(run, record, colour=False)
    assert "sure response time p50 is known within" in text and "Set benchmarks.warmup: " in " ".join(text.split())
    html, markdown = (path.read_text() for path in report.render(run))
    for page in (html, markdown):
        assert "How sure each number is" in page and "Set benchmarks.warmup: " in page
    assert html.count('title="far from the other repetitions"') == 1
    assert "| max | ◆ 2 |" in markdown and "| max | 1 |" in markdown


def test_an_older_run_json_is_shown(run):
    record = finish.preview(run)
    del record["confidence"]
    run.write_json("run.json", record)
    assert "\nsure " not in screen.summary(run, record, colour=False)
    for page in report.render(run):
        assert "How sure each number is" not in page.read_text()


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_every_kind_of_run_has_a_statement(tmp_path, variant):
    record = finish.preview(samples.make(tmp_path, variant))
    assert record.get("confidence", {"statement": "goes on"})["statement"]


def test_a_run_ends_without_scipy_and_says_so(run):
    statement = (
        "from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, runs; "
        f"print(finish.preview(runs.RunDirectory({str(run.path)!r}))['confidence']['statement'])"
    )
    assert "needs scipy" in without("scipy", statement)
