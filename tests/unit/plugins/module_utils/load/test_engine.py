# SPDX-License-Identifier: MIT
"""The engine against servers whose truth is known: what they saw is what is reported."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
import time

import pytest

from .truth import Truth, hello, plain


def test_a_closed_loop_makes_exactly_what_is_asked(load):
    with Truth(hello) as truth:
        result = load("http", truth, requests=500, concurrency=8).run()
    assert len(truth.seen) == result["operations"] == 500
    assert truth.connections == 8
    assert result["histograms"]["response_time"]["count"] == 500
    assert "schedule_lag" not in result["histograms"]
    assert result["counters"]["bytes_received"] == {"unit": "B", "total": 500 * len(plain())}
    assert result["max_in_flight"] == 8 and result["errors"] == {}


def test_a_closed_loop_for_a_time_accounts_for_every_request(load):
    with Truth(hello) as truth:
        result = load("http", truth, settings={"path": "/p"}, duration_s=0.5, concurrency=4).run()
    count = result["operations"]
    assert count == len(truth.seen) > 20 and truth.connections == 4
    assert result["counters"]["bytes_received"]["total"] == count * len(plain())
    request = f"GET /p HTTP/1.1\r\nHost: {truth.service['host']}:{truth.service['port']}\r\n\r\n"
    assert result["counters"]["bytes_sent"]["total"] == count * len(request)
    assert result["histograms"]["response_time"]["count"] == count


@pytest.mark.parametrize("records", [False, True])
def test_answers_that_change_are_each_counted_as_they_came(load, tmp_path, records):
    """Same again, longer, in two pieces, another right status, a wrong one, the connection ended without a word."""
    import numpy

    sent = {"right": 0, "wrong": 0, "gone": 0, "bytes": 0}
    answered = set()  # on a connection that is new, an end without a word is an error

    async def changes(request, writer):
        number = len(truth.seen) % 40
        if number == 39 and writer in answered:
            sent["gone"] += 1
            writer.transport.abort()
            return
        answered.add(writer)
        answer = plain(b"x" * 50 if number in (9, 10, 11) else b"hello", status=202 if number == 20 else 200)
        if number == 30:
            answer = plain(b"busy", status=503)
        if number in (10, 15, 16):
            writer.write(answer[:30])
            await asyncio.sleep(0.001)
            answer, more = answer[30:], 30
        else:
            more = 0
        writer.write(answer)
        sent["wrong" if number == 30 else "right"] += 1
        sent["bytes"] += 0 if number == 30 else len(answer) + more

    settings = {"path": "/p", "status": [200, 202]}
    with Truth(changes) as truth:
        result = load("http", truth, settings=settings, duration_s=0.7, concurrency=3, records=records).run()
    assert sent["right"] > 100
    assert result["operations"] == sent["right"] == result["histograms"]["response_time"]["count"]
    assert {name: error["count"] for name, error in result["errors"].items()} == {"status 503": sent["wrong"]}
    assert result["counters"]["bytes_received"]["total"] == sent["bytes"]
    assert result["counters"]["reconnects"]["total"] == sent["gone"] > 0
    request = f"GET /p HTTP/1.1\r\nHost: {truth.service['host']}:{truth.service['port']}\r\n\r\n"
    again = result["counters"]["bytes_sent"]["total"] - sent["right"] * len(request)
    assert 0 <= again <= sent["gone"] * len(request), "what had to be sent twice, and nothing else"
    if records:
        with numpy.load(tmp_path / result["records"]) as columns:
            statuses = dict(zip(*numpy.unique(columns["status"], return_counts=True), strict=True))
            assert sum(statuses.values()) == sent["right"] + sent["wrong"] and statuses[503] == sent["wrong"]
            assert statuses[202] >= 1 and (columns["start_s"] == columns["due_s"]).sum() > 50


def test_a_closed_loop_for_a_time_makes_the_mix(load):
    requests = [{"name": "a", "path": "/a", "weight": 3}, {"name": "b", "path": "/b"}]
    with Truth(hello) as truth:
        result = load("http", truth, settings={"requests": requests}, duration_s=0.5, concurrency=4).run()
    seen = [sum(request.path == path for request in truth.seen) for path in ("/a", "/b")]
    assert seen == [result["histograms"][f"response_time_{name}"]["count"] for name in "ab"]
    assert seen[0] / seen[1] == pytest.approx(3, rel=0.5)


def test_warmup_and_cooldown_are_load_but_no_result(load):
    with Truth(hello) as truth:
        made = load(
            "http", truth, rate=100.0, warmup_s=0.5, duration_s=1.0, cooldown_s=0.5, arrival={"type": "constant"}
        )
        result = made.run()
    assert len(truth.seen) == 200
    assert result["offered"] == result["operations"] == 100
    assert sum(row[5] for row in result["series"]) == 200
    assert sum(row[5] for row in result["series"] if row[0] == 0) == 100


def test_an_open_loop_offers_its_schedule_whatever_the_service_does(load):
    """Every answer takes 300 ms: a closed loop of one connection would make 3 a second."""

    async def slow(_request, writer):
        await asyncio.sleep(0.3)
        writer.write(plain())

    with Truth(slow) as truth:
        result = load("http", truth, rate=50.0, duration_s=1.0, arrival={"type": "constant"}).run()
    assert len(truth.seen) == result["operations"] == 50
    assert result["max_in_flight"] > 10
    assert result["histograms"]["response_time"]["min"] >= 300_000


def test_the_latency_counts_from_the_schedule(load):
    """The server answers nobody for 600 ms: who was due at its beginning waited that long, whenever it was sent."""
    gate = {}

    async def stalls(_request, writer):
        now = time.monotonic()
        opens = gate.setdefault("opens", now + 0.6)
        if now < opens:
            await asyncio.sleep(opens - now)
        writer.write(plain())

    with Truth(stalls) as truth:
        result = load("http", truth, rate=100.0, duration_s=1.0, arrival={"type": "constant"}).run()
    response = result["histograms"]["response_time"]
    assert len(truth.seen) == 100
    # of 100 requests, 10 ms apart, the k-th waited at least 600 - 10 k ms
    assert response["sum"] >= sum(max(0, 600 - 10 * k) * 1000 for k in range(1, 60))
    assert response["max"] >= 590_000


def test_what_is_due_beyond_the_cap_is_dropped_and_counted(load):
    async def never(_request, writer):
        await asyncio.sleep(30)

    with Truth(never) as truth:
        made = load(
            "http", truth, rate=100.0, duration_s=0.5, max_in_flight=7, drain_s=0.2, arrival={"type": "constant"}
        )
        result = made.run()
    assert len(truth.seen) == 7
    assert (result["offered"], result["dropped"], result["operations"]) == (50, 43, 0)
    assert result["errors"]["unfinished"]["count"] == 7


def test_a_request_that_takes_too_long_is_given_up(load):
    async def sometimes(request, writer):
        if request.path == "/slow":
            await asyncio.sleep(20)
        writer.write(plain())

    requests = [{"path": "/fast", "name": "fast"}, {"path": "/slow", "name": "slow"}]
    with Truth(sometimes) as truth:
        result = load("http", truth, settings={"requests": requests}, requests=20, concurrency=4, timeout_s=0.3).run()
    slow = sum(request.path == "/slow" for request in truth.seen)
    assert slow and result["errors"]["timeout"]["count"] == slow
    assert result["operations"] == 20 - slow
    assert result["histograms"]["response_time_fast"]["count"] == 20 - slow
    assert "response_time_slow" not in result["histograms"]


def test_retries_are_off_unless_asked_and_then_counted(load):
    state = {"n": 0}

    async def every_second(_request, writer):
        state["n"] += 1
        writer.write(plain(b"busy", "503 Busy") if state["n"] % 2 else plain())

    with Truth(every_second) as truth:
        off = load("http", truth, requests=10).run()
        state["n"] = 0
        on = load("http", truth, requests=10, retries=1).run()
    assert (off["operations"], off["errors"]["status 503"]["count"], off["retries"]) == (5, 5, 0)
    assert (on["operations"], on["errors"], on["retries"]) == (10, {}, 10)
    assert off["errors"]["status 503"]["example"] == "busy"


def test_a_server_that_dies_leaves_the_samples_until_then(load):
    with Truth(hello) as truth:
        made = load("http", truth, rate=200.0, duration_s=1.0, arrival={"type": "constant"})
        threading.Timer(0.5, truth.kill).start()
        result = made.run()
    assert result["operations"] == len(truth.seen)
    assert result["operations"] + sum(kept["count"] for kept in result["errors"].values()) == result["offered"] == 200
    assert any("connect" in name for name in result["errors"])


def test_nobody_there_is_an_error_and_no_spin(load):
    with socket.socket() as taken:  # nobody else may have the port meanwhile
        taken.bind(("127.0.0.1", 0))
        nobody = Truth(hello, port=taken.getsockname()[1])
        result = load("http", nobody, duration_s=0.3, concurrency=2).run()
    assert result["operations"] == 0
    assert 0 < result["errors"]["connect"]["count"] < 200
    assert "127.0.0.1" in result["errors"]["connect"]["example"]


def test_a_cut_ends_the_case_and_keeps_it(load):
    with Truth(hello) as truth:
        made = load("http", truth, rate=100.0, duration_s=60.0, arrival={"type": "constant"})
        threading.Timer(0.6, made.context.cut.set).start()
        result = made.run()
    assert result["cut"] is True
    assert result["operations"] == result["offered"] == len(truth.seen)
    assert result["measure_end"] - result["measure_start"] < 30


def test_a_stop_leaves_what_there_is(load):
    with Truth(hello) as truth:
        made = load("http", truth, concurrency=2, duration_s=60.0)
        threading.Timer(0.5, made.context.stop.set).start()
        result = made.run()
    assert 0 < result["operations"] <= len(truth.seen)
    assert result["errors"] == {}, "what was in flight is nobody's error"


def test_a_pause_between_operations(load):
    with Truth(hello) as truth:
        result = load("http", truth, duration_s=1.0, concurrency=4, think_time_s=0.1).run()
    assert len(truth.seen) == result["operations"] < 4 * 60, "without pauses it would be thousands"


def test_connections_end_with_the_answer_when_they_are_not_kept(load):
    with Truth(hello) as truth:
        result = load("http", truth, settings={"keep_alive": False}, requests=20).run()
    assert {request.headers["connection"] for request in truth.seen} == {"close"}
    assert result["operations"] == 20


def test_a_server_that_closes_is_connected_to_again(load):
    async def closes(_request, writer):
        writer.write(plain(more="Connection: close\r\n"))
        await writer.drain()
        writer.close()

    with Truth(closes) as truth:
        result = load("http", truth, requests=20, concurrency=2).run()
    assert result["operations"] == truth.connections - (truth.connections - 20) == 20
    assert result["errors"] == {}


def test_a_server_that_closes_without_a_word_is_asked_again_on_another_connection(load):
    """It ends every connection after its third answer, and does not say so: the next request may be on its way."""
    answers = {}

    async def closes(_request, writer):
        answers[writer] = answers.get(writer, 0) + 1
        if answers[writer] > 3:
            writer.transport.abort()  # its answer never comes
            return
        writer.write(plain())

    with Truth(closes) as truth:
        result = load("http", truth, requests=20).run()
    assert result["operations"] == 20 and result["errors"] == {}
    assert result["counters"]["reconnects"]["total"] == len(truth.seen) - 20 > 0


def test_a_server_that_never_answers_but_closes_is_an_error(load):
    async def closes(_request, writer):
        writer.transport.abort()

    with Truth(closes) as truth:
        result = load("http", truth, requests=3).run()
    assert result["operations"] == 0
    assert result["errors"]["connection closed"]["count"] == len(truth.seen) == 3


def test_over_ipv6(load):
    with Truth(hello, host="::1") as truth:
        result = load("http", truth, requests=5).run()
    assert result["operations"] == 5
    assert truth.seen[0].headers["host"] == f"[::1]:{truth.port}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate, key) for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=truth", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def test_over_tls(load, certificate):
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with Truth(hello, tls=context) as truth:
        trusted = load("http", truth, settings={"ca_file": str(certificate[0])}, requests=5).run()
        blind = load("http", truth, settings={"tls_verify": False}, requests=5).run()
        strict = load("http", truth, requests=2).run()
    assert trusted["operations"] == blind["operations"] == 5
    assert strict["errors"]["connect"]["count"] == 2
    assert "certificate" in strict["errors"]["connect"]["example"].lower()


def test_several_services_share_the_load(load):
    with Truth(hello) as one, Truth(hello) as two:
        result = load("http", one, two, requests=40, concurrency=4).run()
    assert result["operations"] == 40
    assert (len(one.seen), len(two.seen)) == (20, 20)


def test_per_request_records_are_the_requests(load, tmp_path):
    import numpy

    with Truth(hello) as truth:
        result = load("http", truth, requests=30, concurrency=3, records=True).run()
    with numpy.load(tmp_path / result["records"]) as columns:
        assert len(columns["due_s"]) == 30
        assert (columns["status"] == 200).all()
        assert (columns["end_s"] >= columns["start_s"]).all()
        assert columns["bytes_received"].sum() == result["counters"]["bytes_received"]["total"]


def test_goodput_counts_who_met_every_term(load):
    state = {"n": 0}

    async def every_fourth_is_slow(_request, writer):
        state["n"] += 1
        if not state["n"] % 4:
            await asyncio.sleep(0.5)
        writer.write(plain())

    terms = [{"metric": "response_time", "statistic": "p99", "operator": "<", "value": 0.4, "text": ""}]
    with Truth(every_fourth_is_slow) as truth:
        result = load("http", truth, requests=20, slo_terms=terms).run()
    assert result["operations"] == 20
    assert result["good"] <= 15, "each of the slow ones took longer"
