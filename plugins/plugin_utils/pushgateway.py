# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Final results to a Prometheus Pushgateway, where inventory or play name one (docs/monitoring.md).

A group holds the latest run of a recipe on a cluster: the next one replaces it, so that what the gateway holds has a
bound. Source: the Pushgateway's README, "API".
"""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import openmetrics
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

JOB = "aifactory_benchmark"
_URL, _USER, _PASSWORD = "benchmark_pushgateway_url", "benchmark_pushgateway_user", "benchmark_pushgateway_password"
_FILE, _CA = "benchmark_pushgateway_password_file", "benchmark_pushgateway_ca_file"
_TIMEOUT_S = 10.0
_MOST_WORDS = 300

# get(name) → the value of an inventory or play variable, or None
Variables = Callable[[str], Any]


@dataclass(frozen=True)
class Pushgateway:
    """Where to push to; `login` is the value of the header Authorization, None without an account."""

    url: str
    login: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def push(self, run: RunDirectory) -> None:
        """Replace what the gateway holds of this recipe on this cluster by the results of a run that is over.

        Raises RunError: the run is not over, or the gateway did not take them; ImportError without prometheus_client.
        """
        record = openmetrics.final_record(run)
        families = list(openmetrics.results(run, record).collect(times=False))
        from prometheus_client import push_to_gateway

        class _Registry:
            @staticmethod
            def collect() -> list[Any]:
                return families

        group = {name: str(record.get(name) or "") for name in ("cluster", "recipe")}
        try:
            push_to_gateway(self.url, JOB, _Registry(), group, _TIMEOUT_S, self._send)
        except urllib.error.HTTPError as error:
            raise RunError(f"{_URL}: {self.url} refused run {run.id}: {_refusal(error)}") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{_URL}: run {run.id} did not reach {self.url}: {self._why(error)}") from None

    def _why(self, error: Exception) -> str:
        """What is wrong. A server that refuses may close before all is sent: then a short question gets its answer."""
        try:
            self._send(f"{self.url}/-/ready", "GET", _TIMEOUT_S, [], None)()
        except urllib.error.HTTPError as answer:
            return _refusal(answer)
        except (OSError, ValueError):
            pass  # what was wrong first is told
        return str(getattr(error, "reason", None) or error)

    def _send(
        self, url: str, method: str, timeout: float, headers: list[Any], data: bytes | None
    ) -> Callable[[], None]:
        """As prometheus_client wants it: a function that sends, or raises."""

        def send() -> None:
            request = urllib.request.Request(url, data=data, method=method, headers=dict(headers))
            if self.login:
                # a redirection would not get it, and none is followed where something is put
                request.add_unredirected_header("Authorization", self.login)
            https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
            with urllib.request.build_opener(https).open(request, timeout=timeout):
                pass

        return send


def named(get: Variables) -> Pushgateway | None:
    """The gateway of the variables; None where there is none. Raises RunError that names the wrong variable."""
    url = str(get(_URL) or "")
    if not url:
        return None
    parts = _parts(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise RunError(f"{_URL} must be http://HOST:PORT or https://HOST:PORT")
    if parts.username or parts.password:
        raise RunError(f"{_URL} must not have an account in it: set {_USER} and {_FILE}")
    user, password = get(_USER), _password(get)
    if bool(user) != bool(password):
        raise RunError(f"{_URL}: set both {_USER} and {_PASSWORD} (or {_FILE}), or none of them")
    login = base64.b64encode(f"{user}:{password}".encode()).decode() if user else None
    ca_file = get(_CA)
    ca_path = Path(str(ca_file)).expanduser() if ca_file else None
    if ca_path and not ca_path.is_file():
        raise RunError(f"{_CA}: there is no file {ca_path}")
    return Pushgateway(url.rstrip("/"), f"Basic {login}" if login else None, str(ca_path) if ca_path else None)


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _port = parts.port  # raises for one that is no number
    except ValueError:
        return None
    return parts


def _password(get: Variables) -> str:
    """Of the variable, else of the file, whose mode must keep others out."""
    if get(_PASSWORD):
        return str(get(_PASSWORD))
    if not get(_FILE):
        return ""
    return password_of(str(get(_FILE)), _FILE)


def password_of(file: str, named: str) -> str:
    """The password in a file that nobody else may read. Raises RunError, with the name of the variable or option."""
    path = Path(file).expanduser()
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise RunError(f"{named}: {path} can't be read: {why}") from None
    if mode & 0o077:
        raise RunError(f"{named}: others may read {path}: chmod 600 {path}")
    return text.strip()


def _refusal(error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return f"401, check {_USER} and {_PASSWORD}"
    said = error.read(_MOST_WORDS).decode("utf-8", "replace").strip()
    return f"{error.code} {said or error.reason}"
