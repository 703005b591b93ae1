# SPDX-License-Identifier: MIT
"""The generator's own costs: histograms, recorded values, a service's metrics, and what more processes bring.

usage: python bench_engine.py [--seconds 5]

Costs are CPU time, and what is timed is checked against exact figures. Then one, two and four processes make a load
together, on all cores with the server beside them: what grows, and what stops it.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figures
import ours
import server
import watch
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import parse
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.scraper import Scraper
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.sources import Target
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram, Tally
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import Samples

CLIENTS, VALUES_EACH = 1000, 2000
VALUES = 200_000
MERGE_MS, HISTOGRAM_ERROR_PERCENT, SCRAPE_MS = 50, 0.2, 50
PROCESSES = (1, 2, 4)
CONNECTIONS = 32
LLM_RATE = 6000  # more than one process delivers
_AHEAD_S = 2.0  # for the slowest of the processes to start
_TURNS = 5


def latencies_us(count: int, seed: int) -> list[int]:
    """Response times as of a service: log-normal around 20 ms, 2 % ten times as long."""
    draw = random.Random(seed)
    return [int(draw.lognormvariate(9.9, 0.4) * (10 if draw.random() < 0.02 else 1)) for _number in range(count)]


def merging() -> tuple[float, float, float]:
    """(ms to merge the clients' histograms, ms to read them from JSON, % that the merged p99 is off)."""
    texts, everything = [], []
    for client in range(CLIENTS):
        values = latencies_us(VALUES_EACH, client)
        everything += values
        made = Histogram()
        made.record_many(values)
        texts.append(json.dumps(made.to_dict()))
    began = time.process_time()
    histograms = [Histogram.from_dict(json.loads(text)) for text in texts]
    read_ms = 1000 * (time.process_time() - began)
    took = []
    for _turn in range(_TURNS):
        merged = Histogram()
        began = time.process_time()
        for one in histograms:
            merged.merge(one)
        took.append(1000 * (time.process_time() - began))
    exact = figures.quantile(everything, 0.99)
    if (merged.count, merged.sum) != (len(everything), sum(everything)):
        raise SystemExit("the merged histogram lost values")
    return statistics.median(took), read_ms, 100 * abs(merged.quantile(0.99) / (exact * 1e-6) - 1)


def per_value_ns(work: Callable[[list[int]], object]) -> float:
    """Nanoseconds a value, median of some turns."""
    values = latencies_us(VALUES, 1)
    took = []
    for _turn in range(_TURNS):
        began = time.process_time()
        work(values)
        took.append((time.process_time() - began) / len(values) * 1e9)
    return statistics.median(took)


def singly(values: list[int]) -> None:
    """One call of Histogram.record a value."""
    record = Histogram().record
    for value in values:
        record(value)


def tallied(values: list[int]) -> None:
    """As the engine does: a thousand at a time into a Tally."""
    tally = Tally()
    for at in range(0, len(values), 1024):
        tally.add(values[at : at + 1024])
    if tally.histogram.count != len(values):
        raise SystemExit("the tally lost values")


def rows(values: list[int]) -> None:
    """All that is kept of an operation of an open loop: three histograms, a series, totals, the pace."""
    samples = Samples(0.0, None, clock_offset_s=0.0, scheduled=True)
    for number, us in enumerate(values):
        due = number * 1e-4
        samples.due_in(due)
        samples.add((due, due + 1e-5, 0.0, 0.0, due + us * 1e-6, 200, 1, 0, 1000, 100, 0, 0))
    samples.flush()
    if samples.operations != len(values):
        raise SystemExit("the samples lost operations")


@dataclass
class Together:
    """Several processes at once: 1/s by the server's log and by the clients, CPU in % of a core."""

    seen: float
    told: float
    lag_p99_ms: float | None
    clients_cpu: list[float]
    server_cpu: float
    waited: list[float]  # for a CPU, % of the time, of each client
    strangers_cpu: float


def together(count: int, workload: str, settings: dict[str, Any], seconds: float, **options: float) -> Together:
    """`count` clients that make one load, started at one time; nothing is pinned."""
    at, run_id = time.time() + _AHEAD_S, uuid.uuid4().hex
    with server.Server(log_max=4000000) as truth, tempfile.TemporaryDirectory(prefix="aifactory-bench-") as folder:
        outs = [Path(folder) / f"{number}.json" for number in range(count)]
        fixed = {"at": at, "run_id": run_id, "warmup": 1, "duration": seconds, "clients": count, "drain": 5, **options}
        clients = [
            subprocess.Popen(
                ours.command(truth.url, workload, settings, out, client=number, **fixed),
                env=ours.environment(),
                cwd="/",
            )
            for number, out in enumerate(outs)
        ]
        marks = []
        for when in (at + 1, at + 1 + seconds):
            time.sleep(max(0.0, when - time.time()))
            pids = [client.pid for client in clients]
            marks.append((time.monotonic(), [watch.cpu_s(pid) for pid in (*pids, truth.process.pid)], watch.busy_s()))
        if any(client.wait(60) for client in clients):
            raise SystemExit("a client failed")
        results = [json.loads(out.read_text()) for out in outs]
        log = truth.stop()
    (t0, used0, busy0), (t1, used1, busy1) = marks
    cpu = [100 * (after - before) / (t1 - t0) for before, after in zip(used0, used1, strict=True)]
    begin_s = at + 1
    inside = [r for r in log.requests if begin_s <= (r.arrival_ns + log.epoch_offset_ns) / 1e9 < begin_s + seconds]
    return Together(
        len(inside) / seconds,
        sum(result["operations"] for result in results) / seconds,
        _lag_p99_ms(results),
        cpu[:-1],
        cpu[-1],
        [result["run_delay_percent"] or 0.0 for result in results],
        max(0.0, 100 * (busy1 - busy0) / (t1 - t0) - sum(cpu)),
    )


def _lag_p99_ms(results: list[dict[str, Any]]) -> float | None:
    lag = Histogram()
    for result in results:
        if "schedule_lag" in result["histograms"]:
            lag.merge(Histogram.from_dict(result["histograms"]["schedule_lag"]))
    return 1000 * lag.quantile(0.99) if lag.count else None


def growth(seconds: float) -> str:
    """The table of one, two and four processes."""
    n = figures.number
    lines = []
    for what, workload, settings, options in (
        (
            f"http, closed loop, {CONNECTIONS} connections in all",
            "http",
            {"path": "/plain"},
            {"concurrency": CONNECTIONS},
        ),
        (f"llm, {LLM_RATE:,}/s asked in all", "llm", ours.LLM, {"rate": LLM_RATE}),
    ):
        first = None
        for count in PROCESSES:
            shares = {name: value // count for name, value in options.items()}
            run = functools.partial(together, count, workload, settings, seconds, **shares)
            found = watch.undisturbed(run, lambda found: found.strangers_cpu)
            first = first or found.seen
            lines.append([
                what, str(count), n(found.seen, 0), f"{found.seen / first:.2f}", n(found.told, 0), n(found.lag_p99_ms),
                " + ".join(n(cpu, 0) for cpu in found.clients_cpu), n(found.server_cpu, 0),
                n(max(found.waited), 0), n(found.strangers_cpu, 0),
            ])  # fmt: skip
    head = ("load", "processes", "the server saw /s", "of one", "completed /s", "lag p99 ms", "clients' CPU %",
            "server CPU %", "waited for a CPU %", "other CPU %")  # fmt: skip
    return figures.table(head, lines)


def scrape_ms() -> tuple[float, int]:
    """(milliseconds of CPU that one question for a service's metrics takes with its keeping, how many series it has).

    Like vLLM's: forty histograms of 45 buckets; a tenth of the series changes each time.
    """
    names = [f'thing_{n}_seconds_bucket{{engine="0",le="{b}"}}' for n in range(40) for b in range(45)]
    values = dict.fromkeys(names, 0)

    class Source:
        def read(self) -> Iterator[tuple[str, str, str, float]]:
            for name in names[:: len(names) // 180]:
                values[name] += 1
            lines = [f"# TYPE thing_{n}_seconds histogram" for n in range(40)]
            return parse("\n".join([*lines, *(f"{name} {value}" for name, value in values.items())]))

        def close(self) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        target = Target("127.0.0.1", 0, {"type": "prometheus"}, {}, lambda _name: None)
        scraper = Scraper(target, f"{folder}/metrics.csv")
        scraper.source = Source()
        scraper.scrape()
        took = []
        for _turn in range(20):
            began = time.process_time()
            scraper.scrape()
            took.append(1000 * (time.process_time() - began))
        scraper.stop()
    return statistics.median(took), len(names)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run with several processes")
    options = parser.parse_args()
    print(figures.machine(), flush=True)
    merge_ms, read_ms, off_percent = merging()
    print(f"\n{CLIENTS:,} clients' histograms of {VALUES_EACH:,} values: read from JSON in {read_ms:.0f} ms")
    print(figures.limit("merging them", merge_ms, most=MERGE_MS, unit=" ms"))
    print(figures.limit("merged p99 against the exact one", off_percent, most=HISTOGRAM_ERROR_PERCENT, unit=" %"))
    print("\ncost per recorded value")
    for what, work in (
        ("a value into a histogram, singly", singly),
        ("a value into a histogram, a thousand at a time (the engine's way)", tallied),
        ("an operation of an open loop with all that is kept of it", rows),
    ):
        print(f"{per_value_ns(work):8,.0f} ns  {what}")
    took_ms, series = scrape_ms()
    print(figures.limit(f"asking a service for {series:,} series once", took_ms, most=SCRAPE_MS, unit=" ms"))
    print("\nprocesses together, not pinned, the server beside them")
    print(growth(options.seconds))


if __name__ == "__main__":
    main()
