# SPDX-License-Identifier: MIT
"""A whole run against a hand-written shell script that does the same work on the same cluster.

usage: python run_bench.py [--repetitions N] [--clients 1,4,16] [--seconds 10]

Both are timed in turn, A B A B, so that a machine whose speed drifts changes both. Prints the wall clock of each, the
ratio of the medians, where the time of the run went, and how many calls it made on the cluster.
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
SCALE = 4
LIMIT = 1.15
RECIPE = """
service:
  type: postgresql
  time_limit: "00:10:00"
client:
  type: pgbench
  settings: {{scale: {scale}}}
  time_limit: "00:10:00"
benchmarks:
  num_clients: {clients}
  warmup: 0s
  duration: {seconds}s
"""


def timed(argv: list[str], **options: object) -> float:
    """Wall clock (s) of a command that must succeed."""
    began = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    wall_s = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed:\n{done.stdout}")
    return wall_s


def by_hand(clients: int, seconds: int, folder: Path) -> float:
    """Wall clock (s) of the shell script."""
    script = ROOT / "tests/bench/by_hand.sh"
    return timed([str(script), str(clients), str(seconds), str(SCALE), str(folder / f"hand-{clients}")])


def by_playbook(clients: int, seconds: int, folder: Path) -> tuple[float, dict]:
    """Wall clock (s) of the playbook, report included, and the run's record."""
    recipe = folder / f"bench{clients}.yml"
    recipe.write_text(RECIPE.format(clients=clients, seconds=seconds, scale=SCALE))
    home = folder / "home"
    # the key that opens the local cluster stays where the cluster put it
    login = Path(os.environ.get("AIFACTORY_HOME", "~/.aifactory")).expanduser() / "local_cluster"
    environment = {**os.environ, "AIFACTORY_HOME": str(home), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    argv = [str(ROOT / ".venv/bin/ansible-playbook"), "aifactory.benchmark.run", "-e", f"recipe={recipe}"]
    wall_s = timed([*argv, "-e", f"local_cluster_login={login}"], env=environment, cwd=ROOT)
    newest = max((home / "runs").iterdir())
    return wall_s, json.loads((newest / "run.json").read_text())


def breakdown(wall_s: float, record: dict) -> str:
    """Where the wall clock of a run went: phases in the cluster, and the controller around them."""
    phases: dict[str, float] = {}
    for segment in record["timeline"]:
        phases[segment["phase"]] = phases.get(segment["phase"], 0.0) + segment["seconds"]
    phases["controller before and after"] = wall_s - sum(phases.values())
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in phases.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    print(f"{options.seconds} s measured, medians of {options.repetitions}; wall clock in seconds")
    print(f"{'clients':>7}  {'script':>7}  {'run':>7}  {'ratio':>5}  breakdown of the run; calls")
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for clients in (int(word) for word in options.clients.split(",")):
            hand, ours = [], []
            for _repetition in range(options.repetitions):
                hand.append(by_hand(clients, options.seconds, folder))
                ours.append(by_playbook(clients, options.seconds, folder))
            median_s = statistics.median(wall_s for wall_s, _record in ours)
            wall_s, record = min(ours, key=lambda pair: abs(pair[0] - median_s))
            ratio = median_s / statistics.median(hand)
            worst = max(worst, ratio)
            calls = ", ".join(f"{count} {command}" for command, count in record["calls"].items())
            print(
                f"{clients:>7}  {statistics.median(hand):>7.1f}  {median_s:>7.1f}  {ratio:>5.2f}  "
                f"{breakdown(wall_s, record)}; {calls}",
                flush=True,
            )
    print(f"worst ratio {worst:.2f}, limit {LIMIT}: {'kept' if worst <= LIMIT else 'EXCEEDED'}")


if __name__ == "__main__":
    main()
