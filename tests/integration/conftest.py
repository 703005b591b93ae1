# SPDX-License-Identifier: MIT
"""What the integration tests share: real clusters, reached over ssh as an ordinary user."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..conftest import cluster_of
from .more import is_more

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "tests/integration/inventory.yml"
CLUSTERS = {"local": 22022, "local2411": 22023}
LOGIN = Path(os.environ.get("AIFACTORY_TEST_LOGIN", "~/.aifactory/local_cluster")).expanduser()
RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]+-[0-9a-f]{4}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what CI leaves out."""
    for item in items:
        if Path(__file__).parent in item.path.parents and is_more(item.path.stem, item.name):
            item.add_marker(pytest.mark.more)


@dataclass
class Played:
    """One ansible-playbook that ended."""

    rc: int
    output: str

    def run_ids(self) -> list[str]:
        """The ids of the runs that it named, each once, in their order."""
        return list(dict.fromkeys(RUN_ID.findall(self.output)))


def ssh(cluster: str, command: str, check: bool = True) -> str:
    """Output of a command on a cluster's login node."""
    argv = [
        "ssh",
        "-i",
        str(LOGIN / "id_ed25519"),
        "-o",
        f"UserKnownHostsFile={LOGIN}/known_hosts",
        "-o",
        "BatchMode=yes",
    ]
    argv += ["-p", str(CLUSTERS[cluster]), "u101@127.0.0.1", command]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def environment(home: Path) -> dict[str, str]:
    """The environment of a playbook with its own benchmark_home."""
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "AIFACTORY_HOME": str(home),
        "AIFACTORY_TEST_LOGIN": str(LOGIN),
        "NO_COLOR": "1",
    }


def playbook_argv(name: str, *arguments: str, limit: str | None = "local") -> list[str]:
    """The command line of one of the collection's playbooks."""
    argv = [str(ROOT / ".venv/bin/ansible-playbook"), f"aifactory.benchmark.{name}", "-i", str(INVENTORY), *arguments]
    return argv + (["-l", limit] if limit else [])


@pytest.fixture(scope="session", autouse=True)
def clusters():
    """Both clusters answer; otherwise say how to start them."""
    for cluster in CLUSTERS:
        assert "idle" in ssh(cluster, "sinfo -h -o %T"), f"{cluster} has no idle node: make test-cluster starts it"


@pytest.fixture
def home(tmp_path) -> Path:
    """A benchmark_home of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def play(home, request):
    """Run a playbook: play(name, "-e", "recipe=…", limit=…) → Played; by default on the test's own cluster."""
    own = cluster_of(request.node)

    def run(name: str, *arguments: str, limit: str | None = own, timeout_s: float = 180) -> Played:
        done = subprocess.run(
            playbook_argv(name, *arguments, limit=limit),
            env=environment(home),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Played(done.returncode, done.stdout)

    return run


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe: recipe(text) → its path. Without text, a short PostgreSQL one, with changes by key."""

    def write(text: str | None = None, name: str = "short", **changes: object) -> str:
        path = tmp_path / f"{name}.yml"
        path.write_text(text if text is not None else short(**changes))
        return str(path)

    return write


def short(
    clients: int = 2, duration: str = "2s", placement: str = "separate", service: str = "", benchmarks: str = ""
) -> str:
    """A PostgreSQL recipe that measures for two seconds."""
    return f"""
service:
  type: postgresql
  settings: {{fsync: false}}
  time_limit: "00:05:00"
{service}
client:
  type: pgbench
  settings: {{scale: 1}}
  placement: {placement}
  time_limit: "00:05:00"
benchmarks:
  num_clients: {clients}
  warmup: 1s
  duration: {duration}
{benchmarks}
"""


def read_json(home: Path, run_id: str, name: str):
    """A JSON file of a run's directory."""
    return json.loads((home / "runs" / run_id / name).read_text())


def assert_measured(played: Played, home: Path, run_id: str) -> dict:
    """run.json of a run that finished, and is valid but for this machine having been busy with something else.

    Whether a machine that runs two clusters and the tests is fast enough for a load is not what a test asks.
    """
    record = read_json(home, run_id, "run.json")
    wrong = {reason["code"] for reason in record["reasons"]} - {"client_pressure", "client_saturated", "schedule_lag"}
    assert record["state"] == "finished" and not wrong, played.output
    assert played.rc == 0 or record["reasons"], played.output
    assert record["verdict"] == ("INVALID" if record["reasons"] else "VALID")
    return record


def eventually(look, timeout_s: float = 60.0):
    """What `look()` finds, as soon as that is anything: Slurm's accounting learns of a job some seconds later."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := look()) and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return found


def job_names(cluster: str) -> str:
    """The names of all jobs; a test on the other cluster may have stopped its slurmctld for a moment."""

    def asked() -> str:
        answer = ssh(cluster, "squeue -a -h -o %j && echo all-jobs", check=False)
        return answer if answer.rstrip().endswith("all-jobs") else ""

    return eventually(asked, 90) or ssh(cluster, "squeue -a -h -o %j")


def assert_nothing_left(run_ids: list[str], where: Iterable[str] = CLUSTERS) -> None:
    """No job of these runs is left on the clusters, no run directory, node-local data or process on any."""
    for cluster in where:
        names = job_names(cluster)
        assert not [run for run in run_ids if run in names], names
    for run in run_ids:
        for cluster in ("", *CLUSTERS):
            folder = Path("/var/lib/aifactory/local_cluster/scratch/u101") / cluster / "runs" / run
            assert not folder.exists(), folder
        assert not list(Path("/tmp").glob(f"aifactory-{run}*"))
        assert not [
            path for path in Path("/proc").glob("[0-9]*/environ") if f"BENCHMARK_ID={run}" in read_process(path)
        ]


def read_process(path: Path) -> str:
    """A file below /proc; empty when its process has just ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


@pytest.fixture(scope="session")
def ollama_standin() -> str:
    """Where the stand-in for Ollama lies, readable on every node of both clusters."""
    folder = Path("/var/lib/aifactory/local_cluster/scratch/test-files")
    folder.mkdir(mode=0o755, exist_ok=True)
    target, half = folder / "ollama", folder / f"ollama.{os.getpid()}"
    shutil.copyfile(ROOT / "tests/integration/standin/ollama.py", half)
    half.chmod(0o755)
    half.rename(target)
    return str(target)
