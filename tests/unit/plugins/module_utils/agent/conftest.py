# SPDX-License-Identifier: MIT
"""Runs of the real zipapp, as an ordinary user, in a directory of their own under /tmp."""

from __future__ import annotations

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import zipapp

NOBODY = 65534
POSTGRESQL_BIN = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
# PostgreSQL refuses to run as root, and the interpreter of a virtual environment may be root's alone.
ORDINARY_USER = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
PYTHON = os.environ.get("AGENT_PYTHON") or ("/usr/bin/python3" if ORDINARY_USER else sys.executable)

START_POSTGRESQL = """
initdb --no-sync -D "$SERVICE_DATA/pg" -U postgres --pwfile="$SERVICE_SECRETS/password" -A scram-sha-256 -N &&
exec postgres -D "$SERVICE_DATA/pg" -h "$SERVICE_ADDRESS" -p "$SERVICE_PORT" -k "$SERVICE_DATA" -c fsync=off
"""


class Run:
    """One run directory, and the agents that work in it."""

    def __init__(self, root: Path, agent: Path) -> None:
        self.root = root
        self.agent = agent
        self.processes: list[subprocess.Popen] = []
        self.spec_name = "spec.json"
        self.spec = {
            "run_id": f"20260101-000000-test-{os.urandom(4).hex()}",
            "run_dir": str(root / "run"),
            "node_tmp": str(root / "node"),
            "service_interface": "lo",
            "runtime": "apptainer",
            "service": {
                "name": "thing",
                "port": 25000,
                "scheme": "tcp",
                "secrets": ["password"],
                "data": True,
                "health": {"type": "tcp", "interval_s": 0.05, "deadline_s": 20},
                "client_deadline_s": 20,
                "stop_grace_s": 2,
            },
            "clients": {"type": "command", "count": 1, "settings": {}, "command": "true", "env": {}},
            "benchmarks": {
                "duration_s": 1.0,
                "requests": None,
                "warmup_s": 0.5,
                "repetitions": 1,
                "seed": 1,
                "cases": [{"name": "max", "concurrency": 1, "rate": None}],
            },
        }
        for name in ("run", "node"):
            (root / name).mkdir(mode=0o755)
            if ORDINARY_USER:
                os.chown(root / name, NOBODY, NOBODY)

    def write_spec(self) -> None:
        (self.root / self.spec_name).write_text(json.dumps(self.spec))

    def start(self, command: str, *argv: str, **env: str) -> subprocess.Popen:
        """Start one agent; its output lies in COMMAND.out."""
        self.write_spec()
        line = [*ORDINARY_USER, PYTHON, str(self.agent), command, "--spec", str(self.root / self.spec_name)]
        base = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
        base["PATH"] = f"{POSTGRESQL_BIN}:{base['PATH']}"
        with open(self.root / f"{command}.out", "ab") as out:
            process = subprocess.Popen(
                [*line, *(["--", *argv] if argv else [])],
                env={**base, **env},
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd="/",
            )
        self.processes.append(process)
        return process

    def ship(self, name: str, text: str) -> None:
        """A file that came with the run, in a directory of its own."""
        path = self.path(name)
        path.parent.mkdir()
        path.write_text(text)
        if ORDINARY_USER:
            for each in (path.parent, path):
                os.chown(each, NOBODY, NOBODY)

    def path(self, name: str) -> Path:
        return self.root / "run" / name

    def json(self, name: str):
        return json.loads(self.path(name).read_text())

    def events(self, source: str) -> list[dict]:
        path = self.path(f"events/{source}.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def event(self, source: str, name: str) -> dict:
        found = [event for event in self.events(source) if event["event"] == name]
        assert found, f"no {name} among {self.events(source)}\n{self.output()}"
        return found[-1]

    def wait_event(self, source: str, name: str, deadline_s: float = 30) -> dict:
        end = time.time() + deadline_s
        while not any(event["event"] == name for event in self.events(source)):
            assert time.time() < end, f"no {name} after {deadline_s} s: {self.events(source)}\n{self.output()}"
            time.sleep(0.02)
        return self.event(source, name)

    def output(self) -> str:
        texts = [*self.root.glob("*.out"), *self.path("logs").glob("*")]
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')}" for path in texts)

    def leftovers(self) -> list[str]:
        return sorted(os.listdir(self.root / "node"))

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@pytest.fixture(scope="session")
def agent():
    """The zipapp, where an ordinary user can read it."""
    directory = Path(tempfile.mkdtemp(prefix="aifactory-agent-"))
    directory.chmod(0o755)
    zipapp.build(directory / "agent.pyz")
    yield directory / "agent.pyz"
    shutil.rmtree(directory)


@pytest.fixture
def run(agent):
    """A run directory whose agents are ended afterwards."""
    root = Path(tempfile.mkdtemp(prefix="aifactory-run-"))
    root.chmod(0o755)
    made = Run(root, agent)
    yield made
    made.close()
    shutil.rmtree(root)


@pytest.fixture
def postgresql(run):
    """The run's service is a real PostgreSQL on this host."""
    if POSTGRESQL_BIN is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    run.spec["service"].update(
        name="postgresql",
        port=25432,
        scheme="postgresql",
        health={"type": "postgresql", "interval_s": 0.05, "deadline_s": 30},
        stop_signal="INT",
    )
    run.spec["clients"].update(type="pgbench", settings={"scale": 1})
    run.spec["benchmarks"]["warmup_s"] = 1.5  # a start that is late into the measurement fails the client
    return ["sh", "-c", START_POSTGRESQL]
