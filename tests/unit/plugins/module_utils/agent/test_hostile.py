# SPDX-License-Identifier: MIT
"""Health probes and the scraper against answers that are made to break them: in bounded time and memory."""

from __future__ import annotations

import csv
import itertools
import math
import resource
import threading
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import probes
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import scraper, sources
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import parse
from hypothesis import given
from hypothesis import strategies as st

from ..load.hostile import ENDLESS, WRONG, Hostile, endless, plain, slowly

MOST_KIB = 150 << 10
CLOSE = b"Connection: close\r\n"


@pytest.fixture(autouse=True)
def bounded(monkeypatch, unicode_table):
    """Each is over within some seconds, and memory stays where it was."""
    monkeypatch.setattr(probes, "_TIMEOUT_S", 0.5)
    monkeypatch.setattr(probes, "_WHOLE_S", 1.0)
    monkeypatch.setattr(sources, "_TIMEOUT_S", 1.0)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KIB
    assert time.monotonic() - began < 20


def probed(answer, kind="http", **health) -> str | None:
    """What a Prober says of a service after one probe; it goes on afterwards."""
    with Hostile(answer) as server:
        prober = probes.Prober({"type": kind, "body": "needle", **health}, "127.0.0.1", server.port, {})
        before = prober.missing
        prober.start()
        end = time.monotonic() + 10
        while prober.missing == before and not prober.healthy.is_set() and time.monotonic() < end:
            time.sleep(0.01)
        missing = prober.missing
        prober.stop()
        prober.join(5)
        assert not prober.is_alive()
    return missing


@pytest.mark.parametrize("kind", ["http", "redis", "postgresql"])
@pytest.mark.parametrize("name", [*ENDLESS, *WRONG])
def test_a_service_that_answers_so_is_not_healthy(name, kind):
    answer = endless(name) if name in ENDLESS else (lambda _request: [WRONG[name]])
    missing = probed(answer, kind)
    assert missing and missing != "it was not probed yet" and len(missing) < 1000


@pytest.mark.parametrize("kind", ["http", "redis", "postgresql"])
def test_one_that_drips_is_not_waited_for(kind):
    data = {"http": plain(b"needle" * 100), "redis": b"+" + b"P" * 1000, "postgresql": b"E\0\0\xff\0" + b"x" * 1000}[
        kind
    ]
    assert "within 1 s" in probed(lambda _request: slowly(data), kind)


def test_a_path_that_is_no_path_is_said_and_not_the_end_of_probing():
    for path in ("/é", "/a b\r\nX: y"):
        assert probed(lambda _request: [plain(b"")], path=path)


def test_a_command_that_prints_without_end_ends(monkeypatch):
    monkeypatch.setattr(probes, "_COMMAND_TIMEOUT_S", 2.0)
    assert "exit code" in probes.command(None, None, {"command": "yes; exit 3"}, None)
    # what holds on to its output is not waited for
    assert "took longer" in probes.command(None, None, {"command": "sleep 60 & sleep 60"}, None)
    assert probes.command(None, None, {"command": "sleep 5 & true"}, None) is None


def scraped(answer, path, kind="prometheus", times=2):
    """(what the scraper tells at its end, the rows of its file)."""
    with Hostile(answer) as server:
        target = sources.Target("127.0.0.1", server.port, {"type": kind, "interval_s": 0.01}, {}, lambda _name: None)
        made = scraper.Scraper(target, str(path))
        for _time in range(times):
            made.scrape()
        told = made.stop()
    with path.open(newline="") as stream:
        return told, list(csv.DictReader(stream))


@pytest.mark.parametrize("kind", ["prometheus", "nginx", "chromadb", "ollama", "redis"])
@pytest.mark.parametrize("name", [*ENDLESS, *WRONG])
def test_the_scraper_goes_on(name, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MOST_BYTES", 1 << 20)
    answer = endless(name) if name in ENDLESS else (lambda _request: [WRONG[name]])
    told, rows = scraped(answer, tmp_path / "m.csv", kind)
    assert told["scrapes"] == 3
    honest = kind == "prometheus" or name == "invalid UTF-8 in a header"
    if name in ENDLESS or not honest:
        assert told["failures"] and told["problem"]
    assert all(math.isfinite(float(row["value"])) for row in rows)


TEXT = (
    b"good 1\nnan NaN\ninf +Inf\nminus -Inf\nhuge 1e999\nlong 1" + b"0" * 10**6 + b"\n"
    b'a{l="<script>alert(1)</script>"} 2\nb{l="\xff\xfe"} 3\nc{l="' + b"x" * 10**6 + b'"} 4\nd{"' + b'"' * 60000 + b"\n"
)


def test_metrics_that_are_no_numbers_are_left_out(tmp_path):
    told, rows = scraped(lambda _request: [plain(TEXT, CLOSE)], tmp_path / "m.csv")
    assert told["failures"] == 0
    found = {row["metric"]: row for row in rows}
    assert {"good", "a", "b", "up"} <= set(found) <= {"good", "a", "b", "up", "long"}
    assert found["a"]["labels"] == 'l="<script>alert(1)</script>"'


def test_series_have_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(scraper, "_MOST_SERIES", 100)
    numbers = itertools.count()

    def answer(_request):
        return [plain(b"".join(b'm{l="%d"} 1\n' % next(numbers) for _ in range(80)), CLOSE)]

    told, _rows = scraped(answer, tmp_path / "m.csv", times=5)
    assert told["series"] <= 101 and "more than 100 series" in told["problem"]


def test_a_status_page_of_digits_takes_no_time(tmp_path):
    for text in (b"Active connections: 1 " + b"1" * 10**6, b"Active connections: 1 " + b"1 " * 10**6):
        told, _rows = scraped(lambda _request, text=text: [plain(text)], tmp_path / "m.csv", "nginx", times=1)
        assert "no stub_status" in told["problem"]


def test_a_json_of_ollama_with_numbers_that_are_none(tmp_path):
    body = b'{"models": [{"size": NaN, "size_vram": Infinity}, {"size": 1' + b"0" * 400 + b"}]}"
    _told, rows = scraped(lambda _request: [plain(body)], tmp_path / "m.csv", "ollama")
    assert all(math.isfinite(float(row["value"])) for row in rows)


@given(
    st.text()
    | st.lists(st.sampled_from(["a", "{", "}", '"', "\\", " ", "\n", "=", ",", "1", "NaN", "# TYPE a counter"])).map(
        "".join
    )
)
def test_any_text_of_metrics_gives_numbers(text):
    assert all(math.isfinite(value) for _name, _labels, _kind, value in parse(text))


def test_no_thread_of_a_deadline_is_left():
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
