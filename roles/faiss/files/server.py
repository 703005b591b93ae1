# SPDX-License-Identifier: MIT
"""Faiss behind a small HTTP server, so that it is measured as the databases are: by requests over the network.

Runs in the service's container, whose Python needs faiss and numpy, and nothing else. Bodies are JSON.
GET /health; GET /metrics (Prometheus); PUT /collections/NAME {"dimensions", "metric": "l2|cosine|ip", "index": factory
string, "ef_construction": int or null}; DELETE /collections/NAME; GET /collections/NAME -> {"count"};
POST /collections/NAME/vectors {"first": number of the first one, "vectors": float32, little-endian, base64};
POST /collections/NAME/build -> {"train_s", "add_s", "count"}; POST /collections/NAME/parameters {name: int};
POST /collections/NAME/search {"vector": [...], "k": int} -> {"ids", "distances"} as Faiss has them.
All but /health want the token of the run: `Authorization: Bearer TOKEN`. An error is {"error": text}.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import faiss
import numpy

COLLECTIONS = "/collections/"


class Refused(Exception):
    """What was asked can't be done: the status and why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Collection:
    """One index: filled with vectors, built, then searched."""

    def __init__(
        self, dimensions: int, metric: str, index: str, ef_construction: int | None = None, gpus: int = 0
    ) -> None:
        kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        self.index = faiss.index_factory(dimensions, index, kind)
        if ef_construction:
            faiss.ParameterSpace().set_index_parameter(self.index, "efConstruction", ef_construction)
        self.dimensions, self.metric, self.gpus = dimensions, metric, gpus
        self.parts: dict[int, numpy.ndarray] = {}
        self.parameters: dict[str, int] = {}
        self.lock = threading.Lock()

    def add(self, first: int, vectors: str) -> None:
        """Keep vectors until the index is built: most kinds have to see all of them first."""
        rows = numpy.frombuffer(base64.b64decode(vectors), dtype="<f4").reshape(-1, self.dimensions)
        self.parts[first] = self._normal(rows)

    def build(self) -> dict[str, float]:
        """Train and fill the index on all cores."""
        with self.lock:
            rows = numpy.concatenate([self.parts[first] for first in sorted(self.parts)])
            self.parts = {}
            threads = faiss.omp_get_max_threads()
            faiss.omp_set_num_threads(os.cpu_count() or 1)
            try:
                begin = time.perf_counter()
                self.index.train(rows)
                trained = time.perf_counter()
                self.index.add(rows)
                added = time.perf_counter()
            finally:
                faiss.omp_set_num_threads(threads)
            if self.gpus:
                self.index = faiss.index_cpu_to_all_gpus(self.index, ngpu=self.gpus)
        return {"train_s": trained - begin, "add_s": added - trained, "count": self.count}

    @property
    def count(self) -> int:
        """Vectors that it holds, those included that wait for the index."""
        return int(self.index.ntotal) + sum(len(rows) for rows in self.parts.values())

    def set(self, parameters: dict[str, int]) -> None:
        """Search with these parameters, by Faiss's own names, from now on."""
        with self.lock:
            space = faiss.GpuParameterSpace() if self.gpus else faiss.ParameterSpace()
            for name, value in parameters.items():
                if self.parameters.get(name) != value:
                    space.set_index_parameter(self.index, name, value)
            self.parameters.update(parameters)

    def search(self, vector: list[float], k: int) -> dict[str, list[float]]:
        """The k nearest; fewer where there are no more."""
        query = self._normal(numpy.array(vector, dtype="f4").reshape(1, self.dimensions))
        distances, ids = self.index.search(query, k)
        count = int((ids[0] >= 0).sum())
        return {"ids": ids[0][:count].tolist(), "distances": distances[0][:count].tolist()}

    def _normal(self, rows: numpy.ndarray) -> numpy.ndarray:
        if self.metric != "cosine":
            return rows
        return (rows / numpy.sqrt((rows.astype("f8") ** 2).sum(1))[:, None]).astype("f4")


