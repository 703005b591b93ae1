# SPDX-License-Identifier: MIT
"""Did a service keep up: only a queue that grows says no."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import pace
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pace import stretch


def stretched(rate: float, seconds: float, response: Callable[[float, random.Random], float], seed: int = 1) -> float:
    """Of evenly spaced operations whose response time is a function of their second."""
    draw = random.Random(seed)
    dues = [number / rate for number in range(int(rate * seconds))]
    return stretch(dues, [due + response(due, draw) for due in dues])


@pytest.mark.parametrize("rate", [1, 10, 1000])
@pytest.mark.parametrize("capacity", [0.98, 0.9, 0.5, 0.1])
def test_an_overloaded_service_is_told_its_own_pace(rate, capacity):
    found = stretched(rate, 60, lambda due, _draw: 0.05 + due * (1 / capacity - 1))
    assert found == pytest.approx(1 / capacity, rel=1e-6)


@pytest.mark.parametrize("seconds", [5, 7, 7.2, 10, 30.1])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.7, 0.9])
def test_stalls_are_no_queue_wherever_the_measurement_ends(seconds, phase):
    found = stretched(1000, seconds, lambda due, _draw: 0.001 + max(0.0, 0.2 - (due + phase) % 1.0))
    assert found == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("seed", range(20))
def test_chance_is_no_queue(seed):
    found = stretched(2, 60, lambda _due, draw: draw.lognormvariate(1.5, 0.6), seed)
    assert found < 1.03


def test_a_straggler_is_no_queue():
    assert stretched(10, 60, lambda due, _draw: 300.0 if due == 59 else 0.1) == 1.0


def test_a_service_that_becomes_slow_half_way_counts_for_half():
    found = stretched(100, 60, lambda due, _draw: 0.1 + max(0.0, due - 30))
    assert 1.3 < found < 1.5


@pytest.mark.parametrize("count", [0, 1, 19])
def test_a_few_operations_say_nothing(count):
    assert stretch([float(n) for n in range(count)], [3.0 * n for n in range(count)]) == 1.0


def test_all_at_once_is_no_schedule():
    assert stretch([1.0] * 50, [2.0 + n for n in range(50)]) == 1.0
    assert math.isfinite(stretch([1.0] * 50 + [1.0000001], [2.0] * 51))


def test_of_very_many_operations_a_part_says_the_same(monkeypatch):
    monkeypatch.setattr(pace, "_ENOUGH", 700)
    found = stretched(1000, 60, lambda due, draw: draw.lognormvariate(-4, 0.4) + due * (1 / 0.9 - 1))
    assert found == pytest.approx(1 / 0.9, rel=1e-3)
    assert stretched(1000, 60, lambda _due, draw: draw.lognormvariate(-4, 0.4)) < 1.001
