# SPDX-License-Identifier: MIT
"""A connection of the load to PostgreSQL: split answers, errors, logins that fail, servers that go away."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_connection import (
    Account,
    PgClient,
    PgConnection,
    PgConnector,
    PgOperation,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_wire import PgError, message

from .vector_servers import PASSWORD, postgresql, sql

READY = message(b"Z", b"I")
LOGIN = message(b"R", struct.pack("!i", 0)) + message(b"S", b"a\0b\0") + message(b"K", b"12345678") + READY
GREETING = message(b"C", b"SET\0") + READY + message(b"1") + READY
ROWS = [struct.pack("!hi", 1, 4) + b"row1", struct.pack("!hi", 1, 4) + b"row2"]
ANSWER = message(b"2") + message(b"D", ROWS[0]) + message(b"D", ROWS[1]) + message(b"C", b"SELECT 2\0") + READY
REFUSED = message(b"E", b"SERROR\0C42703\0Mno such column\0\0")


class Owner:
    """Keeps what a connection tells, and gives it one operation after the other."""

    def __init__(self):
        self.said, self.rows = [], []

    def opened(self, connection):
        self.said.append("opened")

    def finished(self, connection, operation):
        self.said.append(operation.error or "finished")
        self.rows.append(operation.rows)

    def broken(self, connection, operation, error_class, text):
        self.said.append((error_class, text))

    def closed(self, connection):
        self.said.append("closed")


class Transport:
    def __init__(self):
        self.written, self.is_aborted = b"", False

    def write(self, data):
        self.written += data

    def abort(self):
        self.is_aborted = True


@pytest.fixture
def opened():
    """(a connection that is logged in, its owner)."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    account = Account(Endpoint("127.0.0.1", 1), "u", "d", None)
    owner = Owner()
    connection = PgConnection(owner, PgConnector(account, ["SET a = 1"], {"s": "SELECT 1"}))
    connection.connection_made(Transport())
    yield connection, owner
    asyncio.set_event_loop(None)
    loop.close()


def feed(connection, data, size):
    for at in range(0, len(data), size):
        connection.data_received(data[at : at + size])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1000])
def test_answers_however_they_are_split(opened, size):
    connection, owner = opened
    feed(connection, LOGIN, size)
    assert owner.said == [] and not connection.usable
    assert b"SET a = 1\0" in connection.transport.written and b"SELECT 1\0" in connection.transport.written
    feed(connection, GREETING, size)
    assert owner.said == ["opened"] and connection.ready.done()
    for _time in range(2):
        operation = PgOperation(b"payload")
        connection.send(operation)
        feed(connection, ANSWER, size)
        assert operation.rows == ROWS and operation.received == len(ANSWER) and operation.end >= operation.start > 0
    assert owner.said == ["opened", "finished", "finished"]


def test_a_refused_search_leaves_the_connection_as_it_was(opened):
    connection, owner = opened
    connection.data_received(LOGIN)
    connection.data_received(GREETING)
    operation = PgOperation(b"")
    connection.send(operation)
    connection.data_received(REFUSED + READY)
    assert owner.said == ["opened", "SQL error 42703"] and operation.example == "no such column"
    connection.send(PgOperation(b""))
    connection.data_received(ANSWER)
    assert owner.said[-1] == "finished" and owner.rows[-1] == ROWS


@pytest.mark.parametrize("size", [1, 1000])
def test_a_greeting_that_is_refused_is_no_connection(opened, size):
    connection, owner = opened
    feed(connection, LOGIN, size)
    feed(connection, REFUSED, size)
    assert owner.said == [] and connection.transport.is_aborted
    with pytest.raises(OSError, match="no such column"):
        connection.ready.result()


@pytest.mark.parametrize("cut", [0, 3, len(ANSWER) - 1])
def test_a_server_that_goes_away_in_mid_answer(opened, cut):
    connection, owner = opened
    connection.data_received(LOGIN)
    connection.data_received(GREETING)
    connection.send(PgOperation(b""))
    if cut:
        connection.data_received(ANSWER[:cut])
    connection.connection_lost(None)
    assert owner.said == [
        "opened",
        ("connection closed", "the server closed the connection before all of its answer"),
        "closed",
    ]
    assert not connection.usable


def test_what_is_no_answer_breaks_the_operation(opened):
    connection, owner = opened
    connection.data_received(LOGIN)
    connection.data_received(GREETING)
    connection.send(PgOperation(b""))
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    assert owner.said[1][0] == "bad response" and connection.transport.is_aborted


def test_a_shutdown_while_it_is_idle(opened):
    connection, owner = opened
    connection.data_received(LOGIN)
    connection.data_received(GREETING)
    connection.data_received(message(b"E", b"SFATAL\0C57P01\0Mterminating connection\0\0"))
    assert not connection.usable and connection.transport.is_aborted and owner.said == ["opened"]


# -- a real server -------------------------------------------------------------------------------------


@contextlib.contextmanager
def splitting(port):
    """A port that passes everything on to `port` and back, one byte at a time on the way back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", port))
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for source, sink, size in ((client, server, 65536), (server, client, 1)):
                    threading.Thread(target=pass_on, args=(source, sink, size), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def pass_on(source, sink, size):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            for at in range(0, len(data), size):
                sink.sendall(data[at : at + size])
        sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("authentication", ["scram-sha-256", "md5", "password", "trust"])
def test_every_login_of_a_real_server(authentication):
    with postgresql(authentication) as server, splitting(server.port) as port:
        password = None if authentication == "trust" else PASSWORD
        client = PgClient(Account(Endpoint("127.0.0.1", port), "postgres", "postgres", password))
        assert client.query("SELECT 40 + 2, NULL, 'ä'") == [["42", None, "ä"]]
        with pytest.raises(PgError, match='relation "nothing" does not exist'):
            client.query("SELECT * FROM nothing")
        client.query("CREATE TABLE t (a int)")
        client.copy("COPY t FROM STDIN", b"1\n2\n")
        with pytest.raises(PgError, match="invalid input syntax"):
            client.copy("COPY t FROM STDIN", b"x\n")
        with pytest.raises(PgError, match="without asking for its data"):
            client.copy("SELECT 1", b"")
        assert client.query("SELECT sum(a) FROM t") == [["3"]]
        client.close()
        if password:
            for wrong, text in (("bad", "password authentication failed"), (None, "asks for a password")):
                with pytest.raises(PgError, match=text):
                    PgClient(Account(Endpoint("127.0.0.1", port), "postgres", "postgres", wrong))
        assert sql(server, "SELECT count(*) FROM t") == "2"


def test_whoever_waits_can_be_stopped():
    stop = threading.Event()
    with postgresql("trust") as server:
        client = PgClient(Account(Endpoint("127.0.0.1", server.port), "postgres", "postgres", None), stop)
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(PgError, match="stopped"):
            client.query("SELECT pg_sleep(60)")
        client.close()
