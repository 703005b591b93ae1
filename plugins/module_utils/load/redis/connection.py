# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One connection to Redis: logs in, then sends a batch of commands at a time and gives their replies on."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.link import GreetedConnector, GreetedLink
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import (
    BadReply,
    ErrorReply,
    Parser,
    command,
)


class RedisConnector(GreetedConnector):
    """greeting: commands (list of list of words) that every connection begins with, such as AUTH and SELECT."""

    def __init__(self, endpoint, greeting=(), tls=None):
        super().__init__(endpoint, self._make, tls)
        self.greeting = list(greeting)

    def _make(self, owner):
        return RedisConnection(owner, self.greeting)


class RedisConnection(GreetedLink):
    """owner: as that of HttpConnection.

    An operation has `payload` (bytes) and `expected` (int > 0: replies to it); the connection sets its `replies`
    (list, see Parser), `received` (bytes) and `end`. `ready` (future) ends with the greeting.
    """

    def __init__(self, owner, greeting=()):
        super().__init__(owner)
        self.greeting = list(greeting)
        self._parser = Parser()
        self._feed = self._parser.feed
        self._greeted = 0

    def _greet(self):
        if self.greeting:
            self._write(b"".join(command(*words) for words in self.greeting))
        else:
            self._open()

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

    # -- the greeting ----------------------------------------------------------------------------------

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
