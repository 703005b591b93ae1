# SPDX-License-Identifier: MIT
"""Wrong settings: each is said, with its place."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import options
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import load_recipe


def complaints(**settings):
    return {where: message for where, message, _remedy in options.check(registry.with_defaults("vector", settings))}


@pytest.mark.parametrize("adapter", ["chroma", "milvus", "qdrant", "pgvector", "faiss"])
def test_the_defaults_are_right_for_every_adapter(adapter):
    assert complaints(adapter=adapter) == {}


@pytest.mark.parametrize(
    ("settings", "where", "message"),
    [
        ({"dataset": "hdf5"}, "path", "the data set hdf5 is in a file"),
        ({"path": "x.hdf5"}, "path", "is made, not read"),
        ({"sigma": 2000.0}, "sigma", "more than the data set's numbers can hold"),
        ({"k": 30, "size": 20}, "k", "30 neighbours are more than the 20 vectors"),
        ({"k": 30000}, "k", "more than the 20000 vectors"),
        ({"adapter": "chroma", "index": {"type": "ivf"}}, "index.type", "chroma builds no ivf"),
        ({"adapter": "qdrant", "index": {"type": "ivf", "nlist": 4}}, "index.type", "qdrant builds no ivf"),
        ({"index": {"type": "ivf"}}, "index", "needs its number of lists"),
        ({"index": {"type": "flat", "m": 16}}, "index.m", "means nothing to the index flat"),
        ({"index": {"nlist": 16}}, "index.nlist", "means nothing to the index auto"),
        ({"adapter": "milvus", "index": {"m": 16}}, "index.m", "chooses all of the index auto"),
        ({"index": {"factory": "Flat"}}, "index.factory", "only faiss has an index factory"),
        ({"adapter": "faiss", "index": {"factory": "Flat", "m": 4}}, "index.factory", "says all of the index"),
        ({"search": {"nprobe": 4}}, "search.nprobe", "means nothing to the index auto"),
        ({"index": {"type": "flat"}, "search": {"ef": 40}}, "search.ef", "means nothing to the index flat"),
        ({"search": {"ef": 5}}, "search.ef", "5 candidates can't yield 10 neighbours"),
        ({"adapter": "faiss", "insert_clients": 2}, "insert_clients", "filled by one process"),
        ({"threads": 2}, "threads", "only faiss runs in threads"),
        ({"adapter": "chroma", "user": "u"}, "user", "chroma takes none"),
        ({"adapter": "chroma", "database": "d"}, "database", "chroma takes none"),
    ],
)
def test_what_is_wrong_is_said(settings, where, message):
    found = complaints(**settings)
    assert list(found) == [where]
    assert message in found[where]


def test_what_is_right_is_not_complained_about():
    assert complaints(index={"type": "ivf", "nlist": 100}, search={"nprobe": 4}) == {}
    assert complaints(adapter="faiss", index={"factory": "IVF16,SQ8"}, search={"nprobe": 4}, threads=4) == {}
    assert complaints(adapter="milvus", index={"type": "hnsw", "m": 16}, search={"ef": 40}) == {}
    assert complaints(dataset="hdf5", path="x.hdf5", k=100) == {}


def test_a_sweep_can_only_change_what_a_search_needs():
    base = registry.with_defaults("vector", None)
    options.check_cases([base, {**base, "k": 5, "search": {"ef": 20}}])
    with pytest.raises(LoadError, match=r"benchmarks\.sweep changes client\.settings\.index, but the data is loaded"):
        options.check_cases([base, {**base, "index": {"type": "flat"}}])


def test_a_recipe_that_sweeps_over_what_is_fixed_is_wrong(tmp_path):
    """Said before any job is submitted, with the line."""
    recipe = tmp_path / "recipe.yml"
    recipe.write_text(
        "service: {image: 'nginx:1.27', command: nginx}\n"
        "client: {type: vector}\n"
        "benchmarks:\n"
        "  duration: 1s\n"
        "  sweep:\n"
        "    parameters:\n"
        "      settings.search: [{ef: 10}, {ef: 20}]\n"
        "      settings.index: [{type: hnsw}, {type: hnsw, m: 8}]\n"
    )
    with pytest.raises(RecipeError) as error:
        load_recipe(recipe)
    assert str(error.value).splitlines() == [
        f"{recipe}:8: benchmarks.sweep.parameters.settings.index: is the same for all cases: the set-up is made once; "
        "make a run for each value"
    ]


def test_a_file_that_is_no_data_set(tmp_path):
    path = tmp_path / "data.hdf5"
    path.write_text("not at all")
    with pytest.raises(ValueError, match="is no HDF5 file"):
        options.check_input("path", str(path))
    with pytest.raises(ValueError, match="can't be read as HDF5"):
        options.check_input("path", str(tmp_path / "nothing"))
    with pytest.raises(LoadError, match=r"client\.settings\.path: .*is no HDF5 file"):
        options.data_of(registry.with_defaults("vector", {"dataset": "hdf5", "path": str(path)}), "/")
