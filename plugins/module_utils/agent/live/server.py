# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers GET /metrics: one thread of the lowest priority, with a token, and with limits on all that a caller may do.

Who asks too much, too slowly or without the token costs the run next to nothing: so many connections a second, so many
at once, so many bytes of a request, so many seconds for all of it. The text is made anew at most once a second, and
less often where making it would take more than a small share of the time.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import errno
import hmac
import os
import selectors
import socket
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import UNREADABLE

PATH = "/metrics"
_CONTENT = "text/plain; version=0.0.4; charset=utf-8"
_MOST_CONNECTIONS, _MOST_A_SECOND = 16, 20
_MOST_REQUEST_BYTES = 8192
_DEADLINE_S = 5.0
_AGAIN_S, _SHARE = 1.0, 0.05
_TICK_S = 0.25
_END_S = 1.0
_LOWEST_PRIORITY = 19
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            431: "Request Header Fields Too Large", 500: "Internal Server Error"}  # fmt: skip


class _Caller:
    """A connection: what came, and what is still to be sent."""

    def __init__(self, connection):
        self.connection = connection
        self.request = b""
        self.answer = None
        self.deadline = time.monotonic() + _DEADLINE_S


class Server(threading.Thread):
    """Listens on address (str) and port (int) from now on. token (str); page: a function that gives the text (str)."""

    def __init__(self, address, port, token, page):
        super().__init__(name="live metrics")
        self.daemon = True
        self.token = b"Bearer " + token.encode("ascii")
        self.page = page
        self.text, self.make_at = b"", 0.0
        self.scrapes = self.refused = 0
        self.seconds = 0.0
        self.ended = threading.Event()
        self.callers = {}
        self.second, self.accepted = 0, 0
        self.selector = selectors.DefaultSelector()
        self.woken, self.wake = socket.socketpair()
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, port))
            self.listener.listen(_MOST_CONNECTIONS)
            self.listener.setblocking(False)
        except OSError:
            self.listener.close()
            raise
        self.selector.register(self.woken, selectors.EVENT_READ, self.woken)

    def run(self):
        """Until stopped."""
        # Linux has a priority for each thread, and 0 is the one that asks
        os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
        listening = False
        while not self.ended.is_set():
            listening = self._listen(listening)
            ready = self.selector.select(_TICK_S)
            began = time.monotonic()
            for key, _events in ready:
                if key.data is None:
                    self._accept()
                elif key.data is not self.woken:
                    self._serve(key.data)
            self._expire()
            self.seconds += time.monotonic() - began

    def stop(self):
        """No more answers: the port is closed. Returns what to tell of it (dict)."""
        self.ended.set()
        self.wake.send(b"x")
        self.join(_END_S)  # a file system that hangs may hold it: then the process's end is its end
        for open_socket in [self.listener, *(caller.connection for caller in list(self.callers.values()))]:
            open_socket.close()
        return {"scrapes": self.scrapes, "refused": self.refused, "seconds": round(self.seconds, 3)}

    # -- connections -------------------------------------------------------------------------------------

    def _listen(self, listening):
        """Take connections, unless there were enough in this second, or are enough just now."""
        second = int(time.monotonic())
        if second != self.second:
            self.second, self.accepted = second, 0
        wanted = self.accepted < _MOST_A_SECOND and len(self.callers) < _MOST_CONNECTIONS
        if wanted and not listening:
            self.selector.register(self.listener, selectors.EVENT_READ, None)
        elif listening and not wanted:
            self.selector.unregister(self.listener)
        return wanted

    def _accept(self):
        try:
            connection = self.listener.accept()[0]
        except OSError as e:
            if e.errno in (errno.EMFILE, errno.ENFILE):  # the descriptors are the load's
                self.accepted = _MOST_A_SECOND
            return
        self.accepted += 1
        connection.setblocking(False)
        caller = _Caller(connection)
        self.callers[connection.fileno()] = caller
        self.selector.register(connection, selectors.EVENT_READ, caller)

    def _serve(self, caller):
        try:
            if caller.answer is None:
                self._read(caller)
            else:
                caller.answer = caller.answer[caller.connection.send(caller.answer) :]
                if not caller.answer:
                    self._close(caller)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close(caller)

    def _read(self, caller):
        data = caller.connection.recv(_MOST_REQUEST_BYTES)
        caller.request += data
        if b"\r\n\r\n" in caller.request:
            status, body = self._answer(caller.request)
        elif len(caller.request) >= _MOST_REQUEST_BYTES:
            status, body = 431, b""
        elif data:
            return
        else:
            self._close(caller)
            return
        self.scrapes += status == 200
        self.refused += status != 200
        caller.answer = memoryview(_head(status, len(body)) + (b"" if caller.request.startswith(b"HEAD ") else body))
        self.selector.modify(caller.connection, selectors.EVENT_WRITE, caller)

    def _expire(self):
        now = time.monotonic()
        for caller in list(self.callers.values()):
            if now > caller.deadline:
                self._close(caller)

    def _close(self, caller):
        del self.callers[caller.connection.fileno()]
        self.selector.unregister(caller.connection)
        with contextlib.suppress(OSError):
            # unread bytes would make a reset of the close, and the answer may be lost with it
            caller.connection.shutdown(socket.SHUT_WR)
        caller.connection.close()

    # -- answers -----------------------------------------------------------------------------------------

    def _answer(self, request):
        """(status, body) of a request whose head is there."""
        lines = request.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
        words = lines[0].split(b" ")
        if len(words) != 3:
            return 400, b""
        sent = [line.split(b":", 1)[1].strip() for line in lines[1:] if line.lower().startswith(b"authorization:")]
        if len(sent) != 1 or not hmac.compare_digest(sent[0], self.token):
            return 401, b""
        if words[1].split(b"?", 1)[0] != PATH.encode("ascii"):
            return 404, b""
        if words[0] not in (b"GET", b"HEAD"):
            return 405, b""
        return self._newest()

    def _newest(self):
        began = time.monotonic()
        if began >= self.make_at:
            try:
                self.text = self.page().encode("utf-8", "replace")
            except (OSError, *UNREADABLE) as e:
                tell("live metrics: %s: %s" % (type(e).__name__, e))
                return 500, b""
            took_s = time.monotonic() - began
            self.make_at = began + max(_AGAIN_S, took_s / _SHARE)
        return 200, self.text


def _head(status, length):
    lines = ["HTTP/1.1 %d %s" % (status, _REASONS[status]), "Content-Length: %d" % length, "Connection: close"]
    if status == 200:
        lines.append("Content-Type: " + _CONTENT)
    if status == 401:
        lines.append('WWW-Authenticate: Bearer realm="aifactory"')
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
