# SPDX-License-Identifier: MIT
"""What many runs at once and many clients in one run cost, on the local cluster.

usage: python bench_scale.py [--waiting 60,600] [--runs 1,20] [--clients 16,1000]

--waiting: so many seconds in the queue; how often the cluster was asked meanwhile.
--runs: so many plays at once on one cluster; how often its scheduler and its login node were asked, by all together.
--clients: so many client tasks in one run; from the submission to the report, step by step, and the most memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """
service: {{image: "{image}", command: "sleep 600", health: {{type: command, command: "true"}}, time_limit: "00:10:00"}}
client: {{command: "true", {client}}}
benchmarks: {{num_clients: {clients}, concurrency: 1, rate: {rate}, duration: {seconds}s}}
"""
# services that wait for nodes for their clients, which other services hold, would wait for one another
ON_ONE_NODE = "placement: shared"
ON_NODES_OF_THEIR_OWN = 'nodes: {nodes}, cpus_per_task: 1, time_limit: "00:10:00"'
CLIENTS_PER_NODE = 334  # the cluster has three nodes besides the service's
IMAGES = Path("/var/lib/aifactory/local_cluster/images")
STEPS = ("submitted", "clients starting", "clients ready", "measuring", "clients done", "collected", "torn down")


def share(path: Path) -> int:
    """The memory (bytes) of a process below /proc, with its part of what it shares with others."""
    found = re.search(r"Pss: +(\d+) kB", (path / "smaps_rollup").read_text())
    return 1024 * int(found[1]) if found else 0


class Memory(threading.Thread):
    """The most memory (bytes, what is shared counted in parts) of all agents, and of the plays."""

    def __init__(self, marks: tuple[str, ...]) -> None:
        super().__init__(daemon=True)
        self.marks = marks
        self.most = dict.fromkeys(marks, 0)
        self.over = threading.Event()

    def run(self) -> None:
        """Look until told to end."""
        while not self.over.wait(5.0):
            found = dict.fromkeys(self.marks, 0)
            for path in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    command = (path / "cmdline").read_text(errors="replace").replace("\0", " ")
                    for mark in self.marks:
                        found[mark] += share(path) if mark in command else 0
            self.most = {mark: max(self.most[mark], found[mark]) for mark in self.marks}


def plays(folder: Path, count: int, *arguments: str, **recipe: object) -> tuple[float, list[dict], dict[str, float]]:
    """(wall clock in s, records, seconds at which the first play said each of STEPS) of so many plays at once."""
    home = Path(tempfile.mkdtemp(dir=folder))
    path = folder / "scale.yml"
    path.write_text(RECIPE.format(image=IMAGES / "tools.sif", **recipe))
    login = Path(os.environ.get("AIFACTORY_HOME", "~/.aifactory")).expanduser() / "local_cluster"
    environment = {**os.environ, "AIFACTORY_HOME": str(home), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    argv = [str(ROOT / ".venv/bin/ansible-playbook"), "aifactory.benchmark.run", "-e", f"recipe={path}"]
    argv += ["-e", f"local_cluster_login={login}", *arguments]
    began = time.monotonic()
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": environment, "cwd": ROOT}
    started = [subprocess.Popen(argv, **options) for _number in range(count)]
    steps: dict[str, float] = {}
    first = []
    for line in started[0].stdout:
        first.append(line)
        for step in STEPS:
            if step in line:
                steps.setdefault(step, time.monotonic() - began)
    outputs = [process.communicate()[0] for process in started[1:]]
    wall_s = time.monotonic() - began
    records = [json.loads(path.read_text()) for path in sorted((home / "runs").glob("*/run.json"))]
    if len(records) != count or any(record["state"] != "finished" for record in records):
        sys.exit(
            f"{len(records)} of {count} runs: {[record['reasons'] for record in records]}\n{''.join(first)}{outputs}"
        )
    return wall_s, records, steps


def calls_of(records: list[dict]) -> tuple[int, int]:
    """(commands of the scheduler, logins with ssh or calls through one that is open) of these runs."""
    calls = sum((Counter(record["calls"]) for record in records), Counter())
    return sum(number for name, number in calls.items() if name not in ("ssh", "polls")), calls["ssh"]


def waiting(folder: Path, seconds: list[int]) -> None:
    """How often a cluster is asked while a run waits in its queue."""
    print("s in the queue  scheduler's commands  a minute  ssh  a minute")
    asked_at_once = ssh_at_once = 0
    for wait_s in [0, *seconds]:
        options = json.dumps({"benchmark_sbatch_options": [f"--begin=now+{wait_s}"] if wait_s else []})
        _wall_s, records, _steps = plays(folder, 1, "-e", options, clients=2, client=ON_ONE_NODE, rate=1, seconds=10)
        asked, ssh = calls_of(records)
        if not wait_s:
            asked_at_once, ssh_at_once = asked, ssh
        minutes = wait_s / 60 or float("nan")
        more = [(asked - asked_at_once) / minutes, (ssh - ssh_at_once) / minutes]
        print(f"{wait_s:>14}  {asked:>20}  {more[0]:>8.1f}  {ssh:>3}  {more[1]:>8.1f}", flush=True)


def many_runs(folder: Path, counts: list[int]) -> None:
    """How often a cluster is asked by so many runs at once."""
    print("runs at once  wall s  scheduler's commands  ssh")
    for count in counts:
        wall_s, records, _steps = plays(folder, count, clients=2, client=ON_ONE_NODE, rate=1, seconds=10)
        asked, ssh = calls_of(records)
        print(f"{count:>12}  {wall_s:>6.1f}  {asked:>20}  {ssh:>3}", flush=True)


def many_clients(folder: Path, counts: list[int]) -> None:
    """From the submission to the end of so many clients."""
    print("clients  " + "  ".join(f"{step:>16}" for step in STEPS) + "  agents GiB  play GiB")
    for count in counts:
        memory = Memory(("agent.pyz", "ansible-playbook"))
        memory.start()
        client = ON_NODES_OF_THEIR_OWN.format(nodes=math.ceil(count / CLIENTS_PER_NODE))
        _wall_s, _records, steps = plays(folder, 1, clients=count, client=client, rate=1, seconds=10)
        memory.over.set()
        gib = [memory.most[mark] / 2**30 for mark in memory.marks]
        print(
            f"{count:>7}  "
            + "  ".join(f"{steps.get(step, float('nan')):>16.1f}" for step in STEPS)
            + f"  {gib[0]:>10.2f}  {gib[1]:>8.2f}",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", default="60,600")
    parser.add_argument("--runs", default="1,20")
    parser.add_argument("--clients", default="16,1000")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        waiting(Path(name), [int(word) for word in options.waiting.split(",") if word])
        many_runs(Path(name), [int(word) for word in options.runs.split(",") if word])
        many_clients(Path(name), [int(word) for word in options.clients.split(",") if word])


if __name__ == "__main__":
    main()
