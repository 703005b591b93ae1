# SPDX-License-Identifier: MIT
"""The histogram: exact where it says so, 0.2 % where not, and merging that loses nothing."""

from __future__ import annotations

import json
import math
import statistics

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import (
    QUANTILES,
    Histogram,
    bucket_of,
    middle_of,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.integers(0, 10**12), max_size=200)


def filled(values):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(st.integers(0, 2**62))
def test_a_bucket_is_at_most_0_2_percent_wide_around_its_middle(value):
    assert abs(middle_of(bucket_of(value)) - value) <= 0.002 * value


@given(st.integers(0, 2**62))
def test_buckets_follow_the_published_formula_and_the_order_of_values(value):
    e = value.bit_length() - 9
    assert bucket_of(value) == (value if value < 256 else (e + 1) * 256 + (value >> e) - 256)
    assert bucket_of(value) <= bucket_of(value + 1) <= bucket_of(value) + 1


@given(VALUES, VALUES)
def test_merging_is_recording_together(one, other):
    merged = filled(one)
    merged.merge(filled(other))
    assert merged.to_dict() == filled(one + other).to_dict()


@given(VALUES, VALUES, VALUES)
def test_merging_is_associative(one, two, three):
    left = filled(one)
    left.merge(filled(two))
    left.merge(filled(three))
    right = filled(two)
    right.merge(filled(three))
    first = filled(one)
    first.merge(right)
    assert left.to_dict() == first.to_dict()


@given(VALUES)
def test_record_many_is_record(values):
    many = Histogram()
    many.record_many(values)
    assert many.to_dict() == filled(values).to_dict()


@given(VALUES.filter(bool), st.sampled_from([q for _name, q in QUANTILES]) | st.floats(0, 1))
def test_quantiles_are_those_of_the_values(values, q):
    rank = max(1, math.ceil(round(q * len(values), 9)))
    exact = sorted(values)[rank - 1] * 1e-6
    assert filled(values).quantile(q) == pytest.approx(exact, rel=0.002, abs=1e-12)


@given(VALUES.filter(lambda values: len(values) > 1))
def test_mean_and_deviation_are_exact(values):
    histogram = filled(values)
    assert histogram.mean == pytest.approx(statistics.fmean(values) * 1e-6)
    assert histogram.stddev == pytest.approx(statistics.stdev(values) * 1e-6)


@given(VALUES)
def test_json_round_trip(values):
    data = json.loads(json.dumps(filled(values).to_dict()))
    assert Histogram.from_dict(data).to_dict() == data


def test_statistics_of_nothing_and_of_one():
    assert Histogram().statistics() == [("count", 0)]
    one = Histogram()
    one.record(1500)
    assert dict(one.statistics()) == {
        "count": 1,
        "sum": 0.0015,
        "mean": 0.0015,
        "min": 0.0015,
        "max": 0.0015,
        **{name: pytest.approx(0.0015) for name, _q in QUANTILES},
    }
    assert Histogram().quantile(0.5) is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=">= 0"):
        Histogram().record(-1)
    with pytest.raises(ValueError, match="cannot merge"):
        Histogram().merge(Histogram("B", 1))
    with pytest.raises(ValueError, match="sub_bucket_bits"):
        Histogram.from_dict(dict(Histogram().to_dict(), sub_bucket_bits=7))
