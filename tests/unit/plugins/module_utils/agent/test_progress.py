# SPDX-License-Identifier: MIT
"""The clients' reports on one clock."""

from __future__ import annotations

import itertools
import random

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.progress import Progress


def report(client, received, operations, errors=0, **more):
    return {"client": client, "received": received, "operations": operations, "errors": errors, **more}


def test_a_steady_load_is_steady_whenever_the_clients_report():
    """20 clients at 50/s each, which report at moments of their own, up to 100 ms early or late."""
    draw = random.Random(1)
    progress = Progress()
    times = {client: draw.random() for client in range(20)}
    sums = []
    for second in range(1, 20):
        for client, phase in times.items():
            t = second + phase + draw.uniform(-0.1, 0.1)
            progress.take(report(client, t, 50 * t, offered=50 * t, in_flight=5, lag_ms=phase))
        sums.append(progress.at(second - 0.1).operations)
    rates = [b - a for a, b in itertools.pairwise(sums[2:])]
    assert rates == pytest.approx([1000] * len(rates))
    assert progress.at(18).in_flight == pytest.approx(100)
    assert progress.at(18).lag_ms == pytest.approx(max(times.values()))
    assert progress.at(18).offered == pytest.approx(18000)


def test_a_client_that_is_gone_stands_still():
    progress = Progress()
    for t in range(5):
        progress.take(report(0, float(t), 10 * t))
    progress.take(report(1, 0.0, 7))
    assert progress.at(4.0).operations == 47
    assert progress.totals() == (47, 0)
    assert progress.heard_since(3.5, [0]) and not progress.heard_since(3.5, [0, 1])
    assert not progress.heard_since(0.0, [0, 2])


def test_what_clients_do_not_say_is_not_made_up():
    progress = Progress()
    progress.take(report(0, 1.0, 10, offered=12, in_flight=2))
    progress.take(report(1, 1.0, 10))
    sample = progress.at(1.0)
    assert (sample.offered, sample.in_flight, sample.lag_ms) == (None, None, None)


def test_the_schedule_says_what_a_workload_can_not():
    progress = Progress(lambda t: 20.0 * t)
    progress.take(report(0, 10.0, 150, 10, in_flight=None, offered=None, lag_ms=None))
    sample = progress.at(10.0)
    assert (sample.offered, sample.in_flight) == (200.0, 40.0)


def test_before_the_first_report_nothing_was_done():
    assert Progress().at(5.0)[1:3] == (0.0, 0.0)


def test_response_times_are_of_all_clients_and_of_those_that_know_them():
    progress = Progress()
    progress.take(report(0, 1.0, 10, timed=8, response_sum_us=8000))
    progress.take(report(0, 2.0, 20, timed=18, response_sum_us=20000))
    progress.take(report(1, 2.0, 5))
    assert progress.response_times() == (18, 20000)
