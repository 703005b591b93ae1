# SPDX-License-Identifier: MIT
"""The parser of RESP2 against replies of known content, split anywhere, and against bytes that are none."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import (
    BadReply,
    ErrorReply,
    Parser,
    command,
)
from hypothesis import given
from hypothesis import strategies as st


def wire(value):
    """A reply as the server sends it."""
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, ErrorReply):
        return b"-" + value.text.encode() + b"\r\n"
    if isinstance(value, str):
        return b"+" + value.encode() + b"\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    return b"*%d\r\n" % len(value) + b"".join(map(wire, value))


LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
SIMPLE = st.none() | LINE | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=60) | LINE.map(ErrorReply)
REPLY = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


@given(replies=st.lists(REPLY, max_size=8), cuts=st.lists(st.integers(0, 3000), max_size=12))
def test_replies_split_anywhere(replies, cuts):
    data = b"".join(map(wire, replies))
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    parser = Parser()
    found = [reply for a, b in itertools.pairwise(places) for reply in parser.feed(data[a:b])]
    assert found == replies and parser.is_idle


@given(replies=st.lists(REPLY, min_size=1, max_size=4))
def test_replies_byte_by_byte(replies):
    data, parser = b"".join(map(wire, replies)), Parser()
    found = []
    for at in range(len(data)):
        found += parser.feed(data[at : at + 1])
        assert parser.is_idle == (b"".join(map(wire, found)) == data[: at + 1])
    assert found == replies


def test_a_large_string_in_many_pieces():
    value, parser = bytes(range(256)) * 20000, Parser()
    data = wire([1, value, None])
    found = [reply for at in range(0, len(data), 1000) for reply in parser.feed(data[at : at + 1000])]
    assert found == [[1, value, None]]


def test_null_arrays_and_deep_ones():
    deep = b"*1\r\n" * 5000 + b":7\r\n"
    (reply,) = Parser().feed(deep)
    for _level in range(5000):
        (reply,) = reply
    assert reply == 7
    assert Parser().feed(b"*-1\r\n*0\r\n*2\r\n*0\r\n*-1\r\n") == [None, [], [[], None]]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$x\r\n", b":\r\n", b":1.5\r\n", b"*many\r\n", b"\r\n", b"%1\r\n",
        b"$3\r\nabcd\r\n", b"$999999999999\r\n", b"+" + b"x" * 70000,
    ],
)  # fmt: skip
def test_what_is_no_reply(data):
    with pytest.raises(BadReply):
        Parser().feed(data)


def test_errors_have_a_code():
    assert ErrorReply("WRONGTYPE Operation against a key").code == "WRONGTYPE"
    assert ErrorReply("").code == "ERR"


def test_commands_on_the_wire():
    assert command("SET", b"k\r\n", "ü", 5) == b"*4\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n\xc3\xbc\r\n$1\r\n5\r\n"
