# SPDX-License-Identifier: MIT
"""Health probes against servers of their protocols on loopback."""

from __future__ import annotations

import http.server
import os
import socket
import struct
import threading

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import probes
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        refused = self.path == "/closed" and self.headers["Authorization"] not in ("Bearer word", "Bearer root:word")
        self.send_response(401 if refused else 503 if self.path == "/busy" else 200)
        self.end_headers()
        self.wfile.write(b'{"status": "ready"}')

    def log_message(self, *args):
        pass


@pytest.fixture
def web():
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def raw():
    """Starts a server that answers one connection with given bytes; returns its port."""
    servers = []

    def start(answer):
        server = socket.create_server(("127.0.0.1", 0))

        def serve():
            connection, _address = server.accept()
            connection.recv(1000)
            connection.sendall(answer)
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        servers.append((server, thread))
        return server.getsockname()[1]

    yield start
    for server, thread in servers:
        thread.join(5)
        server.close()


def test_http(web):
    assert probes.http("127.0.0.1", web, {"path": "/health"}, {}) is None
    assert probes.http("127.0.0.1", web, {"path": "/", "body": "ready"}, {}) is None
    assert probes.http("127.0.0.1", web, {"path": "/busy", "status": [200, 503]}, {}) is None
    assert "GET /busy answered 503, not 200" in probes.http("127.0.0.1", web, {"path": "/busy"}, {})
    assert "lacks 'loaded'" in probes.http("127.0.0.1", web, {"body": "loaded"}, {})


def test_http_with_a_login(web, tmp_path):
    (tmp_path / "password").write_text("word\n")
    env = {"SERVICE_SECRETS": str(tmp_path)}
    health = {"path": "/closed", "secret": "password"}
    assert "answered 401" in probes.http("127.0.0.1", web, {"path": "/closed"}, env)
    assert probes.http("127.0.0.1", web, health, env) is None
    assert probes.http("127.0.0.1", web, dict(health, user="root"), env) is None
    assert "answered 401" in probes.http("127.0.0.1", web, dict(health, user="else"), env)


def test_http_from_something_else(raw):
    assert "no HTTP answer" in probes.http("127.0.0.1", raw(b"SSH-2.0-x\r\n\r\n"), {}, {})


def test_tcp(web):
    assert probes.tcp("127.0.0.1", web, {}, {}) is None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused"):
            probes.tcp("127.0.0.1", free.getsockname()[1], {}, {})


def test_command():
    assert probes.command(None, None, {"command": 'test "$A" = b'}, {"A": "b", "PATH": os.environ["PATH"]}) is None
    missing = probes.command(None, None, {"command": "echo not yet; exit 4"}, dict(os.environ))
    assert missing == "'echo not yet; exit 4' ended with exit code 4: not yet"


def error(code, message):
    body = b"SFATAL\0C" + code + b"\0M" + message + b"\0\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


def test_postgresql(raw):
    def probe(answer):
        return probes.postgresql("127.0.0.1", raw(answer), {}, {})

    assert probe(b"R" + struct.pack("!ii", 8, 10)) is None
    assert probe(error(b"28000", b"no such role")) is None
    assert probe(error(b"3D000", b"no such database")) is None
    assert probe(error(b"57P03", b"the database system is starting up")) == "the database system is starting up"
    assert "not the answer of a PostgreSQL server" in probe(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ConnectionError, match="closed"):
        probe(b"R")


def test_probes_that_cannot_work_are_refused_at_once():
    for health, port, said in (
        ({"type": "ping"}, 1, "health.type is 'ping'; there are command, http"),
        ({"type": "http"}, None, "health.type http needs a port"),
        ({"type": "command"}, 1, "needs health.command"),
    ):
        with pytest.raises(AgentError, match=said):
            probes.Prober(health, "127.0.0.1", port, {})
    assert probes.Prober({}, "127.0.0.1", None, {}).probe is probes.process


def test_the_prober_goes_on_until_the_service_is_healthy(tmp_path):
    ready = tmp_path / "ready"
    prober = probes.Prober({"type": "command", "command": f"test -e {ready}", "interval_s": 0.01}, None, None, None)
    prober.start()
    assert not prober.healthy.wait(0.1)
    ready.write_text("")
    assert prober.healthy.wait(10) and prober.missing is None


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (b"+PONG\r\n", None),
        (b"-NOAUTH Authentication required.\r\n", None),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING Redis is loading"),
        (b"-DENIED Redis is running in protected mode\r\n", "DENIED"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not the answer of a Redis server"),
    ],
)
def test_redis(raw, answer, missing):
    found = probes.redis("127.0.0.1", raw(answer), {}, {})
    assert found is None if missing is None else missing in found
