# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What connections of all protocols have in common: one operation at a time, and an owner who is told of its end."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import asyncio
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector


class Link(asyncio.Protocol):
    """One connection. It derives from asyncio.Protocol, so that nothing stands between the socket and the operation.

    owner (load.pool.Pool) has `opened(connection)`, `finished(connection, operation)`, `broken(connection, operation,
    class, text)`, `stale(connection, operation)` and `closed(connection)`. An operation (load.operation) has `payload`
    (bytes); the connection sets its `received` (bytes on the wire) and `end`.
    """

    def __init__(self, owner):
        self.owner = owner
        self.transport = None
        self.operation = None
        self.usable = False  # for another operation
        self._write = None

    def connection_made(self, transport):
        """The loop calls it."""
        self.transport = transport
        self._write = transport.write

    def send(self, operation):
        """Begin an operation on this idle connection; its start is now."""
        self.operation = operation
        operation.began(time.monotonic())
        self._write(operation.payload)

    def send_again(self, operation):
        """Like `send`, of one that was over and has its start."""
        self.operation = operation
        self._write(operation.payload)

    def close(self):
        """End it at once, whatever it is doing; nobody is told of its operation."""
        self.operation = None
        self.usable = False
        if self.transport is not None:
            self.transport.abort()

    def _break(self, error_class, text):
        """The operation under way fails, and the connection with it."""
        operation, self.operation = self.operation, None
        self._drop()
        if operation is None:
            self._refuse(text)
            return
        operation.end = time.monotonic()
        self.owner.broken(self, operation, error_class, text)

    def _drop(self):
        self.usable = False
        self.transport.abort()

    def _refuse(self, text):
        """It fails without an operation: see GreetedLink."""


class GreetedLink(Link):
    """One whose two sides talk before it can take an operation: `_greet()` begins that, `_open()` ends it.

    `ready` (future) ends with the greeting, with a ConnectionError when it fails.
    """

    def __init__(self, owner):
        super().__init__(owner)
        self.ready = None

    def connection_made(self, transport):
        """The loop calls it."""
        super().connection_made(transport)
        self.ready = asyncio.get_event_loop().create_future()
        self._greet()

    def connection_lost(self, exc):
        """The loop calls it when the connection is gone."""
        self.usable = False
        reason = "the server closed the connection" + (": %s" % exc if exc else "")
        self._refuse(reason + " before it was ready")
        if self.operation is not None:
            self._break("connection closed", reason + " before all of its answer")
        self.owner.closed(self)

    def _greet(self):
        raise NotImplementedError

    def _open(self):
        self.usable = True
        self.ready.set_result(None)
        self.owner.opened(self)

    def _refuse(self, text):
        if self.ready is not None and not self.ready.done():
            self.ready.set_exception(ConnectionError(text))
            self.ready.exception()  # seen, whether somebody waits for it or not


class GreetedConnector(Connector):
    """Of a GreetedLink: a connection is there when its greeting is over. Raises OSError when that fails."""

    async def connect(self, sockets, owner):
        """See Connector."""
        connection = await super().connect(sockets, owner)
        try:
            await connection.ready
        except asyncio.CancelledError:
            connection.close()
            raise
        return connection
