# SPDX-License-Identifier: MIT
"""The data set of random clusters: the same numbers everywhere, and of the shape that is promised."""

from __future__ import annotations

import hashlib
import math
import statistics

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import gaussian, loading, optional
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.gaussian import GRID, Gaussian

from .truth_of_tests import cut, queries, vectors

# SHA-256 of the float32 numbers (little-endian) of 3,000 vectors and of 50 queries, dimensions 16, clusters 8, seed 7.
VECTORS = "1d65b814c925c4d93d58d3aa76095d238130a8abac8c94b854b50369a83cbe6f"
QUERIES = "cfafff2adfbc5d097083d8ad4263a2bba7f51582dab8d4d83f0e2dd0b8b34723"


def data(**changed):
    return Gaussian(
        **{"size": 3000, "queries": 50, "dimensions": 16, "clusters": 8, "sigma": 1.0, "seed": 7, **changed}
    )


@pytest.fixture(params=["numpy", "without numpy"])
def way(request, monkeypatch):
    if request.param == "numpy":
        pytest.importorskip("numpy")
    else:
        monkeypatch.setitem(optional._FOUND, "numpy", None)


def digest(values):
    return hashlib.sha256(values.tobytes()).hexdigest()


def test_the_numbers_are_the_same_on_every_machine(way):
    made = data()
    blocks = list(made.blocks())
    assert [first for first, _values in blocks] == [0, 1024, 2048]
    flat = blocks[0][1][:]
    for _first, values in blocks[1:]:
        flat.extend(values)
    assert digest(flat) == VECTORS
    assert digest(made.query_values()) == QUERIES


def test_every_number_is_on_the_grid_and_survives_float32(way):
    for value in data().query_values():
        assert (value * GRID).is_integer()


def test_another_seed_makes_other_vectors_and_queries_are_no_vectors():
    made = data()
    rows = {tuple(row) for row in vectors(made)}
    assert len(rows) == 3000
    assert not rows & {tuple(row) for row in queries(made)}
    assert not rows & {tuple(row) for row in vectors(data(seed=8))}


def test_more_vectors_begin_with_the_same_ones():
    assert vectors(data(size=4000))[:3000] == vectors(data())


def test_the_clusters_have_their_spread():
    """Within a cluster the standard deviation is sigma, that of the centres 1."""
    made = data(size=4000, dimensions=64, clusters=4, sigma=0.25)
    rows = vectors(made)
    centres = cut([step / GRID for centre in made._centres for step in centre], 64)
    noise, used = [], set()
    for row in rows:
        number = min(range(4), key=lambda n: math.dist(row, centres[n]))
        used.add(number)
        noise += [a - b for a, b in zip(row, centres[number], strict=True)]
    assert used == {0, 1, 2, 3}
    assert abs(statistics.fmean(noise)) < 0.002
    assert statistics.pstdev(noise) == pytest.approx(0.25, rel=0.01)
    many = data(clusters=500, dimensions=64)
    assert statistics.pstdev([step / GRID for centre in many._centres for step in centre]) == pytest.approx(1, rel=0.02)


def test_the_quantiles_are_those_of_the_normal_distribution():
    normal = statistics.NormalDist()
    for p in (1e-5, 0.001, 0.075, 0.3, 0.5, 0.9, 0.999, 1 - 1e-5):
        assert gaussian.normal_quantile(p) == pytest.approx(normal.inv_cdf(p), abs=1e-6)
    table = gaussian.quantiles(2.0)
    assert len(table) == 65536 and table == sorted(table)
    assert table[0] == -table[-1] == round(2.0 * GRID * normal.inv_cdf(0.5 / 65536))


@pytest.mark.parametrize("count", [1, 150, 1024, 5000])
def test_batches_hold_every_vector_once_and_in_order(count):
    made = data()
    found = list(loading.batches(made, count))
    assert [first for first, _values in found] == list(range(0, 3000, count))
    assert all(len(values) == 16 * min(count, 3000 - first) for first, values in found)
    assert [list(row) for _first, values in found for row in cut(values, 16)] == vectors(made)
