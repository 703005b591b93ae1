# SPDX-License-Identifier: MIT
"""A server on loopback that means harm: it answers every request with bytes that no honest server sends."""

from __future__ import annotations

import gzip
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_PIECE = 1 << 16


def plain(body: bytes, more: bytes = b"") -> bytes:
    """An honest answer with this body."""
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def slowly(data: bytes, pause_s: float = 0.05) -> Iterator[bytes]:
    for byte in data:
        time.sleep(pause_s)
        yield bytes([byte])


# Answers without an end: each piece again and again, after what comes first.
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "body until the connection ends": (HEAD + b"\r\n", b"x" * _PIECE),
    "body in chunks": (CHUNKED, chunk(b"x" * _PIECE)),
    "body of a petabyte": (HEAD + b"Content-Length: %d\r\n\r\n" % 10**15, b"x" * _PIECE),
    "header line": (HEAD + b"X: ", b"x" * _PIECE),
    "headers": (HEAD, b"X: y\r\n" * 1000),
    "status line": (b"HTTP/1.1 200 ", b"x" * _PIECE),
    "chunk line": (CHUNKED, b"0" * _PIECE),
    "chunk extension": (CHUNKED + b"5;", b"x" * _PIECE),
    "trailer": (CHUNKED + b"0\r\n", b"X: y\r\n" * 1000),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "noise": (b"", b"\xff\x00\x80" * 10000),
}
# Answers that end, and are wrong or more than they look.
WRONG: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "invalid UTF-8": plain(b'{"a": "\xff\xfe\x80"}'),
    "invalid UTF-8 in a header": plain(b"{}", b"X-\xff: \xfe\r\n"),
    "many headers": plain(b"{}", b"X: y\r\n" * 500),
    "a long header": plain(b"{}", b"X: " + b"y" * 70000 + b"\r\n"),
    "a length of another script": HEAD + "Content-Length: ²\r\n\r\n".encode("latin-1") + b"xx",
    "a length of many digits": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a negative length": HEAD + b"Content-Length: -5\r\n\r\nxxxxx",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a length that is too large": HEAD + b"Content-Length: 100\r\n\r\n{}",
    "a chunk of negative length": CHUNKED + b"-1\r\n" + b"x" * 1000,
    "a chunk of all memory": CHUNKED + b"f" * 15 + b"\r\nxx",
    "NaN": plain(b'{"choices": [{"message": {"content": NaN}}], "usage": {"completion_tokens": Infinity}}'),
    "numbers without end": plain(
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens": 1' + b"0" * 4000 + b"}}"
    ),
    "deep": plain(b"[" * 200_000),
    "a list": plain(b"[1, 2]"),
    "a word": plain(b'"word"'),
    "null": plain(b"null"),
    "wrong types": plain(b'{"choices": {"0": 1}, "usage": [], "data": 1, "models": "x"}'),
    "a bomb": plain(gzip.compress(bytes(100 << 20), 9), b"Content-Encoding: gzip\r\n"),
    "a script": b"HTTP/1.1 500 <script>alert(1)</script>\r\nContent-Length: 25\r\n\r\n<script>alert(1)</script>",
}  # fmt: skip


def endless(name: str) -> Callable[[bytes], Iterator[bytes]]:
    first, piece = ENDLESS[name]
    return lambda _request: itertools.chain([first], itertools.repeat(piece))


def _request(connection: socket.socket) -> bytes:
    """A request with its body, which may come apart."""
    request = connection.recv(_PIECE)
    length = re.search(rb"(?i)content-length: (\d+)", request)
    wanted = request.find(b"\r\n\r\n") + 4 + int(length[1]) if length else 0
    while len(request) < wanted:
        request += connection.recv(_PIECE)
    return request


class Hostile:
    """`answer(request: bytes)` gives the pieces of an answer; the connection is closed after it. A context manager."""

    def __init__(self, answer: Callable[[bytes], Iterable[bytes]]) -> None:
        self.answer, self.asked, self.sent = answer, 0, 0
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.service: dict[str, Any] = {
            "name": "<script>", "host": "127.0.0.1", "address": "127.0.0.1", "port": self.port,
            "url": f"http://127.0.0.1:{self.port}", "connection": {},
        }  # fmt: skip

    def __enter__(self) -> Hostile:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.ended.set()
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _request(connection)
                self.asked += 1
                for piece in self.answer(request) if request else ():
                    connection.sendall(piece)
                    self.sent += len(piece)
                    if self.ended.is_set():
                        return
            except OSError:
                return  # the client has had enough
