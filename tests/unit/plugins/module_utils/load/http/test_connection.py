# SPDX-License-Identifier: MIT
"""The HTTP connection against bytes as they may come: split anywhere, framed in any way, cut short, or wrong."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http import framing
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.connection import HttpConnection
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import HttpOperation
from hypothesis import given
from hypothesis import strategies as st

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Transport:
    def __init__(self):
        self.written = []
        self.aborted = False

    def write(self, data):
        self.written.append(data)

    def abort(self):
        self.aborted = True


class Owner:
    def __init__(self):
        self.done, self.failed, self.gone = [], [], 0

    def opened(self, connection):
        pass

    def finished(self, connection, operation):
        self.done.append(operation)

    def broken(self, connection, operation, error_class, text):
        self.failed.append((error_class, text))

    def closed(self, connection):
        self.gone += 1


def exchange(*parts, close=False, error=None, is_head=False):
    """(owner, operation, connection) after the parts (bytes) came in answer to one request."""
    owner = Owner()
    connection = HttpConnection(owner)
    connection.connection_made(Transport())
    operation = HttpOperation(b"GET / HTTP/1.1\r\n\r\n", keeps_body=True, is_head=is_head)
    connection.send(operation)
    for part in parts:
        if connection.usable or connection.operation is not None:
            connection.data_received(part)
    if close:
        connection.connection_lost(error)
    return owner, operation, connection


def pieces(data, cuts):
    """The bytes, cut at these places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places) if a < b]


def in_chunks(body, size, trailer=b""):
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer + b"\r\n"


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 2000), max_size=12), size=st.integers(1, 80))
def test_chunks_split_anywhere_give_the_body(body, cuts, size):
    answer = CHUNKED + in_chunks(body, size, b"X-Trailer: 1\r\n")
    owner, operation, connection = exchange(*pieces(answer, cuts))
    assert owner.done == [operation] and operation.body == body
    assert operation.received == len(answer)
    assert connection.usable


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_a_content_length_split_anywhere_gives_the_body(body, cuts):
    answer = b"HTTP/1.1 200 OK\r\ncontent-length:  %d\r\n\r\n%s" % (len(body), body)
    owner, operation, connection = exchange(*pieces(answer, cuts))
    assert owner.done == [operation] and operation.body == body and connection.usable


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_a_body_may_end_with_its_connection(body, cuts):
    owner, operation, connection = exchange(*pieces(b"HTTP/1.1 200 OK\r\n\r\n" + body, cuts), close=True)
    assert owner.done == [operation] and operation.body == body
    assert not connection.usable and owner.gone == 1


def test_a_reset_in_such_a_body_is_an_error():
    owner, _operation, _connection = exchange(
        b"HTTP/1.1 200 OK\r\n\r\nhalf", close=True, error=OSError("reset by peer")
    )
    assert owner.failed == [("connection closed", "the server closed the connection in mid-answer: reset by peer")]


@pytest.mark.parametrize(
    ("parts", "when"),
    [
        ([], "before its answer"),
        ([b"HTTP/1.1 20"], "in mid-answer"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"], "in mid-answer"),
        ([CHUNKED + b"5\r\nhel"], "in mid-answer"),
        ([CHUNKED + b"5\r\nhello\r\n"], "in mid-answer"),
    ],
)
def test_an_answer_that_is_cut_short_is_an_error(parts, when):
    owner, _operation, connection = exchange(*parts, close=True)
    assert owner.failed == [("connection closed", f"the server closed the connection {when}")]
    assert not owner.done and not connection.usable


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not begin with HTTP/1.1"),
        (b"HTTP/2 200\r\n\r\n", "does not begin with HTTP/1.1"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "does not begin with HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", "Content-Length is '5, 6'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "both 5 and 6"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "Content-Length is '-5'"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "malformed"),
        (CHUNKED + b"0x5\r\nhello\r\n", "a chunk's length is b'0x5'"),
        (CHUNKED + b"\r\n", "a chunk's length is b''"),
        (CHUNKED + b"5\r\nhello!\r\n", "longer than it said"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000, "does not end within"),
    ],
)
def test_what_is_no_answer_says_why(answer, text):
    owner, _operation, connection = exchange(answer)
    [(error_class, said)] = owner.failed
    assert error_class == "bad response" and text in said
    assert connection.transport.aborted


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_a_connection_is_used_again_when_both_sides_keep_it(head, keeps):
    owner, operation, connection = exchange(head + b"Content-Length: 2\r\n\r\nhi")
    assert owner.done == [operation] and connection.usable is keeps


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_do_not_wait_for_one(status):
    owner, operation, _connection = exchange(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
    assert owner.done == [operation]


def test_the_answer_to_a_head_has_no_body():
    owner, operation, _connection = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", is_head=True)
    assert owner.done == [operation] and operation.body == b""


def test_a_provisional_answer_is_not_the_answer():
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    owner, operation, _connection = exchange(answer)
    assert owner.done == [operation] and operation.status == 200 and operation.body == b"hi"


def test_more_than_was_asked_for_ends_the_connection():
    owner, operation, connection = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n")
    assert owner.done == [operation] and connection.transport.aborted and not connection.usable


def test_a_redirect_is_an_error_that_says_where_to():
    _owner, operation, _connection = exchange(
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"
    )
    operation.finished()
    assert operation.error == "redirect" and "http://elsewhere/" in operation.example


def test_an_unwanted_status_brings_the_beginning_of_its_body():
    _owner, operation, _connection = exchange(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\noverload!")
    operation.finished()
    assert (operation.error, operation.example) == ("status 503", "overload!")


def test_heads_that_were_seen_are_not_mixed_up():
    for number in range(600):
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d" % number
        assert framing.head_of(raw).length == number
        assert framing.head_of(raw, to_head=True).length == 0
