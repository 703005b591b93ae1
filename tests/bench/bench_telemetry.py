# SPDX-License-Identifier: MIT
"""What the agent's sampling costs the service beside it: throughput of nginx with it and without it.

usage: python bench_telemetry.py [--pairs 20] [--seconds 3] [--connections 32]

nginx has one worker on one core, and the agent's sampler runs on the same core, as in a job of one CPU: nowhere does it
cost more. The load is a closed loop of the collection's own client on another core. Measurements with and without
sampling alternate, in pairs whose order alternates as well; the ratio of each pair is one observation.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections"), str(ROOT / "tests/bench/load")]

import server as truth  # noqa: E402
import watch  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import standalone  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats  # noqa: E402

LIMIT = 0.99  # of the throughput without sampling, that has to be left: the interval must not lie below
SHARE_LIMIT = 0.01  # of a core that sampling may take: on a busy machine, too, that is told exactly
SHARE = "share of a core"
PATH = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has it
NUMBERS = ("throughput, 1/s", "p50, ms", "p99, ms")


class Nginx:
    """The server with its sampler, both on `core` (int)."""

    def __init__(self, core: int) -> None:
        self.core = core

    def __enter__(self) -> Nginx:
        if not shutil.which("nginx", path=PATH):
            raise SystemExit("nginx is not installed: apt-get install nginx-light")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory(prefix="aifactory-telemetry-")
        argv = [sys.executable, str(ROOT / "tests/bench/sampled_nginx.py"), str(self.port), self._folder.name]
        self.process = subprocess.Popen(
            watch.pinned(self.core, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        end = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("nginx did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self._folder.cleanup()

    def tell(self, word: str) -> str:
        """Have sampling begin (`on`) or end (`off`); returns what it answers."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def load(port: int, core: int, options: argparse.Namespace) -> dict[str, float]:
    """The numbers of one measurement."""
    argv = [sys.executable, "-m", standalone.__name__, "--workload=http", f"--url=http://127.0.0.1:{port}",
            f"--concurrency={options.connections}", f"--duration={options.seconds}", "--warmup=0.5"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
    done = subprocess.run(watch.pinned(core, argv), stdout=subprocess.PIPE, env=environment, cwd="/", check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    if result["errors"]:
        raise RuntimeError(f"operations failed: {result['errors']}")
    times = Histogram.from_dict(result["histograms"]["response_time"])
    values = [result["operations"] / (result["measure_end"] - result["measure_start"])]
    values += [times.quantile(q) * 1e3 for q in (0.5, 0.99)]
    return dict(zip(NUMBERS, values, strict=True))


def pair(nginx: Nginx, core: int, number: int, options: argparse.Namespace) -> dict[bool, dict[str, float]]:
    """One measurement with sampling (True), one without it; of the one with it also what sampling took."""
    found: dict[bool, dict[str, float]] = {}
    for sampled in (True, False) if number % 2 else (False, True):
        if sampled:
            nginx.tell("on")
        found[sampled] = load(nginx.port, core, options)
        if sampled:
            found[sampled][SHARE] = float(nginx.tell("off"))
    ratio = found[True][NUMBERS[0]] / found[False][NUMBERS[0]]
    print(f"{number:3d}: ratio {ratio:.3f}, sampling took {found[True][SHARE]:.2%} of a core", flush=True)
    return found


def main() -> None:
    """Measure and print; ends with 1 when the limit is exceeded beyond doubt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    clients_core, server_core = truth.cores()
    with Nginx(server_core) as nginx:
        pairs = [pair(nginx, clients_core, number, options) for number in range(options.pairs)]
    print(f"\n| of {options.pairs} pairs | without | with | ratio | 95 % interval |\n|---|---|---|---|---|")
    upper = {}
    for name in NUMBERS:
        without, with_ = ([each[sampled][name] for each in pairs] for sampled in (False, True))
        logarithms = [math.log(b / a) for a, b in zip(without, with_, strict=True)]
        told = stats.summary(logarithms)
        low, high = (math.exp(told["mean"] + sign * told["half_width"]) for sign in (-1, 1))
        upper[name] = high
        medians = f"{statistics.median(without):,.2f} | {statistics.median(with_):,.2f}"
        print(f"| {name} | {medians} | {math.exp(told['mean']):.4f} | {low:.4f} to {high:.4f} |")
    shares = [each[True][SHARE] for each in pairs]
    print(f"\nsampling took {statistics.median(shares):.2%} of a core (median; {min(shares):.2%} to {max(shares):.2%})")
    is_kept = upper[NUMBERS[0]] >= LIMIT and statistics.median(shares) <= SHARE_LIMIT
    print(f"limits {'kept' if is_kept else 'EXCEEDED'}: {LIMIT} of the throughput, {SHARE_LIMIT:.0%} of a core")
    sys.exit(not is_kept)


if __name__ == "__main__":
    main()
