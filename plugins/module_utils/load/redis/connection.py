# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One connection to Redis: logs in, then sends a batch of commands at a time and gives their replies on."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import asyncio
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import (
    BadReply,
    ErrorReply,
    Parser,
    command,
)


class RedisConnector(Connector):
    """greeting: commands (list of list of words) that every connection begins with, such as AUTH and SELECT."""

    def __init__(self, endpoint, greeting=(), tls=None):
        super().__init__(endpoint, self._make, tls)
        self.greeting = list(greeting)

    def _make(self, owner):
        return RedisConnection(owner, self.greeting)

    async def connect(self, loop, owner):
        """See Connector; the connection is there when the server has answered the greeting. Raises OSError."""
        _transport, connection = await super().connect(loop, owner)
        try:
            await connection.ready
        except asyncio.CancelledError:
            connection.close()
            raise


class RedisConnection(asyncio.Protocol):
    """owner: as that of HttpConnection.

    An operation has `payload` (bytes) and `expected` (int > 0: replies to it); the connection sets its `replies`
    (list, see Parser), `received` (bytes) and `end`. `ready` (future) ends with the greeting.
    """

    def __init__(self, owner, greeting=()):
        self.owner = owner
        self.greeting = list(greeting)
        self.transport = None
        self.operation = None
        self.usable = False  # for another operation
        self.ready = None
        self._write = None
        self._parser = Parser()
        self._feed = self._parser.feed
        self._greeted = 0

    def connection_made(self, transport):
        """The loop calls it."""
        self.transport = transport
        self._write = transport.write
        self.ready = asyncio.get_event_loop().create_future()
        if self.greeting:
            self._write(b"".join(command(*words) for words in self.greeting))
        else:
            self._open()

    def send(self, operation):
        """Begin an operation on this idle connection; its start is now."""
        self.operation = operation
        operation.began(time.monotonic())
        self._write(operation.payload)

    def close(self):
        """End it at once, whatever it is doing; nobody is told of its operation."""
        self.operation = None
        self.usable = False
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data):
        """The loop calls it with what came."""
        operation = self.operation
        try:
            replies = self._feed(data)
        except BadReply as e:
            self._break("bad response", str(e))
            return
        if operation is None:
            self._take_greeting(replies)
            return
        operation.received += len(data)
        if operation.replies:
            replies = operation.replies = operation.replies + replies
        else:
            operation.replies = replies
        if len(replies) < operation.expected:
            return
        if len(replies) > operation.expected or not self._parser.is_idle:
            self._break("bad response", "%d replies to %d commands" % (len(replies), operation.expected))
            return
        operation.end = time.monotonic()
        self.operation = None
        self.owner.finished(self, operation)

    def connection_lost(self, exc):
        """The loop calls it when the connection is gone."""
        self.usable = False
        reason = "the server closed the connection" + (": %s" % exc if exc else "")
        self._refuse(reason + " before it was ready")
        if self.operation is not None:
            self._break("connection closed", reason + " before all of its answer")
        self.owner.closed(self)

    # -- the greeting ----------------------------------------------------------------------------------

    def _open(self):
        self.usable = True
        self.ready.set_result(None)
        self.owner.opened(self)

    def _take_greeting(self, replies):
        if self.usable:
            self._drop()  # an answer that nobody asked for: the server's state is unknown
            return
        for reply in replies:
            if self.ready.done():
                self._drop()
                return
            if isinstance(reply, ErrorReply):
                self._refuse("%s: %s" % (self.greeting[self._greeted][0], reply.text))
                self._drop()
                return
            self._greeted += 1
            if self._greeted == len(self.greeting):
                self._open()

    def _refuse(self, text):
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(text))
            self.ready.exception()  # seen, whether somebody waits for it or not

    # -- how it ends -----------------------------------------------------------------------------------

    def _break(self, error_class, text):
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
