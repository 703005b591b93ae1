# SPDX-License-Identifier: MIT
"""What slurm_job_info costs by each way to Slurm (docs/login-nodes.md), and slurm_job that finds its job there.

usage: python transport_bench.py [--repetitions N] [--cluster local]     on the clusters of the tests: make test-cluster

Prints the time of one task in milliseconds, the median of N plays by each way in turn, and its ratio to the modules'.
Ansible's own start is not in the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "tests/integration/inventory.yml"
TASKS = 10
WAYS = ("python", "shell", "slurmrestd")
LIMIT = 1.0  # a way without Python must not cost more than the modules
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
{tasks}
"""
TASK = """
    - name: "{what} {way} {number}"
      aifactory.benchmark.{what}: {options}
      vars: {{benchmark_slurm_transport: {way}}}
"""
JOB = {
    "name": "bench-transport",
    "content": "#!/bin/bash\ntrue\n",
    "account": "p200981",
    "time_limit": "5",
    "chdir": "/tmp",
    "output": "/dev/null",
}


def token(cluster: str) -> str:
    """A token of the user's, made on the cluster."""
    command = [ROOT / ".venv/bin/ansible", "-i", INVENTORY, cluster, "-m", "raw", "-a", "scontrol token lifespan=600"]
    return run(command).partition("SLURM_JWT=")[2].split()[0]


def run(command: list[object], **environment: str) -> str:
    """Standard output of Ansible in this checkout."""
    known = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **known, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def timed(cluster: str, what: str, way: str, count: int, jwt: str) -> float:
    """Seconds of a play that runs a module so many times by one way."""
    options = json.dumps({"slurm_job_info": {"ids": ["1"]}, "slurm_job": JOB}[what])
    tasks = [TASK.format(what=what, way=way, number=number, options=options) for number in range(count)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as play:
        play.write(PLAY.format(tasks="".join(tasks)))
        play.flush()
        started = time.monotonic()
        run([ROOT / ".venv/bin/ansible-playbook", "-i", INVENTORY, "-l", cluster, play.name], SLURM_JWT=jwt)
        return time.monotonic() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--cluster", default="local")
    options = parser.parse_args()
    jwt, found = token(options.cluster), {}
    for what in ("slurm_job", "slurm_job_info"):
        timed(options.cluster, what, "python", 1, jwt)  # the job is there from then on, and the connection is open
        for _round in range(options.repetitions):
            for way in WAYS:
                # the difference of a long and a short play has no start of Ansible in it
                seconds = [timed(options.cluster, what, way, count, jwt) for count in (1, 1 + TASKS)]
                found.setdefault((what, way), []).append((seconds[1] - seconds[0]) / TASKS * 1000)
        base = statistics.median(found[what, "python"])
        for way in WAYS:
            median = statistics.median(found[what, way])
            print(f"{what:16} {way:12} {median:6.0f} ms   ratio {median / base:.2f}   (limit {LIMIT:.2f})", flush=True)


if __name__ == "__main__":
    main()
