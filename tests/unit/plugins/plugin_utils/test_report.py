# SPDX-License-Identifier: MIT
from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import report
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import preview
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import (
    content,
    drawing,
    figures,
    nodes,
    texts,
    time_figures,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from hypothesis import given
from hypothesis import strategies as st

from . import samples
from .test_finish import finished

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;</pre></details>"
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Page(HTMLParser):
    """Elements, attributes and visible text of a page; fails where elements do not close in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.text, self.script = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        (self.script if self.open and self.open[-1] in ("script", "style") else self.text).append(data)


def page(run):
    html, markdown = report.render(run)
    return Page(html.read_text()), html.read_text(), markdown.read_text()


def static_drawing(html, name):
    """The SVG of a figure, as it stands in the page."""
    place = html.index(f'data-figure="{name}"')
    return ElementTree.fromstring(html[html.index("<svg", place) : html.index("</svg>", place) + 6])


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_every_kind_of_run_has_a_report(tmp_path, variant):
    run, record = finished(tmp_path, variant)
    parsed, html, markdown = page(run)
    text = " ".join(parsed.text)
    assert run.id in text
    assert (record["verdict"] or "not judged yet") in text
    for reason in record["reasons"]:
        assert reason["message"] in text
    assert (record["verdict"] or record["state"]) in markdown
    assert "Undefined" not in text + markdown
    assert "None" not in text.replace("None,", "") or variant == "finished"
    assert ("plotly" in html.lower()) == (variant != "cancelled"), "plotly.js only where there is a plot"
    run.write_text("report.html", "")
    assert page(run)[1] == html, "rendering again gives the same"


def test_it_needs_nothing_but_itself(tmp_path):
    parsed, _html, _markdown = page(finished(tmp_path, "finished")[0])
    for tag, attributes in parsed.elements:
        assert tag not in ("link", "iframe", "object", "img"), tag
        assert not {"src", "href", "onclick", "onload"} & set(attributes), (tag, attributes)
    policy = next(a["content"] for t, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r"url\((?!data:)", " ".join(parsed.script[:1])), "the style sheet loads nothing"


def test_tables_and_plots_say_what_they_are_to_who_cannot_see_them(tmp_path):
    parsed, _html, _markdown = page(finished(tmp_path, "finished")[0])
    regions = [attributes for _tag, attributes in parsed.elements if attributes.get("class") == "scroll"]
    assert all(region["role"] == "region" and region["tabindex"] == "0" for region in regions)
    labels = [region["aria-label"] for region in regions]
    assert len(labels) == len(set(labels)) == sum(tag == "table" for tag, _attributes in parsed.elements)
    assert all(attributes.get("scope") for tag, attributes in parsed.elements if tag == "th")
    assert all(attributes["aria-label"] for tag, attributes in parsed.elements if tag == "svg")


def test_the_numbers_are_there_without_scripts(tmp_path):
    parsed, _html, _markdown = page(finished(tmp_path, "finished")[0])
    text = re.sub(r"\s+", " ", " ".join(parsed.text))
    for expected in ("1,40", "p99.9", "node-hours", "measuring 40.0 s", "mel0001", "closed loop", "squeue -h --jobs"):
        assert expected in text, expected


def poison(run):
    """Put markup into everything that another program wrote."""
    run.write_text("logs/service.log", f"{EVIL}\n")
    run.write_text("logs/client-000.log", EVIL)
    run.write_text("recipe.yml", f"# {EVIL}\n")
    run.write_json("provenance.json", {EVIL: EVIL, "list": [EVIL, {"deep": EVIL}]})
    teardown = run.read_json("teardown.json")
    teardown["checks"][0].update(what=EVIL, found=EVIL, how=EVIL)
    run.write_json("teardown.json", teardown)
    record = run.read_json("run.json")
    record["recipe"] = record["cluster"] = record["service"] = record["workload"] = EVIL
    record["reasons"] = [{"code": EVIL, "message": EVIL, "case": EVIL}]
    record["notes"] = [{"code": "x", "message": EVIL, "case": EVIL}]
    record["verdict"] = "INVALID"
    for job in record["jobs"]:
        job.update(state=EVIL, node_list=EVIL, name=EVIL, exit_code=EVIL)
    for line in record["headline"]:
        line.update(case=EVIL, metric=EVIL, unit=EVIL)
    run.write_json("run.json", record)
    cases = run.read_json("cases.json")
    for case in cases:
        case["case"] = EVIL
        case["errors"] = {EVIL: {"count": 1, "example": EVIL}}
    run.write_json("cases.json", cases)
    events = [*run.events(), {"t": 1.0, "source": EVIL, "event": EVIL, "reason": EVIL}]
    events.append({"t": 2.0, "source": "service", "event": "service_failed", "log_tail": [EVIL]})
    run.write_text("events.jsonl", "".join(json.dumps(event) + "\n" for event in events))
    (run.path / "telemetry" / "service-<b>.csv").write_text(f"t,cpu_user_percent,{EVIL}\n1.0,2.0,{EVIL}\n")


def test_what_other_programs_wrote_is_never_markup(tmp_path):
    run, _record = finished(tmp_path, "finished")
    clean = Page(report.render(run)[0].read_text())
    poison(run)
    parsed, html, markdown = page(run)
    count = [sum(tag == "script" for tag, _attributes in each.elements) for each in (clean, parsed)]
    assert count[0] == count[1] == 3, "the figures, plotly.js and report.js"
    assert not [tag for tag, _attributes in parsed.elements if tag in ("img", "b ")]
    assert not any(name.startswith("on") for _tag, attributes in parsed.elements for name in attributes)
    assert "<script>alert" not in html
    assert EVIL in " ".join(parsed.text), "it is shown as what it is"
    for line in re.sub(r"(`{3,})[a-z]*\n.*?\n\1", "", markdown, flags=re.S).splitlines():
        assert "<script" not in line
        assert "<img" not in line


def test_numbers_that_are_none_do_not_keep_it_from_being_made(tmp_path):
    """A service may say NaN, and what is beyond all numbers."""
    run, _record = finished(tmp_path, "finished")
    words = itertools.cycle(["nan", "inf", "-inf", "1e999", "NaN", ""])
    for name in [*run.path.glob("telemetry/*.csv"), *run.path.glob("metrics/*.csv"), *run.path.glob("series/*.csv")]:
        head, *rows = name.read_text().splitlines()
        rows[::2] = [",".join(row.split(",")[:1] + [next(words) for _ in row.split(",")[1:]]) for row in rows[::2]]
        name.write_text("\n".join([head, *rows]) + "\n")
    with run.file("results.csv").open("a") as stream:
        stream.write("max,1,all,recall,1,mean,nan\nmax,1,all,recall,1,max,1e999\n")
    cases = run.read_text("cases.json")
    run.write_text("cases.json", re.sub(r'("offered_rate_per_s": )[^,}]+', r"\1NaN", cases))
    run.write_text(
        "events.jsonl", run.read_text("events.jsonl") + '{"t": NaN, "event": "x"}\n{"t": 1e999, "event": "y"}\n'
    )
    run.write_json("run.json", preview(run))  # the verdict's rules read the same files
    parsed, _html, markdown = page(run)
    assert "recall" not in " ".join(parsed.text) and "nan" not in markdown.lower().split()


def test_the_markdown_reads_as_it_should(tmp_path):
    _html, markdown = report.render(finished(tmp_path, "finished")[0])
    text = markdown.read_text()
    assert "| case | repetitions | operations | response time p50 | response time p99 | throughput |" in text
    assert re.search(r"^\| max \| 2 \| 28,\d\d\d \| 2\.\d\d ms \| \d\.\d\d ms \| 1,40\d/s ± [\d.]+ \|$", text, re.M)
    assert "6 ssh, 2 sbatch, 4 squeue." in text
    assert not re.search(r"^\|.*\|\n\n\|", text, re.M), "no table is torn apart"


def test_a_log_cannot_leave_its_code_block(tmp_path):
    run, _record = finished(tmp_path, "finished")
    run.write_text("logs/service.log", "```\n</details>\n`````\n# not a title\n")
    markdown = report.render(run)[1].read_text()
    block = markdown.split("logs/service.log", 1)[1].split("</summary>", 1)[1].lstrip().splitlines()
    assert block[0] == "`" * 6
    assert block[block.index("# not a title") + 1] == "`" * 6


SECRETS = (
    "postgresql://postgres:hunter2@mel0001:5432/db", "PGPASSWORD=hunter2", 'password: "hunter2"', "api_key=hunter2",
    "Authorization: Bearer hunter2", "HF_TOKEN=hunter2 started", "secret = hunter2",
)  # fmt: skip


@pytest.mark.parametrize("line", SECRETS)
def test_no_secret_of_a_log_is_in_the_report(tmp_path, line):
    assert "hunter2" not in texts.redact(f"before {line} after")
    assert "***" in texts.redact(line)


def test_control_codes_are_taken_out():
    assert texts.redact("\x1b[31mred\x1b[0m\x07 a\rb\r\nc\x1b]0;t") == "red a\nb\nc]0;t"
    assert texts.redact("tokens_predicted_total 12, 30 tokens: 5") == "tokens_predicted_total 12, 30 tokens: 5"


@given(st.text())
def test_redacting_any_text(text):
    once = texts.redact(text)
    assert texts.redact(once) == once


def test_the_tail_of_a_long_log(tmp_path):
    path = tmp_path / "log"
    path.write_text("".join(f"line {n}\n" for n in range(100_000)))
    text, whole = texts.tail(path, 10)
    assert text.splitlines() == [f"line {n}" for n in range(99_990, 100_000)]
    assert not whole
    path.write_bytes(b"\xff\xfe only line")
    assert texts.tail(path, 10)[1]


def test_a_run_of_an_old_release_or_a_broken_one_still_has_a_report(tmp_path):
    run = RunDirectory(tmp_path / "runs" / samples.RUN_ID.format(9))
    run.write_json("run.json", {"id": run.id, "state": "failed", "jobs": [{"role": "service", "id": "1"}]})
    assert run.id in " ".join(page(run)[0].text)
    with pytest.raises(RunError, match=r"run\.json"):
        report.render(RunDirectory(tmp_path / "runs" / samples.RUN_ID.format(8)))


def test_long_series_are_thinned():
    points = [(float(n), float(n % 2)) for n in range(100_000)]
    thinned = drawing.thin(points)
    assert len(thinned) <= drawing.POINTS
    assert all(value == pytest.approx(0.5, abs=0.01) for _t, value in thinned)
    assert drawing.thin([(1.0, None), (2.0, 3.0)]) == [(1.0, None), (2.0, 3.0)]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_figures_of_any_latencies(values):
    histogram = Histogram()
    histogram.record_many(values)
    for figure in (figures.percentiles({"a": histogram}, "time"), figures.distribution({"a": histogram})):
        assert figure is None or json.dumps(figure, allow_nan=False)
    curve = figures.percentiles({"a": histogram}, "time")["data"]
    for line in curve:
        assert line["x"] == sorted(line["x"])
        assert line["y"] == sorted(line["y"])


def test_many_nodes_and_clients_stay_readable(tmp_path):
    run, _record = finished(tmp_path, "finished")
    for number in range(64):
        run.write_text(f"logs/client-{number:03d}.log", f"client {number}\n")
        run.write_text(f"telemetry/clients-n{number}.csv", "t,cpu_user_percent\n1790000010.0,5\n1790000011.0,6\n")
    parsed, _html, _markdown = page(run)
    logs = [text for text in parsed.text if text.startswith("logs/client-")]
    assert len(logs) == texts.CLIENTS_SHOWN
    assert "48 more clients" in " ".join(parsed.text)
    gathered = content.collect(run)
    assert len(figures.figures(gathered)["node_cpu"]["data"]) == nodes.NODES_SHOWN


def test_many_cases_and_clients_stay_readable(tmp_path):
    """What only clients know is a row for each of them and each case: the report shows the first ones and says so."""
    run, record = finished(tmp_path, "finished")
    names = [f"case-{number}" for number in range(300)]
    clients = [f"{name},1,{client},own,1,value,1" for name in names for client in range(20)]
    merged = [f"{name},1,all,throughput,1/s,value,5" for name in names]
    run.write_text("results.csv", "case,repetition,client,metric,unit,statistic,value\n" + "\n".join(clients + merged))
    case = run.read_json("cases.json")[0]
    run.write_json("cases.json", [{**case, "case": name, "repetition": 1, "histograms": {}} for name in names])
    run.write_json("run.json", {**record, "headline": [{**record["headline"][0], "case": name} for name in names]})
    parsed, _html, markdown = page(run)
    text = re.sub(r"\s+", " ", " ".join(parsed.text))
    assert "These are the first 200 of 6,000 rows; all are in results.csv." in text
    assert "These are the first 200 of 300 repetitions" in text and "100 more cases in results.csv." in text
    assert "4 of 300 cases" in text
    assert sum(tag == "tr" for tag, _attributes in parsed.elements) < 2_000
    assert len(markdown) <= report.MOST_CHARACTERS and "Tables show the first 50 rows" in markdown


def test_a_last_second_that_was_cut_short_is_no_fall_of_the_throughput():
    rows = [{"t": 100.0 + second, "phase": "measure", "operations": 50.0} for second in range(4)]
    rows[-1]["operations"] = 20.0
    assert [row["t"] for row in time_figures.whole_seconds({"rows": rows, "measure_end": 103.4})] == [
        100.0,
        101.0,
        102.0,
    ]
    assert time_figures.whole_seconds({"rows": rows, "measure_end": 104.0}) == rows
    assert time_figures.whole_seconds({"rows": rows[:1], "measure_end": 100.3}) == rows[:1], "better than nothing"
    warmup = [{"t": 99.5, "phase": "warmup", "operations": 9.0}]
    assert time_figures.whole_seconds({"rows": warmup + rows, "measure_end": 103.4})[0]["phase"] == "warmup"


def test_what_a_row_of_telemetry_took():
    events = [{"event": "telemetry_done", "samples": 100, "seconds": 0.03}, {"event": "telemetry_done", "samples": 0}]
    assert nodes.cost_s(events) == pytest.approx(0.0003) and nodes.cost_s([]) is None
