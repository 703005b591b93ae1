# SPDX-License-Identifier: MIT
"""What a run may cost, and whether the budget allows it."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import estimate, preflight

from .test_preflight import FACTS

PRICES = {"currency": "EUR", "node_hour": 1.5, "gpu_hour": 2.0}


def plan(*, placement="separate", budget=None, prices=None, **benchmarks):
    def job(**fields):
        known = dict(
            partition="cpu", account="p200981", qos="default", time_limit_s=3600, nodes=1, ntasks=1,
            cpus_per_task=None, memory_bytes=None, gpus_per_node=0,
        )  # fmt: skip
        return {**known, **fields}

    asked = {
        "duration_s": 60.0,
        "warmup_s": 10.0,
        "cooldown_s": 0.0,
        "repetitions": 3,
        "cases": [{}, {}],
        "search": None,
    }
    return {
        "cluster": {"name": "site", "scratch": "/scratch", "prices": prices or {}, "budget": budget or {}},
        "service": {"job": job(partition="gpu", nodes=2, gpus_per_node=4)},
        "companions": [],
        "clients": {"job": job(time_limit_s=1800), "placement": placement},
        "benchmarks": {**asked, **benchmarks},
    }


def test_the_most_is_what_the_time_limits_allow():
    assert estimate.most(plan()) == {"node_hours": 2.5, "gpu_hours": 8.0}
    assert estimate.most(plan(placement="shared")) == {"node_hours": 2.0, "gpu_hours": 8.0}
    text = estimate.sentence(plan(prices=PRICES))
    assert text == "costs at most 2.50 node-h, 8 GPU-h, 19.75 EUR by its jobs' time limits; the load takes 7 min 00 s"


def test_nobody_knows_how_long_a_number_of_requests_or_a_search_takes():
    assert estimate.load_s(plan(duration_s=None)) is None
    assert estimate.load_s(plan(search={"slo": "p99"})) is None
    assert estimate.sentence(plan(duration_s=None)).endswith("by its jobs' time limits")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"node_hours": 2.0}, "benchmark_budget.node_hours: the jobs may take 2.500 node-h (service: 2 nodes for"),
        ({"gpu_hours": 7.5}, "benchmark_budget.gpu_hours: the jobs may take 8 GPU-h"),
        ({"price": 19.0}, "may take 19.75 EUR"),
    ],
)
def test_a_budget_refuses_what_could_exceed_it(budget, words):
    [problem] = preflight.problems(plan(budget=budget, prices=PRICES), FACTS)
    assert words in problem and "lower the time limits or the nodes, or raise the budget" in problem


def test_a_budget_that_is_large_enough_refuses_nothing():
    budget = {"node_hours": 2.5, "gpu_hours": 8.0, "price": None}
    assert preflight.problems(plan(budget=budget), FACTS) == []


def test_a_budget_of_money_needs_prices():
    [problem] = estimate.problems(plan(budget={"price": 10.0}))
    assert "set benchmark_prices" in problem
