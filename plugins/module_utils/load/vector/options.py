# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings of the workload, and what is wrong with them as a whole."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import optional
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.ann_file import AnnFile, check_signature
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.gaussian import Gaussian
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.truth import DEPTH, METRICS
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

GAUSSIAN, HDF5 = "gaussian", "hdf5"
GAUSSIAN_SIZE, GAUSSIAN_QUERIES = 20000, 1000
AUTO, HNSW, IVF, FLAT = "auto", "hnsw", "ivf", "flat"

#: What each adapter can build; `auto` is its own choice (which Milvus alone knows), HNSW with the others.
INDEXES = {
    "chroma": (AUTO, HNSW),
    "milvus": (AUTO, HNSW, IVF, FLAT),
    "qdrant": (AUTO, HNSW, FLAT),
    "pgvector": (AUTO, HNSW, IVF, FLAT),
    "faiss": (AUTO, HNSW, IVF, FLAT),
    "faiss_server": (AUTO, HNSW, IVF, FLAT),
}
#: Those that build their index by Faiss's factory string.
BY_FACTORY = ("faiss", "faiss_server")

#: What is fixed when the data is loaded: a sweep can't change it from case to case.
FIXED = (
    "adapter", "dataset", "path", "size", "queries", "dimensions", "clusters", "sigma", "seed", "metric", "index",
    "batch_size", "insert_clients", "threads", "python", "user", "database", "secret",
)  # fmt: skip

SETTINGS = {
    "adapter": {
        "type": "str",
        "default": "pgvector",
        "choices": sorted(INDEXES),
        "description": "What is spoken; faiss is a library that is measured in the clients' container, faiss_server "
        "the same behind the service type faiss.",
    },
    "dataset": {
        "type": "str",
        "default": GAUSSIAN,
        "choices": [GAUSSIAN, HDF5],
        "description": "Clusters of random vectors, or a file of ann-benchmarks.",
    },
    "path": {"type": "path", "default": "", "description": "The file of the data set hdf5; h5py has to read it."},
    "size": {
        "type": "int",
        "default": 0,
        "min": 0,
        "description": "Vectors that are searched. 0: 20,000 random ones, or all of the file.",
    },
    "queries": {
        "type": "int",
        "default": 0,
        "min": 0,
        "description": "Different queries. 0: 1,000 random ones, or all of the file.",
    },
    "dimensions": {"type": "int", "default": 128, "min": 1, "description": "Numbers of a random vector."},
    "clusters": {"type": "int", "default": 256, "min": 1, "description": "Clusters of random vectors."},
    "sigma": {
        "type": "float",
        "default": 1.0,
        "min": 0.001,
        "description": "Spread of a cluster; that of the clusters' centres is 1.",
    },
    "seed": {
        "type": "int",
        "default": 1,
        "min": 0,
        "description": "Of the random vectors: other seeds, other vectors.",
    },
    "metric": {"type": "str", "default": "l2", "choices": list(METRICS), "description": "The distance."},
    "k": {"type": "int", "default": 10, "min": 1, "description": "Nearest vectors that a query asks for."},
    "index": {
        "type": "dict",
        "default": {},
        "options": {
            "type": {
                "type": "str",
                "default": AUTO,
                "choices": [AUTO, HNSW, IVF, FLAT],
                "description": "The kind of index; auto: the server's own choice, else HNSW.",
            },
            "m": {"type": "int", "min": 2, "description": "HNSW: neighbours of a vector in the graph."},
            "ef_construction": {"type": "int", "min": 2, "description": "HNSW: candidates while the graph is made."},
            "nlist": {"type": "int", "min": 1, "description": "IVF: number of lists."},
            "factory": {"type": "str", "description": "Faiss: index factory string, instead of the above."},
        },
        "description": "What is built; what is not given is the server's default.",
    },
    "search": {
        "type": "dict",
        "default": {},
        "options": {
            "ef": {"type": "int", "min": 1, "description": "HNSW: candidates of a search."},
            "nprobe": {"type": "int", "min": 1, "description": "IVF: lists that a search looks into."},
        },
        "description": "How thoroughly is searched; a sweep over it shows recall against speed.",
    },
    "batch_size": {"type": "int", "default": 500, "min": 1, "description": "Vectors that are inserted at once."},
    "insert_clients": {"type": "int", "default": 1, "min": 1, "description": "Connections that insert at a time."},
    "searchable_deadline_s": {
        "type": "int",
        "default": 600,
        "min": 1,
        "description": "Seconds that index and visibility of all vectors may take after the last one is inserted.",
    },
    "threads": {"type": "int", "default": 1, "min": 1, "description": "Faiss: threads of each client that search."},
    "python": {"type": "str", "default": "python3", "description": "Faiss: the Python in the container that has it."},
    "user": {"type": "str", "default": "", "description": "pgvector: the database user; empty: the service's own."},
    "database": {"type": "str", "default": "", "description": "pgvector: the database; empty: the service's own."},
    "secret": {
        "type": "str",
        "default": "",
        "description": "Which of the service's secrets is password, token or API key; empty: pgvector's is `password` "
        "if there is one, the others need none.",
    },
    "tls_verify": {"type": "bool", "default": True, "description": "Check the service's certificate (https)."},
    "ca_file": {"type": "path", "default": "", "description": "File of the certificates that are trusted (https)."},
}


