# SPDX-License-Identifier: MIT
"""A real Prometheus and a real Pushgateway, each on a free port of the loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...module_utils.load import servers


class Prometheus:
    """Its API; `url` (str) without a slash at the end. Times are epoch seconds."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: Any) -> Any:
        """The data of an answer. Raises AssertionError with Prometheus' own words when it is an error."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from None

    def value(self, query: str, at: float) -> float:
        """The value of the one series that a query finds at a time."""
        [found] = self.get("query", query=query, time=at)["result"]
        return float(found["value"][1])

    def range(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        return self.get("query_range", query=query, start=start, end=end, step=step)["result"]


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"these tests need {name}: tools/test_packages.sh"
    return found


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def backfill(files: Iterable[Path], data: Path) -> None:
    """Make blocks of Prometheus' database from files of OpenMetrics, by promtool as a person would."""
    for path in files:
        command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(path), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "BLOCK ULID" in done.stdout


@contextmanager
def prometheus(folder: Path, config: str = "") -> Iterator[Prometheus]:
    """A server on the database in `folder`/data."""
    (folder / "prometheus.yml").write_text(config)
    (port,) = servers.free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with servers.running(command, folder, port, url, lambda: answers(f"{url}/-/ready")):
        yield Prometheus(url)


@contextmanager
def pushgateway(folder: Path, web_config: str = "") -> Iterator[str]:
    """The URL of a Pushgateway; with a web.yml, of one that asks for TLS and an account."""
    (folder / "web.yml").write_text(web_config)
    (port,) = servers.free_ports(1)
    url = f"{'https' if web_config else 'http'}://127.0.0.1:{port}"
    command = [program("prometheus-pushgateway"), f"--web.listen-address=127.0.0.1:{port}"]
    command += [f"--web.config.file={folder}/web.yml"] if web_config else []
    ready = (lambda: servers.listens(port)) if web_config else (lambda: answers(f"{url}/-/ready"))
    with servers.running(command, folder, port, url, ready):
        yield url
