# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a service tells of itself: each source gives the samples of one moment, in the service's own protocol.

A source has `read()`, which returns an iterable of (name, labels, kind, value) as agent.metrics.exposition has them,
and `close()`. They raise OSError or SourceError.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import re
from http.client import HTTPConnection, HTTPException

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import (
    COUNTER,
    GAUGE,
    escaped,
    parse,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.exchange import exchange
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.blocking import Redis
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_connection import Account, PgClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_wire import PgError
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_TIMEOUT_S = 5.0
_MOST_BYTES = 16 << 20
_STATUS_CHARACTERS = 1024  # the form is tried at every place: on a long text for ever


class SourceError(Exception):
    """The service did not say what was asked."""


class Target:
    """What a source needs to know: address (str), port (int), options (dict: the definition's `metrics`), connection
    (dict: as in endpoint.json), secret(name) -> str or None.
    """

    def __init__(self, address, port, options, connection, secret):
        self.address, self.port, self.options = address, port, options
        self.connection, self.secret = connection, secret

    @property
    def login(self):
        """The secret with which clients log in (str), None where there is none."""
        return self.secret(self.options.get("secret") or self.connection.get("secret") or "")


class Http:
    """GETs over a connection that is kept."""

    def __init__(self, target):
        self.target = target
        self.headers = {"Accept": "text/plain;version=0.0.4, */*"}
        if target.login and target.options.get("header", True):
            name = target.options.get("header") or "Authorization"
            self.headers[name] = ("Bearer " if name == "Authorization" else "") + target.login
        self.connection = None

    def get(self, path):
        """The body (str) of the answer. Raises SourceError unless the status is 200."""
        if self.connection is None:
            self.connection = HTTPConnection(self.target.address, self.target.port, timeout=_TIMEOUT_S)
        try:
            answer, body = exchange(
                self.connection, "GET", path, headers=self.headers, deadline_s=_TIMEOUT_S, most_bytes=_MOST_BYTES
            )
        except (HTTPException, OSError) as e:
            self.close()
            raise SourceError("GET %s: %s" % (path, str(e) or type(e).__name__))
        if answer.status != 200:
            raise SourceError("GET %s answered %d" % (path, answer.status))
        return body.decode("utf-8", "replace")

    def json(self, path):
        """Like `get`, of JSON."""
        try:
            return json.loads(self.get(path))
        except (ValueError, RecursionError):
            raise SourceError("GET %s: the answer is no JSON" % path)

    def close(self):
        """End the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Prometheus(Http):
    """Anything with an endpoint for Prometheus."""

    def read(self):
        """See the module."""
        return parse(self.get(self.target.options.get("path") or "/metrics"))


class Nginx(Http):
    """nginx's stub_status. Source: nginx documentation, "Module ngx_http_stub_status_module"."""

    _FORM = re.compile(
        r"Active connections:\s+(\d+).*?(\d+)\s+(\d+)\s+(\d+)\s+Reading:\s+(\d+)\s+Writing:\s+(\d+)\s+Waiting:\s+(\d+)",
        re.DOTALL,
    )
    _NAMES = (
        ("nginx_connections_active", GAUGE), ("nginx_connections_accepted_total", COUNTER),
        ("nginx_connections_handled_total", COUNTER), ("nginx_http_requests_total", COUNTER),
        ("nginx_connections_reading", GAUGE), ("nginx_connections_writing", GAUGE),
        ("nginx_connections_waiting", GAUGE),
    )  # fmt: skip

    def read(self):
        """See the module."""
        path = self.target.options.get("path") or "/stub_status"
        found = self._FORM.match(self.get(path)[:_STATUS_CHARACTERS].strip())
        if found is None:
            raise SourceError("GET %s: the answer is no stub_status" % path)
        return [(name, "", kind, float(value)) for (name, kind), value in zip(self._NAMES, found.groups())]


class Chroma(Http):
    """How much Chroma holds: it has no endpoint for Prometheus, but tells the number of its collections and records."""

    _BASE = "/api/v2/tenants/default_tenant/databases/default_database/"
    _MOST = 32

    def read(self):
        """See the module."""
        found = self.json(self._BASE + "collections?limit=%d" % self._MOST)
        counts = [self.json(self._BASE + "collections/%s/count" % collection["id"]) for collection in found]
        return [
            ("chromadb_collections", "", GAUGE, float(self.json(self._BASE + "collections_count"))),
            ("chromadb_records", "", GAUGE, float(sum(counts))),
        ]


class Ollama(Http):
    """What Ollama has loaded: it has none for Prometheus. Source: Ollama documentation, "List Running Models"."""

    def read(self):
        """See the module."""
        models = self.json("/api/ps").get("models") or []
        return [
            ("ollama_models_loaded", "", GAUGE, float(len(models))),
            ("ollama_model_bytes", "", GAUGE, float(sum(model.get("size") or 0 for model in models))),
            ("ollama_model_vram_bytes", "", GAUGE, float(sum(model.get("size_vram") or 0 for model in models))),
        ]


class RedisInfo:
    """Redis' INFO. Source: Redis documentation, "INFO"."""

    _COUNTERS = re.compile(r"^(total_|keyspace_|evicted_|expired_|rejected_|used_cpu_|sync_|io_threaded_)")
    _PER = re.compile(r"^(cmdstat|errorstat|db)_?(.+)")

    def __init__(self, target):
        self.target = target
        self.redis = None

    def read(self):
        """See the module."""
        try:
            if self.redis is None:
                greeting = [["AUTH", self.target.login]] if self.target.login else []
                self.redis = Redis(Endpoint(self.target.address, self.target.port), greeting, hurry=True)
            text = self.redis.call("INFO", "all").decode("utf-8", "replace")
        except LoadError as e:
            self.close()
            raise SourceError(str(e))
        return list(self.samples(text))

    @classmethod
    def samples(cls, text):
        """Those of an answer to INFO: its numbers, and of commands and databases each number with a label."""
        for line in text.splitlines():
            name, colon, value = line.partition(":")
            if not colon or name.startswith("#"):
                continue
            if "=" in value:
                yield from cls._of_one(name, value)
                continue
            try:
                number = float(value)
            except ValueError:
                continue
            yield "redis_" + name, "", COUNTER if cls._COUNTERS.match(name) else GAUGE, number

    @classmethod
    def _of_one(cls, name, fields):
        found = cls._PER.match(name)
        if found is None:
            return
        what, which = found.groups()
        for pair in fields.split(","):
            field, _equals, value = pair.partition("=")
            try:
                number = float(value)
            except ValueError:
                continue
            counts = what != "db" and not field.startswith("usec_per")
            label = {"cmdstat": "cmd", "errorstat": "error", "db": "db"}[what]
            yield "redis_%s_%s" % (what, field), '%s="%s"' % (label, which), COUNTER if counts else GAUGE, number

    def close(self):
        """End the connection."""
        if self.redis is not None:
            self.redis.close()
            self.redis = None


class Postgresql:
    """PostgreSQL's cumulative statistics. Source: PostgreSQL documentation, "The Cumulative Statistics System"."""

    _SOME = "ORDER BY relid LIMIT 100"  # enough for a benchmark's tables, and no flood where there are thousands
    _VIEWS = (  # (view, since which version, columns that say of what a row is, condition)
        ("pg_stat_database", 0, (), "WHERE datname = current_database()"),
        ("pg_stat_bgwriter", 0, (), ""),
        ("pg_stat_wal", 140000, (), ""),
        ("pg_stat_checkpointer", 170000, (), ""),
        ("pg_stat_io", 160000, ("backend_type", "context"), "WHERE object = 'relation'"),
        ("pg_stat_user_tables", 0, ("schemaname", "relname"), _SOME),
        ("pg_statio_user_tables", 0, ("schemaname", "relname"), _SOME),
        ("pg_stat_user_indexes", 0, ("schemaname", "relname", "indexrelname"), _SOME),
    )
    _LABELS = {view: labels for view, _since, labels, _condition in _VIEWS}
    _GAUGES = frozenset(("numbackends", "n_live_tup", "n_dead_tup", "n_mod_since_analyze", "n_ins_since_vacuum"))
    _NO_NUMBERS = frozenset(("datid", "relid", "indexrelid", "op_bytes"))

    def __init__(self, target):
        self.target = target
        self.client = self.sql = None

    def read(self):
        """See the module."""
        try:
            if self.client is None:
                self._connect()
            rows = self.client.query(self.sql)
        except (PgError, OSError) as e:
            self.close()
            raise SourceError(str(e))
        return [sample for view, row in rows for sample in self.samples(view, json.loads(row))]

    @classmethod
    def samples(cls, view, row):
        """Those of one row (dict) of a view: its numbers."""
        labels = ",".join('%s="%s"' % (name, escaped(str(row[name]))) for name in cls._LABELS[view])
        for column, value in sorted(row.items()):
            if isinstance(value, (int, float)) and not isinstance(value, bool) and column not in cls._NO_NUMBERS:
                yield "%s_%s" % (view, column), labels, GAUGE if column in cls._GAUGES else COUNTER, float(value)

    def _connect(self):
        known = self.target.connection
        endpoint = Endpoint(self.target.address, self.target.port)
        user = known.get("user") or "postgres"
        self.client = PgClient(Account(endpoint, user, known.get("database") or user, self.target.login))
        version = int(self.client.query("SHOW server_version_num")[0][0])
        self.sql = " UNION ALL ".join(
            "(SELECT '%s', row_to_json(t)::text FROM %s t %s)" % (view, view, condition)
            for view, since, _labels, condition in self._VIEWS
            if version >= since
        )

    def close(self):
        """End the session."""
        if self.client is not None:
            self.client.close()
            self.client = None


SOURCES = {
    "prometheus": Prometheus,
    "nginx": Nginx,
    "chromadb": Chroma,
    "ollama": Ollama,
    "redis": RedisInfo,
    "postgresql": Postgresql,
}