def check(settings):
    """(setting, message, remedy) of what is wrong with the settings as a whole."""
    for problems in (_check_data(settings), _check_index(settings), _check_search(settings), _check_adapter(settings)):
        yield from problems


def _check_data(settings):
    if settings["dataset"] == HDF5 and not settings["path"]:
        yield "path", "the data set hdf5 is in a file", "name it"
    if settings["dataset"] == GAUSSIAN and settings["path"]:
        yield "path", "the data set gaussian is made, not read", "set dataset to hdf5, or remove the path"
    if settings["sigma"] > 1000:
        yield "sigma", "a spread above 1000 is more than the data set's numbers can hold", "lower it"
    size = size_of(settings)
    if size and settings["k"] > size:
        yield "k", "%d neighbours are more than the %d vectors" % (settings["k"], size), "lower k, or raise size"


def _check_index(settings):
    adapter, index = settings["adapter"], settings["index"]
    kind = index.get("type") or AUTO
    if index.get("factory"):
        if adapter not in BY_FACTORY:
            yield "index.factory", "only faiss has an index factory", "describe the index by type"
        elif len([name for name in index if index[name] not in (None, AUTO)]) > 1:
            yield "index.factory", "says all of the index", "remove its other keys"
        return
    if kind not in INDEXES[adapter]:
        yield "index.type", "%s builds no %s" % (adapter, kind), "choose from " + ", ".join(INDEXES[adapter])
        return
    if kind == IVF and not index.get("nlist"):
        yield "index", "IVF needs its number of lists", "give nlist, such as four times the root of the vectors' number"
    for name, kinds in (("m", (AUTO, HNSW)), ("ef_construction", (AUTO, HNSW)), ("nlist", (IVF,))):
        if index.get(name) and kind not in kinds:
            yield "index." + name, "means nothing to the index %s" % kind, "remove it, or change index.type"
        elif index.get(name) and adapter == "milvus" and kind == AUTO:
            yield "index." + name, "Milvus chooses all of the index auto", "set index.type to hnsw, or remove it"


def _check_search(settings):
    index, search, k = settings["index"], settings["search"], settings["k"]
    kind = index.get("type") or AUTO
    for name, kinds in (("ef", (AUTO, HNSW)), ("nprobe", (IVF,))):
        if search.get(name) and kind not in kinds and not index.get("factory"):
            yield "search." + name, "means nothing to the index %s" % kind, "remove it, or change index.type"
    if search.get("ef") and search["ef"] < k:
        yield "search.ef", "%d candidates can't yield %d neighbours" % (search["ef"], k), "raise it, or lower k"


def _check_adapter(settings):
    adapter = settings["adapter"]
    if adapter == "faiss":
        if settings["insert_clients"] > 1:
            yield "insert_clients", "faiss is filled by one process", "set it to 1"
    elif settings["threads"] > 1:
        yield "threads", "only faiss runs in threads of the client", "set it to 1; concurrency is in benchmarks"
    if adapter != "pgvector":
        for name in ("user", "database"):
            if settings[name]:
                yield name, "%s takes none" % adapter, "remove it"


def check_input(setting, path):
    """The data set can be used, as far as can be seen here. Raises ValueError."""
    try:
        check_signature(path)
        if optional.h5py() is not None:
            AnnFile(path)
    except OSError as e:
        raise ValueError("%s can't be read as HDF5: %s" % (path, e))


def size_of(settings):
    """Vectors (int) that are searched; 0: as many as the file has."""
    return settings["size"] or (GAUSSIAN_SIZE if settings["dataset"] == GAUSSIAN else 0)


def data_of(settings, run_dir):
    """The data set (Gaussian or AnnFile). Raises LoadError."""
    if settings["dataset"] == GAUSSIAN:
        return Gaussian(
            size_of(settings),
            settings["queries"] or GAUSSIAN_QUERIES,
            settings["dimensions"],
            clusters=settings["clusters"],
            sigma=settings["sigma"],
            seed=settings["seed"],
        )
    try:
        return AnnFile(os.path.join(run_dir, settings["path"]), settings["size"], settings["queries"])
    except (OSError, ValueError, ImportError) as e:
        raise LoadError("client.settings.path: %s" % e)


def depth_of(size, largest_k):
    """Neighbours (int) that the truth keeps of each query."""
    return min(size, max(DEPTH, largest_k))


def check_cases(all_settings):
    """Raise LoadError when the cases (list of dict: their settings) need different data: it is loaded once."""
    for name in FIXED:
        if any(settings[name] != all_settings[0][name] for settings in all_settings):
            raise LoadError(
                "benchmarks.sweep changes client.settings.%s, but the data is loaded once for all cases: "
                "make a run for each value" % name
            )
