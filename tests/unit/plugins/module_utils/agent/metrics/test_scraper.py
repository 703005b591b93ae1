# SPDX-License-Identifier: MIT
"""The scraper against a server that tells what the test wants."""

from __future__ import annotations

import csv
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import scraper, sources


class Told:
    """`text` is what GET answers; None: 500. `asked`: the headers of the last one."""

    def __init__(self):
        self.text, self.asked, self.count = "a 1", {}, 0
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                told.asked, told.count = dict(self.headers, path=self.path), told.count + 1
                body = (told.text or "").encode()
                self.send_response(500 if told.text is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def told():
    made = Told()
    yield made
    made.server.shutdown()
    made.server.server_close()


def scraper_of(told, file, secret=None, **options):
    target = sources.Target(
        "127.0.0.1", told.server.server_port, {"type": "prometheus", **options}, {}, lambda _n: secret
    )
    return scraper.Scraper(target, str(file))


def rows(path):
    with path.open(newline="") as stream:
        return [tuple(row[name] for name in ("metric", "labels", "kind", "value")) for row in csv.DictReader(stream)]


def test_a_row_is_a_change(told, tmp_path):
    made = scraper_of(told, tmp_path / "m.csv")
    for text in ('a 1\nb{x="1,2"} 2', 'a 1\nb{x="1,2"} 2.5', None, 'a 1\nb{x="1,2"} 2.5'):
        told.text = text
        made.scrape()
    done = made.stop()
    b = 'x="1,2"'
    assert rows(tmp_path / "m.csv") == [
        ("a", "", "gauge", "1"), ("b", b, "gauge", "2"), ("up", "", "gauge", "1"),
        ("b", b, "gauge", "2.5"), ("up", "", "gauge", "0"), ("up", "", "gauge", "1"), ("up", "", "gauge", "1"),
    ]  # fmt: skip
    assert (done["scrapes"], done["failures"], done["problem"]) == (5, 1, "GET /metrics answered 500")
    assert done["series"] == 3 and not done["cut"]


@pytest.mark.parametrize(
    ("options", "secret", "header"),
    [
        ({}, "word", ("Authorization", "Bearer word")),
        ({"header": "api-key"}, "word", ("api-key", "word")),
        ({}, None, ("Authorization", None)),
    ],
)
def test_it_logs_in_as_the_service_wants(told, tmp_path, options, secret, header):
    made = scraper_of(told, tmp_path / "m.csv", secret, path="/other", **options)
    made.scrape()
    made.stop()
    assert told.asked.get(header[0]) == header[1] and told.asked["path"] == "/other"


def test_it_asks_until_it_is_stopped(told, tmp_path):
    made = scraper_of(told, tmp_path / "m.csv", interval_s=0.01)
    made.start()
    while told.count < 5:
        told.text = f"a {told.count}"
    assert made.stop()["scrapes"] == told.count >= 6
    assert not made.is_alive()


def test_a_file_that_gets_too_large_is_cut_and_says_so(told, tmp_path, monkeypatch):
    monkeypatch.setattr(scraper, "_MOST_BYTES", 2000)
    made = scraper_of(told, tmp_path / "m.csv")
    for number in range(100):
        told.text = f"a {number}"
        made.scrape()
    assert made.stop()["cut"]
    assert len((tmp_path / "m.csv").read_text()) < 2100


def test_an_answer_without_end_is_no_answer(told, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MOST_BYTES", 1000)
    told.text = "a 1\n" * 1000
    made = scraper_of(told, tmp_path / "m.csv")
    made.scrape()
    assert "larger than" in made.stop()["problem"]


def test_a_disk_that_is_full_ends_the_file_and_not_the_run(told, tmp_path):
    made = scraper_of(told, "/dev/full")
    made.scrape()
    done = made.stop()
    assert done["cut"] and "space" in done["problem"]
