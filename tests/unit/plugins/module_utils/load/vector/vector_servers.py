# SPDX-License-Identifier: MIT
"""Real vector databases, each on free ports of the loopback, ended by its process."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..servers import PEERS, Server, free_ports

PASSWORD = "the pass word"
_NOBODY = 65534
_DEADLINE_S = 120.0
_ETCD_PEERS = 2380


def ask(url: str, body: Any = None, method: str | None = None) -> Any:
    """What the JSON of an answer says; {"status": n} of one that is no success."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as e:
        e.read()
        return {"status": e.code}


@contextlib.contextmanager
def chroma() -> Iterator[Server]:
    """Chroma (`chroma run`)."""
    program = shutil.which("chroma") or str(PEERS / "chroma" / "bin" / "chroma")
    if not os.access(program, os.X_OK):
        pytest.skip("Chroma is not installed (tools/vector_databases.sh)")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with folder_for_all() as folder:
        argv = [program, "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder / "data")]
        with _running(argv, folder, lambda: _answers(url + "/api/v2/heartbeat")) as process:
            yield Server(port, url, process)


@contextlib.contextmanager
def milvus() -> Iterator[Server]:
    """Milvus 2.3, standalone."""
    program = shutil.which("milvus-server") or str(PEERS / "milvus" / "bin" / "milvus-server")
    if not os.access(program, os.X_OK):
        pytest.skip("Milvus is not installed (tools/vector_databases.sh)")
    with open(program, "rb") as lock, folder_for_all() as folder:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time: it knows no other port for its etcd
        if _is_taken(_ETCD_PEERS):
            pytest.skip(f"Milvus can't start: its port {_ETCD_PEERS} is taken, and it knows no other one")
        (port,) = free_ports(1)  # it looks for the others itself
        url = f"http://127.0.0.1:{port}"
        argv = [program, "--data", str(folder / "data"), "--proxy-port", str(port)]
        with _running(argv, folder, lambda: _answers(url + "/v1/vector/collections")) as process:
            yield Server(port, url, process)


@contextlib.contextmanager
def postgresql(authentication: str = "scram-sha-256", programs: Path | None = None) -> Iterator[Server]:
    """PostgreSQL, whose user postgres has PASSWORD. `programs`: its folder of programs, else of one with pgvector."""
    with folder_for_all() as folder:
        programs = programs or postgresql_programs(folder)
        (port,) = free_ports(1)
        data = folder / "data"
        data.mkdir()
        (folder / "password").write_text(PASSWORD)
        user = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            user = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
            os.chown(data, _NOBODY, _NOBODY)
            (folder / "password").chmod(0o644)
        init = [*user, str(programs / "initdb"), "--no-sync", "-D", str(data), "-U", "postgres", "-N"]
        init += [f"--pwfile={folder / 'password'}", "-A", authentication]
        if authentication == "md5":
            init += ["--set", "password_encryption=md5"]
        subprocess.run(init, check=True, capture_output=True, cwd=folder)
        argv = [*user, str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
        argv += ["-k", str(data), "-c", "fsync=off"]
        log = folder / "server.log"
        # SIGTERM would wait for sessions
        with _running(argv, folder, lambda: "ready to accept" in log.read_text(), signal.SIGINT) as process:
            server = Server(port, f"postgresql://127.0.0.1:{port}", process)
            server.service["connection"] = {"user": "postgres", "database": "postgres"}
            server.programs = programs
            yield server


def sql(server: Server, text: str) -> str:
    """What psql prints for a command, without decoration."""
    argv = [str(server.programs / "psql"), "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-XAtc", text]
    done = subprocess.run(argv, env={**os.environ, "PGPASSWORD": PASSWORD}, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextlib.contextmanager
def faiss_server() -> Iterator[Server]:
    """The server of the service type faiss, with the token PASSWORD."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    script = Path(__file__).resolve().parents[6] / "roles/faiss/files/server.py"
    with folder_for_all() as folder:
        (folder / "token").write_text(PASSWORD + "\n")
        argv = [faiss_python(), str(script), "--host", "127.0.0.1", "--port", str(port)]
        argv += ["--token-file", str(folder / "token")]
        with _running(argv, folder, lambda: _answers(url + "/health")) as process:
            server = Server(port, url, process)
            server.service["connection"] = {"secret": "token"}
            yield server


def faiss_python() -> str:
    """A Python that has faiss and numpy."""
    candidates = [str(PEERS / "faiss" / "bin" / "python3")]
    if importlib.util.find_spec("faiss"):
        candidates.insert(0, sys.executable)
    for python in candidates:
        if os.access(python, os.X_OK):
            return python
    pytest.skip("faiss is not installed (tools/vector_databases.sh)")


def postgresql_programs(folder: Path) -> Path:
    """The programs of a PostgreSQL that has pgvector, where an ordinary user can read them."""
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if Path(f"/usr/share/postgresql/{programs.parent.name}/extension/vector.control").exists():
            return programs
    found = list((PEERS / "pgvector").glob("lib/python*/site-packages/pgserver"))
    if importlib.util.find_spec("pgserver"):
        found.append(Path(importlib.util.find_spec("pgserver").origin).parent)
    if not found:
        pytest.skip("PostgreSQL has no pgvector (apt-get install postgresql-NN-pgvector, or tools/vector_databases.sh)")
    if os.getuid() != 0:
        return found[0] / "pginstall" / "bin"
    shutil.copytree(found[0] / "pginstall", folder / "site" / "pgserver" / "pginstall")
    shutil.copytree(found[0].parent / "pgserver.libs", folder / "site" / "pgserver.libs")
    return folder / "site" / "pgserver" / "pginstall" / "bin"


@contextlib.contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="aifactory-vector-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextlib.contextmanager
def _running(
    argv: list[str], folder: Path, is_ready: Callable[[], bool], stop: int = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
    try:
        end = time.monotonic() + _DEADLINE_S
        while not is_ready():
            assert process.poll() is None and time.monotonic() < end, (folder / "server.log").read_text()
            time.sleep(0.1)
        yield process
    finally:
        _end(process, stop)


def _end(process: subprocess.Popen[bytes], stop: int) -> None:
    """End it and what it has started: Milvus' own program is a child of the one that was started here."""
    for number, patience_s in ((stop, 20), (signal.SIGKILL, 20)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
