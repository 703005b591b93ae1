# SPDX-License-Identifier: MIT
from __future__ import annotations

import math

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats


def row(**fields):
    """A row of results.csv."""
    return {
        "case": "a", "repetition": 1, "client": "all", "metric": "throughput", "unit": "1/s", "statistic": "value",
        "value": 1.0, **fields,
    }  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_the_interval_is_students(values):
    mean, half = results.interval(values)
    expected = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    assert mean == pytest.approx(sum(values) / len(values), abs=1e-6)
    assert half == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_one_value_has_no_interval():
    assert results.interval([3.0]) == (3.0, None)


def _histogram(values):
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


def test_percentiles_of_repetitions_are_merged_never_averaged():
    parts = {"a-1": _histogram([1000] * 99 + [90_000]), "a-2": _histogram([2000] * 100)}
    cases = [{"case": "a", "histograms": {"response_time": name}} for name in parts]
    merged = results.merged(cases, lambda name: parts[name].to_dict())
    table = results.Table(
        [
            row(repetition=n, metric="response_time", statistic="p99", value=v, unit="s")
            for n, v in ((1, 0.09), (2, 0.002))
        ]
    )
    lines = {line["statistic"]: line for line in results.headline(table, merged)}
    assert lines["p99"]["value"] == pytest.approx(0.002, rel=0.002)
    assert lines["p99"]["samples"] == 200
    assert not results.headline(table, {}), "without histograms, two p99 give no p99"


def test_a_histogram_that_is_not_there_is_left_out():
    assert (
        results.merged([{"case": "a", "histograms": {"response_time": "x"}}, {"case": "b"}], lambda _name: None) == {}
    )


def test_headline_of_repetitions_and_of_metrics_that_a_command_names():
    rows = [row(repetition=n, value=v) for n, v in ((1, 10.0), (2, 12.0))]
    rows += [row(repetition=n, metric="recall", unit="1", statistic="mean", value=0.9) for n in (1, 2)]
    lines = results.headline(results.Table(rows), {})
    assert [(line["metric"], line["repetitions"]) for line in lines] == [("throughput", 2), ("recall", 2)]
    assert lines[0]["value"] == 11.0
    assert lines[0]["half_width"] == pytest.approx(12.706, rel=1e-3)
    assert not math.isnan(lines[1]["half_width"])
