# SPDX-License-Identifier: MIT
"""Stop rules, against simulated services whose state is known."""

from __future__ import annotations

import math
import random
import statistics
from bisect import bisect, insort

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.progress import Sample
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.stop_rules import StopRules, interval, trend
from hypothesis import given
from hypothesis import strategies as st


def first_to_fire(samples, stop_on, most_in_flight=None):
    """(second, rule, why) of the first rule that fires, or None."""
    rules = StopRules(stop_on, most_in_flight)
    for second, sample in enumerate(samples):
        found = rules.take(sample)
        if found:
            return (second, *found)
    return None


def simulate(rate, response, seconds, seed, *, servers=None, cap=None, warmup=0):
    """A Sample a second of an open loop with Poisson arrivals, from the end of the warm-up on.

    `response(draw)` is what one operation takes; `servers` work at once (None: as many as it takes), the others wait.
    What would exceed `cap` in flight is dropped.
    """
    draw = random.Random(seed)
    free = [0.0] * (servers or 0)
    arrivals, begun, ends, t = [], [], [], 0.0
    while t < warmup + seconds:
        t += draw.expovariate(rate)
        arrivals.append(t)
        if cap is not None and len(begun) - bisect(ends, t) >= cap:
            continue
        begun.append(t)
        if servers is None:
            insort(ends, t + response(draw))
            continue
        server = min(range(servers), key=free.__getitem__)
        free[server] = max(t, free[server]) + response(draw)
        insort(ends, free[server])
    return [
        Sample(
            t=float(second),
            operations=float(bisect(ends, second)),
            errors=0.0,
            offered=float(bisect(arrivals, second)),
            in_flight=float(bisect(begun, second) - bisect(ends, second)),
            lag_ms=None,
        )
        for second in range(warmup, warmup + seconds + 1)
    ]


OVER = {"over_saturation": True}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("load", [1.2, 1.5, 3.0])
def test_an_overloaded_service_is_found_out(load, seed):
    samples = simulate(100 * load, lambda draw: draw.expovariate(25), 60, seed, servers=4, warmup=2)
    second, rule, why = first_to_fire(samples, OVER)
    assert rule == "over_saturation" and 10 <= second <= 40
    assert "/s were completed" in why and "in flight" in why


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("load", [0.3, 0.8, 0.95])
def test_a_service_that_keeps_up_is_left_alone(load, seed):
    samples = simulate(100 * load, lambda draw: draw.expovariate(25), 120, seed, servers=4, warmup=2)
    assert first_to_fire(samples, OVER) is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["fixed", "exponential", "spread"])
@pytest.mark.parametrize("takes_s", [1.0, 8.0, 20.0])
def test_a_slow_service_that_has_only_begun_is_not_called_overloaded(takes_s, kind, seed):
    """In flight grows from 0 to rate x response time (Little's law), long after a short warm-up."""
    response = {
        "fixed": lambda draw: takes_s,
        "exponential": lambda draw: draw.expovariate(1 / takes_s),
        "spread": lambda draw: draw.lognormvariate(math.log(takes_s), 0.7),
    }[kind]
    assert first_to_fire(simulate(50, response, 90, seed, warmup=1), OVER) is None


def test_a_load_at_the_cap_of_what_may_be_in_flight_is_over_saturated():
    samples = simulate(200, lambda draw: draw.expovariate(25), 40, 1, servers=4, cap=50, warmup=10)
    assert max(sample.in_flight for sample in samples) == 50
    assert first_to_fire(samples, OVER) is None  # what is in flight does not grow
    assert first_to_fire(samples, OVER, most_in_flight=50)[1] == "over_saturation"


def test_a_growing_lag_of_the_clients_counts_like_work_that_piles_up():
    samples = [Sample(float(t), 80.0 * t, 0.0, 100.0 * t, 30.0, 200.0 * t) for t in range(20)]
    assert first_to_fire(samples, OVER)[0] == 10
    assert first_to_fire([sample._replace(lag_ms=3.0) for sample in samples], OVER) is None


