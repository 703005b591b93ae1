# SPDX-License-Identifier: MIT
"""Draws of keys against the probabilities that they must have (chi-square at its 99.99 % quantile)."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis import keys

DRAWS = 50000


def chi_square(draw, probabilities):
    counted = Counter(draw() for _n in range(DRAWS))
    assert set(counted) <= set(range(len(probabilities)))
    return sum((counted[k] - DRAWS * p) ** 2 / (DRAWS * p) for k, p in enumerate(probabilities))


@pytest.mark.parametrize("exponent", [0.3, 0.99, 1.0, 1.0 + 1e-13, 1.5, 4.0])
@pytest.mark.parametrize(("count", "limit"), [(2, 15.2), (20, 50.8)])
def test_zipf(count, limit, exponent):
    weights = [(k + 1) ** -exponent for k in range(count)]
    draw = keys.zipf(count, exponent, random.Random(5))
    if DRAWS * weights[-1] / sum(weights) < 1:  # too rare for the approximation: take them together
        few = next(k for k, w in enumerate(weights) if DRAWS * w / sum(weights) < 10)
        weights = [*weights[:few], sum(weights[few:])]
        inner = draw
        draw = lambda: min(inner(), few)  # noqa: E731
    assert chi_square(draw, [w / sum(weights) for w in weights]) < limit


def test_zipf_of_many_keys():
    """Of 10 million keys the first has 1 / H; the sums of the tail are those of the distribution."""
    count, exponent = 10_000_000, 0.99
    draw = keys.zipf(count, exponent, random.Random(5))
    drawn = [draw() for _n in range(DRAWS)]
    total = sum((k + 1) ** -exponent for k in range(count))
    for first in (1, 100, 10000, 1000000):
        share = sum((k + 1) ** -exponent for k in range(first)) / total
        found = sum(k < first for k in drawn) / DRAWS
        assert abs(found - share) < 4 * (share * (1 - share) / DRAWS) ** 0.5


def test_uniform():
    assert chi_square(keys.uniform(20, random.Random(5)), [1 / 20] * 20) < 50.8


def test_one_key():
    assert {keys.zipf(1, 0.99, random.Random(1))() for _n in range(50)} == {0}
