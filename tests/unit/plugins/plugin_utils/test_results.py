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


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("response_time", ("response_time", None)),
        ("ttft", ("time_to_first_token", None)),
        ("ttft_p99_ms", ("time_to_first_token", "p99")),
        ("response_time_p99_9", ("response_time", "p999")),
        ("e2e_max", ("response_time", "max")),
        ("output_tokens_per_s", ("output_tokens_per_s", None)),
        ("recall", ("recall", None)),
        ("gpu_p99", ("gpu_p99", None)),  # a command's own, by its whole name
        ("error_rate", ("error_rate", None)),
    ],
)
def test_what_a_name_in_metrics_asks_for(name, what):
    assert results.asked([name], known={"gpu_p99", "response_time"}) == [what]


def test_a_name_that_no_metric_has_asks_for_nothing():
    assert results.asked(["", "a b", "ü"]) == []


def llm_table():
    rows = [row(value=100.0), row(metric="operations", unit="1", value=1000.0), row(metric="errors", value=1.0)]
    rows += [row(metric="error_rate", unit="1", value=0.001), row(metric="offered", unit="1", value=1001.0)]
    for name, unit in (("output_tokens", "token"), ("bytes_received", "B")):
        rows += [row(metric=name, unit=unit, value=5000.0), row(metric=f"{name}_per_s", unit=f"{unit}/s", value=500.0)]
    rows += [row(metric="goodput", value=90.0), row(metric="load_duration", unit="s", statistic="mean", value=0.2)]
    for name in ("response_time", "time_to_first_token", "time_per_output_token", "service_time", "response_time_put"):
        rows += [row(metric=name, unit="s", statistic=each, value=0.5) for each in ("p50", "p99", "p999", "max")]
    return results.Table(rows)


def told(*names, **more):
    lines = results.headline(llm_table(), {}, names, **more)
    return [(line["metric"], line["statistic"]) for line in lines]


def test_the_headline_of_a_language_model():
    assert told() == [
        ("throughput", "value"), ("response_time", "p50"), ("response_time", "p99"), ("time_to_first_token", "p50"),
        ("time_to_first_token", "p99"), ("time_per_output_token", "p50"), ("output_tokens_per_s", "value"),
        ("goodput", "value"), ("load_duration", "mean"),
    ]  # fmt: skip


def test_what_the_recipe_names_comes_first_and_once():
    assert told("ttft_p999", "throughput", "error_rate", "service_time")[:5] == [
        ("time_to_first_token", "p999"), ("throughput", "value"), ("error_rate", "value"), ("service_time", "p50"),
        ("service_time", "p99"),
    ]  # fmt: skip
    assert len(set(told("throughput", "response_time"))) == len(told("throughput", "response_time")) == len(told())
    assert told("nothing_of_the_kind") == told()


def test_bytes_are_what_object_storage_is_about():
    assert ("bytes_received_per_s", "value") in told(workload="s3")
    assert ("bytes_received_per_s", "value") not in told(workload="http")
    assert ("load_duration", "mean") not in told(besides=["load_duration"])


def test_headline_of_repetitions_and_of_metrics_that_a_command_names():
    rows = [row(repetition=n, value=v) for n, v in ((1, 10.0), (2, 12.0))]
    rows += [row(repetition=n, metric="recall", unit="1", statistic="mean", value=0.9) for n in (1, 2)]
    lines = results.headline(results.Table(rows), {})
    assert [(line["metric"], line["repetitions"]) for line in lines] == [("throughput", 2), ("recall", 2)]
    assert lines[0]["value"] == 11.0
    assert lines[0]["half_width"] == pytest.approx(12.706, rel=1e-3)
    assert not math.isnan(lines[1]["half_width"])
