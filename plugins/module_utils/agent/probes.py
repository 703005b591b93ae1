# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is the service healthy? Asked in its own protocol.

A probe returns None when the service is healthy, else what is still missing (str).
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.exchange import exchange
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import stop_group

_TIMEOUT_S = 2.0
_WHOLE_S = 5.0  # until all of an answer is there
_MOST_BYTES = 1 << 20
_COMMAND_TIMEOUT_S = 30.0
_PROTOCOL_3_0 = 196608
_STARTING_UP = "57P03"  # cannot_connect_now


def tcp(address, port, health, env):
    """Something accepts connections."""
    with socket.create_connection((address, port), _TIMEOUT_S):
        return None


def http(address, port, health, env):
    """GET `path` answers with one of `status`, and with `body` somewhere in the answer.

    With `secret`, the name of one of the service's, it logs in: a bearer's token, which is `user:SECRET` with `user`,
    or with `login: basic` the password of `user`.
    """
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(address, port, timeout=_TIMEOUT_S)
    path = health.get("path") or "/"
    fields = dict(_login(health, env), Connection="close")
    try:
        answer, data = exchange(
            connection, "GET", path, headers=fields, deadline_s=_WHOLE_S, most_bytes=_MOST_BYTES, cut=True
        )
        body = data.decode("utf-8", "replace")
    except HTTPException as e:
        return "no HTTP answer: %r" % e
    finally:
        connection.close()
    wanted = health.get("status") or [200]
    if answer.status not in wanted:
        return "GET %s answered %d, not %s" % (path, answer.status, " or ".join(map(str, wanted)))
    if health.get("body") and health["body"] not in body:
        return "the answer to GET %s lacks %r: %r" % (path, health["body"], body[:200])
    return None


def _login(health, env):
    if not health.get("secret"):
        return {}
    with open(os.path.join(env["SERVICE_SECRETS"], health["secret"])) as stream:
        token = stream.read().strip()
    words = (health["user"] + ":" if health.get("user") else "") + token
    if health.get("login") == "basic":
        return {"Authorization": "Basic " + base64.b64encode(words.encode("utf-8")).decode("ascii")}
    return {"Authorization": "Bearer " + words}


def command(address, port, health, env):
    """`command` ends with 0, run by sh on the node, with the SERVICE_ variables."""
    # a file: what it prints may have no end, and what it starts may hold a pipe open
    with tempfile.TemporaryFile() as output:
        limits = "ulimit -f %d; " % (_MOST_BYTES // 512)
        # in a job there is no AnsibleModule
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            ["sh", "-c", limits + health["command"]],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(_COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return "%r took longer than %d s" % (health["command"], _COMMAND_TIMEOUT_S)
        finally:
            stop_group(process)
        if code:
            output.seek(max(0, output.seek(0, os.SEEK_END) - 1200))
            text = output.read().decode("utf-8", "replace").strip()
            return "%r ended with exit code %d: %s" % (health["command"], code, text[-300:])
    return None


def postgresql(address, port, health, env):
    """The server takes part in the start-up of a connection, whatever it thinks of our user.

    Protocol: PostgreSQL documentation, "Message Formats". `R` asks for authentication. `E` with SQLSTATE 57P03
    says that the server is starting; any other error (no such user, no such database) comes from one that runs.
    """
    parameters = b"user\0aifactory\0database\0postgres\0\0"
    end = time.monotonic() + _WHOLE_S
    with socket.create_connection((address, port), _TIMEOUT_S) as connection:
        connection.sendall(struct.pack("!ii", len(parameters) + 8, _PROTOCOL_3_0) + parameters)
        kind = _read(connection, 1, end)
        size = struct.unpack("!i", _read(connection, 4, end))[0]
        if kind == b"R":
            return None
        if kind != b"E" or not 4 <= size <= 65536:
            return "not the answer of a PostgreSQL server: %r" % kind
        fields = {f[:1]: f[1:] for f in _read(connection, size - 4, end).split(b"\0") if f}
    code = fields.get(b"C", b"").decode("ascii", "replace")
    if code == _STARTING_UP:
        return fields.get(b"M", b"starting").decode("utf-8", "replace")
    return None


def redis(address, port, health, env):
    """The server answers PING, be it with the wish for a password; one that still reads its data is not ready.

    Protocol: Redis documentation, "Redis serialization protocol specification".
    """
    end = time.monotonic() + _WHOLE_S
    with socket.create_connection((address, port), _TIMEOUT_S) as connection:
        connection.sendall(b"PING\r\n")
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < 1024:
            answer += _read(connection, 1, end)
    if answer.startswith((b"+PONG", b"-NOAUTH")):
        return None
    if answer[:1] not in (b"+", b"-"):
        return "not the answer of a Redis server: %r" % answer[:80]
    return answer[1:].decode("utf-8", "replace").strip()


def process(address, port, health, env):
    """It has not died within a second (the supervisor sees it when it does): for a service without a port."""
    time.sleep(1.0)


def _read(connection, count, end):
    """So many bytes, all before the time `end` of the monotonic clock."""
    data = b""
    while len(data) < count:
        if time.monotonic() > end:
            raise socket.timeout("no whole answer within %g s" % _WHOLE_S)
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("the connection was closed")
        data += more
    return data


PROBES = {
    "tcp": tcp,
    "http": http,
    "command": command,
    "postgresql": postgresql,
    "redis": redis,
    "process": process,
}


class Prober(threading.Thread):
    """Probes again and again until the service is healthy.

    healthy (threading.Event), missing (str: what the last probe missed). A thread, so that the supervisor sees
    a dead container or a signal while a probe hangs.
    """

    def __init__(self, health, address, port, env):
        super().__init__(name="prober")
        self.daemon = True
        kind = health.get("type") or ("process" if port is None else "tcp")
        if kind not in PROBES:
            raise AgentError("health.type is %r; there are %s" % (kind, ", ".join(sorted(PROBES))))
        if port is None and kind not in ("command", "process"):
            raise AgentError("health.type %s needs a port, and this service has none" % kind)
        if kind == "command" and not health.get("command"):
            raise AgentError("health.type command needs health.command")
        self.probe = PROBES[kind]
        self.health, self.address, self.port, self.env = health, address, port, env
        self.interval_s = float(health.get("interval_s") or 0.2)
        self.healthy = threading.Event()
        self.ended = threading.Event()
        self.missing = "it was not probed yet"

    def run(self):
        """Until healthy or stopped."""
        while not self.ended.is_set():
            try:
                self.missing = self.probe(self.address, self.port, self.health, self.env)
            except (OSError, ValueError, RuntimeError, struct.error) as e:
                # whatever a service answers, it is asked again
                self.missing = str(e) or type(e).__name__
            if self.missing is None:
                self.healthy.set()
                return
            self.ended.wait(self.interval_s)

    def stop(self):
        """Probe no more."""
        self.ended.set()
