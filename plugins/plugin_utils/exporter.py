# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An endpoint for Prometheus with the results of the latest run of each recipe on each cluster (docs/monitoring.md)."""

from __future__ import annotations

import base64
import hmac
import threading
import wsgiref.simple_server
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index, openmetrics, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.openmetrics.families import Families, merged
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError, run_directory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_Answer = Iterable[bytes]


class Latest:
    """What is told at a scrape. As prometheus_client wants a collector: `collect` gives metric families."""

    def __init__(self, home: Path, store_url: str | None, say: Callable[[str], Any]) -> None:
        self._home, self._url, self._say = home, store_url, say
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Families]] = {}  # run id → when its run.json was written, what it says
        self._told: set[str] = set()

    def collect(self) -> list[Any]:
        """Of every recipe on every cluster the latest run that is over and whose files are here."""
        with self._lock:
            latest, problems = self._latest()
            found = merged(latest)
        from prometheus_client.core import GaugeMetricFamily

        for problem in {*problems} - self._told:
            self._say(problem)
        self._told |= {*problems}
        about = "Problems with runs or the store at this scrape; the exporter's output says which"
        return [*found, GaugeMetricFamily("aifactory_exporter_problems", about, len(problems))]

    def _latest(self) -> tuple[list[Families], list[str]]:
        found: list[Families] = []
        try:
            with Store(self._home, self._url) as store:
                problems = index.refresh(store, self._home)
                for record in store.latest(timeline.FINAL_STATES):
                    families = self._readable(record["id"], problems) or self._older(store, record, problems)
                    found += [families] if families else []
        except index.StoreError as error:
            return [], [str(error)]
        return found, problems

    def _older(self, store: Store, latest: dict[str, Any], problems: list[str]) -> Families | None:
        """Of the newest run like the latest one whose files are here and can be read."""
        alike = {key: latest.get(key) for key in ("cluster", "recipe")}
        for record in store.runs(**alike, state=timeline.FINAL_STATES):
            is_like = all(record.get(key) == value for key, value in alike.items())
            if is_like and record["id"] != latest["id"] and (families := self._readable(record["id"], problems)):
                return families
        return None

    def _readable(self, run_id: str, problems: list[str]) -> Families | None:
        try:
            return self._of(run_id)
        except RunError as error:
            problems.append(str(error))
            return None

    def _of(self, run_id: str) -> Families | None:
        """Of a run; read again when it was changed. None where its files are not here."""
        run = run_directory(self._home, run_id)
        try:
            written = run.file("run.json").stat().st_mtime_ns
        except OSError:
            return None
        known = self._known.get(run_id)
        if known is None or known[0] != written:
            known = (written, openmetrics.results(run, openmetrics.final_record(run)))
            self._known[run_id] = known
        return known[1]


@contextmanager
def served(collector: Latest, address: str, port: int, login: tuple[str, str] | None = None) -> Iterator[int]:
    """Serve /metrics at an address; gives the port (of port 0 the one that was free).

    `login`: user and password that are asked for. Raises RunError: no password for others than this machine, or the
    address can't be had; ImportError without prometheus_client.
    """
    if login is None and address not in _LOOPBACK:
        raise RunError(f"exporter: others can reach {address}: give exporter_password_file, or listen at 127.0.0.1")
    try:
        from prometheus_client import CollectorRegistry, make_wsgi_app
        from prometheus_client.exposition import ThreadingWSGIServer
    except ImportError:
        raise ImportError("the exporter needs prometheus_client: pip install -r requirements.txt") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    app = _guarded(make_wsgi_app(registry), login)
    try:
        server = wsgiref.simple_server.make_server(address, port, app, ThreadingWSGIServer, _Silent)
    except (OSError, OverflowError) as error:
        raise RunError(f"exporter: can't listen at {address}:{port}: {error}") from error
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Silent(wsgiref.simple_server.WSGIRequestHandler):
    timeout = 30  # of a client that says nothing

    def log_message(self, format: str, *args: Any) -> None:
        """A line for each scrape is of no use."""


def _guarded(app: Callable[..., _Answer], login: tuple[str, str] | None) -> Callable[..., _Answer]:
    """An application that only answers to those who know the password, and only /metrics."""
    wanted = b"Basic " + base64.b64encode(":".join(login).encode()) if login else None

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> _Answer:
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")
        if wanted is not None and not hmac.compare_digest(given, wanted):
            start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="aifactory"')])
            return [b""]
        if environ.get("PATH_INFO") != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"metrics are at /metrics\n"]
        return app(environ, start_response)

    return answer
