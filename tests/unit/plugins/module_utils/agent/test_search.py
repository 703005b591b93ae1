# SPDX-License-Identifier: MIT
"""The capacity search, against simulated services whose capacity is known."""

from __future__ import annotations

import random
import statistics

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import search_run
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.search import Search
from hypothesis import given
from hypothesis import strategies as st

ENOUGH = 1000  # trials


def settings(**fields):
    return {
        "over": "rate",
        "from": 10.0,
        "to": None,
        "tolerance": 0.05,
        "repetitions": 3,
        "max_trials": ENOUGH,
        **fields,
    }


def find(met, **fields):
    """(search, its proposals) against a service: `met(value)` says whether a load meets the SLO."""
    search, proposals = Search(settings(**fields)), []
    while True:
        proposal = search.next()
        if proposal is None:
            return search, proposals
        proposals.append(proposal)
        search.take(proposal.value, met(proposal.value))
        assert len(proposals) <= fields.get("max_trials", ENOUGH)


capacities = st.floats(0.01, 1e6)
starts = st.floats(0.01, 1e5)
tolerances = st.floats(0.005, 0.5)


@given(capacities, starts, tolerances)
def test_the_interval_holds_the_capacity(capacity, start, tolerance):
    search, proposals = find(lambda value: value <= capacity, **{"from": start, "tolerance": tolerance})
    if capacity < start / 1024:
        assert search.reason == "below_from" and search.lower is None and search.capacity is None
        assert search.upper == pytest.approx(start / 1024)
        return
    assert search.reason == "converged"
    assert search.lower <= capacity < search.upper
    assert search.upper - search.lower <= tolerance * search.upper
    assert search.lower < search.capacity < search.upper
    for edge in (search.lower, search.upper):
        assert [p.repetition for p in proposals if p.value == edge] == [1, 2, 3, 4]


@given(capacities, starts, st.floats(0.01, 1e6))
def test_it_stays_below_to(capacity, start, to):
    search, proposals = find(lambda value: value <= capacity, **{"from": start, "to": to})
    assert max(proposal.value for proposal in proposals) <= to
    if capacity >= to:
        assert search.reason == "above_to"
        assert (search.lower, search.upper, search.capacity) == (to, None, None)
        assert sum(proposal.value == to for proposal in proposals) == 4


@given(st.integers(1, 100000), st.integers(1, 5000), tolerances)
def test_a_concurrency_is_a_whole_number(capacity, start, tolerance):
    search, proposals = find(
        lambda value: value <= capacity, **{"over": "concurrency", "from": float(start), "tolerance": tolerance}
    )
    assert all(isinstance(proposal.value, int) and proposal.value >= 1 for proposal in proposals)
    assert search.reason == "converged" and search.lower <= capacity < search.upper
    assert search.upper - search.lower <= max(1, tolerance * search.upper)


def test_not_even_one_connection_meets_it():
    search, proposals = find(lambda value: False, **{"over": "concurrency", "from": 16})
    assert search.reason == "below_from" and search.upper == 1
    assert [proposal.value for proposal in proposals] == [16, 8, 4, 2, 1, 1, 1, 1]


@given(
    st.randoms(use_true_random=False), st.integers(1, 40), st.integers(1, 6), st.sampled_from(["rate", "concurrency"])
)
def test_it_never_makes_more_trials_than_allowed(draw, max_trials, repetitions, over):
    """Whatever the outcomes are, pure noise too, it ends, and what it says is in order."""
    search, proposals = find(
        lambda value: draw.random() < 0.5, max_trials=max_trials, repetitions=repetitions, over=over, to=500.0
    )
    assert len(proposals) == search.trials <= max_trials
    assert search.reason in ("converged", "max_trials", "above_to", "below_from")
    if search.lower is not None and search.upper is not None:
        assert search.lower < search.upper
    for number, proposal in enumerate(proposals):
        assert proposal.repetition == 1 + sum(p.value == proposal.value for p in proposals[:number]) <= 1 + repetitions


@given(st.randoms(use_true_random=False), capacities)
def test_it_ends_by_itself_whatever_the_noise(draw, capacity):
    search, _proposals = find(lambda value: (value <= capacity) != (draw.random() < 0.1), **{"from": capacity / 30})
    assert search.reason in ("converged", "below_from")


@given(st.randoms(use_true_random=False), capacities, st.floats(0.1, 10))
def test_a_capacity_that_wavers_by_5_percent_is_found_within_it(draw, capacity, start):
    """Each trial meets a capacity of its own, up to 5 % off: so can the interval be, and no more."""
    search, _proposals = find(lambda value: value <= capacity * draw.uniform(0.95, 1.05), **{"from": capacity * start})
    assert search.reason == "converged"
    assert search.lower <= 1.05 * capacity and search.upper >= 0.95 * capacity
    assert search.upper - search.lower <= 0.05 * search.upper


@pytest.mark.parametrize(("repetitions", "at_most"), [(1, 0.12), (3, 0.03), (5, 0.015)])
def test_one_wrong_trial_of_twenty_is_outvoted(repetitions, at_most):
    """5 % of all trials, wherever they are, say the opposite of the truth."""
    draw = random.Random(1)
    wrong, trials = 0, []
    for _run in range(400):
        capacity = draw.uniform(50, 5000)
        search, proposals = find(
            lambda value, c=capacity: (value <= c) != (draw.random() < 0.05), max_trials=80, repetitions=repetitions
        )
        wrong += not (search.lower or 0) / 1.05 <= capacity <= (search.upper or 1e9) * 1.05
        trials.append(len(proposals))
    assert wrong / 400 <= at_most
    assert statistics.fmean(trials) < 22 + 2 * repetitions


