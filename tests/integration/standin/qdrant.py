#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for Qdrant, of which no program is to be had here: it is not Qdrant, and says so in its title.

It speaks the part of Qdrant's REST API that the adapter uses, as https://api.qdrant.tech describes it, refuses what
that does not know, and searches by brute force. Its optimiser takes `optimises_s` and then the collection is green.
`qdrant --config-path FILE` is the same as a program, which takes the variables QDRANT__SERVICE__… and checks the file;
gRPC's port is open, and nothing answers there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

DISTANCES = {"Euclid": "l2", "Cosine": "cosine", "Dot": "ip"}
OPEN = {"/healthz": "healthz check passed", "/livez": "healthz check passed", "/readyz": "all shards are ready"}
# Those that Qdrant's metrics count
COUNTED = ("points", "points/count", "points/query", "points/search")


class Unknown(Exception):
    """A request that Qdrant would refuse: status, text."""


class Collection:
    """Points, and when they will be indexed."""

    def __init__(self, body: dict[str, Any]) -> None:
        only(body, "vectors", "optimizers_config", "hnsw_config")
        only(body["vectors"], "size", "distance")
        only(body.get("hnsw_config", {}), "m", "ef_construct")
        only(body["optimizers_config"], "indexing_threshold")
        self.body = body
        self.metric = DISTANCES[body["vectors"]["distance"]]
        self.points: dict[int, list[float]] = {}
        self.green_at: float | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the optimiser works."""
        return self.green_at is not None and time.monotonic() < self.green_at


class Qdrant:
    """`collections`, `requests` (path, body) as the server saw them. api_key: asked of nearly every request."""

    def __init__(
        self,
        version: str = "1.13.0",
        optimises_s: float = 0.3,
        api_key: str | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.version, self.optimises_s, self.api_key = version, optimises_s, api_key
        self.collections: dict[str, Collection] = {}
        self.requests: list[tuple[str, Any]] = []
        self.remembers = True  # what was asked
        self.lacks = 0  # rows that every answer is short of
        self.indexes = True
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.seconds: Counter[tuple[str, str, int]] = Counter()
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 1 << 16  # an answer leaves in one piece

            def _any(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                status, found = standin.reply(self.command, self.path, self.headers.get("api-key"), body)
                data = found.encode() if isinstance(found, str) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(found, str) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _any

            def log_message(self, *_arguments: Any) -> None:
                """Not each request."""

        self.server = ThreadingHTTPServer(address, Handler)
        host, self.port = self.server.server_address[:2]
        url = f"http://{host}:{self.port}"
        self.service = {"name": "qdrant", "host": host, "address": host, "port": self.port, "url": url}

    def __enter__(self) -> Qdrant:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def reply(self, method: str, target: str, key: str | None, body: Any) -> tuple[int, Any]:
        """(status, what the answer says: text, or what becomes JSON)."""
        began = time.perf_counter()
        path = target.partition("?")[0]
        try:
            if self.api_key and path != "/" and path not in OPEN and key != self.api_key:
                if key is None:
                    raise Unknown(401, "Must provide an API key or an Authorization bearer token")
                raise Unknown(403, "Invalid API key or JWT")
            status, found = 200, self.answer(method, target, body)
        except Unknown as e:
            status, found = e.args[0], {"status": {"error": e.args[1]}, "time": 0.0}
        words = path.strip("/").split("/", 2)
        if words[0] == "collections" and words[-1] in COUNTED:
            counted = method, f"/collections/{{collection_name}}/{words[2]}", status
            self.counts[counted] += 1
            self.seconds[counted] += time.perf_counter() - began
        return status, found

    def answer(self, method: str, target: str, body: Any) -> Any:
        """What the answer to a request of somebody who may ask says. Raises Unknown."""
        if self.remembers:
            self.requests.append((f"{method} {target}", body))
        path, _question, parameters = target.partition("?")
        if method == "GET" and path in OPEN:
            return OPEN[path]
        if (method, path) == ("GET", "/metrics"):
            return self.metrics()
        if (method, path) == ("GET", "/"):
            return {"title": "a stand-in for the tests, not qdrant", "version": self.version, "commit": ""}
        parts = path.strip("/").split("/")
        if parts[0] != "collections" or len(parts) < 2:
            raise Unknown(404, "")
        name, what = parts[1], "/".join([method, *parts[2:]])
        if what == "PUT":
            return self._create(name, body)
        if what == "DELETE":
            return ok(self.collections.pop(name, None) is not None)
        if name not in self.collections:
            raise Unknown(404, f"Not found: Collection `{name}` doesn't exist!")
        is_new = tuple(map(int, self.version.split(".")[:2])) >= (1, 10)
        calls = {
            "GET": self._state,
            "PATCH": self._optimise,
            "PUT/points": self._insert,
            "POST/points/count": self._count,
            "POST/points/query" if is_new else "POST/points/search": self._query if is_new else self._search,
        }
        if what not in calls:
            raise Unknown(404, "")
        assert parameters == ("wait=true" if what == "PUT/points" else "")
        return ok(calls[what](self.collections[name], body))

    def metrics(self) -> str:
        """For Prometheus."""
        collections = list(self.collections.items())
        points = [(f'{{id="{name}"}}', len(found.points)) for name, found in collections]
        labels = {key: '{{method="{}",endpoint="{}",status="{}"}}'.format(*key) for key in self.counts}
        families = [
            ("app_info", "counter", [(f'{{name="qdrant-standin",version="{self.version}"}}', 1)]),
            ("collections_total", "gauge", [("", len(collections))]),
            ("collections_vector_total", "gauge", [("", sum(count for _labels, count in points))]),
            ("collection_points", "gauge", points),
            (
                "collection_running_optimizations",
                "gauge",
                [(f'{{id="{name}"}}', int(found.is_busy)) for name, found in collections],
            ),
            ("rest_responses_total", "counter", [(labels[key], count) for key, count in list(self.counts.items())]),
        ]
        text = "".join(
            f"# TYPE {name} {kind}\n" + "".join(f"{name}{label} {value}\n" for label, value in rows)
            for name, kind, rows in families
            if rows
        )
        name = "rest_responses_duration_seconds"
        rows = [
            f"{name}_sum{label} {self.seconds[key]}\n{name}_count{label} {self.counts[key]}\n"
            for key, label in labels.items()
        ]
        return text + f"# TYPE {name} histogram\n" + "".join(rows)

    def _create(self, name: str, body: Any) -> Any:
        if name in self.collections:
            raise Unknown(409, f"Wrong input: Collection `{name}` already exists!")
        self.collections[name] = Collection(body)
        return ok(True)

    def _optimise(self, collection: Collection, body: Any) -> bool:
        only(body, "optimizers_config")
        only(body["optimizers_config"], "indexing_threshold")
        collection.green_at = time.monotonic() + self.optimises_s
        return True

    def _count(self, collection: Collection, body: Any) -> dict[str, int]:
        only(body, "exact")
        return {"count": len(collection.points)}

    def _insert(self, collection: Collection, body: Any) -> Any:
        only(body, "batch")
        only(body["batch"], "ids", "vectors")
        ids, rows = body["batch"]["ids"], body["batch"]["vectors"]
        size = collection.body["vectors"]["size"]
        if len(ids) != len(rows) or any(len(row) != size for row in rows):
            raise Unknown(400, "Wrong input: Vector dimension error")
        collection.points.update(zip(ids, rows, strict=True))
        return {"operation_id": 1, "status": "completed"}

    def _state(self, collection: Collection, _body: Any) -> dict[str, Any]:
        done = collection.green_at is not None and not collection.is_busy
        indexed = len(collection.points) if done and self.indexes else 0
        return {"status": "yellow" if collection.is_busy else "green", "indexed_vectors_count": indexed}

    def _query(self, collection: Collection, body: Any) -> dict[str, Any]:
        return {"points": self._search(collection, body, "query")}

    def _search(self, collection: Collection, body: Any, name: str = "vector") -> list[dict[str, Any]]:
        only(body, name, "limit", "params", "with_payload")
        only(body["params"], "hnsw_ef", "exact")
        found = sorted((distance(collection.metric, body[name], row), n) for n, row in collection.points.items())
        sign = {"l2": lambda d: d, "cosine": lambda d: 1.0 - d, "ip": lambda d: -d}[collection.metric]
        rows = found[: max(0, body["limit"] - self.lacks)]
        return [{"id": n, "version": 0, "score": sign(d)} for d, n in rows]


def distance(metric: str, a: list[float], b: list[float]) -> float:
    """How far two vectors are from one another; the nearer, the smaller."""
    if metric == "l2":
        return math.dist(a, b)
    product = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return -product if metric == "ip" else 1.0 - product / (math.hypot(*a) * math.hypot(*b))


def ok(result: Any) -> dict[str, Any]:
    """The form of an answer."""
    return {"result": result, "status": "ok", "time": 0.0}


def only(body: dict[str, Any], *names: str) -> None:
    """Raise Unknown when there is anything else."""
    unknown = set(body) - set(names)
    if unknown:
        raise Unknown(400, f"Format error in JSON body: unknown field {min(unknown)}")


NUMBERS = {
    "storage": {
        "performance": ("max_search_threads", "optimizer_cpu_budget"),
        "optimizers": ("default_segment_number", "flush_interval_sec"),
        "hnsw_index": ("max_indexing_threads",),
        "wal": ("wal_capacity_mb", "wal_segments_ahead"),
    },
    "service": ("max_workers",),
}


def check(config: Any, numbers: Any, place: str = "") -> None:
    """End where a value of the configuration is no number although it has to be one."""
    for name in numbers:
        value = (config or {}).get(name)
        if isinstance(numbers, dict):
            check(value, numbers[name], f"{place}{name}.")
        elif value is not None and not isinstance(value, int):
            sys.exit(f'Error: invalid type: string "{value}", expected an integer for key "{place}{name}"')


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="qdrant", description="a stand-in for Qdrant")
    parser.add_argument("--config-path", type=Path, required=True)
    check(yaml.safe_load(parser.parse_args().config_path.read_text()), NUMBERS)
    service = {name: os.environ[f"QDRANT__SERVICE__{name}"] for name in ("HOST", "HTTP_PORT", "GRPC_PORT", "API_KEY")}
    Path(os.environ["QDRANT__STORAGE__STORAGE_PATH"]).mkdir(parents=True, exist_ok=True)
    with socket.create_server((service["HOST"], int(service["GRPC_PORT"]))):
        standin = Qdrant(api_key=service["API_KEY"], address=(service["HOST"], int(service["HTTP_PORT"])))
        standin.remembers = False
        standin.server.serve_forever()


if __name__ == "__main__":
    main()
