# SPDX-License-Identifier: MIT
"""Files of ann-benchmarks."""

from __future__ import annotations

import random

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import optional, options
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.ann_file import AnnFile
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.truth import truth_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .truth_of_tests import nearest, queries, vectors


@pytest.fixture
def make(tmp_path):
    """make(distance, with neighbours or not, **tables) -> the path of a file."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed (pip install h5py)")
    numpy = pytest.importorskip("numpy")

    def file(distance="euclidean", neighbours=True, **tables):
        draw = random.Random(5)

        def rows(count):
            return numpy.array([[draw.gauss(0, 1) for _x in range(12)] for _row in range(count)], "float32")

        path = tmp_path / "data.hdf5"
        with h5py.File(path, "w") as stream:
            tables = {"train": rows(400), "test": rows(7), **tables}
            for name, table in tables.items():
                if table is not None:
                    stream[name] = table
            if distance:
                stream.attrs["distance"] = distance
            if neighbours:
                metric = {"angular": "cosine"}.get(distance, "l2")
                train = tables["train"].tolist()
                exact = [[n for _d, n in nearest(metric, query, train, 100)] for query in tables["test"].tolist()]
                stream["neighbors"] = numpy.array(exact, "int32")
        return str(path)

    return file


@pytest.mark.parametrize(("distance", "metric"), [("euclidean", "l2"), ("angular", "cosine")])
def test_its_neighbours_are_used(make, distance, metric, monkeypatch):
    data = AnnFile(make(distance))
    monkeypatch.setattr(AnnFile, "blocks", None)  # there is no need to search
    found = truth_of(data, metric, 100)
    monkeypatch.undo()
    exact = nearest(metric, queries(data)[3], vectors(data), 100)
    assert list(found.ids[300:400]) == [n for _d, n in exact]
    assert list(found.distances[300:400]) == pytest.approx([d for d, _n in exact], abs=1e-6)


@pytest.mark.parametrize(("metric", "size", "neighbours"), [("l2", 0, False), ("ip", 0, True), ("l2", 300, True)])
def test_without_them_it_is_searched(make, metric, size, neighbours):
    data = AnnFile(make("euclidean", neighbours), size)
    found = truth_of(data, metric, 50)
    rows = vectors(data)
    assert len(rows) == (size or 400)
    for number, query in enumerate(queries(data)):
        assert list(found.ids[50 * number :][:50]) == [n for _d, n in nearest(metric, query, rows, 50)]


def test_a_part_of_it(make):
    data = AnnFile(make(), 100, 3)
    assert (data.size, data.queries, data.dimensions) == (100, 3, 12)
    assert len(vectors(data)) == 100 and len(queries(data)) == 3


@pytest.mark.parametrize(
    ("arguments", "tables", "message"),
    [
        ((500,), {}, "size is 500, and .* has 400"),
        ((0, 9), {}, "queries is 9, and .* has 7"),
        ((), {"test": None}, "has no table 'test' of floating-point vectors"),
        ((), {"train": "integers"}, "has no table 'train' of floating-point vectors"),
        ((), {"test": "narrow"}, "its vectors have 12 dimensions, its queries 5"),
        ((), {"test": "empty"}, "its table 'test' is empty"),
    ],
)
def test_what_is_wrong_with_it_is_said(make, arguments, tables, message):
    numpy = pytest.importorskip("numpy")
    kinds = {
        "integers": numpy.zeros((400, 12), int), "narrow": numpy.zeros((7, 5)), "empty": numpy.zeros((0, 12)),
        None: None,
    }  # fmt: skip
    path = make(neighbours=False, **{name: kinds[kind] for name, kind in tables.items()})
    with pytest.raises(ValueError, match=message):
        AnnFile(path, *arguments)
    if not arguments:
        with pytest.raises(ValueError, match=message):
            options.check_input("path", path)


def test_without_h5py_it_is_said(make, monkeypatch):
    path = make(neighbours=False)
    options.check_input("path", path)
    monkeypatch.setitem(optional._FOUND, "h5py", None)
    options.check_input("path", path)  # the cluster's Python may have it
    settings = registry.with_defaults("vector", {"dataset": "hdf5", "path": path})
    with pytest.raises(LoadError, match="needs h5py, which this Python can't import: install it"):
        options.data_of(settings, "/")
