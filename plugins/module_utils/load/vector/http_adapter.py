# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the adapters of servers that speak HTTP have in common."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import http.client
import json

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import blocking
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.connection import HttpConnection
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.exchange import exchange
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import UNREADABLE
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import HttpOperation, http_request
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import (
    Adapter,
    Refused,
    json_numbers,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_TIMEOUT_S = 600.0  # of one request of the set-up: some servers index before they answer
_WRONG = UNREADABLE


class HttpAdapter(Adapter):
    """A server says further `search_path(search)`, `search_body(encoded, k, search)` and `answer(found)`."""

    #: The header field (str) and the value's pattern for a secret.
    secret_header = ("Authorization", "Bearer %s")

    def __init__(self, ctx, dimensions, size):
        super().__init__(ctx, dimensions, size)
        settings = self.settings
        self.endpoint = Endpoint.of_service(ctx.service)
        self.tls = self.endpoint.tls_context(settings["tls_verify"], settings["ca_file"])
        self.headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        secret = ctx.service_secret(settings["secret"])
        if secret:
            name, pattern = self.secret_header
            self.headers.append((name, pattern % self.login(secret)))

    def login(self, secret):
        """What a server wants to see (str) of whoever knows the secret (str)."""
        return secret

    # -- of a server ------------------------------------------------------------------------------------

    def search_path(self, search):
        """Where a search (dict: the settings `search`) is sent (str)."""
        raise NotImplementedError

    def search_body(self, encoded, k, search):
        """What is sent there (str)."""
        raise NotImplementedError

    def answer(self, found):
        """(ids, distances) in an answer (what its JSON says); Refused, ValueError, KeyError … for another one."""
        raise NotImplementedError

    def taken(self, found):
        """The answer to an insert, or to any other call: raise Refused when it says that it failed."""

    # -- outside of the load ----------------------------------------------------------------------------

    def call(self, method, path, body=None, wanted=(200,)):
        """What the JSON of an answer says (None: it is empty). body: what becomes JSON. Raises LoadError."""
        data = b"" if body is None else json.dumps(body).encode("utf-8")
        answer = blocking.request(
            self.endpoint, method, path, self.headers, data, tls=self.tls, timeout_s=_TIMEOUT_S, wanted=wanted
        )
        return self._read(answer, "%s %s" % (method, path))

    def _read(self, data, where):
        try:
            found = json.loads(data.decode("utf-8")) if data.strip() else None
            self.taken(found)
        except _WRONG as e:
            raise LoadError("%s: the answer can't be read (%r): %s" % (where, e, data[:300].decode("utf-8", "replace")))
        except Refused as e:
            raise LoadError("%s: %s: %s" % (where, e.error_class, e))
        return found

    def nearest(self, encoded, k, search):
        """See Adapter."""
        path = self.search_path(search)
        body = self.search_body(encoded, k, search).encode("ascii")
        data = blocking.request(self.endpoint, "POST", path, self.headers, body, tls=self.tls, timeout_s=_TIMEOUT_S)
        try:
            return self.answer(json.loads(data.decode("utf-8")))[0]
        except _WRONG as e:
            raise LoadError("the first search: %r in %s" % (e, data[:300].decode("utf-8", "replace")))
        except Refused as e:
            raise LoadError("the first search: %s: %s" % (e.error_class, e))

    def inserter(self):
        """See Adapter."""
        return _Inserter(self)

    # -- the load ---------------------------------------------------------------------------------------

    def connector(self):
        """See Adapter."""
        return Connector(self.endpoint, HttpConnection, self.tls)

    def encode_query(self, values):
        """See Adapter."""
        return json_numbers(values)

    def payload(self, encoded, settings):
        """See Adapter."""
        search = settings["search"]
        body = self.search_body(encoded, settings["k"], search).encode("ascii")
        return http_request("POST", self.search_path(search), self.endpoint, self.headers, body)

    def operation(self, payload, query, judge):
        """See Adapter."""
        return HttpSearch(payload, self, query, judge)


class HttpSearch(HttpOperation):
    """One search."""

    __slots__ = ("adapter", "judge", "query")

    def __init__(self, payload, adapter, query, judge):
        super().__init__(payload, keeps_body=True)
        self.adapter, self.query, self.judge = adapter, query, judge

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is None:
            try:
                ids, distances = self.adapter.answer(json.loads(self.body.decode("utf-8")))
            except _WRONG as e:
                self.fail("wrong answer", "%r in %s" % (e, self.body[:300].decode("utf-8", "replace")))
            except Refused as e:
                self.fail(e.error_class, str(e))
            else:
                self.judge.take(self, self.query, ids, distances)
        self.body = b""
        return False


class Request:
    """An insert: path, body (bytes); first: number of its first vector."""

    def __init__(self, method, path, body, first):
        self.method, self.path, self.body, self.first = method, path, body, first

    def __len__(self):
        return len(self.body)


class _Inserter:
    """One connection that is kept."""

    def __init__(self, adapter):
        self.adapter = adapter
        endpoint = adapter.endpoint
        options = {"timeout": _TIMEOUT_S}
        kind = http.client.HTTPConnection
        if adapter.tls is not None:
            kind, options["context"] = http.client.HTTPSConnection, adapter.tls
        self.connection = kind(endpoint.host, endpoint.port, **options)
        self.headers = dict(adapter.headers, Host=endpoint.authority)

    def insert(self, request):
        """Send a Request. Returns what the answer's JSON says."""
        adapter, where = self.adapter, "%s %s" % (request.method, request.path)
        try:
            path = adapter.endpoint.base + request.path
            answer, data = exchange(
                self.connection, request.method, path, request.body, self.headers, deadline_s=_TIMEOUT_S
            )
        except (OSError, http.client.HTTPException) as e:
            raise LoadError("%s: %s" % (where, e or type(e).__name__))
        if answer.status not in (200, 201):
            text = data[:300].decode("utf-8", "replace")
            raise LoadError("%s: status %d: %s" % (where, answer.status, text))
        return adapter._read(data, where)

    def close(self):
        """End the connection."""
        self.connection.close()