class State:
    """What the server holds and has done."""

    def __init__(self, token: str, gpus: int) -> None:
        self.token, self.gpus = token, gpus
        self.collections: dict[str, Collection] = {}
        self.lock = threading.Lock()
        self.searches = self.errors = 0
        self.search_seconds = 0.0

    def searched(self, seconds: float) -> None:
        """Count a search and the time in it."""
        with self.lock:
            self.searches += 1
            self.search_seconds += seconds

    def metrics(self) -> str:
        """For Prometheus."""
        vectors = sum(collection.count for collection in self.collections.values())
        found = (
            ("faiss_searches_total", "counter", self.searches), ("faiss_errors_total", "counter", self.errors),
            ("faiss_search_seconds_total", "counter", self.search_seconds), ("faiss_vectors", "gauge", vectors),
            ("faiss_collections", "gauge", len(self.collections)),
            ("faiss_cpu_seconds_total", "counter", time.process_time()),
        )  # fmt: skip
        return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, kind, value in found)


class Handler(BaseHTTPRequestHandler):
    """One request; `server.state` is the State."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # an answer leaves in one piece

    def log_message(self, *_words: object) -> None:
        """Say nothing: a line for each search would be measured."""

    def do_GET(self) -> None:
        """See the module."""
        self._answer()

    do_PUT = do_POST = do_DELETE = do_GET

    def _answer(self) -> None:
        state = self.server.state
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = self._route(state, json.loads(body) if body else {})
            status = 200
        except Refused as error:
            found, status = {"error": str(error)}, error.status
        except (ValueError, TypeError, KeyError, RuntimeError, AssertionError) as error:
            found, status = {"error": f"{type(error).__name__}: {error}"}, 400
        if status >= 400:
            with state.lock:
                state.errors += 1
        text = found if isinstance(found, str) else json.dumps(found)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(found, str) else "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _route(self, state: State, body: dict) -> dict | str:
        if self.path == "/health":
            return {}
        if self.headers.get("Authorization") != f"Bearer {state.token}":
            raise Refused(401, "the token is missing or wrong")
        if self.path == "/metrics":
            return state.metrics()
        name, _slash, what = self.path.removeprefix(COLLECTIONS).partition("/")
        if not self.path.startswith(COLLECTIONS) or not name:
            raise Refused(404, f"there is no {self.path}")
        if self.command == "PUT":
            with state.lock:
                state.collections[name] = Collection(**body, gpus=state.gpus)
            return {}
        collection = state.collections.get(name)
        if collection is None:
            raise Refused(404, f"there is no collection {name}")
        return self._ask(state, collection, what, body) or {}

    def _ask(self, state: State, collection: Collection, what: str, body: dict) -> dict | None:
        if self.command == "DELETE" and not what:
            with state.lock:
                state.collections = {key: one for key, one in state.collections.items() if one is not collection}
            return None
        if self.command == "GET" and not what:
            return {"count": collection.count}
        if self.command == "POST" and what == "search":
            begin = time.perf_counter()
            found = collection.search(**body)
            state.searched(time.perf_counter() - begin)
            return found
        actions = {"vectors": collection.add, "build": collection.build, "parameters": lambda **p: collection.set(p)}
        if self.command != "POST" or what not in actions:
            raise Refused(404, f"there is no {self.command} {self.path}")
        return actions[what](**body)


class Server(ThreadingHTTPServer):
    """A thread a connection."""

    daemon_threads = True
    request_queue_size = 1024


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--gpus", type=int, default=0, help="how many search; 0: the CPUs do")
    options = parser.parse_args()
    if options.gpus and faiss.get_num_gpus() < options.gpus:
        raise SystemExit(f"Faiss finds {faiss.get_num_gpus()} GPUs, not {options.gpus}: an image with faiss-gpu?")
    server = Server((options.host, options.port), Handler)
    server.state = State(options.token_file.read_text().strip(), options.gpus)
    server.serve_forever()


if __name__ == "__main__":
    main()
