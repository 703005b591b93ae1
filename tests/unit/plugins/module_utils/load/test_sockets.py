# SPDX-License-Identifier: MIT
"""The connections of the load generator, each to a real socket of the loopback."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine_workload import new_loop
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.sockets import Sockets

_DEADLINE_S = 20.0


class Protocol(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self, on_data: Callable[[Protocol], None] | None = None) -> None:
        self.said: list[object] = []
        self.data = b""
        self.on_data = on_data

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        if self.on_data:
            self.on_data(self)

    def connection_lost(self, exc):
        self.said.append(exc)


@pytest.fixture(params=["uvloop or asyncio", "asyncio"])
def loop(request):
    made = new_loop() if request.param != "asyncio" else asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def sockets(loop):
    made = Sockets(loop)
    yield made
    made.close()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def connected(loop, sockets, listener):
    """Connect a protocol: connected(protocol) → (it, the server's socket)."""
    accepted = []

    def connect(protocol: Protocol, host: str = "127.0.0.1") -> tuple[Protocol, socket.socket]:
        loop.run_until_complete(sockets.connect(host, listener.getsockname()[1], protocol))
        accepted.append(listener.accept()[0])
        return protocol, accepted[-1]

    yield connect
    for each in accepted:
        each.close()


def wait(loop: asyncio.AbstractEventLoop, is_so: Callable[[], object]) -> None:
    """Run the loop until something is so."""

    async def until() -> None:
        while not is_so():
            await asyncio.sleep(0.001)

    loop.run_until_complete(asyncio.wait_for(until(), _DEADLINE_S))


def read(server: socket.socket, count: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < count:
        data += server.recv(count - len(data))
    return data


def test_both_ways(loop, connected):
    protocol, server = connected(Protocol())
    protocol.transport.write(b"question")
    assert read(server, 8) == b"question"
    server.sendall(b"answer")
    wait(loop, lambda: protocol.data == b"answer")
    assert protocol.said == []


def test_a_name_is_looked_up(connected):
    protocol, server = connected(Protocol(), "localhost")
    protocol.transport.write(b"x")
    assert read(server, 1) == b"x"


def test_more_than_the_kernel_takes_at_once_goes_out_in_order(loop, connected):
    protocol, server = connected(Protocol())
    sent = bytes(range(256)) * 60_000
    protocol.transport.write(sent)
    protocol.transport.write(b"the end")
    came = loop.run_in_executor(None, read, server, len(sent) + 7)
    assert loop.run_until_complete(came) == sent + b"the end"
    protocol.transport.write(b"more")
    assert read(server, 4) == b"more"


def test_a_large_answer(loop, connected):
    protocol, server = connected(Protocol())
    sent = bytes(range(256)) * 20_000
    writing = loop.run_in_executor(None, server.sendall, sent)
    wait(loop, lambda: len(protocol.data) == len(sent))
    assert protocol.data == sent
    loop.run_until_complete(writing)


def test_the_end_of_the_other_side(loop, connected):
    protocol, server = connected(Protocol())
    server.sendall(b"last words")
    server.close()
    wait(loop, lambda: protocol.said)
    assert (protocol.data, protocol.said) == (b"last words", [None])


def test_a_reset_is_an_error(loop, connected):
    protocol, server = connected(Protocol())
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    wait(loop, lambda: protocol.said)
    assert isinstance(protocol.said[0], ConnectionResetError)


def test_a_write_that_fails_is_told_later_and_once(loop, connected):
    protocol, server = connected(Protocol())
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    protocol.transport.write(b"x")
    assert protocol.said == []
    protocol.transport.write(b"y")
    wait(loop, lambda: protocol.said)
    assert [type(said) for said in protocol.said] == [ConnectionResetError]


def test_abort_is_told_later_and_once(loop, connected):
    protocol, server = connected(Protocol())
    protocol.transport.abort()
    protocol.transport.abort()
    assert protocol.said == []
    wait(loop, lambda: protocol.said)
    assert protocol.said == [None]
    assert server.recv(1) == b""


def test_a_connection_that_another_one_ends_is_not_read_any_more(loop, connected):
    both: list[Protocol] = []

    def end_the_other(protocol: Protocol) -> None:
        next(each for each in both if each is not protocol).transport.abort()

    servers = []
    for _number in range(2):
        protocol, server = connected(Protocol(end_the_other))
        both.append(protocol)
        servers.append(server)
    for server in servers:
        server.sendall(b"x")
    wait(loop, lambda: any(each.said for each in both))
    assert sorted(each.data for each in both) == [b"", b"x"]


def test_a_protocol_that_fails_is_shown_and_loses_its_connection_only(loop, connected):
    shown = []
    loop.set_exception_handler(lambda _loop, context: shown.append(context["exception"]))

    def fail(_protocol: Protocol) -> None:
        raise ValueError("a mistake")

    failing, its_server = connected(Protocol(fail))
    other, server = connected(Protocol())
    its_server.sendall(b"x")
    server.sendall(b"y")
    wait(loop, lambda: failing.said and other.data)
    assert [str(error) for error in shown] == ["a mistake"]
    assert [str(error) for error in failing.said] == ["a mistake"] and other.said == []


def test_nobody_there(loop, sockets, listener):
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        loop.run_until_complete(sockets.connect("127.0.0.1", port, Protocol()))
    with pytest.raises(OSError):
        loop.run_until_complete(sockets.connect("no-such-host.invalid", port, Protocol()))


def test_connecting_can_be_given_up(loop, sockets):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        others = [socket.socket() for _number in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        with pytest.raises(asyncio.TimeoutError):
            port = full.getsockname()[1]
            loop.run_until_complete(asyncio.wait_for(sockets.connect("127.0.0.1", port, Protocol()), 0.2))
        for other in others:
            other.close()
    assert sockets.transports == {}


def test_closing_ends_all(loop, connected):
    protocols = [connected(Protocol())[0] for _number in range(3)]
    protocols[0].transport.sockets.close()
    wait(loop, lambda: all(protocol.said for protocol in protocols))
