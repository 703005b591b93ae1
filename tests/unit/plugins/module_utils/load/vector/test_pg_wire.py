# SPDX-License-Identifier: MIT
"""PostgreSQL's protocol without a server: messages however they are split, and logins against published examples."""

from __future__ import annotations

import hashlib
import struct

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import Operation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import pg_wire
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_wire import (
    Login,
    PgError,
    Reader,
    Scram,
    message,
)

ROW = message(b"D", struct.pack("!hi", 2, 4) + b"abcd" + struct.pack("!i", -1))
STREAM = message(b"2") + ROW + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")
MESSAGES = [(b"2", b""), (b"D", ROW[5:]), (b"C", b"SELECT 1\0"), (b"Z", b"I")]


def authentication(kind, data=b""):
    return b"R", struct.pack("!i", kind) + data


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, len(STREAM)])
def test_messages_however_they_are_split(size):
    reader, found = Reader(), []
    for at in range(0, len(STREAM), size):
        found += reader.feed(STREAM[at : at + size])
    assert found == MESSAGES and reader.is_idle


@pytest.mark.parametrize("at", range(1, len(STREAM)))
def test_messages_cut_in_two_at_every_place(at):
    reader = Reader()
    assert reader.feed(STREAM[:at]) + reader.feed(STREAM[at:]) == MESSAGES


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request", b"D\xff\xff\xff\xff....", b"\x00\x00\x00\x00\x08...."])
def test_what_is_no_postgresql_is_said(data):
    with pytest.raises(PgError, match="this is no answer of PostgreSQL"):
        Reader().feed(data)


def test_columns():
    assert pg_wire.columns(ROW[5:]) == [b"abcd", None]
    for wrong in (ROW[5:-1], ROW[5:] + b"x", b"", b"\0\2"):
        with pytest.raises(PgError, match="a row is malformed"):
            pg_wire.columns(wrong)


def test_the_messages_of_a_search():
    """Bind, Execute, Sync, field by field as the documentation has them."""
    data = pg_wire.execute("s", b"VEC")
    bind = b"\0s\0" + struct.pack("!hh", 1, 1) + struct.pack("!h", 1) + struct.pack("!i", 3) + b"VEC"
    bind += struct.pack("!hh", 1, 1)
    execute = b"\0" + struct.pack("!i", 0)
    assert data == b"B" + struct.pack("!i", len(bind) + 4) + bind + b"E" + struct.pack("!i", 9) + execute + b"S\0\0\0\4"
    assert pg_wire.query("SELECT 1") == b"Q\0\0\0\x0dSELECT 1\0"
    assert pg_wire.startup("u", "d")[4:8] == struct.pack("!i", 3 << 16)
    assert struct.unpack_from("!i", pg_wire.startup("u", "d"))[0] == len(pg_wire.startup("u", "d"))
    with pytest.raises(PgError, match="has no NUL"):
        pg_wire.query("SELECT '\0'")


def test_an_error_has_its_code_detail_and_hint():
    body = b"SERROR\0C42P01\0Mrelation does not exist\0Dthe detail\0Hthe hint\0\0"
    error = pg_wire.error_of(body)
    assert (str(error), error.code) == ("relation does not exist; detail: the detail; hint: the hint", "42P01")


# -- logins --------------------------------------------------------------------------------------------


def test_scram_is_that_of_rfc_7677():
    scram = Scram("pencil", nonce="rOprNGfwEbeRWgbNEkqO", user="user")
    assert scram.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    answer = scram.final(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    assert answer == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert scram.proves(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert not scram.proves(b"v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize(
    ("challenge", "message"),
    [
        (b"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "no answer to this client's"),
        (b"r=nonce1,i=4096", "malformed"),
        (b"e=other-error", "malformed"),
        (b"r=nonce1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=many", "malformed"),
    ],
)
def test_a_wrong_challenge_is_refused(challenge, message):
    with pytest.raises(PgError, match=message):
        Scram("pencil", nonce="nonce").final(challenge)


def test_a_server_that_does_not_know_the_password_is_not_trusted():
    login = Login("u", "pencil")
    first = login.take(*authentication(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"))
    assert first.startswith(b"p") and b"SCRAM-SHA-256\0" in first
    nonce = first.split(b"r=")[1]
    login.take(*authentication(11, b"r=" + nonce + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
    login.take(*authentication(12, b"v=AAAA"))
    login.take(*authentication(0))
    with pytest.raises(PgError, match="did not prove that it knows the password"):
        login.take(b"Z", b"I")


def test_md5_and_cleartext():
    salt = b"\1\2\3\4"
    inner = hashlib.md5(b"secretu").hexdigest()
    expected = b"md5" + hashlib.md5(inner.encode() + salt).hexdigest().encode()
    assert Login("u", "secret").take(*authentication(5, salt)) == message(b"p", expected + b"\0")
    assert Login("u", "secret").take(*authentication(3)) == message(b"p", b"secret\0")


def test_what_a_login_can_not_do_is_said():
    with pytest.raises(PgError, match=r"asks for a password: name the secret .* client\.settings\.secret"):
        Login("u", None).take(*authentication(3))
    with pytest.raises(PgError, match=r"authentication \(7\) that is not known here"):
        Login("u", "p").take(*authentication(7))
    with pytest.raises(PgError, match="offers only OTHER"):
        Login("u", "p").take(*authentication(10, b"OTHER\0\0"))
    with pytest.raises(PgError, match="password authentication failed"):
        Login("u", "p").take(b"E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")


def test_a_login_that_is_trusted():
    login = Login("u", None)
    for kind, body in (authentication(0), (b"S", b"server_version\0" + b"16\0"), (b"K", b"12345678")):
        assert login.take(kind, body) == b"" and not login.is_ready
    login.take(b"Z", b"I")
    assert login.is_ready


def test_the_operation_of_the_engine_is_one_of_its_kind():
    from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_connection import PgOperation

    operation = PgOperation(b"12345")
    operation.began(5.0)
    operation.began(6.0)
    assert isinstance(operation, Operation) and (operation.start, operation.sent) == (5.0, 10)
