# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One HTTP/1.1 connection: sends a request at a time and gives its answer on as it comes.

Written for the generator's hot path: no task, no future and no stream between the socket and the operation.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import (
    CHUNKED,
    UNREADABLE,
    UNTIL_CLOSE,
    BadResponse,
    head_of,
    known_head,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.link import Link

_HEAD_BYTES = 65536
_CHUNK_LINE_BYTES = 1024
_HEX_DIGITS = b"0123456789abcdefABCDEF"

# What is awaited next.
_HEAD, _BODY, _CHUNK, _CHUNK_END, _TRAILER = range(5)


class HttpConnection(Link):
    """owner has what Link asks for, and `repeat(operation, status, received, write)` of load.engine.

    An operation (see load.operation.HttpOperation) has `payload` (bytes), `is_head` (bool), `head_came(head)`,
    `body_came(bytes)` and for both at once `all_came(head, data, at)`; the connection sets its `received` (bytes on
    the wire) and `end`.
    """

    def __init__(self, owner):
        super().__init__(owner)
        self.served = False  # it has brought an answer before
        self._buffer = b""
        self._state = _HEAD
        self._left = 0
        self._head = None
        self._same = None  # Head of the answer before, where the same one again needs no second look

    def connection_made(self, transport):
        """The loop calls it."""
        super().connection_made(transport)
        self.usable = True
        self.owner.opened(self)

    def data_received(self, data):
        """The loop calls it with what came."""
        operation = self.operation
        if operation is None:
            self._drop()  # an answer that nobody asked for: the server's state is unknown
            return
        same = self._same
        if same is not None:
            if (
                len(data) == same.whole_bytes
                and data.startswith(same.whole)
                and self.owner.repeat(operation, same.status, same.whole_bytes, self._write)
            ):
                return
            self._same = None
        operation.received += len(data)
        if self._state == _HEAD and not self._buffer:
            # most answers come in one piece, with the head that the one before had
            head = self._head
            if not (head is not None and data.startswith(head.whole)):
                stop = data.find(b"\r\n\r\n")
                head = known_head(data[:stop]) if stop > 0 else None
            if head is not None and len(data) == head.whole_bytes:
                self._head = head
                try:
                    operation.all_came(head, data, len(head.whole))
                except UNREADABLE as e:
                    self._break("bad response", repr(e))
                    return
                self._finish(operation)
                return
        self._came(operation, data)

    def send_again(self, operation):
        """See Link."""
        self._same = self._head if operation.judged_by_head else None
        super().send_again(operation)

    def connection_lost(self, exc):
        """The loop calls it when the connection is gone."""
        self.usable = False
        operation = self.operation
        if operation is not None:
            if exc is None and self._state == _BODY and self._left == UNTIL_CLOSE:
                self._finish(operation)
            elif self.served and self._state == _HEAD and not self._buffer:
                # The server has ended an idle connection while the request was on its way (RFC 9112, section 9.3.1).
                self.operation = None
                self.owner.stale(self, operation)
            else:
                when = "before its answer" if self._state == _HEAD and not self._buffer else "in mid-answer"
                self._break("connection closed", "the server closed the connection %s%s" % (when, _reason(exc)))
        self.owner.closed(self)

    # -- what came -------------------------------------------------------------------------------------

    def _came(self, operation, data):
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        try:
            self._take(operation, data)
        except BadResponse as e:
            self._break("bad response", str(e))
        except UNREADABLE as e:
            self._break("bad response", repr(e))

    def _take(self, operation, data):
        """Work through `data`; what is incomplete waits in the buffer."""
        at, end = 0, len(data)
        while at < end:
            if self._state == _HEAD:
                at = self._take_head(operation, data, at)
            elif self._state == _BODY:
                at = self._take_body(operation, data, at, end)
            elif self._state == _CHUNK:
                at = self._take_chunk_line(data, at)
            elif self._state == _CHUNK_END:
                at = self._take_chunk_end(data, at)
            else:
                at = self._take_trailer(operation, data, at)
            if at < 0:
                return
            if self.operation is not operation:  # it is done; whatever follows belongs to nobody
                if at < end:
                    self._drop()
                return

    def _take_head(self, operation, data, at):
        stop = data.find(b"\r\n\r\n", at)
        if stop < 0:
            return self._wait(data, at, _HEAD_BYTES, "the head of the answer")
        if stop - at > _HEAD_BYTES:
            raise BadResponse("the head of the answer does not end within %d bytes" % _HEAD_BYTES)
        head = head_of(data[at:stop], operation.is_head)
        if head.status < 200 and head.status != 101:  # 100 Continue and the like come before the answer
            return stop + 4
        self._head = head
        operation.head_came(head)
        if head.length == 0:
            self._finish(operation)
        elif head.length == CHUNKED:
            self._state = _CHUNK
        else:
            self._state, self._left = _BODY, head.length
        return stop + 4

    def _take_body(self, operation, data, at, end):
        if self._left == UNTIL_CLOSE:
            operation.body_came(data[at:] if at else data)
            return end
        stop = min(end, at + self._left)
        operation.body_came(data[at:stop])
        self._left -= stop - at
        if not self._left:
            if self._head.length == CHUNKED:
                self._state = _CHUNK_END
            else:
                self._finish(operation)
        return stop

    def _take_chunk_line(self, data, at):
        stop = data.find(b"\r\n", at)
        if stop < 0:
            return self._wait(data, at, _CHUNK_LINE_BYTES, "a chunk's length")
        word = data[at:stop].split(b";")[0].strip()
        if not word or word.strip(_HEX_DIGITS):
            raise BadResponse("a chunk's length is %r" % word[:40])
        self._left = int(word, 16)
        self._state = _BODY if self._left else _TRAILER
        return stop + 2

    def _take_chunk_end(self, data, at):
        if len(data) < at + 2:
            return self._wait(data, at, 2, "a chunk's end")
        if data[at : at + 2] != b"\r\n":
            raise BadResponse("a chunk is longer than it said")
        self._state = _CHUNK
        return at + 2

    def _take_trailer(self, operation, data, at):
        """Lines after the last chunk, until an empty one."""
        stop = data.find(b"\r\n", at)
        if stop < 0:
            return self._wait(data, at, _HEAD_BYTES, "the trailer")
        if stop == at:
            self._finish(operation)
        return stop + 2

    def _wait(self, data, at, most_bytes, what):
        if len(data) - at > most_bytes:
            raise BadResponse("%s does not end within %d bytes" % (what, most_bytes))
        self._buffer = data[at:] if at else data
        return -1

    # -- how it ends -----------------------------------------------------------------------------------

    def _finish(self, operation):
        operation.end = time.monotonic()
        self.operation = None
        self.served = True
        self._state = _HEAD
        if not self._head.keep_alive:
            self._drop()
        self.owner.finished(self, operation)


def _reason(error):
    return ": %s" % error if error else ""
