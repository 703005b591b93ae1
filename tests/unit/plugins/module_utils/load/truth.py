# SPDX-License-Identifier: MIT
"""A small HTTP server whose truth is known: it logs when each request came and when its answer was complete."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """One request: times of time.monotonic()."""

    path: str
    body: bytes
    headers: dict[str, str]
    came: float
    answered: float = 0.0
    method: str = ""


@dataclass
class Truth:
    """answer(request, writer): a coroutine that writes the whole answer."""

    answer: Callable[[Seen, asyncio.StreamWriter], Any]
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __enter__(self) -> Truth:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        starting = asyncio.start_server(self._serve, self.host, 0, ssl=self.tls)
        self.server = asyncio.run_coroutine_threadsafe(starting, self.loop).result(10)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_exception: object) -> None:
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def kill(self) -> None:
        """End it with all its connections, as a crash would."""

        def end() -> None:
            self.server.close()
            for task in asyncio.all_tasks(self.loop):
                task.cancel()

        self.loop.call_soon_threadsafe(end)

    @property
    def service(self) -> dict[str, Any]:
        """As endpoint.json has it."""
        scheme = "https" if self.tls else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return {
            "name": "truth",
            "host": self.host,
            "address": self.host,
            "port": self.port,
            "url": f"{scheme}://{host}:{self.port}",
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, path = lines[0].split(" ")[:2]
                request = Seen(path, body, headers, time.monotonic(), method=method)
                self.seen.append(request)
                await self.answer(request, writer)
                request.answered = time.monotonic()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        writer.close()


def plain(body: bytes = b"hello", status: str = "200 OK", more: str = "") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


async def hello(_request: Seen, writer: asyncio.StreamWriter) -> None:
    """The simplest answer."""
    writer.write(plain())


def event(message: dict[str, Any] | str) -> bytes:
    """A server-sent event as one chunk of an answer."""
    text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
    data = f"data: {text}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)
