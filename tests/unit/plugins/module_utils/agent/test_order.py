# SPDX-License-Identifier: MIT
"""The order of cases and repetitions."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.order import measured_order

NAMES = ("max", "rate-50pct", "rate-200", "concurrency-8")


def plan(**fields):
    cases = [{"name": name, "concurrency": 1, "rate": "50%" if "pct" in name else None} for name in NAMES]
    return {"cases": cases, "repetitions": 5, "seed": 1, "order": "random", **fields}


def order(run_id="20260101-000000-a-0001", **fields):
    return [(case["name"], repetition) for case, repetition in measured_order(plan(**fields), run_id)]


def test_sequential_is_case_by_case():
    found = order(order="sequential", repetitions=2)
    assert found == [(name, repetition) for name in NAMES for repetition in (1, 2)]


def test_without_repetitions_the_recipe_s_order_stays():
    assert order(repetitions=1) == [(name, 1) for name in NAMES]


def test_random_goes_round_by_round_after_the_case_that_rates_refer_to():
    found = order()
    assert found[:5] == [("max", repetition) for repetition in range(1, 6)]
    rounds = [found[5 + 3 * number : 8 + 3 * number] for number in range(5)]
    for number, one in enumerate(rounds, 1):
        assert {repetition for _name, repetition in one} == {number}
        assert sorted(name for name, _repetition in one) == sorted(NAMES[1:])
    assert len({tuple(name for name, _repetition in one) for one in rounds}) > 1


def test_max_is_shuffled_when_no_rate_refers_to_it():
    cases = [{"name": name, "rate": None} for name in ("max", "a", "b")]
    firsts = {order(run_id=f"run-{number}", cases=cases)[0][0] for number in range(50)}
    assert firsts == {"max", "a", "b"}


def test_a_seed_makes_it_again_and_another_one_makes_another():
    assert order() == order()
    assert order() != order(seed=2)
    assert order() != order(run_id="another")


def test_every_place_is_as_likely():
    """Chi-square over 900 first rounds of three cases: 6 orders, 150 each expected."""
    found = Counter(tuple(order(run_id=str(number), repetitions=2)[2:5]) for number in range(900))
    assert len(found) == 6
    assert sum((count - 150) ** 2 / 150 for count in found.values()) < 20.5  # 99.9 % of chi-square with 5 degrees


@pytest.mark.parametrize("kind", ["random", "sequential"])
def test_nothing_is_left_out(kind):
    assert sorted(order(order=kind)) == sorted((name, number) for name in NAMES for number in range(1, 6))


def test_a_search_has_no_cases():
    assert order(cases=[]) == []
