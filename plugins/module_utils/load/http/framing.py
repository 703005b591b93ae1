# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the head of an HTTP/1.1 response says of its body (RFC 9112, section 6.3)."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

# How a body ends: after so many bytes (>= 0), with the connection, or by chunks.
UNTIL_CLOSE = -1
CHUNKED = -2

_KNOWN = {}  # heads seen -> their Head: a server's heads differ by the second of their Date at most
_KNOWN_MOST = 256


# What reading an answer may raise, whatever a service sends: an answer that nobody thought of is an error of the
# service's, counted as one, and not the end of the client.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_LENGTH_DIGITS = 18


class BadResponse(Exception):
    """What came is no HTTP/1.1 response, or no end of it is to be seen."""


class Head:
    """status (int), length (bytes of the body, UNTIL_CLOSE or CHUNKED), keep_alive (bool), raw (bytes)."""

    __slots__ = ("keep_alive", "length", "raw", "status", "whole", "whole_bytes")

    def __init__(self, status, length, keep_alive, raw):
        self.status, self.length, self.keep_alive, self.raw = status, length, keep_alive, raw
        self.whole = raw + b"\r\n\r\n"
        self.whole_bytes = len(self.whole) + length if length > 0 else -1

    def header(self, name):
        """A header's value (str), None when it is not there; of several the first."""
        for found, value in headers_of(self.raw):
            if found == name.lower():
                return value
        return None


def head_of(raw, to_head=False):
    """The Head of the bytes before the empty line; `to_head`: the request was a HEAD. Raises BadResponse."""
    if to_head:
        return _parse(raw, True)
    found = _KNOWN.get(raw)
    if found is None:
        if len(_KNOWN) >= _KNOWN_MOST:
            _KNOWN.clear()
        found = _KNOWN[raw] = _parse(raw, False)
    return found


#: The Head of bytes that were parsed before (not of the answer to a HEAD), else None.
known_head = _KNOWN.get


def headers_of(raw):
    """(name in lower case, value) of each header field of a head (bytes)."""
    for line in raw.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if not colon or name != name.strip():
            raise BadResponse("a header line is malformed: %r" % line[:80])
        yield name.decode("latin-1").lower(), value.decode("latin-1").strip()


def _parse(raw, to_head):
    start = raw[:13]
    if not (start[:7] == b"HTTP/1." and start[7:8] in b"01" and start[8:9] == b" " and start[9:12].isdigit()):
        raise BadResponse("the answer does not begin with HTTP/1.1 and a status: %r" % raw[:60])
    status = int(start[9:12])
    keep_alive = start[7:8] == b"1"
    length, chunked = None, False
    for name, value in headers_of(raw):
        if name == "content-length":
            length = _length(value, length)
        elif name == "transfer-encoding":
            chunked = value.lower().split(",")[-1].strip() == "chunked"
            if not chunked:
                length = UNTIL_CLOSE
        elif name == "connection":
            words = [word.strip() for word in value.lower().split(",")]
            keep_alive = "close" not in words and (keep_alive or "keep-alive" in words)
    if to_head or status in (204, 304) or status < 200:
        length = 0
    elif chunked:
        length = CHUNKED
    elif length is None:
        length = UNTIL_CLOSE
    if length == UNTIL_CLOSE:
        keep_alive = False
    return Head(status, length, keep_alive, raw)


def _length(value, before):
    lengths = {word.strip() for word in value.split(",")}
    word = min(lengths)
    # letters of other scripts are digits to isdigit()
    if len(lengths) != 1 or len(word) > _LENGTH_DIGITS or not (word.isdigit() and max(word) <= "9"):
        raise BadResponse("Content-Length is %r" % value[:40])
    found = int(word)
    if before is not None and before != found:
        raise BadResponse("Content-Length is both %d and %d" % (before, found))
    return found
