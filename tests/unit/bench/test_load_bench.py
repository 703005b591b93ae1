# SPDX-License-Identifier: MIT
"""The load benches' own truth: what their server does and logs, and the figures that are made of it."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sys
import time
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench/load"
MS = 1_000_000


@pytest.fixture
def bench(monkeypatch):
    """The benches' modules by name; they lie in no package."""
    monkeypatch.syspath_prepend(str(BENCH))
    names = ("figures", "server", "watch")
    yield {name: __import__(name) for name in names}
    for name in names:
        sys.modules.pop(name)


@pytest.fixture
def serve(bench, tmp_path, monkeypatch):
    """Starts a server with options, ends all of them."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler (apt-get install gcc)")
    monkeypatch.setattr(bench["server"], "CACHE", tmp_path)
    running = []

    def start(**options):
        running.append(bench["server"].Server(**options).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__()


def ask(server, path, body=None, method="POST"):
    """(status, headers, body) of one request on a connection of its own."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def raw(server, *parts):
    """All that comes back for bytes that are sent one after another; the last request closes the connection."""
    host, _colon, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)
        data = b""
        while piece := connection.recv(65536):
            data += piece
    return data


def test_a_stream_is_openais_and_its_times_are_logged(serve):
    server = serve(ttft_ms=20, slow_percent=0, gap_ms=5, tokens=4)
    body = {
        "model": "truth",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"content": "a b"}],
    }
    status, headers, data = ask(server, "/v1/chat/completions", body)
    log = server.stop()
    assert (status, headers["Transfer-Encoding"]) == (200, "chunked")
    lines = [line.removeprefix("data: ") for line in data.decode().split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    messages = [json.loads(line) for line in lines]
    assert len({message["id"] for message in messages}) == 1
    assert {message["object"] for message in messages} == {"chat.completion.chunk"}
    deltas = [message["choices"][0]["delta"] for message in messages[:-1]]
    assert deltas == [{"role": "assistant", "content": ""}, *[{"content": " token"}] * 4, {}]
    assert messages[-2]["choices"][0]["finish_reason"] == "length"
    assert messages[-1]["choices"] == []
    assert messages[-1]["usage"]["completion_tokens"] == 4
    (request,) = log.requests
    assert (request.status, request.tokens, request.streamed) == (200, 4, 1)
    assert request.first_ns - request.arrival_ns >= 20 * MS
    assert request.end_ns - request.arrival_ns >= (20 + 3 * 5) * MS


def test_whole_answers_and_what_they_count(serve):
    server = serve(ttft_ms=1, slow_percent=0, gap_ms=1, tokens=8)
    chat = json.loads(ask(server, "/v1/chat/completions", {"max_tokens": 3, "messages": []})[2])
    assert chat["choices"][0]["message"]["content"] == " token token token"
    assert chat["usage"]["completion_tokens"] == 3
    text = json.loads(ask(server, "/v1/completions", {"max_completion_tokens": 2, "prompt": "a b c"})[2])
    assert text["choices"][0]["text"] == " token token"
    vectors = json.loads(ask(server, "/v1/embeddings", {"input": "a b"})[2])
    assert len(vectors["data"][0]["embedding"]) == 8
    assert json.loads(ask(server, "/v1/models", method="GET")[2])["data"][0]["id"] == "truth"
    assert ask(server, "/nothing", method="GET")[0] == 404
    log = server.stop()
    assert [request.status for request in log.requests] == [200, 200, 200, 200, 404]
    assert [request.tokens for request in log.requests] == [3, 2, 0, 0, 0]


def test_requests_in_pieces_and_several_at_once(serve):
    server = serve()
    close = b"GET /plain HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert raw(server, b"GET /pla", b"in HTTP/1.1\r\nHost: x\r\nConnection: cl", b"ose\r\n\r\n").endswith(
        b"Hello, world!"
    )
    assert raw(server, b"GET /plain HTTP/1.1\r\n\r\n" * 3 + close).count(b"Hello, world!") == 4
    body = b"POST /plain HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", b"cde" + close
    assert raw(server, *body).count(b"Hello, world!") == 2
    assert raw(server, b"GET /plain HTTP/1.0\r\n\r\n").count(b"Hello, world!") == 1
    assert raw(server, b"POST /plain HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == b""
    assert len(server.stop().requests) == 8


def test_all_answers_wait_while_the_server_stalls(serve):
    server = serve(stall_ms=200, every_ms=1000)
    for _turn in range(12):
        ask(server, "/stall", method="GET")
        time.sleep(0.05)
    log = server.stop()
    into_ms = [((r.arrival_ns - log.start_ns) % (1000 * MS)) / MS for r in log.requests]
    stalled = [into < 200 for into in into_ms]
    assert any(stalled)
    for request, into, waits in zip(log.requests, into_ms, stalled, strict=True):
        assert not waits or (request.end_ns - request.arrival_ns) / MS >= 200 - into


def test_a_queue_serves_no_more_than_its_rate(serve):
    server = serve(rate=100)
    host, _colon, port = server.url.removeprefix("http://").partition(":")
    connections = [socket.create_connection((host, int(port))) for _number in range(10)]
    for connection in connections:
        connection.sendall(b"GET /limited HTTP/1.1\r\nConnection: close\r\n\r\n")
    for connection in connections:
        while connection.recv(4096):
            pass
        connection.close()
    requests = server.stop().requests
    first = min(request.arrival_ns for request in requests)
    ends = sorted(request.end_ns for request in requests)
    assert len(ends) == 10
    assert all(end - first >= (number + 1) * 10 * MS for number, end in enumerate(ends))


def test_the_share_of_slow_requests(serve):
    server = serve(ttft_ms=0, slow_ms=3, slow_percent=10, tokens=1)
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    for _turn in range(1000):
        connection.request("POST", "/v1/embeddings", "{}")
        connection.getresponse().read()
    connection.close()
    log = server.stop()
    slow = sum(request.end_ns - request.arrival_ns >= 3 * MS for request in log.requests)
    assert slow >= 70  # of a binomial distribution with the mean 100; the machine can only add to it
    assert log.connections == 1


def test_what_the_log_cannot_hold_is_counted_and_what_did_not_end_has_no_end(serve):
    server = serve(log_max=2, ttft_ms=60000, slow_percent=0)
    host, _colon, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /v1/embeddings HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        for _turn in range(4):
            ask(server, "/plain", method="GET")
        log = server.stop()
    assert (len(log.requests), log.lost) == (2, 3)
    server = serve(ttft_ms=60000, slow_percent=0)
    host, _colon, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /v1/embeddings HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        ask(server, "/plain", method="GET")
        log = server.stop()
    assert [bool(request.end_ns) for request in log.requests] == [False, True]


def test_lags_behind_even_arrivals(bench):
    lags_s, quantile, rate_of = (bench["figures"].__dict__[name] for name in ("lags_s", "quantile", "rate_of"))
    punctual = [100 + number / 50 for number in range(100)]
    assert lags_s(punctual, 50) == pytest.approx([0] * 100)
    late = [t + (0.3 if 60 <= number < 70 else 0.0) for number, t in enumerate(punctual)]
    assert sorted(lags_s(late, 50), reverse=True)[:11] == pytest.approx([0.3] * 10 + [0])
    assert len(lags_s(late, 50, skip_s=1.0)) == 50
    assert rate_of(punctual) == pytest.approx(50)
    assert rate_of([0.0, 9.0, 9.5, 10.0], skip_s=9.0) == pytest.approx(2)
    assert [quantile(range(1, 101), q) for q in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_a_limit_that_was_not_measured_is_not_kept(bench):
    limit = bench["figures"].limit
    assert limit("x", 2.0, most=2).startswith("kept")
    assert limit("x", 2.1, most=2).startswith("EXCEEDED")
    assert limit("x", 0.7, least=0.8).startswith("EXCEEDED")
    assert limit("x", None, least=0.8).startswith("UNKNOWN")


def test_a_client_is_ended_with_all_that_it_started(bench):
    observed = bench["watch"].observe(["sh", "-c", "sleep 60 & echo $!; exec sleep 60"], timeout_s=0.3)
    assert observed.returncode < 0
    left = int(observed.output)
    stat = Path(f"/proc/{left}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_what_a_client_takes_is_seen(bench):
    work = "import time; kept = bytearray(64 << 20)\nwhile time.process_time() < 1.2: pass"
    began = time.monotonic()
    observed = bench["watch"].observe([sys.executable, "-c", work], timeout_s=60)
    assert observed.returncode == 0
    assert observed.max_rss_bytes >= 64 << 20
    assert observed.cpu_percent(began, time.monotonic()) > 0


def test_what_an_ended_process_of_a_client_took_is_kept(bench):
    work = "import time\nwhile time.process_time() < 0.6: pass"
    observed = bench["watch"].observe(["sh", "-c", f"{sys.executable} -c '{work}'; sleep 1"], timeout_s=60)
    used = [cpu for _t, cpu in observed.cpu]
    assert observed.returncode == 0 and used == sorted(used) and used[-1] > 0
