# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RESP2, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

_MOST_BULK_BYTES = 512 << 20  # what the protocol allows
_MOST_LINE_BYTES = 65536
_STATUS, _ERROR, _NUMBER, _BULK, _ARRAY = b"+-:$*"


class BadReply(Exception):
    """What came is no RESP2."""


class ErrorReply:
    """An error that the server answers with. text (str); code (str): its first word, such as WRONGTYPE."""

    __slots__ = ("code", "text")

    def __init__(self, text):
        self.text = text
        self.code = text.split(" ", 1)[0] or "ERR"

    def __repr__(self):
        return "ErrorReply(%r)" % self.text

    def __eq__(self, other):
        return isinstance(other, ErrorReply) and self.text == other.text

    __hash__ = None


def command(*words):
    """The bytes of a command. words: bytes, str or int."""
    encoded = [word if isinstance(word, bytes) else str(word).encode("utf-8") for word in words]
    parts = [b"*%d\r\n" % len(encoded)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded]
    return b"".join(parts)


class Parser:
    """Takes bytes as they come, and gives replies: str (a status), bytes, int, None (nil), list, ErrorReply."""

    __slots__ = ("_missing", "_open", "_parts")

    def __init__(self):
        self._parts = []  # what came of a reply that is not complete
        self._missing = 0  # so many bytes must come before it can be
        self._open = []  # arrays that are being filled, the inner one last: [items, how many there will be]

    @property
    def is_idle(self):
        """Whether nothing of a further reply has come."""
        return not self._parts and not self._open

    def feed(self, data):
        """The replies (list) that are complete with these bytes. Raises BadReply."""
        if self._parts:
            self._parts.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return []
            data, self._parts = b"".join(self._parts), []
        try:
            return self._take(data)
        except ValueError:
            raise BadReply("a number is expected in %r" % data[:40])

    def _take(self, data):  # noqa: PLR0912  (its branches as functions would be a call more a reply)
        at, end, done = 0, len(data), []
        while at < end:
            stop = data.find(b"\r\n", at)
            if stop < 0:
                if end - at > _MOST_LINE_BYTES:
                    raise BadReply("a line does not end within %d bytes" % _MOST_LINE_BYTES)
                self._wait(data, at, 1)
                break
            kind, line = data[at], data[at + 1 : stop]
            following = stop + 2
            if kind == _BULK:
                size = int(line)
                last = following + size
                if size < 0:
                    value = None
                elif size > _MOST_BULK_BYTES:
                    raise BadReply("a string of %d bytes is announced" % size)
                elif last + 2 > end:
                    self._wait(data, at, last + 2 - end)
                    break
                else:
                    value = data[following:last]
                    following = last + 2
                    if data[last:following] != b"\r\n":
                        raise BadReply("a string is longer than it said")
            elif kind == _ARRAY:
                count = int(line)
                at = following
                if count > 0:
                    self._open.append([[], count])
                    continue
                value = None if count < 0 else []
            else:
                value = _simple(kind, line)
            at = following
            if not self._open or self._close(value):
                done.append(self._open.pop()[0] if self._open else value)
        return done

    def _wait(self, data, at, missing):
        self._parts, self._missing = [data[at:] if at else data], missing

    def _close(self, value):
        """Put a value into the array that is open; True when all of them are full, the outermost last in line."""
        while True:
            items, count = self._open[-1]
            items.append(value)
            if len(items) < count:
                return False
            if len(self._open) == 1:
                return True
            value = self._open.pop()[0]


def _simple(kind, line):
    if kind == _NUMBER:
        return int(line)
    if kind == _STATUS:
        return line.decode("utf-8", "replace")
    if kind == _ERROR:
        return ErrorReply(line.decode("utf-8", "replace"))
    raise BadReply("a reply begins with %r" % (bytes([kind]) + line[:40]))
