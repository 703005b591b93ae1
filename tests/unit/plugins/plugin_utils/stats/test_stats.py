# SPDX-License-Identifier: MIT
from __future__ import annotations

import math

import pytest
import scipy.stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
from hypothesis import assume, given
from hypothesis import strategies as st

SAMPLES = st.lists(st.floats(-3, 3), min_size=2, max_size=12)
LIMITS = st.floats(-2, 2)


@given(SAMPLES, SAMPLES)
def test_two_samples_are_compared_as_scipy_s_welch_test_does(first, second):
    assume(min(map(_spread, (first, second))) > 1e-3)
    estimate = stats.difference(first, second)
    known = scipy.stats.ttest_ind(second, first, equal_var=False)
    assert estimate.interval(0.95) == pytest.approx(tuple(known.confidence_interval(0.95)), abs=1e-9)
    assert 2 * min(estimate.p_below(0), estimate.p_above(0)) == pytest.approx(known.pvalue, abs=1e-9)


def _spread(values):
    return max(values) - min(values)


@given(SAMPLES, st.floats(-3, 3))
def test_a_single_observation_is_taken_to_vary_as_the_others_do(several, one):
    assume(_spread(several) > 1e-3)
    estimate = stats.difference(several, [one])
    mean, sd, count = sum(several) / len(several), scipy.stats.tstd(several), len(several)
    known = scipy.stats.ttest_ind_from_stats(one, 0, 1, mean, sd, count, equal_var=True)
    assert 2 * min(estimate.p_below(0), estimate.p_above(0)) == pytest.approx(known.pvalue, abs=1e-9)
    assert estimate.degrees_of_freedom == count - 1


def test_one_observation_each_says_nothing():
    assert stats.difference([1.0], [2.0]) is None


def test_values_that_never_vary_are_known_exactly():
    estimate = stats.difference([1.0, 1.0], [1.5, 1.5, 1.5])
    assert estimate.interval(0.999) == (0.5, 0.5)
    assert (estimate.p_above(0.4), estimate.p_above(0.5), estimate.p_below(0.6)) == (0.0, 1.0, 0.0)


@given(SAMPLES, SAMPLES, LIMITS, st.floats(0.001, 0.2))
def test_an_interval_is_clear_of_a_limit_when_the_test_rejects_it(first, second, limit, alpha):
    assume(min(map(_spread, (first, second))) > 1e-3)
    estimate = stats.difference(first, second)
    low, high = estimate.interval(1 - alpha)
    assume(min(abs(low - limit), abs(high - limit)) > 1e-9)
    assert (2 * estimate.p_below(limit) < alpha) == (high < limit)
    assert (2 * estimate.p_above(limit) < alpha) == (low > limit)


def test_holm_by_hand():
    steps = stats.step_down([0.01, 0.04, 0.03, 0.005], 0.05)
    assert [step.rejected for step in steps] == [True, False, False, True]
    assert [step.level for step in steps] == pytest.approx([0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4])
    assert stats.step_down([], 0.05) == []


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0.001, 0.2))
def test_holm_lies_between_bonferroni_and_no_correction(p_values, alpha):
    for p, step in zip(p_values, stats.step_down(p_values, alpha), strict=True):
        assert step.rejected == (p <= step.level) or not step.rejected
        assert step.rejected or p > alpha / len(p_values)
        assert not step.rejected or p <= alpha
        assert alpha / len(p_values) <= step.level <= alpha * (1 + 1e-12)


@pytest.mark.parametrize(("effect", "count"), [(0.5, 64), (0.8, 26), (1.0, 17)])
def test_sizes_of_the_text_book(effect, count):
    """J. Cohen, Statistical Power Analysis (1988), table 2.4.1: two-sided 5 %, power 80 %."""
    assert stats.needed(effect, 1.0, alpha=0.05, wanted=0.8) == count


@given(st.floats(0.05, 1), st.floats(0.001, 0.3), st.floats(0.001, 0.1), st.floats(0.5, 0.99))
def test_the_fewest_that_are_enough(effect, stddev, alpha, wanted):
    count = stats.needed(effect, stddev, alpha=alpha, wanted=wanted)
    if count is None:
        assert stats.power(500, effect, stddev, alpha) < wanted
        return
    assert stats.power(count, effect, stddev, alpha) >= wanted
    assert count == 2 or stats.power(count - 1, effect, stddev, alpha) < wanted


def test_without_noise_two_are_enough_and_with_too_much_none_is():
    assert stats.needed(0.05, 0.0, alpha=0.05, wanted=0.95) == 2
    assert stats.needed(0.05, 5.0, alpha=0.05, wanted=0.95) is None


def test_the_noise_of_few_values_is_taken_to_be_larger():
    stddev, freedom = stats.pooled_stddev([1.0, 3.0], [5.0], [2.0, 2.0, 5.0])
    assert (stddev, freedom) == (pytest.approx(math.sqrt((2 + 6) / 3)), 3)
    assert stats.pooled_stddev([1.0], [2.0]) is None
    factors = [stats.upper_stddev(1.0, each) for each in (1, 4, 20, 1000)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(1, abs=0.03)


def test_summary():
    told = stats.summary([9.0, 10.0, 11.0])
    assert told == {
        "count": 3, "mean": 10.0, "half_width": pytest.approx(4.303 / math.sqrt(3), abs=1e-3), "stddev": 1.0, "cv": 0.1,
    }  # fmt: skip
    assert stats.summary([7.0]) == {"count": 1, "mean": 7.0, "half_width": None, "stddev": None, "cv": None}
    assert stats.summary([-1.0, 1.0])["cv"] is None
