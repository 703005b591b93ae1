# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Chroma, by its HTTP API v2 (https://docs.trychroma.com, reference).

It indexes (HNSW) while it inserts and has no phase for that. How many candidates a search looks at is fixed when a
collection is made: a later change is stored, but not used until the server loads the collection again. So each `ef`
of a sweep has a collection of its own.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import math
import sys

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import json_numbers, rows_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.http_adapter import (
    HttpAdapter,
    Request,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_BASE = "/api/v2/tenants/default_tenant/databases/default_database/collections"


class Chroma(HttpAdapter):
    """See the module."""

    def __init__(self, ctx, dimensions, size):
        super().__init__(ctx, dimensions, size)
        self.collections = {}  # ef (None: the server's default) -> the collection's id
        self.takes_base64 = False

    def create(self, searches):
        """See Adapter."""
        self._check_batch()
        efs = list(dict.fromkeys(search.get("ef") for search in searches))
        self.copies = len(efs)
        for ef in efs:
            self._drop(self._name(ef))
            hnsw = {"space": self.metric, "ef_construction": self.index.get("ef_construction")}
            hnsw.update(max_neighbors=self.index.get("m"), ef_search=ef)
            hnsw = {name: value for name, value in hnsw.items() if value is not None}
            made = self.call("POST", _BASE, {"name": self._name(ef), "configuration": {"hnsw": hnsw}}, (200, 201))
            self.collections[ef] = made["id"]

    def _check_batch(self):
        facts = self.call("GET", "/api/v2/pre-flight-checks")
        most = facts.get("max_batch_size")
        if most and self.settings["batch_size"] > most:
            raise LoadError("this Chroma takes at most %d vectors at once: lower client.settings.batch_size" % most)
        self.takes_base64 = bool(facts.get("supports_base64_encoding")) and sys.byteorder == "little"

    def encode(self, first, values):
        """See Adapter; in base64, as Chroma's own client does."""
        rows = rows_of(values, self.dimensions)
        if self.takes_base64:
            vectors = ",".join(['"%s"' % base64.b64encode(row.tobytes()).decode("ascii") for row in rows])
        else:
            vectors = ",".join(map(json_numbers, rows))
        ids = ",".join(['"%d"' % number for number in range(first, first + len(rows))])
        path = "%s/%s/add" % (_BASE, self._current())
        return Request("POST", path, ('{"ids":[%s],"embeddings":[%s]}' % (ids, vectors)).encode("ascii"), first)

    def _current(self):
        """The id of the collection that is being filled."""
        return list(self.collections.values())[self.copy]

    def build(self, deadline):
        """See Adapter."""
        return None

    def count(self):
        """See Adapter."""
        return int(self.call("GET", "%s/%s/count" % (_BASE, self._current())))

    def drop(self):
        """See Adapter."""
        for settings in self.ctx.all_settings():
            self._drop(self._name(settings["search"].get("ef")))

    def _drop(self, name):
        self.call("DELETE", "%s/%s" % (_BASE, name), wanted=(200, 404))

    def _name(self, ef):
        return self.name if ef is None else "%s-ef%d" % (self.name, ef)

    def begin(self, settings):
        """See Adapter; a client doesn't know the collection's id yet."""
        ef = settings["search"].get("ef")
        if ef not in self.collections:
            self.collections[ef] = self.call("GET", "%s/%s" % (_BASE, self._name(ef)))["id"]

    def search_path(self, search):
        """See HttpAdapter."""
        return "%s/%s/query" % (_BASE, self.collections[search.get("ef")])

    def search_body(self, encoded, k, search):
        """See HttpAdapter."""
        return '{"query_embeddings":[%s],"n_results":%d,"include":["distances"]}' % (encoded, k)

    def answer(self, found):
        """See HttpAdapter. Its distances: l2 squared, cosine 1 - cos, ip 1 - inner product."""
        ids, distances = [int(name) for name in found["ids"][0]], found["distances"][0]
        if self.metric == "l2":
            distances = [math.sqrt(max(0.0, distance)) for distance in distances]
        elif self.metric == "ip":
            distances = [distance - 1.0 for distance in distances]
        return ids, distances
