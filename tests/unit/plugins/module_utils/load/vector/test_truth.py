# SPDX-License-Identifier: MIT
"""The exact answers, against a sum that is worked out pair by pair."""

from __future__ import annotations

import math
import threading
from array import array

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import optional, options, truth
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.gaussian import Gaussian
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.truth import METRICS, Truth, truth_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .truth_of_tests import nearest, queries, vectors


@pytest.fixture(params=["numpy", "integers"])
def way(request, monkeypatch):
    if request.param == "numpy":
        pytest.importorskip("numpy")
    else:
        monkeypatch.setitem(optional._FOUND, "numpy", None)
    return request.param


def data(size=2500, **changed):
    return Gaussian(size, 12, 24, **{"clusters": 10, "sigma": 1.0, "seed": 3, **changed})


@pytest.mark.parametrize("metric", METRICS)
def test_it_is_the_exact_answer(way, metric):
    made = data()
    found = truth_of(made, metric, 100)
    rows = vectors(made)
    for number, query in enumerate(queries(made)):
        exact = nearest(metric, query, rows, 100)
        part = slice(100 * number, 100 * (number + 1))
        assert list(found.ids[part]) == [n for _d, n in exact]
        assert list(found.distances[part]) == pytest.approx([d for d, _n in exact], abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_both_ways_say_the_same_to_the_last_bit(metric, monkeypatch):
    pytest.importorskip("numpy")
    with_numpy = truth_of(data(), metric, 50)
    monkeypatch.setitem(optional._FOUND, "numpy", None)
    without = truth_of(data(), metric, 50)
    assert with_numpy.ids == without.ids
    assert list(without.distances) == pytest.approx(list(with_numpy.distances), abs=1e-15)


class Few:
    """Four places on a line, each three times: whoever asks for five has a tie at the end."""

    size, queries, dimensions, grid, distance = 1200, 1, 1, 1024, None

    def blocks(self):
        for first in (0, 600):
            yield first, array("f", [number % 4 for number in range(first, first + 600)])

    def query_values(self):
        return array("f", [0.25])


def test_of_equal_distances_the_smaller_number_comes_first(way):
    found = truth_of(Few(), "l2", 305)
    assert list(found.ids[:300]) == list(range(0, 1200, 4))
    assert list(found.ids[300:]) == [1, 5, 9, 13, 17]
    assert found.distances[0] == 0.25 and found.distances[304] == 0.75


def test_fewer_vectors_than_neighbours_that_are_kept(way):
    made = data(size=30)
    found = truth_of(made, "l2", options.depth_of(30, 10))
    assert found.depth == 30 and len(found.ids) == 12 * 30
    assert sorted(found.ids[:30]) == list(range(30))


def test_more_neighbours_than_usual_are_kept_where_they_are_asked_for():
    assert options.depth_of(20000, 10) == 100
    assert options.depth_of(20000, 250) == 250


def test_too_much_without_numpy_is_said_at_once(monkeypatch):
    monkeypatch.setitem(optional._FOUND, "numpy", None)
    monkeypatch.setattr(truth, "_MOST_STEPS", 1000)
    with pytest.raises(LoadError, match=r"12 queries among 2500 vectors of 24 dimensions take too long without numpy"):
        truth_of(data(), "l2", 100)


def test_a_stop_ends_it(way):
    stop = threading.Event()
    stop.set()
    with pytest.raises(LoadError, match="stopped"):
        truth_of(data(), "l2", 100, stop)


def test_it_is_read_as_it_was_written(tmp_path):
    written = Truth(2, array("q", [5, 2**62, 1, 0]), array("d", [0.1, math.pi, -3.0, 0.0]))
    written.write(str(tmp_path / "truth"))
    found = Truth.read(str(tmp_path / "truth"))
    assert (found.depth, found.ids, found.distances) == (2, written.ids, written.distances)
    assert [path.name for path in tmp_path.iterdir()] == ["truth"]
    (tmp_path / "truth").write_bytes((tmp_path / "truth").read_bytes()[:-3])
    with pytest.raises((EOFError, ValueError)):
        Truth.read(str(tmp_path / "truth"))
