# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Qdrant, by its REST API (https://api.qdrant.tech).

While the vectors are inserted nothing is indexed (`indexing_threshold` 0, as its documentation advises for bulk
loads); the index is built when the threshold is set, and is there when the collection is green.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import time

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

_DISTANCES = {"l2": "Euclid", "cosine": "Cosine", "ip": "Dot"}
_THRESHOLD_KB = 1  # segments above it are indexed
_STEADY_S = 1.0  # green for so long: the optimiser begins a moment after the threshold is set
_POLL_S = 0.1


class Qdrant(HttpAdapter):
    """See the module."""

    secret_header = ("api-key", "%s")

    def __init__(self, ctx, dimensions, size):
        super().__init__(ctx, dimensions, size)
        self.path = "/collections/" + self.name
        self._version = None

    def taken(self, found):
        """See HttpAdapter."""
        status = (found or {}).get("status", "ok")
        if isinstance(status, dict):
            raise Refused("server error", str(status.get("error", status)))

    def create(self, searches):
        """See Adapter."""
        self.drop()
        body = {"vectors": {"size": self.dimensions, "distance": _DISTANCES[self.metric]}}
        body["optimizers_config"] = {"indexing_threshold": 0}
        names = (("m", "m"), ("ef_construction", "ef_construct"))
        hnsw = {theirs: self.index[ours] for ours, theirs in names if ours in self.index}
        if hnsw:
            body["hnsw_config"] = hnsw
        self.call("PUT", self.path, body)

    def encode(self, first, values):
        """See Adapter."""
        rows = rows_of(values, self.dimensions)
        ids = ",".join(map(str, range(first, first + len(rows))))
        body = '{"batch":{"ids":[%s],"vectors":[%s]}}' % (ids, ",".join(map(json_numbers, rows)))
        return Request("PUT", self.path + "/points?wait=true", body.encode("ascii"), first)

    def build(self, deadline):
        """See Adapter."""
        if self.kind == "flat":
            return None
        begin = time.monotonic()
        self.call("PATCH", self.path, {"optimizers_config": {"indexing_threshold": _THRESHOLD_KB}})
        changed = begin
        before = None
        while True:
            found = self.call("GET", self.path)["result"]
            now = time.monotonic()
            state = found.get("status"), found.get("indexed_vectors_count")
            if state != before or state[0] != "green":
                before, changed = state, now
            elif now - changed >= _STEADY_S:
                if not state[1]:
                    raise LoadError("Qdrant built no index: its collection is green with indexed_vectors_count 0")
                return changed - begin
            self.pause(_POLL_S, deadline, "Qdrant's index (the collection is %s)" % (state[0],))

    def count(self):
        """See Adapter."""
        return int(self.call("POST", self.path + "/points/count", {"exact": True})["result"]["count"])

    def drop(self):
        """See Adapter."""
        self.call("DELETE", self.path, wanted=(200, 404))

    def search_path(self, search):
        """See HttpAdapter."""
        return self.path + ("/points/query" if self._has_query() else "/points/search")

    def _has_query(self):
        """Whether there is /points/query, which came with version 1.10 and took the place of /points/search."""
        if self._version is None:
            text = str((self.call("GET", "/") or {}).get("version") or "")
            self._version = tuple(map(int, re.findall("[0-9]+", text)[:2]))
        return self._version >= (1, 10)

    def search_body(self, encoded, k, search):
        """See HttpAdapter."""
        params = '"exact":true' if self.kind == "flat" else ""
        if search.get("ef"):
            params = '"hnsw_ef":%d' % search["ef"]
        name = "query" if self._has_query() else "vector"
        return '{"%s":%s,"limit":%d,"params":{%s},"with_payload":false}' % (name, encoded, k, params)

    def answer(self, found):
        """See HttpAdapter. Its scores: l2 the distance, cosine and ip the similarity."""
        self.taken(found)
        result = found["result"]
        points = result["points"] if isinstance(result, dict) else result
        ids, scores = [point["id"] for point in points], [point["score"] for point in points]
        if self.metric == "cosine":
            scores = [1.0 - score for score in scores]
        elif self.metric == "ip":
            scores = [-score for score in scores]
        return ids, scores
