# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Milvus, by its REST API on the proxy's port: version 2 (Milvus 2.4 and later), else version 1 (2.3).

Version 1 makes a collection with its own choice of an index, which it builds by itself, gives the vectors ids of its
own, and takes no parameters of a search (https://milvus.io/api-reference/restful, both versions).
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import math
import time
from array import array

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import blocking
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import (
    Refused,
    json_numbers,
    rows_of,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.http_adapter import (
    HttpAdapter,
    Request,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_METRICS = {"l2": "L2", "cosine": "COSINE", "ip": "IP"}
_INDEXES = {"auto": "AUTOINDEX", "hnsw": "HNSW", "ivf": "IVF_FLAT", "flat": "FLAT"}
_V1, _V2 = "/v1/vector/", "/v2/vectordb/"
_POLL_S = 0.1


class Milvus(HttpAdapter):
    """See the module."""

    def __init__(self, ctx, dimensions, size):
        super().__init__(ctx, dimensions, size)
        # ids come as numbers, where a server can
        self.headers.append(("Accept-Type-Allow-Int64", "true"))
        self.version = None
        self.server_ids = None  # version 1: those that it gave, by the vector's number

    def login(self, secret):
        """See HttpAdapter. A token is `user:password`; a service's type says the user."""
        user = (self.ctx.service.get("connection") or {}).get("user")
        return "%s:%s" % (user, secret) if user and ":" not in secret else secret

    def _is_v1(self):
        if self.version is None:
            path, body = _V2 + "collections/list", b"{}"
            found = blocking.request(
                self.endpoint, "POST", path, self.headers, body, tls=self.tls, wanted=(200, 401, 403, 404)
            )
            # an older server knows no such path, and answers in plain text
            self.version = 2 if found.lstrip()[:1] == b"{" else 1
        return self.version == 1

    def taken(self, found):
        """See HttpAdapter. `code` is 0 in version 2 and 200 in version 1, whatever the status."""
        code = found.get("code")
        if code not in (0, 200):
            raise Refused("error %s" % code, str(found.get("message"))[:300])

    def _ask(self, what, **body):
        """Call version 2. Returns its `data`."""
        return self.call("POST", _V2 + what, dict(body, collectionName=self.name)).get("data")

    # -- the set-up -------------------------------------------------------------------------------------

    def create(self, searches):
        """See Adapter."""
        self.drop()
        if self._is_v1():
            if self.kind != "auto":
                raise LoadError(
                    "this Milvus speaks version 1 of its REST API, which chooses the index by itself: "
                    "set client.settings.index to {type: auto}, or take Milvus 2.4 or later"
                )
            if any(search.values() for search in searches):
                raise LoadError("this Milvus speaks version 1 of its REST API, whose searches take no parameters: "
                                "remove client.settings.search, or take Milvus 2.4 or later")  # fmt: skip
            self.server_ids = array("q", [0]) * self.size
            body = {"collectionName": self.name, "dimension": self.dimensions, "metricType": _METRICS[self.metric]}
            self.call("POST", _V1 + "collections/create", dict(body, primaryField="id", vectorField="vector"))
            return
        fields = [
            {"fieldName": "id", "dataType": "Int64", "isPrimary": True},
            {
                "fieldName": "vector",
                "dataType": "FloatVector",
                "elementTypeParams": {"dim": str(self.dimensions)},
            },
        ]
        self._ask("collections/create", schema={"autoId": False, "enableDynamicField": False, "fields": fields})

    def encode(self, first, values):
        """See Adapter."""
        rows = map(json_numbers, rows_of(values, self.dimensions))
        if self._is_v1():
            data = ['{"vector":%s}' % row for row in rows]
            path = _V1 + "insert"
        else:
            data = ['{"id":%d,"vector":%s}' % (first + number, row) for number, row in enumerate(rows)]
            path = _V2 + "entities/insert"
        body = '{"collectionName":%s,"data":[%s]}' % (json.dumps(self.name), ",".join(data))
        return Request("POST", path, body.encode("ascii"), first)

    def inserter(self):
        """See Adapter."""
        return _Inserter(self, super().inserter())

    def build(self, deadline):
        """See Adapter; version 1 has no phase for it."""
        if self._is_v1():
            return None
        self._flush()
        begin = time.monotonic()
        params = {"index_type": _INDEXES[self.kind]}
        for name, theirs in (("m", "M"), ("ef_construction", "efConstruction"), ("nlist", "nlist")):
            if name in self.index:
                params[theirs] = self.index[name]
        index = {"fieldName": "vector", "indexName": "vector", "metricType": _METRICS[self.metric]}
        self._ask("indexes/create", indexParams=[dict(index, indexType=_INDEXES[self.kind], params=params)])
        while not self._is_indexed():
            self.pause(_POLL_S, deadline, "Milvus' index")
        spent_s = time.monotonic() - begin
        self._ask("collections/load")
        while self._ask("collections/get_load_state")["loadState"] != "LoadStateLoaded":
            self.pause(_POLL_S, deadline, "the loaded collection of Milvus")
        return spent_s

    def _flush(self):
        """Seal what was inserted, so that it is indexed; versions before 2.5 can't be told by REST, and do it later."""
        body = json.dumps({"collectionName": self.name}).encode("ascii")
        blocking.request(
            self.endpoint, "POST", _V2 + "collections/flush", self.headers, body, tls=self.tls, wanted=(200, 404)
        )

    def _is_indexed(self):
        found = self._ask("indexes/describe", indexName="vector")[0]
        if found.get("failReason"):
            raise LoadError("Milvus built no index: %s" % found["failReason"])
        return found.get("indexState") == "Finished" and not int(found.get("pendingRows") or 0)

    def count(self):
        """See Adapter; what searches see."""
        body = {"collectionName": self.name, "outputFields": ["count(*)"]}
        if self._is_v1():
            found = self.call("POST", _V1 + "query", dict(body, filter="id >= 0", limit=0))
        else:
            found = self.call("POST", _V2 + "entities/query", dict(body, filter="", consistencyLevel="Strong"))
        return int(found["data"][0]["count(*)"])

    def ids_of(self, numbers):
        """See Adapter."""
        if self.server_ids is None:
            return numbers
        return array("q", [self.server_ids[number] for number in numbers])

    def drop(self):
        """See Adapter."""
        if self._is_v1():
            path, found = _V1, self.call("GET", _V1 + "collections")
        else:
            path, found = _V2, self.call("POST", _V2 + "collections/list", {})
        if self.name in found["data"]:
            self.call("POST", path + "collections/drop", {"collectionName": self.name})

    # -- the load ---------------------------------------------------------------------------------------

    def search_path(self, search):
        """See HttpAdapter."""
        return _V1 + "search" if self._is_v1() else _V2 + "entities/search"

    def search_body(self, encoded, k, search):
        """See HttpAdapter."""
        start = '{"collectionName":%s,"limit":%d,' % (json.dumps(self.name), k)
        if self._is_v1():
            return start + '"vector":%s}' % encoded
        params = {name: search[name] for name in ("ef", "nprobe") if search.get(name)}
        parameters = json.dumps({"metricType": _METRICS[self.metric], "params": params})
        return start + '"annsField":"vector","outputFields":["id"],"data":[%s],"searchParams":%s}' % (
            encoded,
            parameters,
        )

    def answer(self, found):
        """See HttpAdapter. Its distances: l2 squared, cosine and ip the similarity."""
        self.taken(found)
        rows = found["data"]
        ids, distances = [int(row["id"]) for row in rows], [row["distance"] for row in rows]
        if self.metric == "l2":
            distances = [math.sqrt(max(0.0, distance)) for distance in distances]
        elif self.metric == "cosine":
            distances = [1.0 - distance for distance in distances]
        else:
            distances = [-distance for distance in distances]
        return ids, distances


class _Inserter:
    """Keeps the ids that the server gives."""

    def __init__(self, adapter, inserter):
        self.adapter, self.inserter = adapter, inserter

    def insert(self, request):
        """Send a Request."""
        found = self.inserter.insert(request)
        if self.adapter.server_ids is not None:
            ids = array("q", map(int, found["data"]["insertIds"]))
            self.adapter.server_ids[request.first : request.first + len(ids)] = ids

    def close(self):
        """End the connection."""
        self.inserter.close()
