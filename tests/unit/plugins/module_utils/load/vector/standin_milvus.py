# SPDX-License-Identifier: MIT
"""A stand-in for Milvus 2.4 and later, of which no program is to be had here: it is not Milvus.

It speaks the part of version 2 of Milvus' REST API that the adapter uses, as https://milvus.io/api-reference/restful
describes it (ids as texts unless Accept-Type-Allow-Int64 is set), and searches by brute force.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .truth_of_tests import distance

_METRICS = {"L2": "l2", "COSINE": "cosine", "IP": "ip"}


class Milvus:
    """`collections`; `requests` (path, body) as the server saw them. token: asked of every request."""

    def __init__(self, flushes: bool = True, indexes_s: float = 0.3, token: str | None = None) -> None:
        self.flushes, self.indexes_s, self.token = flushes, indexes_s, token
        self.collections: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, Any]] = []
        self.fails_search: tuple[int, str] | None = None

    def __enter__(self) -> Milvus:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                as_numbers = self.headers.get("Accept-Type-Allow-Int64") == "true"
                if standin.token and self.headers.get("Authorization") != f"Bearer {standin.token}":
                    self._send(200, {"code": 1800, "message": "user hasn't authenticated"})
                    return
                found = standin.answer(self.path, body, as_numbers)
                if found is None:
                    self._send(404, "404 page not found")
                else:
                    self._send(200, found)

            def do_GET(self) -> None:
                self._send(404, "404 page not found")

            def _send(self, status: int, found: Any) -> None:
                data = found.encode() if isinstance(found, str) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.port}"
        self.service = {"name": "milvus", "host": "127.0.0.1", "address": "127.0.0.1", "port": self.port, "url": url}
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, body: dict[str, Any], as_numbers: bool) -> Any:
        self.requests.append((path, body))
        what = path.removeprefix("/v2/vectordb/").replace("/", "_")
        handler = getattr(self, "do_" + what, None)
        if not path.startswith("/v2/vectordb/") or handler is None or (what.endswith("flush") and not self.flushes):
            return None
        if what == "collections_list":
            return data(sorted(self.collections))
        if what != "collections_create" and body["collectionName"] not in self.collections:
            return {"code": 100, "message": f"can't find collection[collection={body['collectionName']}]"}
        if what == "entities_search" and self.fails_search:
            return {"code": self.fails_search[0], "message": self.fails_search[1]}
        found = handler(self.collections.get(body["collectionName"]), body)
        if what == "entities_search" and not as_numbers:
            found = [dict(row, id=str(row["id"])) for row in found]
        return data(found)

    def do_collections_list(self) -> None:
        """Answered above; here so that it is known."""

    def do_collections_create(self, _collection: Any, body: dict[str, Any]) -> Any:
        fields = {field["fieldName"]: field for field in body["schema"]["fields"]}
        assert fields["id"]["isPrimary"] and fields["id"]["dataType"] == "Int64" and not body["schema"]["autoId"]
        dimensions = int(fields["vector"]["elementTypeParams"]["dim"])
        self.collections[body["collectionName"]] = {"dimensions": dimensions, "rows": {}, "sealed": False}
        return {}

    def do_collections_drop(self, _collection: Any, body: dict[str, Any]) -> Any:
        del self.collections[body["collectionName"]]
        return {}

    def do_collections_flush(self, collection: Any, _body: Any) -> Any:
        collection["sealed"] = True
        return {}

    def do_collections_load(self, collection: Any, _body: Any) -> Any:
        assert "index" in collection
        collection["loaded_at"] = time.monotonic() + 0.1
        return {}

    def do_collections_get_load_state(self, collection: Any, _body: Any) -> Any:
        is_there = time.monotonic() >= collection["loaded_at"]
        return {"loadProgress": 100, "loadState": "LoadStateLoaded" if is_there else "LoadStateLoading", "message": ""}

    def do_indexes_create(self, collection: Any, body: dict[str, Any]) -> Any:
        collection["index"] = body["indexParams"][0]
        collection["indexed_at"] = time.monotonic() + self.indexes_s
        return {}

    def do_indexes_describe(self, collection: Any, _body: Any) -> Any:
        done = time.monotonic() >= collection["indexed_at"]
        pending = 0 if done else len(collection["rows"])
        state = "Finished" if done else "InProgress"
        return [{"indexName": "vector", "indexState": state, "pendingRows": pending, "failReason": ""}]

    def do_entities_insert(self, collection: Any, body: dict[str, Any]) -> Any:
        for row in body["data"]:
            assert len(row["vector"]) == collection["dimensions"]
            collection["rows"][row["id"]] = row["vector"]
        return {"insertCount": len(body["data"]), "insertIds": [row["id"] for row in body["data"]]}

    def do_entities_query(self, collection: Any, body: dict[str, Any]) -> Any:
        assert body["outputFields"] == ["count(*)"] and body["consistencyLevel"] == "Strong"
        return [{"count(*)": len(collection["rows"])}]

    def do_entities_search(self, collection: Any, body: dict[str, Any]) -> Any:
        assert time.monotonic() >= collection["loaded_at"] and body["annsField"] == "vector"
        metric = _METRICS[collection["index"]["metricType"]]
        assert body["searchParams"]["metricType"] == collection["index"]["metricType"]
        found = sorted((distance(metric, body["data"][0], row), number) for number, row in collection["rows"].items())
        sign = {"l2": lambda d: d * d, "cosine": lambda d: 1.0 - d, "ip": lambda d: -d}[metric]
        return [{"distance": sign(d), "id": number} for d, number in found[: body["limit"]]]


def data(found: Any) -> dict[str, Any]:
    return {"code": 0, "cost": 0, "data": found}
