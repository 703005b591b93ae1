# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain TCP connections for protocols of asyncio, with less between them and the kernel than its own transports have.

The sockets of an event loop are watched by an epoll of their own, itself one file that the loop watches: what has come
on any of them is read and handed on in one call of the loop, and a write goes straight to the kernel.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import select
import socket

_EVENTS = 64  # at a time: then the loop's other work has its turn
_READ_BYTES, _MOST_READ_BYTES = 4096, 262144
_CAME = select.EPOLLIN
_WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET


class Sockets:
    """Those of one event loop; to be closed before it."""

    def __init__(self, loop):
        self.loop = loop
        self.epoll = select.epoll()
        self.transports = {}  # by file number
        loop.add_reader(self.epoll.fileno(), self._ready)

    async def connect(self, host, port, protocol):
        """Connect `protocol` (asyncio.Protocol) with the first address of `host` (str) that can be reached.

        Returns the Transport. Raises OSError.
        """
        error = None
        for family, kind, number, _name, address in await self._addresses(host, port):
            try:
                opened = await self._open(family, kind, number, address)
            except OSError as e:
                error = error or e
                continue
            return Transport(self, opened, protocol)
        raise error or OSError("%s has no address" % host)

    def close(self):
        """End all connections at once. Twice does no harm."""
        if self.epoll is not None:
            self.loop.remove_reader(self.epoll.fileno())
            for transport in list(self.transports.values()):
                transport.abort()
            self.epoll.close()
            self.epoll = None

    async def _addresses(self, host, port):
        """As socket.getaddrinfo has them; the loop's threads look up what is not numbers yet."""
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            return await self.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    async def _open(self, family, kind, number, address):
        opened = socket.socket(family, kind, number)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self.loop.sock_connect(opened, address)
        except BaseException:
            opened.close()
            raise
        return opened

    def _ready(self):
        transports = self.transports
        for number, events in self.epoll.poll(0, _EVENTS):
            transport = transports.get(number)
            if transport is None:
                continue  # it was ended by the answer to one before
            try:
                if events == _CAME:
                    transport.read()
                else:
                    transport.happened(events)
            except Exception as e:
                transport.failed(e)


class Transport:
    """One connected socket: what protocols use of asyncio.Transport.

    The epoll is edge-triggered, which saves it a look at the socket after each read: it tells once of what came, so
    that whoever leaves something there has to ask for it anew (man 7 epoll). A read that brings less than it may has
    left nothing, but for the connection's end.
    """

    def __init__(self, sockets, connected, protocol):
        self.sockets, self.socket, self.protocol = sockets, connected, protocol
        self.number = connected.fileno()
        self._send, self._recv, self._received = connected.send, connected.recv, protocol.data_received
        self._read_bytes = _READ_BYTES
        self._unsent = None  # memoryview
        sockets.transports[self.number] = self
        sockets.epoll.register(self.number, _WATCHED)
        protocol.connection_made(self)

    def write(self, data):
        """Send `data` (bytes); what the kernel does not take now goes out when it can."""
        if self._unsent is not None:
            self._unsent = memoryview(bytes(self._unsent) + bytes(data))
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as e:
            self._end(e)
            return
        if sent != len(data):
            self._unsent = memoryview(data)[sent:]
            self._watch()

    def abort(self):
        """Close it now, whatever is unsent; the protocol's `connection_lost` follows, but not from within this call."""
        self._end(None)

    def read(self):
        """Take what has come."""
        try:
            data = self._recv(self._read_bytes)
        except BlockingIOError:
            return
        except OSError as e:
            self._end(e)
            return
        if not data:
            self._end(None)
            return
        self._received(data)
        if len(data) == self._read_bytes:
            self._read_bytes = min(4 * self._read_bytes, _MOST_READ_BYTES)
            self._watch()

    def happened(self, events):
        """It can be written to again, or its end has come, with or without data before that."""
        if events & select.EPOLLOUT and self._unsent is not None:
            data, self._unsent = self._unsent, None
            self.write(data)
        if events != select.EPOLLOUT:
            self.read()
            self._watch()

    def failed(self, error):
        """The protocol raised an exception, which is a mistake of ours: shown as the loop shows those of its own."""
        what = {"message": "data_received() failed", "exception": error, "protocol": self.protocol, "transport": self}
        self.sockets.loop.call_exception_handler(what)
        self._end(error)

    def _watch(self):
        """Tell of what is there already, too."""
        if self.socket is not None:
            events = _WATCHED if self._unsent is None else _WATCHED | select.EPOLLOUT
            self.sockets.epoll.modify(self.number, events)

    def _end(self, error):
        if self.socket is None:
            return
        del self.sockets.transports[self.number]
        self.socket.close()  # which takes it out of the epoll, too
        self.socket = None
        self._send, self._recv = self._after_end, self._never
        self.sockets.loop.call_soon(self.protocol.connection_lost, error)

    @staticmethod
    def _never(count):
        raise BlockingIOError

    @staticmethod
    def _after_end(data):
        """What is written to a connection that has ended is lost, as the protocol is about to be told."""
        return len(data)
