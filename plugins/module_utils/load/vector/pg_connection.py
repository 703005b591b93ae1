# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections to PostgreSQL: one that waits for its answers, for setting up, and one for the engine's load."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import select
import socket
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.link import GreetedConnector, GreetedLink
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import Operation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import pg_wire
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_wire import PgError

_CONNECT_TIMEOUT_S = 30.0
_SEND_TIMEOUT_S = 600.0
_RECEIVE_BYTES = 1 << 16
_MOST_RECEIVED_BYTES = 256 << 20  # of one answer
_STOP_TICK_S = 0.5


class Account:
    """Where and as whom: endpoint (Endpoint), user, database (str), password (str or None)."""

    def __init__(self, endpoint, user, database, password):
        self.endpoint, self.user, self.database, self.password = endpoint, user, database, password


class PgClient:
    """A session that waits for its answers. stop (threading.Event or None): waits no longer when it is set.

    Raises PgError, OSError.
    """

    def __init__(self, account, stop=None):
        endpoint = account.endpoint
        self._stop = stop
        self._reader, self._messages = pg_wire.Reader(), []
        self._socket = socket.create_connection((endpoint.host, endpoint.port), _CONNECT_TIMEOUT_S)
        try:
            login = pg_wire.Login(account.user, account.password)
            self._socket.sendall(pg_wire.startup(account.user, account.database))
            while not login.is_ready:
                answer = login.take(*self._next())
                if answer:
                    self._socket.sendall(answer)
            self._socket.settimeout(_SEND_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (PgError, OSError):
            self.close()
            raise

    def execute(self, data):
        """Send messages (bytes) that end with a query or a Sync. Returns the rows' columns (list of list of bytes)."""
        self._socket.sendall(data)
        return self._until(pg_wire.READY)

    def query(self, sql):
        """The rows (list of list of str; None: NULL) of a simple query."""
        rows = self.execute(pg_wire.query(sql))
        return [[None if value is None else value.decode("utf-8") for value in row] for row in rows]

    def copy(self, sql, data):
        """Run a COPY … FROM STDIN of `data` (bytes)."""
        self._socket.sendall(pg_wire.query(sql))
        self._until(pg_wire.COPY_IN)
        self._socket.sendall(pg_wire.message(b"d", data) + pg_wire.message(b"c"))
        self._until(pg_wire.READY)

    def close(self):
        """End the session."""
        self._socket.close()

    def _until(self, wanted):
        rows, error, received = [], None, 0
        while True:
            kind, body = self._next()
            received += len(body)
            if received > _MOST_RECEIVED_BYTES:
                raise PgError("the answer has more than %d MiB" % (_MOST_RECEIVED_BYTES >> 20))
            if kind == pg_wire.DATA_ROW:
                rows.append(pg_wire.columns(body))
            elif kind == pg_wire.ERROR:
                error = pg_wire.error_of(body)
            if kind in (wanted, pg_wire.READY):
                if error is not None:
                    raise error
                if kind != wanted:
                    raise PgError("the server took the command without asking for its data")
                return rows

    def _next(self):
        while not self._messages:
            if not select.select([self._socket], [], [], _STOP_TICK_S)[0]:
                if self._stop is not None and self._stop.is_set():
                    raise PgError("stopped")
                continue  # such as an index takes its time
            data = self._socket.recv(_RECEIVE_BYTES)
            if not data:
                raise PgError("the server closed the connection")
            self._messages = self._reader.feed(data)[::-1]
        return self._messages.pop()


class PgOperation(Operation):
    """Runs a prepared statement. Its rows (list of bytes: DataRow messages) are there when it is finished."""

    __slots__ = ("payload", "rows")

    def __init__(self, payload, kind=0, endpoint=0):
        super().__init__(kind, endpoint)
        self.payload = payload
        self.rows = []

    def began(self, now):
        """See Operation."""
        self.rows = []
        self.sent += len(self.payload)
        if not self.start:
            self.start = now


class PgConnector(GreetedConnector):
    """account: Account; greeting: SQL (list of str) that begins every session; prepared: name -> SQL (dict of str)."""

    def __init__(self, account, greeting, prepared):
        super().__init__(account.endpoint, self._make)
        self.account = account
        self.greeting = b"".join([pg_wire.query(sql) for sql in greeting])
        self.greeting += b"".join([pg_wire.parse(name, sql) for name, sql in prepared.items()]) + pg_wire.sync()
        self.answers = len(greeting) + 1

    def _make(self, owner):
        return PgConnection(owner, self)


class PgConnection(GreetedLink):
    """owner: as that of HttpConnection; it gets PgOperations. `ready` (future) ends with the session's beginning."""

    def __init__(self, owner, connector):
        super().__init__(owner)
        self.connector = connector
        self._feed = pg_wire.Reader().feed
        self._login = pg_wire.Login(connector.account.user, connector.account.password)
        self._awaited = 1 + connector.answers  # ReadyForQuery messages until the session is there

    def _greet(self):
        self._write(pg_wire.startup(self.connector.account.user, self.connector.account.database))

    def data_received(self, data):
        """The loop calls it with what came."""
        operation = self.operation
        if operation is not None:
            operation.received += len(data)
        try:
            for kind, body in self._feed(data):
                if operation is None:
                    self._take_greeting(kind, body)
                elif kind == pg_wire.DATA_ROW:
                    operation.rows.append(body)
                    if operation.received > _MOST_RECEIVED_BYTES:
                        raise PgError("the answer has more than %d MiB" % (_MOST_RECEIVED_BYTES >> 20))
                elif kind == pg_wire.READY:
                    operation.end = time.monotonic()
                    self.operation, done, operation = None, operation, None
                    self.owner.finished(self, done)
                    operation = self.operation  # the next one, whose answer can't be in this data
                elif kind == pg_wire.ERROR:
                    error = pg_wire.error_of(body)
                    operation.fail("SQL error %s" % error.code, str(error))
        except PgError as e:
            self._break("bad response", str(e))

    # -- the beginning ---------------------------------------------------------------------------------

    def _take_greeting(self, kind, body):
        if kind == pg_wire.ERROR and self.usable:
            self._drop()  # such as a shutdown of the server
            return
        answer = self._login.take(kind, body)
        if answer:
            self._write(answer)
        if kind != pg_wire.READY:
            return
        self._awaited -= 1
        if self._awaited == self.connector.answers:
            self._write(self.connector.greeting)
        elif self._awaited == 0:
            self._open()
        elif self._awaited < 0:
            self._drop()  # an answer that nobody asked for: the server's state is unknown
