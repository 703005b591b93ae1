# SPDX-License-Identifier: MIT
"""Reports of what the load generator's own workloads leave: sweeps, searches, objectives, tokens."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import content, drawing, figures, sweep
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table

from . import samples_load
from .test_report import EVIL, page, static_drawing
from .test_results import row
from .test_run_schema import check


@pytest.fixture(scope="module", params=samples_load.KINDS)
def each(request, tmp_path_factory):
    return request.param, *samples_load.finished(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    return samples_load.finished(tmp_path_factory.mktemp("swept"), "sweep")


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    return samples_load.finished(tmp_path_factory.mktemp("searched"), "search")


def test_it_is_whole_and_quotable(each):
    kind, run, record = each
    assert (record["state"], record["verdict"]) == ("finished", "VALID"), record["reasons"]
    parsed, html, markdown = page(run)
    text = " ".join(parsed.text)
    assert not re.search(r"Undefined|None\b|\bnan\b", text + markdown)
    assert not re.search(r"^\|.*\|\n\n\|.*\|\n\|[^-]", markdown, re.M), "no table is torn apart"
    for line in re.findall(r"(?:^\|.*\|\n)+", markdown, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", each)) for each in line.splitlines()}) == 1, line
    gathered = content.collect(run)
    bare = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    for name, figure in figures.figures(gathered).items():
        assert f'data-figure="{name}"' in bare, f"{kind}: {name} has a place"
        drawn = static_drawing(bare, name)
        assert figure["layout"]["yaxis"]["title"]["text"] in [text.text for text in drawn.iter("text")]
        assert drawn.attrib["aria-label"] and drawn.findall("path"), f"{kind}: {name} is drawn without scripts"
    json.dumps(record, allow_nan=False)
    check(record)


def test_the_summary_is_short_and_fits_a_terminal(each):
    _kind, run, record = each
    text = screen.summary(run, record, colour=False)
    assert all(len(line) <= screen.WIDTH or str(run.path) in line for line in text.splitlines()), text
    assert len(text.splitlines()) < 60


def test_the_search_finds_what_the_service_can_do(searched):
    run, record = searched
    found = record["search"]
    assert found["lower"] * 0.95 <= samples_load.MEETS_UP_TO <= found["upper"] * 1.05
    assert found["capacity"] == pytest.approx(samples_load.MEETS_UP_TO, rel=0.05)
    assert record["slo"]["cases"] == []
    first = record["headline"][0]
    assert (first["case"], first["metric"], first["value"]) == ("search", "capacity", found["capacity"])
    best = f"search-rate-{found['lower']:g}"
    assert {line["case"] for line in record["headline"]} == {"search", best}, "of the trials only the one that counts"
    text = screen.summary(run, record, colour=False)
    assert f"capacity {found['capacity']:g}/s ({found['lower']:g} to {found['upper']:g}) meets" in " ".join(
        text.split()
    )
    assert screen.short_headline(record) == f"{found['capacity']:g}/s search"


def test_the_trials_are_told(searched):
    run, record = searched
    parsed, _html, markdown = page(run)
    text = " ".join(parsed.text)
    assert "Search" in text
    assert f"Capacity {record['search']['capacity']:g}/s" in text
    assert markdown.count("| edge |") == 4, "both ends twice again"
    plots = figures.figures(content.collect(run))
    marks = {trace["name"]: trace for trace in plots["search_0"]["data"]}
    assert set(marks) == {"met", "missed", "SLO: ttft_p95_ms < 200"}
    assert max(marks["met"]["y"]) < 200 <= min(marks["missed"]["y"])
    assert max(marks["met"]["x"]) <= samples_load.MEETS_UP_TO * 1.05
    [band] = plots["search_0"]["layout"]["shapes"]
    assert (band["x0"], band["x1"]) == (record["search"]["lower"], record["search"]["upper"])
    assert len(plots["throughput"]["data"]) == 2 * len(content.collect(run)["search"]["trials"])
    legend = [trace["name"] for trace in plots["throughput"]["data"] if trace["showlegend"]]
    assert legend == ["trials of the search", "offered"]


def test_whether_each_case_met_the_slo(swept):
    run, record = swept
    assert [(each["case"], each["met"]) for each in record["slo"]["cases"]] == [
        ("rate-100", True), ("rate-300", True), ("rate-450", False)
    ]  # fmt: skip
    text = screen.summary(run, record, colour=False)
    assert "met by rate-100, rate-300" in text
    assert re.search(r"missed by rate-450: ttft_p95_ms < 200 was 8\d\d ms", text)
    parsed, _html, markdown = page(run)
    assert "Service level objective" in parsed.text
    assert re.search(r"^\| rate-450 \| missed \| 0 of 2 \| 8\d\d ms, 8\d\d ms \|", markdown, re.M)


def test_the_sweep_is_plotted_with_the_slo(swept):
    plots = figures.figures(content.collect(swept[0]))
    throughput = plots["sweep_0"]["data"][0]
    assert throughput["x"] == [100.0, 300.0, 450.0]
    assert throughput["y"] == pytest.approx([100, 300, 450], rel=0.02)
    assert all(half > 0 for half in throughput["error_y"]["array"])
    curve, limit = plots["sweep_2"]["data"]
    assert (limit["name"], limit["y"]) == ("SLO: ttft_p95_ms < 200", [200.0, 200.0])
    assert curve["y"][1] < 200 < curve["y"][2]


def test_numbers_of_a_language_model(swept):
    run, record = swept
    lines = {(line["case"], line["metric"], line["statistic"]): line for line in record["headline"]}
    tokens = lines["rate-300", "output_tokens_per_s", "mean"]
    assert tokens["value"] == pytest.approx(300 * samples_load.TOKENS, rel=0.02)
    assert tokens["unit"] == "token/s"
    # the median of the first token's time is 40 ms/(1 − load/capacity)
    assert lines["rate-300", "time_to_first_token", "p50"]["value"] == pytest.approx(0.04 / (1 - 300 / 490), rel=0.02)
    text = " ".join(page(run)[0].text)
    for words in ("inter token latency", "time per output token", "Time to first token by percentile"):
        assert words in text


def test_the_order_the_offered_rate_and_the_state_of_the_clients(swept):
    run, _record = swept
    gathered = content.collect(run)
    assert [each["case"] for each in gathered["results"]] == ["rate-100"] * 2 + ["rate-300"] * 2 + ["rate-450"] * 2
    assert sorted(each["order"] for each in gathered["results"]) == list(range(6))
    assert gathered["results"][0]["client_psi_cpu_some_percent"] == 3.2
    offered = [trace for trace in figures.figures(gathered)["throughput"]["data"] if trace["name"] == "offered"]
    assert len(offered) == 6
    assert len(set(offered[0]["y"])) > 2, "second by second, not the mean"
    text = " ".join(page(run)[0].text)
    assert "mel0003 −1.30 ms ± 200 µs" in text
    assert "no answer within 30 s <eof>" in text


def test_recall_against_throughput(tmp_path):
    run, record = samples_load.finished(tmp_path, "recall")
    plots = figures.figures(content.collect(run))
    [curve] = plots["trade_off"]["data"]
    assert curve["x"] == sorted(samples_load.RECALL.values())
    assert curve["text"] == ["ef-10", "ef-20", "ef-40"]
    assert plots["sweep_0"]["layout"]["xaxis"]["title"]["text"] == "search.ef"
    setup = [line for line in record["headline"] if line["case"] == "set-up"]
    assert [(line["metric"], line["value"]) for line in setup] == [
        ("vectors", 20000), ("insert_rate", 5312.4), ("time_to_searchable", 4.2)
    ]  # fmt: skip
    assert "5,312 vector/s" in " ".join(page(run)[0].text)


def test_many_cases_are_a_row_each(tmp_path):
    run, record = samples_load.finished(tmp_path, "sweep")
    base = [line for line in record["headline"] if line["case"] == "rate-100"]
    name = "gpu_memory_utilization-0.95,max_num_seqs-{},rate-100"
    record["headline"] = [{**line, "case": name.format(n)} for n in range(40) for line in base]
    record["notes"] = [{"code": "few_samples", "case": f"c{n}", "message": "few"} for n in range(40)]
    record["reasons"] = [{"code": "errors", "case": f"c{n}", "message": "some failed"} for n in range(40)]
    record["slo"]["cases"] = [{**record["slo"]["cases"][n % 3], "case": name.format(n)} for n in range(39)]
    text = screen.summary(run, record, colour=False)
    assert all(len(line) <= screen.WIDTH or str(run.path) in line for line in text.splitlines())
    assert "met by 26 of 39 cases" in " ".join(text.split())
    assert "missed by 9 more cases" in text
    assert "likewise 39 more cases" in text
    assert "likewise 37 more cases" in text
    assert "20 more cases: see the report" in text
    assert re.search(r"throughput +time p50 +time p99 +p50", text)
    assert re.search(r"99.40/s +410 ms +465 ms +50.6 ms", text), "all on the case's first line"
    assert len(text.splitlines()) < 90, text


def test_a_long_headline_is_cut_and_says_so(tmp_path):
    run, record = samples_load.finished(tmp_path, "recall")
    first = next(line for line in record["headline"] if line["case"] == "ef-10")
    record["headline"] = [{**first, "metric": f"metric_{n}"} for n in range(11)]
    text = screen.summary(run, record, colour=False)
    assert "metric 7" in text
    assert "metric 8" not in text
    assert "3 more in the report" in text


# -- parameters ------------------------------------------------------------------------------------------


def swept_over(*cases):
    records = [
        {"case": name, "repetition": 1, "offered_rate_per_s": rate, "concurrency": loops, "settings": settings}
        for name, rate, loops, settings in cases
    ]
    rows = [row(case=record["case"], value=float(n + 1)) for n, record in enumerate(records)]
    return sweep.gather({}, records, Table(rows), {}, [record["case"] for record in records])


def test_a_grid_has_a_curve_for_each_value_of_the_other_parameter():
    grid = [(f"{n}-{size}", float(n), 1, {"size": size}) for size in ("small", "large") for n in (30, 10, 20)]
    found = swept_over(*grid)
    assert (found["parameters"], found["x"]) == (["rate", "size"], "rate")
    assert {name: [point[0] for point in points] for name, points in found["plots"][0]["curves"].items()} == {
        "size small": [10.0, 20.0, 30.0], "size large": [10.0, 20.0, 30.0]
    }  # fmt: skip
    assert found["rows"][0]["values"] == ["30/s", "small"]


def test_a_parameter_of_words_and_one_that_is_missing():
    found = swept_over(
        ("max", None, 1, {"api": "chat"}), ("b", 100.0, 1, {"api": "edit"}), ("c", 9.0, 1, {"api": "edit"})
    )
    assert found["parameters"] == ["rate", "api"]
    assert found["rows"][0]["values"] == ["–", "chat"]
    words = swept_over(("a", None, 1, {"api": "chat", "deep": {"list": [1]}}), ("b", None, 1, {"deep": {"list": [2]}}))
    assert words["parameters"] == ["api", "deep.list"]


def test_cases_that_do_not_differ_are_no_sweep():
    assert swept_over(("a", None, 1, {})) is None
    assert swept_over(("a", None, 1, {}), ("b", None, 1, {})) is None
    assert swept_over(("max", None, 1, {}), ("b", 100.0, 1, {})) is None, "one of them has a rate"
    assert swept_over() is None


@pytest.mark.parametrize(
    ("values", "unit", "kind", "scale"),
    [([0.1, 0.2], "s", None, 1e3), ([0.01, 3.0], "s", "log", 1e3), ([5e6], "B/s", None, 1e-6), ([], "1/s", None, 1.0)],
)
def test_axes(values, unit, kind, scale):
    made, by = drawing.axis_of("x", values, unit)
    assert (made.get("type"), by) == (kind, scale)


# -- what other programs wrote ---------------------------------------------------------------------------


def test_nothing_of_the_new_files_is_markup(tmp_path):
    run, record = samples_load.finished(tmp_path, "search")
    found = run.search()
    for trial in found["trials"]:
        trial.update(case=EVIL, step=EVIL, why=EVIL)
        trial["terms"][0]["text"] = EVIL
    run.write_json("search.json", {**found, "slo": EVIL, "reason": EVIL})
    terms = [{"text": EVIL, "unit": EVIL, "met": False, "values": [1.0]}]
    case = {"case": EVIL, "met": False, "repetitions": 1, "repetitions_met": 0, "terms": terms}
    record["slo"] = {"text": EVIL, "cases": [case]}
    run.write_json("run.json", record)
    run.write_json("setup-metrics.json", [[EVIL, EVIL, "value", 1.0]])
    cases = run.cases()
    for case in cases:
        case.update(cut=EVIL, settings={EVIL: EVIL})
    run.write_json("cases.json", cases)
    offsets = {EVIL: {"offset_s": 0.1, "uncertainty_s": 0.1}}
    events = [*run.events(), {"t": 1.0, "source": "clients", "event": "clocks", "offsets": offsets}]
    run.write_text("events.jsonl", "".join(json.dumps(event) + "\n" for event in events))
    parsed, html, _markdown = page(run)
    assert sum(tag == "script" for tag, _attributes in parsed.elements) == 3
    assert not [tag for tag, _attributes in parsed.elements if tag == "img"]
    assert "<script>alert" not in html


def test_a_run_of_before_has_no_objectives_and_still_a_report(tmp_path):
    run, record = samples_load.finished(tmp_path, "sweep")
    for key in ("slo", "search"):
        del record[key]
    run.write_json("run.json", record)
    new = ("order", "settings", "cooldown_s", "offered", "dropped", "retries", "good", "client_run_delay_percent",
           "client_psi_cpu_some_percent", "cut", "slo", "records", "trial", "imported")  # fmt: skip
    run.write_json("cases.json", [{k: v for k, v in case.items() if k not in new} for case in run.cases()])
    series = next(run.path.glob("series/*.csv"))
    lines = [line.split(",") for line in series.read_text().splitlines()]
    series.write_text("".join(",".join([*line[:4], *line[5:]]) + "\n" for line in lines))
    parsed, _html, markdown = page(run)
    text = " ".join(parsed.text)
    assert "None" not in text + markdown
    assert "Service level objective" not in text
    assert "rate-450" in text
    assert "\x1b" not in screen.summary(run, record, colour=False)
