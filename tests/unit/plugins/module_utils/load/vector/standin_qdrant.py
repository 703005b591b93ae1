# SPDX-License-Identifier: MIT
"""A stand-in for Qdrant, of which no program is to be had here: it is not Qdrant, and says so in its title.

It speaks the part of Qdrant's REST API that the adapter uses, as https://api.qdrant.tech describes it, refuses what
that does not know, and searches by brute force. Its optimiser takes `optimises_s` and then the collection is green.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .truth_of_tests import distance

_DISTANCES = {"Euclid": "l2", "Cosine": "cosine", "Dot": "ip"}


class Unknown(Exception):
    """A request that Qdrant would refuse: status, text."""


class Collection:
    def __init__(self, body: dict[str, Any]) -> None:
        only(body, "vectors", "optimizers_config", "hnsw_config")
        only(body["vectors"], "size", "distance")
        only(body.get("hnsw_config", {}), "m", "ef_construct")
        only(body["optimizers_config"], "indexing_threshold")
        self.body = body
        self.metric = _DISTANCES[body["vectors"]["distance"]]
        self.points: dict[int, list[float]] = {}
        self.green_at: float | None = None


class Qdrant:
    """`collections`, `requests` (path, body) as the server saw them. api_key: asked of every request."""

    def __init__(self, version: str = "1.13.0", optimises_s: float = 0.3, api_key: str | None = None) -> None:
        self.version, self.optimises_s, self.api_key = version, optimises_s, api_key
        self.collections: dict[str, Collection] = {}
        self.requests: list[tuple[str, Any]] = []
        self.lacks = 0  # rows that every answer is short of
        self.indexes = True

    def __enter__(self) -> Qdrant:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                try:
                    if standin.api_key and self.headers.get("api-key") != standin.api_key:
                        raise Unknown(401, "Must provide an API key or an Authorization bearer token")
                    status, found = 200, standin.answer(self.command, self.path, body)
                except Unknown as e:
                    status, found = e.args[0], {"status": {"error": e.args[1]}, "time": 0.0}
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _any

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.port}"
        self.service = {"name": "qdrant", "host": "127.0.0.1", "address": "127.0.0.1", "port": self.port, "url": url}
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, target: str, body: Any) -> Any:
        self.requests.append((f"{method} {target}", body))
        path, _question, parameters = target.partition("?")
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
        done = collection.green_at is not None and time.monotonic() >= collection.green_at
        indexed = len(collection.points) if done and self.indexes else 0
        busy = collection.green_at is not None and not done
        return {"status": "yellow" if busy else "green", "indexed_vectors_count": indexed}

    def _query(self, collection: Collection, body: Any) -> dict[str, Any]:
        return {"points": self._search(collection, body, "query")}

    def _search(self, collection: Collection, body: Any, name: str = "vector") -> list[dict[str, Any]]:
        only(body, name, "limit", "params", "with_payload")
        only(body["params"], "hnsw_ef", "exact")
        found = sorted((distance(collection.metric, body[name], row), n) for n, row in collection.points.items())
        sign = {"l2": lambda d: d, "cosine": lambda d: 1.0 - d, "ip": lambda d: -d}[collection.metric]
        rows = found[: max(0, body["limit"] - self.lacks)]
        return [{"id": n, "version": 0, "score": sign(d)} for d, n in rows]


def ok(result: Any) -> dict[str, Any]:
    return {"result": result, "status": "ok", "time": 0.0}


def only(body: dict[str, Any], *names: str) -> None:
    unknown = set(body) - set(names)
    if unknown:
        raise Unknown(400, f"Format error in JSON body: unknown field {min(unknown)}")
