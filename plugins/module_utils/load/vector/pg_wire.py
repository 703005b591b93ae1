# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's wire protocol, version 3.0, without I/O: messages out and in, and how a session is begun.

https://www.postgresql.org/docs/current/protocol-message-formats.html, SCRAM-SHA-256 by RFC 5802 and RFC 7677.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import hashlib
import hmac
import os
import struct
import unicodedata

_PROTOCOL = 196608  # 3.0
_MOST_BYTES = 1 << 30

# Kinds of messages that a server sends.
AUTHENTICATION, COMMAND_COMPLETE, COPY_IN, DATA_ROW, ERROR, READY = b"R", b"C", b"G", b"D", b"E", b"Z"

_OK, _CLEARTEXT, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 5, 10, 11, 12

_INT = struct.Struct("!i")
_HEAD = struct.Struct("!ci")
_SHORT = struct.Struct("!h")
_MOST_ITERATIONS = 1000000


class PgError(Exception):
    """The server refuses something, or what it sends is no answer. code (str): SQLSTATE, empty where it has none."""

    def __init__(self, text, code=""):
        super().__init__(text)
        self.code = code


class Reader:
    """Cuts what comes into messages, however it was split on its way."""

    def __init__(self):
        self._rest = b""

    def feed(self, data):
        """The messages (list of (kind, body): bytes, bytes) that are complete now. Raises PgError."""
        if self._rest:
            data = self._rest + data
        messages, at, end = [], 0, len(data)
        while end - at >= 5:
            kind, length = _HEAD.unpack_from(data, at)
            if not 4 <= length <= _MOST_BYTES or not (kind.isalpha() or kind.isdigit()):
                raise PgError("this is no answer of PostgreSQL: %r" % data[at : at + 40])
            if end - at <= length:
                break
            messages.append((kind, data[at + 5 : at + 1 + length]))
            at += 1 + length
        self._rest = data[at:]
        return messages

    @property
    def is_idle(self):
        """Whether no part of a message waits for its rest."""
        return not self._rest


def message(kind, body=b""):
    """A message (bytes). kind: its letter (bytes)."""
    return kind + _INT.pack(len(body) + 4) + body


def startup(user, database):
    """The first message (bytes) of a session."""
    parameters = [
        ("user", user),
        ("database", database),
        ("application_name", "aifactory"),
        ("client_encoding", "UTF8"),
    ]
    body = _INT.pack(_PROTOCOL) + b"".join(_text(name) + _text(value) for name, value in parameters) + b"\0"
    return _INT.pack(len(body) + 4) + body


def query(sql):
    """A simple query (bytes)."""
    return message(b"Q", _text(sql))


def parse(name, sql):
    """Prepares a statement (bytes), the types of whose parameters the server infers."""
    return message(b"P", _text(name) + _text(sql) + _SHORT.pack(0))


def sync():
    """The end (bytes) of a series of messages of the extended protocol."""
    return message(b"S")


def execute(name, parameter):
    """Runs a prepared statement of one parameter (bytes), in binary as all of its result: Bind, Execute, Sync."""
    bind = b"\0" + _text(name) + struct.pack("!hhhi", 1, 1, 1, len(parameter)) + parameter + struct.pack("!hh", 1, 1)
    return message(b"B", bind) + message(b"E", b"\0" + _INT.pack(0)) + sync()


def columns(body):
    """The columns (list of bytes; None: NULL) of a DataRow. Raises PgError."""
    try:
        found, at = [], 2
        for _column in range(_SHORT.unpack_from(body)[0]):
            length = _INT.unpack_from(body, at)[0]
            at += 4
            found.append(None if length < 0 else body[at : at + length])
            at += max(0, length)
    except struct.error:
        at = -1
    if at != len(body):
        raise PgError("a row is malformed: %r" % body[:60])
    return found


def error_of(body):
    """The PgError of an ErrorResponse."""
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    text = fields.get(b"M", "no message")
    for name, label in ((b"D", "detail"), (b"H", "hint")):
        if name in fields:
            text += "; %s: %s" % (label, fields[name])
    return PgError(text, fields.get(b"C", ""))


