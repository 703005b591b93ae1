# SPDX-License-Identifier: MIT
"""What the end of a large run takes on the controller: run.json, the store, the report; time, peak memory, page size.

usage: python bench_report.py [--clients 1000] [--cases 100] [--metrics-mib 64] [--times 5]

The run is made up (made_run.py) and collected as any. Each time is of a process of its own, as of a play, less what
Python's start and the imports take.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections"), str(ROOT / "tests/bench")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory  # noqa: E402

LIMIT_S = 30.0  # for all of it, of CPU


def measured(run: RunDirectory) -> dict[str, float]:
    """What the end of a run takes: by part the seconds of CPU and by the clock, then the peak memory."""
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, report

    report.preload()  # a play does so while the cluster measures
    found: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> None:
        clock_s, cpu_s = time.perf_counter(), time.process_time()
        work()
        found[f"{name}, s of CPU"] = time.process_time() - cpu_s
        found[f"{name}, s"] = time.perf_counter() - clock_s

    plan, jobs = run.read_json("plan.json"), run.read_json("jobs.json")
    timed("run.json and store", lambda: finish.finish(run, plan, jobs, None, run.read_json("calls.json")))
    timed("report", lambda: report.render(run))
    found["peak memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def repeated(run: RunDirectory, times: int) -> dict[str, list[float]]:
    """The same of several processes, each with a new store."""
    found: dict[str, list[float]] = {}
    for _time in range(times):
        for path in run.path.parent.parent.glob("store.db*"):
            path.unlink()
        argv = [sys.executable, __file__, "--measure", str(run.path)]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
        for name, value in json.loads(done.stdout).items():
            found.setdefault(name, []).append(value)
    return found


def main() -> None:
    """Make a run, measure and print; ends with 1 when the limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--metrics-mib", type=int, default=64, help="most of the service's own metrics")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--measure", type=Path, help="a run that is there: measure once, and print JSON")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(RunDirectory(options.measure))))
        return
    import made_run

    with tempfile.TemporaryDirectory(prefix="aifactory-report-") as folder:
        home, scratch = Path(folder) / "home", Path(folder) / "scratch"
        run = made_run.make(home, scratch, options.clients, options.cases, options.metrics_mib << 20)
        sizes = {
            name: sum(path.stat().st_size for path in run.path.glob(name)) for name in ("results.csv", "metrics/*")
        }
        print(f"{options.clients:,} clients × {options.cases:,} cases; "
              + ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in sizes.items()))  # fmt: skip
        found = repeated(run, options.times)
        sizes = {name: run.file(name).stat().st_size for name in ("report.html", "report.md", "run.json")}
        sizes["store.db"] = (home / "store.db").stat().st_size
    print(f"\n| of {options.times} | median | from | to |\n|---|---|---|---|")
    for name, values in found.items():
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} |")
    print("\n" + ", ".join(f"{name} {size / 2**20:.2f} MiB" for name, size in sizes.items()))
    total_s = sum(statistics.median(values) for name, values in found.items() if name.endswith("s of CPU"))
    print(f"limit of {LIMIT_S:g} s of CPU {'kept' if total_s <= LIMIT_S else 'EXCEEDED'}: {total_s:.1f} s")
    sys.exit(total_s > LIMIT_S)


if __name__ == "__main__":
    main()
