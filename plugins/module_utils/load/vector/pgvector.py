# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pgvector: PostgreSQL by its own protocol, with a prepared statement and everything in binary.

https://github.com/pgvector/pgvector. Vectors are inserted by COPY before the index is built, as it advises. Where
there is an index the planner is told to use it (`enable_seqscan` off): it is what is to be measured.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import struct
import sys
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import pg_wire
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import Adapter, rows_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_connection import (
    Account,
    PgClient,
    PgConnector,
    PgOperation,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_OPERATORS = {"l2": "<->", "cosine": "<=>", "ip": "<#>"}
_CLASSES = {"l2": "vector_l2_ops", "cosine": "vector_cosine_ops", "ip": "vector_ip_ops"}
_METHODS = {"auto": "hnsw", "hnsw": "hnsw", "ivf": "ivfflat"}
_SEARCH = {"ef": "hnsw.ef_search", "nprobe": "ivfflat.probes"}
_STATEMENT = "s"
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_COPY_END = struct.pack("!h", -1)
_ROW = struct.Struct("!4xi4xd")  # length, int4, length, float8
_ROW_BYTES = b"\0\2"  # two columns


class Pgvector(Adapter):
    """See the module."""

    def __init__(self, ctx, dimensions, size):
        super().__init__(ctx, dimensions, size)
        settings, service = self.settings, ctx.service
        connection = service.get("connection") or {}
        self.account = Account(
            Endpoint.of_service(service),
            settings["user"] or connection.get("user") or "postgres",
            settings["database"] or connection.get("database") or "postgres",
            self._password(),
        )
        self.method = _METHODS.get(self.kind)

    def _password(self):
        if self.settings["secret"]:
            return self.ctx.secret(self.settings["secret"])
        try:
            return self.ctx.secret("password")
        except LoadError:
            return None

    @contextlib.contextmanager
    def _session(self, stop):
        """A PgClient; what goes wrong is a LoadError."""
        client = None
        try:
            client = PgClient(self.account, stop)
            yield client
        except (pg_wire.PgError, OSError) as e:
            code = getattr(e, "code", "")
            raise LoadError("PostgreSQL: %s%s" % (e, " (%s)" % code if code else ""))
        finally:
            if client is not None:
                client.close()

    # -- the set-up -------------------------------------------------------------------------------------

    def create(self, searches):
        """See Adapter."""
        with self._session(self.ctx.stop) as client:
            try:
                client.query("CREATE EXTENSION IF NOT EXISTS vector")
            except pg_wire.PgError as e:
                raise LoadError("this PostgreSQL can't have the extension vector (%s): take an image with pgvector" % e)
            client.query("DROP TABLE IF EXISTS " + self.name)
            client.query(
                "CREATE TABLE %s (id integer PRIMARY KEY, embedding vector(%d))" % (self.name, self.dimensions)
            )

    def encode(self, first, values):
        """See Adapter; the format of COPY BINARY."""
        wide = struct.Struct("!hiii").pack
        length = len(_vector_head(self.dimensions)) + 4 * self.dimensions
        head = _vector_head(self.dimensions)
        parts = [_COPY_HEAD]
        for number, row in enumerate(rows_of(values, self.dimensions), first):
            parts += (wide(2, 4, number, length), head, _big_endian(row))
        return b"".join([*parts, _COPY_END])

    def inserter(self):
        """See Adapter."""
        return _Inserter(self)

    def build(self, deadline):
        """See Adapter."""
        with self._session(self.ctx.stop) as client:
            spent_s = None
            if self.method:
                names = (("m", "m"), ("ef_construction", "ef_construction"), ("nlist", "lists"))
                options = ["%s = %d" % (theirs, self.index[ours]) for ours, theirs in names if ours in self.index]
                begin = time.monotonic()
                client.query("CREATE INDEX %s_idx ON %s USING %s (embedding %s)%s" % (
                    self.name, self.name, self.method, _CLASSES[self.metric],
                    " WITH (%s)" % ", ".join(options) if options else "",
                ))  # fmt: skip
                spent_s = time.monotonic() - begin
            client.query("ANALYZE " + self.name)
            if self.method:
                self._check_plan(client)
        return spent_s

    def _check_plan(self, client):
        """The index is used, or what is measured is something else."""
        for sql in self._greeting({}):
            client.query(sql)
        zero = "'[%s]'" % ",".join(["1"] * self.dimensions)
        sql = self._sql(min(self.settings["k"], self.size)).replace("$1", zero)
        plan = "\n".join(row[0] for row in client.query("EXPLAIN " + sql))
        if self.name + "_idx" not in plan:
            raise LoadError("PostgreSQL does not use the index:\n" + plan)

    def count(self):
        """See Adapter."""
        with self._session(self.ctx.stop) as client:
            return int(client.query("SELECT count(*) FROM " + self.name)[0][0])

    def nearest(self, encoded, k, search):
        """See Adapter."""
        with self._session(self.ctx.stop) as client:
            for sql in self._greeting(search):
                client.query(sql)
            client.execute(pg_wire.parse(_STATEMENT, self._sql(k)) + pg_wire.sync())
            rows = client.execute(pg_wire.execute(_STATEMENT, encoded))
        return [struct.unpack("!i", row[0])[0] for row in rows]

    def drop(self):
        """See Adapter; also after a stop."""
        with self._session(None) as client:
            client.query("DROP TABLE IF EXISTS " + self.name)

    def _sql(self, k):
        operator = _OPERATORS[self.metric]
        return "SELECT id, embedding %s $1 AS distance FROM %s ORDER BY embedding %s $1 LIMIT %d" % (
            operator, self.name, operator, k,
        )  # fmt: skip

    def _greeting(self, search):
        """What a session that searches begins with (list of str)."""
        found = ["SET enable_seqscan = off"] if self.method else []
        return found + ["SET %s = %d" % (_SEARCH[name], value) for name, value in search.items() if value]

    # -- the load ---------------------------------------------------------------------------------------

    def connector(self):
        """See Adapter."""
        settings = self.ctx.settings
        return PgConnector(self.account, self._greeting(settings["search"]), {_STATEMENT: self._sql(settings["k"])})

    def encode_query(self, values):
        """See Adapter; pgvector's binary format."""
        return _vector_head(self.dimensions) + _big_endian(values)

    def payload(self, encoded, settings):
        """See Adapter."""
        return pg_wire.execute(_STATEMENT, encoded)

    def operation(self, payload, query, judge):
        """See Adapter."""
        return _Search(payload, query, judge)


class _Search(PgOperation):
    """One search."""

    __slots__ = ("judge", "query")

    def __init__(self, payload, query, judge):
        super().__init__(payload)
        self.query, self.judge = query, judge

    def finished(self):
        """See Operation."""
        if self.error is None:
            ids, distances = [], []
            for row in self.rows:
                if len(row) != _ROW.size + 2 or row[:2] != _ROW_BYTES:
                    self.fail("wrong answer", "a row is not an integer and a distance: %r" % row[:60])
                    return False
                number, distance = _ROW.unpack_from(row, 2)
                ids.append(number)
                distances.append(distance)
            self.judge.take(self, self.query, ids, distances)
        self.rows = []
        return False


class _Inserter:
    """A session that is kept."""

    def __init__(self, adapter):
        self.sql = "COPY %s FROM STDIN WITH (FORMAT binary)" % adapter.name
        try:
            self.client = PgClient(adapter.account, adapter.ctx.stop)
        except (pg_wire.PgError, OSError) as e:
            raise LoadError("PostgreSQL: %s" % e)

    def insert(self, data):
        """COPY one batch."""
        try:
            self.client.copy(self.sql, data)
        except (pg_wire.PgError, OSError) as e:
            raise LoadError("inserting into PostgreSQL: %s" % e)

    def close(self):
        """End the session."""
        self.client.close()


def _vector_head(dimensions):
    return struct.pack("!hh", dimensions, 0)


def _big_endian(values):
    """The bytes of numbers (array("f")) in network order."""
    if sys.byteorder == "little":
        values = values[:]
        values.byteswap()
    return values.tobytes()
