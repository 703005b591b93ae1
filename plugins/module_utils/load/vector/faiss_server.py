# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faiss behind the HTTP server of the service type faiss (roles/faiss/files/server.py describes its requests)."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import json

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.faiss import (
    distances_of,
    factory,
    little_endian,
    parameters_of,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.http_adapter import HttpAdapter, Request


class FaissServer(HttpAdapter):
    """See the module."""

    @property
    def path(self):
        """The collection's."""
        return "/collections/" + self.name

    def create(self, searches):
        """See Adapter."""
        order = {"dimensions": self.dimensions, "metric": self.metric, "index": factory(self.kind, self.index)}
        self.call("PUT", self.path, dict(order, ef_construction=self.index.get("ef_construction")))

    def encode(self, first, values):
        """See Adapter."""
        body = {"first": first, "vectors": base64.b64encode(little_endian(values)).decode("ascii")}
        return Request("POST", self.path + "/vectors", json.dumps(body).encode("ascii"), first)

    def build(self, deadline):
        """See Adapter."""
        built = self.call("POST", self.path + "/build")
        return built["train_s"] + built["add_s"]

    def count(self):
        """See Adapter."""
        return int(self.call("GET", self.path)["count"])

    def drop(self):
        """See Adapter."""
        self.call("DELETE", self.path, wanted=(200, 404))

    def begin(self, settings):
        """See Adapter."""
        self.call("POST", self.path + "/parameters", parameters_of(settings["search"]))

    def nearest(self, encoded, k, search):
        """See Adapter."""
        self.begin({"search": search})
        return super().nearest(encoded, k, search)

    def search_path(self, search):
        """See HttpAdapter."""
        return self.path + "/search"

    def search_body(self, encoded, k, search):
        """See HttpAdapter."""
        return '{"vector":%s,"k":%d}' % (encoded, k)

    def answer(self, found):
        """See HttpAdapter."""
        return found["ids"], distances_of(found["distances"], self.metric)
