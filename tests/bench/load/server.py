# SPDX-License-Identifier: MIT
"""The truth server of the benches: compiled when needed, run on a core of its own, its log read."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SOURCES = ("truth_server.h", "truth_server.c", "truth_answers.c")
CACHE = Path(os.environ.get("AIFACTORY_PEERS", "~/.cache/aifactory-peers")).expanduser()
_HEADER = struct.Struct("8sqqQQQQ")
_RECORD = struct.Struct("qqqIHBB")
PLAIN, STALL, LIMITED, CHAT, COMPLETIONS = range(5)  # truth_server.h, enum mode


class Request(NamedTuple):
    """One request as the server saw it. Times: ns of CLOCK_MONOTONIC, 0 when it did not come to that."""

    arrival_ns: int
    first_ns: int  # the first token, or the answer, was sent
    end_ns: int
    tokens: int
    status: int
    mode: int
    streamed: int


@dataclass
class Log:
    """What the server knows. requests: in the order of their arrival; epoch_offset_ns: to be added for epoch time."""

    start_ns: int
    epoch_offset_ns: int
    lost: int
    connections: int
    most_open: int
    requests: list[Request]

    @classmethod
    def read(cls, path: Path) -> Log:
        """Read a log. Raises ValueError when it is none, or not whole."""
        data = path.read_bytes()
        if len(data) < _HEADER.size or not data.startswith(b"TRUTH001"):
            raise ValueError(f"{path} is no log of the truth server")
        _magic, start_ns, offset_ns, count, lost, connections, most_open = _HEADER.unpack_from(data)
        if len(data) != _HEADER.size + count * _RECORD.size:
            raise ValueError(f"{path} is cut short")
        requests = sorted(map(Request._make, _RECORD.iter_unpack(memoryview(data)[_HEADER.size :])))
        return cls(start_ns, offset_ns, lost, connections, most_open, requests)

    def of(self, *modes: int, streamed: bool | None = None) -> list[Request]:
        """The requests of these modes, in the order of their arrival."""
        return [r for r in self.requests if r.mode in modes and (streamed is None or bool(r.streamed) == streamed)]


def cores() -> tuple[int, int]:
    """(the clients' core, the server's core); this process moves to another one than the clients'."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("the benches need two cores: one for the client, one for the server")
    os.sched_setaffinity(0, {allowed[-1]})  # with two cores the server's
    return allowed[0], allowed[1]


def build() -> Path:
    """The program, compiled unless it lies in the cache already."""
    key = hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:16]
    program = CACHE / f"truth-server-{key}"
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = program.with_suffix(f".{os.getpid()}")
        sources = [str(HERE / name) for name in SOURCES if name.endswith(".c")]
        if not shutil.which("cc"):
            raise SystemExit("the truth server is C: install a compiler (apt-get install gcc)")
        subprocess.run(["cc", "-O2", "-std=gnu99", "-o", str(part), *sources], check=True)
        part.rename(program)
    return program


class Server:
    """A running server on `core` (int; None: any). options: as --NAME of truth_server.c, `_` for `-`."""

    def __init__(self, core: int | None = None, **options: float) -> None:
        self.core = core
        self.options = options

    def __enter__(self) -> Server:
        self._folder = tempfile.TemporaryDirectory(prefix="aifactory-truth-")
        self._log = Path(self._folder.name) / "log"
        words = [word for name, value in self.options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        pin = [] if self.core is None else ["taskset", "-c", str(self.core)]
        argv = [*pin, str(build()), "--log", str(self._log), *words]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            raise RuntimeError(f"the truth server did not start: exit code {self.process.wait()}")
        self.url = f"http://127.0.0.1:{line.split()[1]}"
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self._folder.cleanup()

    def stop(self) -> Log:
        """End it and read its log."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30):
            raise RuntimeError(f"the truth server ended with {self.process.returncode}")
        return Log.read(self._log)
