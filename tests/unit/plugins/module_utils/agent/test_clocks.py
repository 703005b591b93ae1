# SPDX-License-Identifier: MIT
"""Clock offsets, against clocks whose offset is known."""

from __future__ import annotations

import random

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.clocks import Clocks, offset
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(-100, 100), st.floats(0, 1), st.floats(0, 1))
def test_the_true_offset_is_within_the_uncertainty(truth, there_s, back_s):
    sent = 1000.0
    found, uncertainty = offset(sent, sent + there_s + truth, sent + there_s + back_s)
    assert abs(found - truth) <= uncertainty + 1e-9
    assert uncertainty == pytest.approx((there_s + back_s) / 2)


def test_the_quickest_round_of_the_quickest_client_counts_for_a_node():
    draw = random.Random(3)
    truth = {"a": 0.25, "b": -0.004}
    nodes = {0: "a", 1: "a", 2: "b", 3: "b"}
    clocks = Clocks()
    for number in range(8):
        clocks.sent[number] = sent = 100.0 + number
        for client, node in nodes.items():
            there_s, back_s = draw.expovariate(200), draw.expovariate(200)
            answer = {"client": client, "n": number, "t": sent + there_s + truth[node]}
            clocks.take({**answer, "received": sent + there_s + back_s})
    found = clocks.by_node(nodes)
    assert list(found) == ["a", "b"]
    for node, seconds in truth.items():
        assert abs(found[node]["offset_s"] - seconds) <= found[node]["uncertainty_s"] < 0.003


def test_answers_to_what_nobody_asked_and_of_unknown_nodes_are_left_out():
    clocks = Clocks()
    clocks.sent[0] = 10.0
    clocks.take({"client": 0, "n": 7, "t": 10.0, "received": 10.1})
    clocks.take({"client": 1, "n": 0, "t": 10.0, "received": 10.1})
    assert clocks.by_node({0: "a"}) == {}
