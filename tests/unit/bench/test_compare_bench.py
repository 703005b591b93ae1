# SPDX-License-Identifier: MIT
"""A short version of the simulation: the whole one is `make bench-compare`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def simulation(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    bench = __import__("bench_compare")
    sys.modules.pop("bench_compare")
    return bench.Simulation(40, seed=1)


def test_a_slow_down_is_found_with_the_repetitions_that_are_proposed(simulation):
    found = worse = 0
    for _number in range(simulation.comparisons):
        pilot = simulation.judged(simulation.side(0.01, [5]), simulation.side(0.01, [5]))
        count = max(line.needed for line in pilot)
        first, again = simulation.side(0.01, [count]), simulation.side(0.01, [count])
        found += any(line.verdict == "worse" for line in simulation.judged(first, simulation.side(0.01, [count], 1.1)))
        worse += any(line.verdict == "worse" for line in simulation.judged(first, again))
    assert found >= 36
    assert worse <= 2


@pytest.mark.parametrize("kind", ["normal", "skewed", "bursts"])
def test_noise_is_no_regression(simulation, kind):
    found = simulation.shares(lambda: (simulation.side(0.1, [3], kind=kind), simulation.side(0.1, [3], kind=kind)))
    assert found["worse"] <= 0.1
    assert sum(found.values()) == pytest.approx(1)
