# SPDX-License-Identifier: MIT
"""Each formula against its definition, or against values whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results, stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import (
    intervals,
    knee,
    outliers,
    seconds,
    trend,
    warmup,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.floats(0.1, 1000), min_size=8, max_size=40)


def noise(*shape: int, cv: float = 0.02, seed: int = 1) -> np.ndarray:
    return 1 + cv * np.random.default_rng(seed).normal(size=shape)


# -- warm-up -------------------------------------------------------------------------------------------


@given(VALUES)
def test_mser_is_what_its_definition_says(values):
    found = warmup.truncation(values)
    terms = [np.var(values[d:]) / (len(values) - d) for d in range(len(values) // 2 + 1)]
    assert terms[found] == pytest.approx(min(terms), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("depth", [0.5, -0.5])
def test_a_planted_warm_up_is_found_with_its_length(depth):
    series = noise(3, 60)
    series[:, :12] *= 1 - depth
    [(name, found)] = warmup.find({"max": series}).items()
    assert name == "max" and found.repetitions == [0, 1, 2] and found.is_settled
    assert found.batches == pytest.approx(12, abs=1)
    assert math.copysign(1, found.bias) == -math.copysign(1, depth)


def test_a_warm_up_of_the_first_repetition_alone():
    series = noise(3, 60)
    series[0, :15] *= 0.6
    assert warmup.find({"max": series})["max"].repetitions == [0]


def test_what_is_no_warm_up():
    stalled = noise(3, 60)
    stalled[1, 2] = 0.1
    short = noise(3, 7)
    short[:, :2] *= 0.5
    hardly = noise(3, 60, cv=0.001)
    hardly[:, :3] *= 0.995
    found = warmup.find({"steady": noise(3, 60, seed=2), "one stall": stalled, "short": short, "hardly": hardly,
                         "the same": np.ones((3, 60))})  # fmt: skip
    assert found == {}


def test_what_never_settles_is_told_as_such():
    assert not warmup.find({"max": noise(3, 60) * np.linspace(1, 3, 60)})["max"].is_settled


# -- seconds -------------------------------------------------------------------------------------------


def test_batches_weigh_every_operation_alike():
    assert list(seconds.throughput([1, 3, 5, 7, 9], 2)) == [2, 6]
    assert seconds.response_s([1, 3, 0, 0], [0.4, 0.8, None, None], 2)[0] == pytest.approx(0.7)
    assert math.isnan(seconds.response_s([1, 3, 0, 0], [0.4, 0.8, None, None], 2)[1])


def test_a_batch_is_as_long_as_no_batch_is_empty():
    assert seconds.whole_batch_s([[1] * 40]) == 1
    assert seconds.whole_batch_s([[1, 0] * 20, [0, 1] * 20]) == 2
    assert seconds.whole_batch_s([[1] + [0] * 39]) is None
    assert seconds.batch_s(3600) == 30


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_autocorrelation_of_a_process_that_has_it(rho):
    rng, series = np.random.default_rng(1), np.zeros((20, 200))
    for second in range(1, 200):
        series[:, second] = rho * series[:, second - 1] + rng.normal(size=20)
    assert seconds.autocorrelation(series) == pytest.approx(rho, abs=0.06)
    assert seconds.autocorrelation([[1.0] * 20]) == 0


# -- repetitions ---------------------------------------------------------------------------------------


def test_modified_z_scores():
    sample = [10, 11, 9, 10, 12, 30]
    assert outliers.scores(sample)[5] == pytest.approx(0.6745 * (30 - 10.5) / 1, rel=1e-3)
    assert list(outliers.scores([5.0, 5.0, 5.0, 5.0, 9.0]))[4] == pytest.approx(4 / (1.253314 * 0.8))
    assert list(outliers.scores([5.0] * 5)) == [0.0] * 5


def test_outliers_are_far_and_matter():
    [odd] = outliers.find([100.0, 101.0, 99.0, 100.5, 60.0])
    assert (odd.place, odd.value, odd.median) == (4, 60.0, 100.0)
    assert outliers.find([100.0, 101.0, 99.0, 60.0]) == [], "too few"
    assert outliers.find([100.0, 100.1, 99.9, 100.0, 104.0]) == [], "4 % off is nothing to tell"
    assert outliers.limit(5, 3) > outliers.limit(5) > outliers.limit(50) and outliers.limit(10_000) > 4.5


def test_trends():
    falling, mixed = [100.0, 98.0, 97.0, 95.0, 94.0], [100.0, 98.0, 101.0, 97.0, 102.0]
    found = trend.find({"a": falling, "b": mixed, "four": falling[:4], "same": [1.0] * 6})
    assert (
        list(found) == ["a"]
        and found["a"].tau == pytest.approx(-1)
        and found["a"].share == pytest.approx(-0.015, abs=0.002)
    )


def line(metric="throughput", statistic="mean"):
    return {"case": "max", "metric": metric, "statistic": statistic, "unit": "1/s", "value": 1.0}


@given(st.lists(st.floats(1, 100), min_size=2, max_size=8))
def test_a_mean_has_the_interval_of_the_headline(values):
    mean, half_width = results.interval(values)
    found = intervals.of_line(line(), values)
    assert found["mean"] == pytest.approx(mean)
    assert found["half_width"] == pytest.approx(half_width, rel=1e-3, abs=1e-9)
    assert found["relative"] == pytest.approx(half_width / mean, rel=1e-3, abs=1e-9)


def test_a_percentile_has_t_of_its_logarithms():
    values = [0.010, 0.012, 0.020]
    found = intervals.of_line(line("response_time", "p99"), values)
    assert found["mean"] == pytest.approx(math.prod(values) ** (1 / 3))
    half = stats.summary([math.log(value) for value in values])["half_width"]
    assert found["high"] / found["mean"] == pytest.approx(math.exp(half)) == pytest.approx(found["mean"] / found["low"])
    alone = intervals.of_line(line("response_time", "p99"), [0.01])
    assert alone["half_width"] is alone["relative"] is alone["repetitions_for_5_percent"] is None


def test_so_many_repetitions_bring_the_interval_to_its_width():
    count = stats.needed_for_width(0.05, 0.04, alpha=0.05)
    t = {4: 2.776, 3: 3.182}  # 97.5 % of Student's t, from a table
    assert count == 5 and t[4] * 0.04 / 5**0.5 <= 0.05 < t[3] * 0.04 / 4**0.5
    assert stats.needed_for_width(0.001, 1.0, alpha=0.05) is None


# -- the knee ------------------------------------------------------------------------------------------

LOADS = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def swept(curve, cv=0.01, repetitions=3, seed=1):
    return [list(curve(load) * noise(repetitions, cv=cv, seed=seed + number)) for number, load in enumerate(LOADS)]


def test_a_knee_lies_in_its_interval():
    found = knee.find(LOADS, swept(lambda load: 100 * min(load, 5.7)))
    assert found.status == knee.FOUND and found.low < 5.7 < found.high < 6.5 and found.low < found.at < found.high
    assert knee.find(LOADS, swept(lambda load: 100 * min(load, 5.7))) == found, "seeded"


def test_a_sweep_may_have_many_loads():
    """Each of them, and each gap between two, may be where the lines meet: more than numpy.choose takes."""
    loads = list(range(1, 61))
    found = knee.find(loads, [[100.0 * min(load, 20) * factor for factor in (0.99, 1.01)] for load in loads])
    assert found.status == knee.FOUND and found.at == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize(
    ("curve", "status"),
    [(lambda load: 100 * load, knee.GROWS), (lambda load: 100 * load**0.6, knee.GROWS), (lambda load: 100, knee.FLAT)],
)
def test_no_knee_within_the_sweep(curve, status):
    assert knee.find(LOADS, swept(curve)) == knee.Knee(status)


def test_too_little_to_tell():
    assert knee.find(LOADS[:3], swept(lambda load: load)[:3]).status == knee.FEW
    assert knee.find(LOADS[:4], [[load] for load in LOADS[:4]]).status == knee.FEW, "nothing tells of the noise"
    rates = [100.0, 200.0, 300.0, 400.0, 500.0]
    noisy = [list(min(rate, 330) * noise(3, cv=0.08, seed=int(rate))) for rate in rates]
    assert knee.find(rates, noisy).status == knee.UNDECIDED


def test_one_repetition_has_the_noise_of_its_seconds():
    throughputs = [[100 * min(load, 5.7)] for load in LOADS]
    sharp = knee.find(LOADS, throughputs, knee.Noise(1e-6, 50))
    wide = knee.find(LOADS, throughputs, knee.Noise(1e-3, 50))
    assert sharp.status == wide.status == knee.FOUND
    assert wide.high - wide.low > 3 * (sharp.high - sharp.low)


def test_a_smooth_curve_has_no_sharp_knee():
    sharp = knee.find(LOADS, swept(lambda load: 100 * min(load, 5.7), cv=0.001))
    smooth = knee.find(LOADS, swept(lambda load: 100 * load / (1 + load / 5.7), cv=0.001))
    if smooth.status == knee.FOUND:
        assert smooth.high / smooth.low > 5 * (sharp.high / sharp.low - 1) + 1
