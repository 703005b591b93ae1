# SPDX-License-Identifier: MIT
"""Arrivals and seeds."""

from __future__ import annotations

import itertools
import statistics

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import CONSTANT, arrivals, seed_of
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
        next(arrivals(0))
    with pytest.raises(ValueError, match="constant or poisson"):
        next(arrivals(1, "sometimes"))
