# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""Objectives: what they mean, what is wrong with them, who meets them."""

from __future__ import annotations

import json
import math

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from hypothesis import given
from hypothesis import strategies as st

OWN = ("response_time", "throughput", "error_rate", "recall", "inserted", "build", "startup_s", "response_time_*")


def term_of(text, metrics=slo.METRICS):
    [term] = slo.parse(text, metrics)
    return (term["metric"], term["statistic"], term["operator"], term["value"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ttft_p95_ms < 500", ("time_to_first_token", "p95", "<", 0.5)),
        ("time_to_first_token_p95 < 0.5", ("time_to_first_token", "p95", "<", 0.5)),
        ("tpot_mean_ms<=25", ("time_per_output_token", "mean", "<=", 0.025)),
        ("itl_max_s <1", ("inter_token_latency", "max", "<", 1.0)),
        ("e2e_p999_us < 1e6", ("response_time", "p999", "<", 1.0)),
        ("latency_p99_9_ms < 3", ("response_time", "p999", "<", 0.003)),
        ("latency < 2", ("response_time", "mean", "<", 2.0)),
        ("service_time_s < .5", ("service_time", "mean", "<", 0.5)),
        ("schedule_lag_p99_ms < 5", ("schedule_lag", "p99", "<", 0.005)),
        ("response_time_put_p50_ms < 8", ("response_time_put", "p50", "<", 0.008)),
        ("error_rate < 0.01", ("error_rate", "value", "<", 0.01)),
        ("error_rate <= 0", ("error_rate", "value", "<=", 0.0)),
        ("error_rate < 1%", ("error_rate", "value", "<", 0.01)),
        ("recall >= 0.95", ("recall", "mean", ">=", 0.95)),
        ("recall_p50 > 90%", ("recall", "p50", ">", 0.9)),
        ("throughput > 1000", ("throughput", "value", ">", 1000.0)),
        ("goodput >= 10", ("goodput", "value", ">=", 10.0)),
        ("output_tokens_per_s > 5e3", ("output_tokens_per_s", "value", ">", 5000.0)),
        ("bytes_received > 1", ("bytes_received", "value", ">", 1.0)),
    ],
)
def test_what_a_term_means(text, expected):
    assert term_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inserted_per_s > 10", ("inserted_per_s", "value", ">", 10.0)),
        ("build_ms < 4", ("build", "mean", "<", 0.004)),
        ("startup_s < 4", ("startup_s", "mean", "<", 4.0)),
        ("response_time_get_p99_ms < 4", ("response_time_get", "p99", "<", 0.004)),
    ],
)
def test_a_workloads_own_metrics(text, expected):
    assert term_of(text, OWN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anything_p95 < 3", ("anything", "p95", "<", 3.0)),
        ("load_ms < 3", ("load_ms", "mean", "<", 3.0)),
        ("ttft_p95_ms < 3", ("time_to_first_token", "p95", "<", 0.003)),
        ("output_tokens_per_s > 3", ("output_tokens_per_s", "value", ">", 3.0)),
        ("error_rate < 1%", ("error_rate", "value", "<", 0.01)),
    ],
)
def test_a_command_may_report_anything(text, expected):
    assert term_of(text, None) == expected


def test_terms_are_joined_and_evened_out():
    terms = slo.parse("  ttft_p95_ms<500\n  AND error_rate  <  0.01 ")
    assert [term["text"] for term in terms] == ["ttft_p95_ms < 500", "error_rate < 0.01"]


@pytest.mark.parametrize(
    ("text", "metrics", "expected"),
    [
        ("tfft_p95_ms < 500", slo.METRICS, "term 'tfft_p95_ms < 500': there is no metric 'tfft'; did you mean 'ttft'? (metrics: "),
        ("error_rate < 1 and respnse_time < 3", slo.METRICS, "term 'respnse_time < 3': there is no metric 'respnse_time'; did you mean 'response_time'?"),
        ("ttft < 3", OWN, "there is no metric 'time_to_first_token'; metrics: e2e, latency, response_time, throughput, error_rate, recall, inserted, build, startup_s, response_time_KIND"),
        ("goodput > 3", OWN, "there is no metric 'goodput'; metrics: "),
        ("build_per_s > 3", ("response_time",), "there is no metric 'build_per'"),
        ("response_time_per_s > 3", slo.METRICS[:1], "there is no metric 'response_time_per'; did you mean 'response_time'?"),
        ("ttft_p97 < 5", slo.METRICS, "term 'ttft_p97 < 5': results have no p97; there are p50, p90, p95, p99, p999"),
        ("ttft_p100 < 5", slo.METRICS, "results have no p100"),
        ("error_rate_p95 < 1", slo.METRICS, "error_rate is one number: it has no _p95"),
        ("throughput_s > 1", slo.METRICS, "throughput is one number: it has no _s"),
        ("recall_ms > 0.3", slo.METRICS, "recall is a share of 1: it has no _ms"),
        ("error_rate < 5", slo.METRICS, "error_rate is a share of 1: for 5 percent write 0.05 or 5%"),
        ("throughput > 5%", slo.METRICS, "only shares (error_rate, recall) are given in percent"),
        ("own_p95_ms < 5", None, "write own_p95, in the metric's own unit"),
        ("ttft_p95 < 500ms", slo.METRICS, "term 'ttft_p95 < 500ms': expected a number, found '500ms'; write the unit in the name, as in ttft_p95_ms < 500"),
        ("ttft_p95 < fast", slo.METRICS, "expected a number, found 'fast'; such as 0.5"),
        ("ttft_p95 < -5", slo.METRICS, "expected a number, found '-5'; a bound is at least 0"),
        ("ttft_p95 < nan", slo.METRICS, "expected a number, found 'nan'"),
        ("ttft_p95 < 1e999", slo.METRICS, "the number is too large"),
        ("throughput < 0", slo.METRICS, "nothing is below 0; write <= 0"),
        ("ttft_p95 == 5", slo.METRICS, "expected NAME OPERATOR NUMBER, the operator one of < <= > >=; a bound is what is asked"),
        ("ttft < 1 or tpot < 2", slo.METRICS, "terms are joined by 'and' only"),
        ("1 < ttft < 2", slo.METRICS, "expected NAME OPERATOR NUMBER"),
        ("fast", slo.METRICS, "term 'fast': expected NAME OPERATOR NUMBER, the operator one of < <= > >=, such as ttft_p95_ms < 500"),
        ("ttft < 1 and", slo.METRICS, "a term is missing before or after 'and'"),
        ("and ttft < 1", slo.METRICS, "a term is missing before or after 'and'"),
        ("ttft < 1 and and tpot < 1", slo.METRICS, "a term is missing before or after 'and'"),
        (" ", slo.METRICS, "an objective is not empty"),
    ],
)  # fmt: skip
def test_mistakes(text, metrics, expected):
    with pytest.raises(ValueError) as caught:
        slo.parse(text, metrics)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def value_of(values):
    return lambda metric, statistic: values.get((metric, statistic))


