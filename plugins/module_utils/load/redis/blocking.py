# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis outside of the load: fills a key space and clears it again, which nobody measures."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import socket
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import (
    BadReply,
    ErrorReply,
    Parser,
    command,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

TIMEOUT_S = 60.0
_HURRY_S = 5.0
BATCH_BYTES = 1 << 20
BATCH_COMMANDS = 1000
_SCAN_COUNT = 1000
_READ_BYTES = 1 << 18
_MOST_BYTES = 64 << 20  # of the answers to one batch


class Redis:
    """A connection that is logged in. endpoint: Endpoint; greeting: see RedisConnector; tls: ssl.SSLContext or None.

    Each method raises LoadError when the server can't be reached or answers with an error. A context manager.
    hurry (bool): the job is being ended, so that nothing may take long.
    """

    def __init__(self, endpoint, greeting=(), tls=None, hurry=False):
        self.where = "the Redis at %s" % endpoint.authority
        self.parser = Parser()
        self.socket = None
        self.whole_s = 2 * _HURRY_S if hurry else 10 * TIMEOUT_S  # for all of an answer
        try:
            timeout_s = _HURRY_S if hurry else TIMEOUT_S
            self.socket = socket.create_connection((endpoint.host, endpoint.port), timeout_s)
            if tls is not None:
                self.socket = tls.wrap_socket(self.socket, server_hostname=endpoint.host)
        except OSError as e:
            self.close()
            raise LoadError("%s: %s" % (self.where, e))
        try:
            for words in greeting:
                self.call(*words)
        except LoadError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        """End the connection."""
        if self.socket is not None:
            self.socket.close()

    def call(self, *words):
        """The reply (see Parser) to one command."""
        reply = self.batch([command(*words)])[0]
        if isinstance(reply, ErrorReply):
            raise LoadError("%s: %s: %s" % (self.where, words[0], reply.text))
        return reply

    def batch(self, commands):
        """The replies (list; errors among them) to commands (list of bytes) that are sent in one go."""
        replies, received, end = [], 0, time.monotonic() + self.whole_s
        try:
            self.socket.sendall(b"".join(commands))
            while len(replies) < len(commands):
                if received > _MOST_BYTES or time.monotonic() > end:
                    raise LoadError("%s: its answer does not end" % self.where)
                data = self.socket.recv(_READ_BYTES)
                received += len(data)
                if not data:
                    raise LoadError("%s closed the connection" % self.where)
                replies += self.parser.feed(data)
        except (OSError, BadReply) as e:
            raise LoadError("%s: %s" % (self.where, e))
        return replies

    def fill(self, commands, stop):
        """Run SETs (iterable of bytes) in batches, until `stop` (threading.Event) is set."""
        batch, size = [], 0
        for one in commands:
            batch.append(one)
            size += len(one)
            if size >= BATCH_BYTES or len(batch) >= BATCH_COMMANDS:
                self._fill(batch)
                batch, size = [], 0
                if stop.is_set():
                    return
        if batch:
            self._fill(batch)

    def clear(self, prefix):
        """Remove every key that begins with `prefix` (bytes), and look again until none is there. Returns their number.

        SCAN gives each key that is there all the time; what a client that was killed still had on the way comes later.
        """
        removed = 0
        while True:
            found = self._clear_once(prefix)
            if not found:
                return removed
            removed += found

    def _clear_once(self, prefix):
        cursor, removed = b"0", 0
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", _literal(prefix) + b"*", "COUNT", _SCAN_COUNT)
            if keys:
                removed += self._remove(keys)
            if cursor == b"0":
                return removed

    def _remove(self, keys):
        reply = self.batch([command("UNLINK", *keys)])[0]
        if isinstance(reply, ErrorReply):  # before Redis 4 there was but DEL
            return self.call("DEL", *keys)
        return reply

    def _fill(self, batch):
        for reply in self.batch(batch):
            if reply != "OK":
                text = reply.text if isinstance(reply, ErrorReply) else repr(reply)
                raise LoadError("%s does not take the keys that the load needs: %s" % (self.where, text))


def _literal(prefix):
    """A prefix with the signs escaped that mean something in a pattern of SCAN."""
    return b"".join(b"\\" + bytes([c]) if c in b"*?[]^\\" else bytes([c]) for c in prefix)
