# SPDX-License-Identifier: MIT
"""docs/metrics.md makes the figures of a report again: its Python runs here, in the directory of a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import content

from .plugins.plugin_utils import samples
from .plugins.plugin_utils.telemetry.test_slurm_jobs import has_steps, step

PAGE = Path(__file__).resolve().parents[2] / "docs/metrics.md"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """(what the page's blocks define, run.json, what the report shows) of a run with two cases of two repetitions."""
    run = samples.make(tmp_path, "finished")
    has_steps(run, step("extern", 6300), step("batch", 6200), step("extern", 700, job_id="4711+1", nodes=["mel0002"]))
    run.write_json("run.json", finish.preview(run))
    monkeypatch.chdir(run.path)
    names: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(block, names)
    return names, run.read_json("run.json"), content.collect(run)


def headline(record, case, metric, statistic):
    [line] = [each for each in record["headline"] if (each["case"], each["metric"]) == (case, metric)
              and statistic in (None, each["statistic"])]  # fmt: skip
    return line


@pytest.mark.parametrize("case", ["max", "half"])
def test_throughput_and_its_interval(page, case):
    names, record, _report = page
    line = headline(record, case, "throughput", None)
    mean, half_width = names["throughput"](case)
    assert mean == pytest.approx(line["value"]) and half_width == pytest.approx(line["half_width"], rel=1e-3)


def test_throughput_of_one_repetition_by_hand(page):
    names, _record, report = page
    for row in report["results"]:
        assert names["by_hand"](row["case"], row["repetition"]) == pytest.approx(row["throughput"], rel=1e-6)


@pytest.mark.parametrize(("statistic", "share"), [("p50", 0.5), ("p99", 0.99)])
def test_percentiles_of_merged_histograms(page, statistic, share):
    names, record, _report = page
    for case in ("max", "half"):
        assert names["percentile"](case, share) == pytest.approx(
            headline(record, case, "response_time", statistic)["value"]
        )


def test_the_interval_of_a_percentile(page):
    names, record, _report = page
    [line] = [each for each in record["confidence"]["cases"] if (each["case"], each["statistic"]) == ("max", "p99")]
    assert names["percentile_interval"]("max") == pytest.approx((line["mean"], line["low"], line["high"]))


def test_hours_and_nodes(page):
    names, record, report = page
    assert names["node_hours"]() == pytest.approx(record["cost"]["node_hours"], abs=1e-5)
    for row in report["node_rows"]:
        assert names["node_cpu"](row["name"]) == pytest.approx(row["cpu"])


def test_what_slurm_counted(page):
    names, record, _report = page
    [service, clients] = record["jobs"]
    assert names["energy_by_slurm"](service) == record["energy"]["slurm"]["jobs"][0]["joules"] == 7000
    assert names["energy_by_slurm"](clients) is None
    assert names["cpu_seconds"](service) == pytest.approx(service["usage"]["cpu_s"])
