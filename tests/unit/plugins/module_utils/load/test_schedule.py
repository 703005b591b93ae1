# SPDX-License-Identifier: MIT
"""Arrivals and seeds."""

from __future__ import annotations

import itertools
import statistics

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import (
    CONSTANT,
    arrivals,
    ramp,
    read_trace,
    seed_of,
    traced,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(0.01, 1e5), st.floats(0, 1))
def test_constant_arrivals_do_not_drift(rate, offset):
    hundred_later = next(itertools.islice(arrivals(rate, CONSTANT, offset=offset), 100, None))
    assert hundred_later == pytest.approx((100 + offset) / rate)


def test_poisson_arrivals_have_the_rate_and_the_spread_of_their_process():
    times = list(itertools.islice(arrivals(50.0, seed=7), 20000))
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert statistics.fmean(gaps) == pytest.approx(1 / 50, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05)  # exponential: as large as the mean
    assert times == sorted(times)


def test_the_same_seed_is_the_same_schedule_and_another_client_has_another():
    def first(seed):
        return list(itertools.islice(arrivals(10.0, seed=seed), 5))

    one, two = seed_of("run", 1, "max", 1, 0), seed_of("run", 1, "max", 1, 1)
    assert first(one) == first(one) != first(two)
    assert seed_of("a", "bc") != seed_of("ab", "c")


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        arrivals(0)
    with pytest.raises(ValueError, match="poisson, constant or gamma"):
        arrivals(1, "sometimes")
    with pytest.raises(ValueError, match="burstiness"):
        arrivals(1, "gamma", burstiness=0)
    with pytest.raises(ValueError, match="a ramp goes"):
        next(ramp(0, 0, 1, 1))


@pytest.mark.parametrize(("burstiness", "variation"), [(0.25, 2.0), (1.0, 1.0), (4.0, 0.5)])
def test_bursts_have_the_rate_and_the_variation_of_a_gamma_distribution(burstiness, variation):
    times = list(itertools.islice(arrivals(50.0, "gamma", seed=3, burstiness=burstiness), 40000))
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert statistics.fmean(gaps) == pytest.approx(1 / 50, rel=0.04)
    assert statistics.stdev(gaps) / statistics.fmean(gaps) == pytest.approx(variation, rel=0.06)


@pytest.mark.parametrize(("first", "last"), [(0.0, 400.0), (100.0, 500.0), (500.0, 100.0)])
def test_a_ramp_has_its_rate_at_every_time(first, last):
    times = list(itertools.takewhile(lambda t: t < 60, ramp(first, last, 10.0, 40.0, seed=5)))
    assert times == sorted(times)

    def expected(t):  # the integral of the rate
        ramped = min(max(0.0, t - 10), 40)
        return first * min(t, 10) + first * ramped + (last - first) * ramped**2 / 80 + last * max(0.0, t - 50)

    for low, high in [(0, 10), (10, 20), (20, 30), (30, 40), (40, 50), (50, 60)]:
        mean = expected(high) - expected(low)
        count = sum(low <= t < high for t in times)
        assert abs(count - mean) <= 5 * max(1.0, mean) ** 0.5, (low, high)


def test_a_trace_is_shared_out_and_stretched(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text("t,model\n# a comment\n0.5,a\n1.0,b\n\n1.5,c\n4.0,d\n")
    times = read_trace(path)
    assert times == [0.5, 1.0, 1.5, 4.0]
    assert sorted(traced(times, 0, 3) + traced(times, 1, 3) + traced(times, 2, 3)) == times
    assert traced(times, 1, 2, rate_per_s=2.0) == [0.5, 2.0], "four in four seconds become two a second"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no times"),
        ("t\n", "has no times"),
        ("1\n0.5\n", "line 2: 0.5 comes before"),
        ("1\nx\n", "line 2: 'x' is no number"),
        ("-1\n", "line 1: a time is at least 0"),
        ("nan\n", "line 1: a time is at least 0"),
    ],
)
def test_a_trace_that_is_none_says_where(tmp_path, text, message):
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_trace(path)