@given(st.floats(1, 1e5), st.floats(1, 3), starts)
def test_a_better_service_has_no_lower_result(capacity, factor, start):
    worse, _proposals = find(lambda value: value <= capacity, **{"from": start})
    better, _proposals = find(lambda value: value <= capacity * factor, **{"from": start})
    assert (better.lower or 0) >= (worse.lower or 0)


def test_steps_are_the_documented_ones():
    _search, proposals = find(lambda value: value <= 490, to=10000.0)
    assert [(p.value, p.step) for p in proposals] == [
        (10, "bracket"), (20, "bracket"), (40, "bracket"), (80, "bracket"), (160, "bracket"), (320, "bracket"),
        (640, "bracket"), (480, "bisect"), (560, "bisect"), (520, "bisect"), (500, "bisect"),
        (480, "edge"), (500, "edge"), (480, "edge"), (500, "edge"), (480, "edge"), (500, "edge"),
    ]  # fmt: skip


def test_an_edge_that_is_outvoted_moves_the_interval():
    outcomes = iter([True, True, False, False, False])  # 10, 20, 40; 30 wrongly; then 25
    search = Search(settings(tolerance=0.2))
    for _n in range(5):
        proposal = search.next()
        search.take(proposal.value, next(outcomes))
    assert (search.lower, search.upper) == (20.0, 25.0)
    for edge, met in ((20, True), (25, False), (20, False), (25, False), (20, True), (25, True)):
        assert search.next()[:2] == (edge, "edge")
        search.take(edge, met)
    assert search.next() is None and search.reason == "converged"
    again = Search(settings(tolerance=0.2))
    for value, met in ((10, True), (20, True), (40, False), (30, False), (25, False), (25, True)):
        again.take(value, met)
    assert (again.lower, again.upper) == (20, 25)
    again.take(25, True)  # two of three: the third cannot change it
    assert (again.lower, again.upper) == (25, 30)


def test_a_search_that_is_not_over_says_stopped():
    search = Search(settings())
    assert search.reason == "stopped"
    search.take(10.0, True)
    assert search.next().value == 20 and search.reason == "stopped"


def test_loads_are_readable():
    values = [p.value for p in find(lambda value: value <= 1234.5678, **{"from": 7.3})[1]]
    assert [search_run.number_text(value) for value in values[-1:]] == ["1280"]
    assert search_run.number_text(480.0) == "480" and search_run.number_text(0.25) == "0.25"
    assert search_run.number_text(100) == "100" and search_run.number_text(1234567.0) == "1234567"


# -- what a trial must do besides meeting the SLO ------------------------------------------------------


def record(**fields):
    return {
        "failed_clients": [],
        "client_cpu_percent": {"0": 20.0, "1": 70.0},
        "offered_rate_per_s": 100.0,
        "measure_start": 1000.0,
        "measure_end": 1010.0,
        "offered": 1003,
        "dropped": 0,
        "errors": {},
        "cut": None,
        **fields,
    }


def judge(throughput=100.0, **fields):
    return search_run.judge(record(**fields), throughput, [0, 1], 10.0)


def test_a_trial_that_was_delivered_is_judged_by_the_slo_alone():
    assert judge() == (True, None)
    assert judge(cut="stable") == (True, None)
    # 99 % of 100/s, less three standard deviations of a Poisson rate over 10 s: 99 - 3 * sqrt(10) = 89.5
    assert judge(throughput=90.0) == (True, None)
    assert judge(throughput=89.0) == (True, "89.0/s of the offered 100.0/s were completed")
    assert judge(throughput=50.0, errors={"exit 1": {"count": 500}}) == (True, None)  # for the SLO to judge


def test_a_load_that_was_not_made_is_no_trial_of_the_service():
    assert judge(offered=850) == (False, "the clients began 85.0/s of 100.0/s (0 operations were dropped)")
    assert judge(dropped=300, throughput=70.0)[0] is False
    assert judge(client_cpu_percent={"0": 20.0, "1": 81.0}) == (False, "client 1 used 81 % of its cores")
    failed = [{"client": 1, "reason": "Killed"}, {"client": 7, "reason": "was lost long ago"}]
    assert judge(failed_clients=failed) == (False, "client 1 failed: Killed")
    assert judge(failed_clients=failed[1:]) == (True, None)


def test_operations_that_count_longer_were_still_offered_in_the_duration():
    """Half the rate is completed: the operations of ten seconds count over twenty."""
    assert judge(throughput=50.0, measure_end=1020.0) == (True, "50.0/s of the offered 100.0/s were completed")


def test_a_trial_that_was_cut_for_cause_is_not_met():
    assert judge(cut="over_saturation", measure_end=1004.0, offered=400) == (
        True,
        "it was cut by the stop rule over_saturation",
    )
    assert judge(cut="error_rate")[1].endswith("error_rate")


def test_a_closed_loop_has_no_rate_to_deliver():
    assert judge(offered_rate_per_s=None, offered=None, dropped=0, throughput=3.0) == (True, None)
