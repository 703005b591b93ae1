# SPDX-License-Identifier: MIT
"""A part of the run itself fails: the service, a client, the clock of a node."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from .injectors import descendants, of_run, read, send

pytestmark = pytest.mark.fault


def service_processes(run_id: str) -> list[int]:
    """PostgreSQL's own processes: the first by its environment, the others have their titles where theirs was."""
    [first, *_others] = of_run(run_id, "postgres -D")
    return descendants(first)


def clients(run_id: str) -> list[int]:
    """The clients' own processes, without the srun that started them."""
    return [
        pid for pid in of_run(run_id, "agent.pyz client ") if "python" in read(f"/proc/{pid}/cmdline").split("\0")[0]
    ]


@pytest.mark.parametrize("phase", ["starting", "warm-up", "measuring"])
def test_the_service_crashes(begin, phase):
    run = begin(phase, duration="20s")
    if phase == "starting":
        run.until("service healthy")
    send(signal.SIGKILL, service_processes(run.id))
    run.ends("the service failed", "the service ended with exit code")


@pytest.mark.parametrize("phase", ["warm-up", "measuring"])
def test_the_service_hangs(begin, phase):
    run = begin(phase, duration="8s")
    hanging = service_processes(run.id)
    assert hanging
    send(signal.SIGSTOP, hanging)
    run.ends("did not end within", "the service does not answer")
    assert not [pid for pid in hanging if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("phase", ["warm-up", "measuring"])
def test_a_client_crashes(begin, phase):
    run = begin(phase, duration="8s")
    [pid, _other] = clients(run.id)
    send(signal.SIGKILL, descendants(pid))
    run.ends("client", results=phase == "measuring")


def test_one_client_never_starts(begin):
    """It is there and says nothing, for as long as the others wait for it."""
    run = begin("starting", duration="3s")
    run.until("clients starting")
    stopped: list[int] = []
    while not stopped:
        stopped = clients(run.id)[:1]
    send(signal.SIGSTOP, stopped)
    run.ends("did not start within 120 s", results=True)


AHEAD = """\
import os, time
if os.environ.get("SLURM_NODEID") == "1":
    right = time.time
    time.time = lambda: right() + 3
"""


def test_the_clocks_of_two_nodes_differ(begin, cluster):
    """Python's clock on the second of the clients' nodes is three seconds ahead."""
    folder = Path(f"/var/lib/aifactory/local_cluster/scratch/test-clock-{cluster}")
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(AHEAD)
    text = f"""
service: {{type: postgresql, time_limit: "00:05:00"}}
client:
  type: pgbench
  nodes: 2
  time_limit: "00:05:00"
  pre_run_commands: ["export PYTHONPATH={folder}"]
benchmarks: {{duration: 4s, warmup: 1s, num_clients: 2}}
"""
    begin("measuring", text=text).ends("the clock of", "ahead of the conductor's", results=True)
