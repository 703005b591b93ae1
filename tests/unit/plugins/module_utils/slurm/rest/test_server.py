# SPDX-License-Identifier: MIT
"""Real sockets: what cannot be reached, does not answer, or is not trusted has a message that names the variable."""

from __future__ import annotations

import datetime
import http.server
import socket
import ssl
import threading

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import answers, tokens
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.server import Server
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.slurm import RestSlurm, api_number
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..replay import Clock
from .samples import token

SECRET = token()


class StandinForSlurmrestd(http.server.BaseHTTPRequestHandler):
    """Knows one version of the API, and answers what it was told to."""

    said = (200, "{}")

    def do_GET(self):
        known = "/v0.0.40/" in self.path
        status, text = self.said if known else (404, "Unable find requested URL.")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def listening():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandinForSlurmrestd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def error_of(act, *args, **kwargs):
    with pytest.raises(SlurmError) as caught:
        act(*args, **kwargs)
    assert SECRET not in str(caught.value) + repr(caught.value.to_dict())
    return caught.value


def ask(url, **options):
    return RestSlurm(Server(url, **options), SECRET).partitions


@pytest.mark.parametrize(
    "url", ["", "slurm.example.org:6820", "ftp://x", "http://", "http://u:p@x", "http://x:port", "unix:"]
)
def test_an_address_of_another_kind(url):
    assert "benchmark_slurmrestd_url" in error_of(Server, url).remedy


def test_the_first_version_that_is_there_is_used(listening):
    slurm = RestSlurm(Server(f"http://127.0.0.1:{listening.server_port}"), SECRET)
    assert slurm.partitions() == []
    assert slurm.question("7", "slurm") == "GET /slurm/v0.0.40/job/7"
    slurm.partitions()
    assert slurm.counts == {"GET slurm/licenses": 3, "GET slurm/partitions": 2}


def test_a_version_that_is_not_there(listening):
    url = f"http://127.0.0.1:{listening.server_port}"
    wrong = error_of(RestSlurm(Server(url), SECRET, version="v0.0.44").partitions)
    assert "benchmark_slurmrestd_version" in wrong.remedy
    assert "v0.0.37" in error_of(api_number, "v0.0.37").message
    assert "benchmark_slurmrestd_version" in error_of(api_number, "41").message


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        refused = error_of(ask(url))
    assert refused.kind == errors.NO_CONNECTION
    assert "benchmark_slurmrestd_url" in refused.remedy
    assert error_of(ask("unix:/nowhere/socket")).kind == errors.NO_CONNECTION


def test_a_server_that_never_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = error_of(ask(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2))
    assert slow.kind == errors.UNREACHABLE
    assert "benchmark_slurmrestd_timeout_s" in slow.remedy


def test_a_unix_socket(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def answer():
            connection, _address = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        assert Server("unix:" + path).request("GET", "/slurm/v0.0.40/ping", {}) == (200, "{}")
        thread.join()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost that nobody signed but itself: path of both it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = serialization.Encoding.PEM
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.sign(key, hashes.SHA256()).public_bytes(pem)
    )
    return str(path)


@pytest.fixture
def encrypted(listening, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    return listening.server_port


def test_a_certificate_that_is_not_trusted(encrypted, certificate):
    unknown = error_of(ask(f"https://localhost:{encrypted}"))
    assert unknown.kind == "tls"
    assert "benchmark_slurmrestd_ca_file" in unknown.remedy
    assert ask(f"https://localhost:{encrypted}", ca_file=certificate)() == []
    assert "127.0.0.1" in error_of(ask(f"https://127.0.0.1:{encrypted}", ca_file=certificate)).message


def test_tls_where_there_is_none(listening):
    wrong = error_of(ask(f"https://localhost:{listening.server_port}"))
    assert wrong.kind == "tls"
    assert "benchmark_slurmrestd_url" in wrong.remedy


def test_certificates_that_are_none(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate\n")
    for path in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        assert "benchmark_slurmrestd_ca_file" in error_of(ask("https://localhost:1", ca_file=str(path))).remedy


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (200, '{"errors": [{"error_number": 1007, "error": "Protocol authentication error"}]}', tokens.AUTHENTICATION),
        (401, "Authentication failure", tokens.AUTHENTICATION),
        (502, '{"errors": [], "partitions": []}', errors.UNREACHABLE),
        (502, "<html>Bad gateway</html>", errors.UNREACHABLE),
        (200, "<html>Welcome</html>", errors.FAILED),
        (
            200,
            '{"errors": [{"error_number": 7000, "error": "Unable to connect to database"}]}',
            errors.ACCOUNTING_UNREACHABLE,
        ),
        (
            502,
            '{"errors": [{"error_number": 1800, "error": "Unable to contact slurm controller (connect failure)"}]}',
            errors.NO_CONNECTION,
        ),
        (
            504,
            '{"errors": [{"error_number": 5004, "error": "Socket timed out on send/recv operation"}]}',
            errors.UNREACHABLE,
        ),
        (500, '{"errors": [{"errno": -1, "error": "Unspecified error"}]}', errors.UNREACHABLE),
    ],
)
def test_an_answer_that_says_otherwise_is_no_empty_list(listening, monkeypatch, status, text, kind):
    monkeypatch.setattr(StandinForSlurmrestd, "said", (status, text))
    slurm = RestSlurm(Server(f"http://127.0.0.1:{listening.server_port}"), SECRET, version="v0.0.40")
    assert error_of(slurm.partitions).kind == kind


def test_an_expired_token_is_not_even_sent():
    old = RestSlurm(Server("http://127.0.0.1:1"), token(exp=900), clock=Clock(1000.0))
    expired = error_of(old.partitions)
    assert (expired.kind, expired.message) == (tokens.AUTHENTICATION, "the token for slurmrestd expired 100 s ago")
    assert "scontrol token" in expired.remedy
    assert "SLURM_JWT" in expired.remedy


@pytest.mark.parametrize("text", ["", "  \n", "abc", "a.b", "a.b.c\x00", "SLURM_JWT="])
def test_what_is_no_token(text):
    wrong = error_of(tokens.clean, text)
    assert "benchmark_slurmrestd_token" in wrong.remedy
    assert "abc" not in str(wrong)


def test_a_token_as_scontrol_prints_it():
    assert tokens.clean(f"SLURM_JWT={SECRET}\n") == SECRET
    assert tokens.user_of(SECRET) == "u101"
    assert tokens.user_of(SECRET, "other") == "other"
    assert "benchmark_slurmrestd_user" in error_of(tokens.user_of, token(sun=None)).remedy
    assert tokens.claims("a.!!!.c") == {}


def test_numbers_are_bare_or_structures():
    assert answers.number({"set": True, "infinite": False, "number": 5}) == 5
    assert answers.number({"set": True, "infinite": True, "number": 5}) is None
    assert answers.number({"set": False, "infinite": False, "number": 5}) is None
    assert [answers.number(value) for value in (3, 3.0, "3", None, "x", True)] == [3, 3, 3, None, None, None]