class Login:
    """How a session is begun, by whatever the server asks for: nothing, the password, md5, SCRAM-SHA-256.

    user: str; password: str or None.
    """

    def __init__(self, user, password):
        self.user, self.password = user, password
        self.is_ready = False
        self._scram = None
        self._is_proven = True  # the server, that it knows the password

    def take(self, kind, body):
        """What has to be sent (bytes) after a message of the server. Raises PgError."""
        if kind == ERROR:
            raise error_of(body)
        if kind == READY:
            if not self._is_proven:
                raise PgError("the server did not prove that it knows the password")
            self.is_ready = True
        if kind != AUTHENTICATION:
            return b""
        if len(body) < _INT.size:
            raise PgError("a request for authentication is cut short")
        asked = _INT.unpack_from(body)[0]
        if asked == _OK:
            return b""
        if self.password is None:
            raise PgError("the server asks for a password: name the secret that holds it in client.settings.secret")
        return self._authenticate(asked, body[4:])

    def _authenticate(self, asked, data):
        if asked == _CLEARTEXT:
            return message(b"p", _text(self.password))
        if asked == _MD5:
            inner = hashlib.md5((self.password + self.user).encode("utf-8")).hexdigest()
            return message(b"p", _text("md5" + hashlib.md5(inner.encode("ascii") + data[:4]).hexdigest()))
        if asked == _SASL:
            offered = data.rstrip(b"\0").split(b"\0")
            if b"SCRAM-SHA-256" not in offered:
                raise PgError("the server offers only %s" % b", ".join(offered).decode("ascii", "replace"))
            self._scram, self._is_proven = Scram(self.password), False
            first = self._scram.first()
            return message(b"p", _text("SCRAM-SHA-256") + _INT.pack(len(first)) + first)
        if asked == _SASL_CONTINUE and self._scram:
            return message(b"p", self._scram.final(data))
        if asked == _SASL_FINAL and self._scram:
            self._is_proven = self._scram.proves(data)
            return b""
        raise PgError("the server asks for an authentication (%d) that is not known here" % asked)


class Scram:
    """The client's side of SCRAM-SHA-256. nonce (str): one's own part; random when it isn't given."""

    _keys = {}  # (password, salt, iterations) -> the salted password: a connection costs 4,096 hashes without it

    def __init__(self, password, nonce=None, user=""):
        # RFC 4013 without its tables: PostgreSQL takes the password as it is, where that does not apply
        self.password = unicodedata.normalize("NFKC", password).encode("utf-8")
        self.nonce = nonce or base64.b64encode(os.urandom(18)).decode("ascii")
        self._bare = "n=%s,r=%s" % (user, self.nonce)
        self._proof = b""

    def first(self):
        """The first message (bytes)."""
        return ("n,," + self._bare).encode("ascii")

    def final(self, server_first):
        """The second one, after the server's first (bytes). Raises PgError."""
        try:
            text = server_first.decode("ascii")
            parts = dict(part.split("=", 1) for part in text.split(","))
            salt, iterations = base64.b64decode(parts["s"]), int(parts["i"])
            nonce = parts["r"]
        except (ValueError, KeyError):
            raise PgError("the server's challenge is malformed: %r" % server_first[:100])
        # each is a hash: a server could keep the client busy for hours
        if not nonce.startswith(self.nonce) or not 1 <= iterations <= _MOST_ITERATIONS:
            raise PgError("the server's challenge is no answer to this client's")
        salted = self._salted(salt, iterations)
        key = _hmac(salted, b"Client Key")
        without_proof = "c=biws,r=" + nonce
        signed = ",".join((self._bare, text, without_proof)).encode("ascii")
        signature = _hmac(hashlib.sha256(key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self._proof = b"v=" + base64.b64encode(_hmac(_hmac(salted, b"Server Key"), signed))
        return without_proof.encode("ascii") + b",p=" + base64.b64encode(proof)

    def proves(self, server_final):
        """Whether the server's last message (bytes) shows that it knows the password."""
        return bool(self._proof) and hmac.compare_digest(server_final.split(b",")[0], self._proof)

    def _salted(self, salt, iterations):
        known = (self.password, salt, iterations)
        if known not in self._keys:
            self._keys[known] = hashlib.pbkdf2_hmac("sha256", self.password, salt, iterations)
        return self._keys[known]


def _hmac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def _text(value):
    data = value.encode("utf-8")
    if b"\0" in data:
        raise PgError("a text for PostgreSQL has no NUL: %r" % value)
    return data + b"\0"
