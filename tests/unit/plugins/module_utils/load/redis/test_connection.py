# SPDX-License-Identifier: MIT
"""The connection to Redis against bytes as they may come, with a transport that is none."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.commands import RedisOperation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.connection import RedisConnection

from ..http.test_connection import Owner, Transport

AUTH, SELECT = ["AUTH", "secret"], ["SELECT", 3]


class Listening(Owner):
    ready = 0

    def opened(self, connection):
        self.ready += 1


@pytest.fixture
def connect():
    """connect(greeting): a connection that is made, on a loop."""
    loop = asyncio.new_event_loop()

    def make(*greeting):
        connection = RedisConnection(Listening(), greeting)

        async def made():
            connection.connection_made(Transport())

        loop.run_until_complete(made())
        return connection

    yield make
    loop.close()


def operation(commands=1):
    return RedisOperation(b"x" * commands, [(lambda _number, _reply: None, 0)] * commands)


def sent(connection, commands=1):
    made = operation(commands)
    connection.send(made)
    return made


def test_without_a_greeting_it_is_there_at_once(connect):
    connection = connect()
    assert connection.owner.ready == 1 and connection.usable and connection.ready.result() is None
    made = sent(connection, 2)
    connection.data_received(b"+OK\r\n:")
    assert not connection.owner.done
    connection.data_received(b"1\r\n")
    assert connection.owner.done == [made] and made.replies == ["OK", 1]
    assert (made.received, made.sent) == (9, 2) and connection.usable


def test_a_greeting_is_answered_before_anything_is_sent(connect):
    connection = connect(AUTH, SELECT)
    assert connection.transport.written == [b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"]
    connection.data_received(b"+OK\r\n+O")
    assert not connection.owner.ready and not connection.ready.done()
    connection.data_received(b"K\r\n")
    assert connection.owner.ready == 1 and connection.ready.result() is None


def test_a_greeting_that_is_refused(connect):
    connection = connect(AUTH, SELECT)
    connection.data_received(b"+OK\r\n-ERR DB index is out of range\r\n")
    assert not connection.owner.ready and connection.transport.aborted
    with pytest.raises(OSError, match="SELECT: ERR DB index is out of range"):
        connection.ready.result()


def test_a_server_that_leaves_during_the_greeting(connect):
    connection = connect(AUTH)
    connection.connection_lost(None)
    with pytest.raises(OSError, match="closed the connection before it was ready"):
        connection.ready.result()
    assert connection.owner.gone == 1


def test_a_server_that_does_not_speak_the_protocol(connect):
    connection = connect(AUTH)
    connection.data_received(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(OSError, match="a reply begins with b'HTTP"):
        connection.ready.result()
    connection = connect()
    sent(connection)
    connection.data_received(b"HTTP/1.1 400 Bad Request\r\n")
    assert connection.owner.failed[0][0] == "bad response" and not connection.usable


@pytest.mark.parametrize("data", [b"+OK\r\n+OK\r\n", b"+OK\r\n$5\r\n"])
def test_more_replies_than_commands(connect, data):
    connection = connect()
    sent(connection)
    connection.data_received(data)
    assert connection.owner.failed[0][0] == "bad response" and not connection.owner.done
    assert connection.transport.aborted and not connection.usable


@pytest.mark.parametrize("data", [b"+OK\r\n", b"$"])
def test_a_reply_that_nobody_asked_for(connect, data):
    connection = connect()
    connection.data_received(data)
    assert connection.transport.aborted and not connection.usable
    connection.connection_lost(None)
    assert connection.owner.gone == 1 and not connection.owner.failed


def test_a_connection_lost_in_mid_answer(connect):
    connection = connect()
    made = sent(connection, 2)
    connection.data_received(b"+OK\r\n")
    connection.connection_lost(ConnectionResetError("reset"))
    assert connection.owner.failed == [
        ("connection closed", "the server closed the connection: reset before all of its answer")
    ]
    assert made.end > 0 and connection.owner.gone == 1


def test_a_connection_that_is_given_up_tells_nobody(connect):
    connection = connect()
    sent(connection)
    connection.close()
    connection.data_received(b"+OK\r\n")
    connection.connection_lost(None)
    assert not connection.owner.done and not connection.owner.failed and connection.transport.aborted
