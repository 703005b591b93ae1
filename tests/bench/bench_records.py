# SPDX-License-Identifier: MIT
"""What the statistics over many requests take: histograms, percentiles, counts by second, and records on request.

usage: python bench_records.py [--requests 10000000] [--kinds open,streams] [--times 1]

Rows as the engine makes them go through a client's own recorder in one process, are merged and written as a case is;
a log of pgbench through its reader. Making the rows is not timed. The limits: 30 s of CPU for ten million requests
without a record of each, and 2 GiB of memory.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Merged, Results  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pgbench_log import LogReader  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.records import RecordWriter  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import Samples  # noqa: E402

BLOCK, RATE_PER_S = 100_000, 20_000
LIMIT_S_PER_REQUEST, LIMIT_MIB = 3e-6, 2048
KINDS = {
    "closed": "closed loop",
    "open": "open loop: lag, service time, the pace at the end",
    "streams": "open loop of streams: first token, tokens",
    "records": "open loop with a record of each (.npz)",
    "pgbench": "log of pgbench with its lag",
}


class Clock:
    """CPU seconds of what is timed."""

    def __init__(self) -> None:
        self.cpu_s = 0.0

    def of(self, work: Callable[[], Any]) -> Any:
        """What `work` returns."""
        began = time.process_time()
        found = work()
        self.cpu_s += time.process_time() - began
        return found


def blocks(requests: int, streams: bool) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of samples.py, in the order of their ends: log-normal times of 8 ms, due at a fixed rate."""
    rng = np.random.default_rng(1)
    for first in range(0, requests, BLOCK):
        count = min(BLOCK, requests - first)
        due = (first + np.arange(count)) / RATE_PER_S
        start = due + rng.exponential(1e-4, count)
        end = start + rng.lognormal(np.log(8e-3), 0.4, count)
        zeros = np.zeros(count)
        first_token, last = (start + (end - start) * 0.2, end) if streams else (zeros, zeros)
        constants = (200, 1, 0, 512, 128, 128 if streams else 0, 32 if streams else 0)
        columns = [column.tolist() for column in (due, start, first_token, last, end)]
        rows = list(zip(*columns, *([value] * count for value in constants), strict=True))
        yield sorted(rows, key=lambda row: row[4])


def engine(kind: str, requests: int, folder: Path, clock: Clock) -> dict[str, Any]:
    """A client's result, by the engine's recorder."""
    writer = RecordWriter(str(folder / "records.npz")) if kind == "records" else None
    keep = writer.add_many if writer else None
    until = requests / RATE_PER_S
    recorder = Samples(0.0, until, 0.0, scheduled=kind != "closed", keep=keep)

    def take(rows: list[tuple[Any, ...]]) -> None:
        for row in rows:
            recorder.add(row)

    for rows in blocks(requests, kind == "streams"):
        clock.of(lambda rows=rows: take(rows))
    result = clock.of(recorder.result)
    if recorder.scheduled:
        result["measure_end"] = clock.of(recorder.pace_end)
    if writer:
        clock.of(writer.close)
        assert np.load(folder / "records.npz")["end_s"].shape == (requests,)
    return result


def pgbench(requests: int, folder: Path, clock: Clock) -> dict[str, Any]:
    """A client's result, by the reader of pgbench's log."""
    recorder, count = Recorder(0.0, requests / RATE_PER_S + 1), 0
    reader = LogReader(str(folder / "log"), recorder, has_lag=True)
    with (folder / "log.1").open("w", buffering=1 << 20) as log:
        for rows in blocks(requests, streams=False):
            for due, start, _first, _last, end, *_rest in rows:
                due_us, start_us, end_us = (round(t * 1e6) for t in (due, start, end))
                at = f"{end_us // 1000000} {end_us % 1000000}"
                log.write(f"0 {count} {end_us - due_us} 0 {at} {start_us - due_us}\n")
                count += 1
    clock.of(reader.read)
    return clock.of(recorder.result)


def measured(kind: str, requests: int) -> dict[str, float]:
    """CPU seconds and peak memory (MiB) of one kind, in this process."""
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="aifactory-records-") as name:
        folder = Path(name)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result = pgbench(requests, folder, clock) if kind == "pgbench" else engine(kind, requests, folder, clock)
        assert result["operations"] == requests, (result["operations"], requests)
        results = Results(run_dir.RunDir({"run_dir": name}))
        merged = clock.of(lambda: Merged([{"client": 0, **result}]))
        clock.of(lambda: results.add("max", 1, merged, {}))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu_s": clock.cpu_s, "peak_mib": peak / 1024, "before_mib": before / 1024}


def main() -> None:
    """Measure each kind in a process of its own and print; ends with 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--measure", choices=KINDS, help="this kind, here; print JSON")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure, options.requests)))
        return
    is_kept = True
    print(f"| {options.requests:,} requests | CPU, s: median | from | to | us each | peak memory, MiB |\n|{'---|' * 6}")
    for kind in options.kinds:
        argv = [sys.executable, __file__, "--measure", kind, "--requests", str(options.requests)]
        found = [
            json.loads(subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout)
            for _time in range(options.times)
        ]
        seconds = [each["cpu_s"] for each in found]
        median_s, peak_mib = statistics.median(seconds), max(each["peak_mib"] for each in found)
        each_us = 1e6 * median_s / options.requests
        cells = (KINDS[kind], f"{median_s:.1f}", f"{min(seconds):.1f}", f"{max(seconds):.1f}", f"{each_us:.2f}")
        print(f"| {' | '.join(cells)} | {peak_mib:,.0f} |", flush=True)
        is_kept &= (kind == "records" or median_s <= LIMIT_S_PER_REQUEST * options.requests) and peak_mib <= LIMIT_MIB
    print(f"\nlimits {'kept' if is_kept else 'EXCEEDED'}: 3 us each without records, {LIMIT_MIB:,} MiB")
    sys.exit(not is_kept)


if __name__ == "__main__":
    main()
