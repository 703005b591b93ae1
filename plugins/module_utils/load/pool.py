# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connections to one endpoint: idle ones are used again, the last one first."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import asyncio
import collections
import time

_CONNECT_TIMEOUT_S = 30.0


class Connector:
    """How connections to an endpoint are made.

    endpoint: Endpoint; tls: ssl.SSLContext or None; protocol: callable(owner) that makes an asyncio.Protocol such as
    HttpConnection. One that has to log in first calls `owner.opened(self)` when it can take an operation.
    """

    def __init__(self, endpoint, protocol, tls=None):
        self.endpoint, self.protocol, self.tls = endpoint, protocol, tls

    async def connect(self, sockets, owner):
        """Open a connection by `sockets` (load.sockets.Sockets). Returns it; it tells `owner`."""
        host, port, connection = self.endpoint.host, self.endpoint.port, self.protocol(owner)
        if self.tls is None:
            await sockets.connect(host, port, connection)
        else:
            await sockets.loop.create_connection(lambda: connection, host, port, ssl=self.tls, server_hostname=host)
        return connection


class Pool:
    """sockets: Sockets of the event loop; engine: told of operations that ended (`finished`, `broken`)."""

    def __init__(self, sockets, connector, engine):
        self.sockets, self.connector, self.engine = sockets, connector, engine
        self.idle = []
        self.all = set()
        self.waiting = collections.deque()  # operations whose connection is being opened, the oldest first
        self.opening = set()  # tasks
        self.connecting = 0  # connections that are neither open nor refused yet; never fewer than wait
        # connections call these directly: one call less on the hot path
        self.finished = engine.finished
        self.repeat = engine.repeat

    def send(self, operation):
        """Send an operation on an idle connection, else on a new one."""
        while self.idle:
            connection = self.idle.pop()
            if connection.usable:
                operation.connection = connection
                connection.send(operation)
                return
        if not operation.start:  # what opening a connection takes is the service's time, not the client's lag
            operation.start = time.monotonic()
        self.waiting.append(operation)
        if len(self.waiting) > self.connecting:  # else one that is being opened already will do
            self._open()

    async def open(self, count, deadline):
        """Open so many connections ahead of the load (until `deadline`, seconds of time.monotonic())."""
        tasks = [self._open() for _number in range(count)]
        left_s = deadline - time.monotonic()
        if tasks and left_s > 0:
            await asyncio.wait(tasks, timeout=left_s)

    def under_way(self):
        """The operations (list) that are being sent, answered, or wait for a connection."""
        sent = [connection.operation for connection in self.all]
        return [operation for operation in sent if operation is not None] + list(self.waiting)

    def forget(self, operation):
        """Do not send an operation that waits for its connection."""
        if operation in self.waiting:
            self.waiting.remove(operation)

    def close(self):
        """End all connections."""
        for task in list(self.opening):
            task.cancel()
        for connection in list(self.all):
            connection.close()

    # -- connections call these ------------------------------------------------------------------------

    def opened(self, connection):
        """It can take operations."""
        self.connecting -= 1
        self.all.add(connection)
        if self.waiting:
            operation = self.waiting.popleft()
            operation.connection = connection
            connection.send(operation)
        else:
            self.idle.append(connection)

    def broken(self, connection, operation, error_class, text):
        """Its operation failed with it."""
        self.engine.broken(operation, error_class, text)

    def stale(self, connection, operation):
        """It was ended as the operation was sent on it: that goes on another one, and is no failure of the service."""
        operation.connection = None
        self.engine.samples.reconnects += 1
        self.send(operation)

    def closed(self, connection):
        """It is gone."""
        self.all.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    # -- opening ---------------------------------------------------------------------------------------

    def _open(self):
        self.connecting += 1
        task = self.sockets.loop.create_task(self._connect())
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)
        return task

    async def _connect(self):
        try:
            await asyncio.wait_for(self.connector.connect(self.sockets, self), _CONNECT_TIMEOUT_S)
        except asyncio.TimeoutError:
            self._refused("connect", "no connection within %g s" % _CONNECT_TIMEOUT_S)
        except OSError as e:  # TLS errors among them
            self._refused("connect", str(e))

    def _refused(self, error_class, text):
        self.connecting -= 1
        if self.waiting:
            operation = self.waiting.popleft()
            endpoint = self.connector.endpoint
            self.engine.broken(operation, error_class, "%s:%d: %s" % (endpoint.host, endpoint.port, text))