def test_an_objective_is_met_by_proof_only():
    terms = slo.parse("ttft_p95_ms < 500 and error_rate <= 0.01 and throughput > 10")
    met = {("time_to_first_token", "p95"): 0.4999, ("error_rate", "value"): 0.01, ("throughput", "value"): 11.0}
    assert slo.evaluate(terms, value_of(met)) == {
        "met": True,
        "terms": [
            {"text": "ttft_p95_ms < 500", "value": 0.4999, "met": True},
            {"text": "error_rate <= 0.01", "value": 0.01, "met": True},
            {"text": "throughput > 10", "value": 11.0, "met": True},
        ],
    }
    for key, value, shown in (
        (("time_to_first_token", "p95"), 0.5, 0.5),
        (("throughput", "value"), 10.0, 10.0),
        (("throughput", "value"), None, None),
        (("throughput", "value"), math.inf, None),
        (("throughput", "value"), math.nan, None),
    ):
        judged = slo.evaluate(terms, value_of({**met, key: value}))
        assert not judged["met"]
        assert [each["value"] for each in judged["terms"] if not each["met"]] == [shown]
        json.dumps(judged, allow_nan=False)


def test_a_metric_that_is_one_number_needs_no_statistic():
    judged = slo.evaluate(slo.parse("inserted > 5", OWN), value_of({("inserted", "value"): 6.0}))
    assert judged == {"met": True, "terms": [{"text": "inserted > 5", "value": 6.0, "met": True}]}


def test_goodput_counts_by_upper_bounds_of_an_operations_times():
    terms = slo.parse(
        "ttft_p95_ms < 500 and e2e_max <= 3 and tpot_mean > 0.001 and error_rate < 0.1 and schedule_lag_p99 < 1"
        " and response_time_put_p50 < 1 and throughput < 100"
    )
    assert [term["text"] for term in slo.per_request_terms(terms)] == ["ttft_p95_ms < 500", "e2e_max <= 3"]


STATISTICS = {"": "mean", "_mean": "mean", "_max": "max", "_p99_9": "p999"} | {f"_{p}": p for p in slo.PERCENTILES}
NAMES = {**slo.ALIASES, **{metric: metric for metric in slo.TIMES}, "response_time_x1": "response_time_x1"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(NAMES)),
            st.sampled_from(sorted(STATISTICS)),
            st.sampled_from([("", 1), ("_s", 1), ("_ms", 1000), ("_us", 1_000_000)]),
            st.sampled_from(["<", "<=", ">", ">="]),
            st.floats(1e-9, 1e9),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([" and ", "  AND\n"]),
    st.sampled_from(["", " ", "  "]),
)
def test_what_is_written_is_what_is_read(parts, joined, space):
    text = joined.join(
        f"{name}{statistic}{unit}{space}{operator}{space}{value!r}"
        for name, statistic, (unit, _per_s), operator, value in parts
    )
    assert [(t["metric"], t["statistic"], t["operator"], t["value"]) for t in slo.parse(text)] == [
        (NAMES[name], STATISTICS[statistic], operator, value / per_s)
        for name, statistic, (_unit, per_s), operator, value in parts
    ]


@given(st.text(alphabet="ptfandrecl_95ms<>=.% 0", max_size=40) | st.text(max_size=40))
def test_any_text_is_terms_or_a_value_error_of_one_line(text):
    for metrics in (slo.METRICS, OWN, None):
        try:
            terms = slo.parse(text, metrics)
        except ValueError as error:
            assert str(error) and "\n" not in str(error)
            continue
        assert slo.parse(" and ".join(term["text"] for term in terms), metrics) == terms


@given(
    st.sampled_from(["<", "<=", ">", ">="]),
    st.floats(0.001, 100),
    st.none() | st.floats(allow_nan=True, allow_infinity=True),
)
def test_terms_are_judged_by_their_operator(operator, bound, value):
    judged = slo.evaluate(slo.parse(f"throughput {operator} {bound!r}"), lambda _metric, _statistic: value)
    known = value is not None and math.isfinite(value)
    expected = known and {
        "<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound,
    }[operator]  # fmt: skip
    assert judged["met"] is bool(expected)
    assert judged["terms"][0]["value"] == (value if known else None)