def test_a_closed_loop_is_never_over_saturated():
    samples = [Sample(float(t), 50.0 * t, 0.0, None, None, None) for t in range(130)]
    assert first_to_fire(samples, OVER) is None


def errors(rates, per_second):
    done = failed = 0.0
    samples = [Sample(0.0, 0.0, 0.0, None, None, None)]
    for t, rate in enumerate(rates, 1):
        done, failed = done + per_second * (1 - rate), failed + per_second * rate
        samples.append(Sample(float(t), done, failed, None, None, None))
    return samples


def test_too_many_errors_of_the_last_five_seconds():
    stop_on = {"error_rate": 0.5}
    assert first_to_fire(errors([0.0] * 10 + [1.0] * 5, 100), stop_on)[:2] == (13, "error_rate")
    assert first_to_fire(errors([0.5] * 30, 100), stop_on) is None
    assert first_to_fire(errors([0.0] * 10 + [0.9, 0.9] + [0.0] * 10, 100), stop_on) is None
    second, _rule, why = first_to_fire(errors([0.6] * 10, 100), stop_on)
    assert second == 1 and why == "60.0 % of 100 operations failed in the last 1 s (at most 50 % may)"


def test_few_operations_prove_nothing():
    assert first_to_fire(errors([1.0] * 30, 3), {"error_rate": 0.1}) is None
    assert first_to_fire(errors([1.0] * 30, 4), {"error_rate": 0.1})[0] == 5
    assert first_to_fire(errors([0.0] * 30, 100), {"error_rate": 0.0}) is None


def counted(counts):
    done, samples = 0.0, [Sample(0.0, 0.0, 0.0, None, None, None)]
    for t, count in enumerate(counts, 1):
        done += count
        samples.append(Sample(float(t), done, 0.0, None, None, None))
    return samples


def test_stable_takes_ten_seconds_at_least_and_as_long_as_the_noise_asks():
    stop_on = {"stable": 0.05}
    assert first_to_fire(counted([100.0] * 30), stop_on)[:2] == (10, "stable")
    draw = random.Random(5)
    assert first_to_fire(counted([draw.gauss(1000, 30) for _n in range(30)]), stop_on)[0] == 10
    noisy = [draw.gauss(1000, 150) for _n in range(400)]
    second, _rule, why = first_to_fire(counted(noisy), stop_on)
    assert 20 < second < 120  # (1.96 * 15 %/5 %)² = 35 seconds, more or less
    assert why.endswith(f"over {second} s") and "±" in why


def test_a_drifting_number_is_not_stable():
    assert first_to_fire(counted([100 * 0.9**t for t in range(60)]), {"stable": 0.05}) is None
    assert first_to_fire(counted([0.0] * 60), {"stable": 0.05}) is None


def test_no_rule_no_stop():
    assert StopRules(None).rules == [] and StopRules({"over_saturation": False, "stable": None}).rules == []
    assert first_to_fire(errors([1.0] * 30, 1000), {}) is None


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=40))
def test_the_trend_is_antisymmetric_and_knows_no_scale(values):
    assert trend(values) == -trend(values[::-1])
    assert trend([3 * value + 7 for value in values]) == trend(values)


def test_the_trend_of_noise_is_about_standard_normal():
    draw = random.Random(2)
    found = [trend([draw.random() for _n in range(11)]) for _n in range(2000)]
    assert abs(statistics.fmean(found)) < 0.1 and 0.85 < statistics.stdev(found) < 1.1
    assert 0.003 < sum(z > 2.326 for z in found) / len(found) < 0.02
    assert trend(list(range(11))) > 4


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_interval_covers_the_truth_also_when_seconds_resemble_each_other(correlation):
    """An AR(1) series with the mean 100: 95 % intervals must contain it about 95 times of 100."""
    draw = random.Random(4)
    inside, tries = 0, 500
    for _try in range(tries):
        value, values = draw.gauss(0, 10), []
        for _n in range(60):
            value = correlation * value + draw.gauss(0, 10 * math.sqrt(1 - correlation**2))
            values.append(100 + value)
        mean, half = interval(values)
        inside += abs(mean - 100) <= half
    assert inside / tries > 0.88
