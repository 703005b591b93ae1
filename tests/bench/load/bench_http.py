# SPDX-License-Identifier: MIT
"""Plain HTTP: the collection's client beside wrk, hey and locust, on one truth-logging server.

usage: python bench_http.py [--seconds 6] [--repetitions 3]

Closed loop, 32 connections, the client on one core, the server on another: ours and wrk in turn, A B A B. Then a
server that stalls for 200 ms of every second, at 1,000 requests/s: what each says of its percentiles, and the truth.
The truth is worked out from the schedule and the stalls, by no client: a request that is due while the server stalls
has its answer when the stall ends.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import figures
import ours
import peer_install
import peers
import server
import watch
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import schedule

CONNECTIONS = 32
STALLED_RATE = 1000
STALL_MS, EVERY_MS = 200, 1000
WARMUP_S = 1.0
QUANTILES = (0.9, 0.99)
RATIO, ERROR_PERCENT = 0.8, 5
HTTP = {"path": "/plain"}
COMPARED = (ours.OURS, "wrk")


@dataclass
class Closed:
    """A run of a closed loop: 1/s by the server's log and by the client, CPU in % of a core."""

    seen: float
    told: float
    p50_ms: float | None
    p99_ms: float | None
    client_cpu: float | None
    server_cpu: float | None
    strangers_cpu: float | None


Runner = Callable[[server.Server, float, int], tuple[float, float | None, float | None, watch.Observed]]


def our_client(name: str) -> Runner:
    """Runs the collection's client in a closed loop."""

    def run(
        truth: server.Server, seconds: float, core: int
    ) -> tuple[float, float | None, float | None, watch.Observed]:
        others = (truth.process.pid,)
        options = {"concurrency": CONNECTIONS, "duration": seconds}
        result = ours.run(truth.url, "http", HTTP, core=core, name=name, others=others, **options)
        if result.errors:
            raise peers.Failed(f"{result.errors} errors: {result.data['errors']}")
        times = (result.ms("response_time", q) for q in (0.5, 0.99))
        return result.throughput, *times, result.observed

    return run


def peer(name: str) -> Runner:
    """Runs a peer in a closed loop."""

    def run(
        truth: server.Server, seconds: float, core: int
    ) -> tuple[float, float | None, float | None, watch.Observed]:
        url, others = f"{truth.url}/plain", (truth.process.pid,)
        reported = getattr(peers, name)(url, CONNECTIONS, seconds, core, others)
        return reported.rate, reported.p50, reported.p99, reported.observed

    return run


def closed(runner: Runner, seconds: float, cores: tuple[int, int]) -> Closed:
    """One run on a server of its own."""
    with server.Server(cores[1], log_max=4000000) as truth:
        told, p50_ms, p99_ms, observed = runner(truth, seconds, cores[0])
        log = truth.stop()
    arrivals = [request.arrival_ns / 1e9 for request in log.of(server.PLAIN) if request.end_ns]
    begin, end = arrivals[0], arrivals[-1]
    cpu = (observed.cpu_percent(begin, end), observed.cpu_percent(begin, end, truth.process.pid))
    return Closed(figures.rate_of(arrivals), told, p50_ms, p99_ms, *cpu, observed.strangers_percent(begin, end))


def closed_loop(names: dict[str, str], seconds: float, repetitions: int, cores: tuple[int, int]) -> list[str]:
    """The table of the closed loops and the ratio's line. names: key -> as it is shown."""
    runs: dict[str, list[Closed]] = {}
    for number in range(repetitions):
        for name, text in names.items():
            if number and name not in COMPARED:
                continue  # shown, not compared
            runner = our_client(name) if name in (ours.OURS, ours.STDLIB) else peer(name)
            run = watch.undisturbed(functools.partial(closed, runner, seconds, cores), lambda run: run.strangers_cpu)
            print(f"  {text}: {run.seen:,.0f}/s", file=sys.stderr, flush=True)
            runs.setdefault(name, []).append(run)
    n = figures.number
    rows = []
    for name, found in runs.items():
        middle = sorted(found, key=lambda run: run.seen)[(len(found) - 1) // 2]
        each = ", ".join(n(run.seen / 1000) for run in found)
        rows.append([
            names[name], n(middle.seen, 0), each, n(middle.told, 0), f"{n(middle.p50_ms, 2)} / {n(middle.p99_ms, 2)}",
            n(middle.client_cpu, 0), n(middle.server_cpu, 0), n(middle.strangers_cpu, 0),
        ])  # fmt: skip
    head = ("client", "the server saw /s (median)", "each, thousands", "told /s", "told p50 / p99 ms", "client CPU %",
            "server CPU %", "other CPU %")  # fmt: skip
    ratio = None
    if all(name in runs for name in COMPARED):
        mine, wrks = (statistics.median(run.seen for run in runs[name]) for name in COMPARED)
        ratio = mine / wrks
    disturbed = max((run.strangers_cpu or 0.0 for name in COMPARED for run in runs.get(name, [])), default=0.0)
    line = figures.limit("closed loop, ours / wrk", ratio, least=RATIO, note=watch.note(disturbed))
    return [figures.table(head, rows), line]


def truth_ms(dues_ns: list[int], start_ns: int, plain_ms: float, q: float) -> float:
    """The quantile (ms) of what requests due then wait for a stall, and of `plain_ms` besides."""
    every, stall = EVERY_MS * 1_000_000, STALL_MS * 1_000_000
    waits = [max(0, stall - (due - start_ns) % every) / 1e6 for due in dues_ns]
    return figures.quantile(waits, q) + plain_ms


def dues_ns(arrival: str, begin_ns: int, seconds: float, skip_s: float, run_id: str = "") -> list[int]:
    """When a schedule's requests are due: the generator's own for our client (`run_id`), else evenly spaced."""
    seed = schedule.seed_of(run_id, 1, "load", 1, 0)
    times = schedule.arrivals(STALLED_RATE, arrival, seed, 0.5)
    inside = itertools.takewhile(lambda t: t < skip_s + seconds, times)
    return [begin_ns + int(t * 1e9) for t in inside if t >= skip_s]


@dataclass
class Stalled:
    """A client under stalls. told_ms, true_ms: p90 and p99; reached: 1/s by its own account."""

    reached: float
    told_ms: list[float]
    true_ms: list[float]
    strangers_cpu: float | None

    @property
    def error_percent(self) -> float:
        """The larger error of the two."""
        return max(100.0 * abs(told / true - 1.0) for told, true in zip(self.told_ms, self.true_ms, strict=True))


def stalled(name: str, seconds: int, cores: tuple[int, int]) -> Stalled:
    """One run. name: of a peer, or "ours" and the kind of arrivals."""
    is_ours = name.startswith(ours.OURS)
    with server.Server(cores[1], stall_ms=STALL_MS, every_ms=EVERY_MS) as truth:
        others = (truth.process.pid,)
        if is_ours:
            arrival = name.partition(" ")[2]
            options = {"rate": STALLED_RATE, "duration": seconds, "warmup": WARMUP_S, "arrival": arrival}
            settings = {"path": "/stall"}
            result = ours.run(truth.url, "http", settings, core=cores[0], others=others, run_id=name, **options)
            told, reached, observed = (
                [result.ms("response_time", q) for q in QUANTILES],
                result.throughput,
                result.observed,
            )
        else:
            rate = {} if name == "wrk" else {"rate": STALLED_RATE}
            found = getattr(peers, name)(f"{truth.url}/stall", CONNECTIONS, seconds, cores[0], others, **rate)
            told, reached, observed = [found.p90, found.p99], found.rate, found.observed
        log = truth.stop()
    requests = log.of(server.STALL)
    plain_ms = figures.quantile([(r.end_ns - r.arrival_ns) / 1e6 for r in requests if r.end_ns], 0.5)
    if is_ours:
        begin_ns = result.window_ns[0] - log.epoch_offset_ns - int(WARMUP_S * 1e9)
        dues = dues_ns(arrival, begin_ns, seconds, WARMUP_S, name)
    else:
        dues = dues_ns(schedule.CONSTANT, requests[0].arrival_ns, seconds, 0.0)
    true = [truth_ms(dues, log.start_ns, plain_ms, q) for q in QUANTILES]
    strangers = observed.strangers_percent(requests[0].arrival_ns / 1e9, requests[-1].arrival_ns / 1e9)
    return Stalled(reached, told, true, strangers)


def under_stalls(shown: dict[str, str], seconds: int, cores: tuple[int, int]) -> list[str]:
    """The table, and the limits of ours. shown: peer -> as it is shown."""
    lines = {"ours constant": "ours, evenly spaced", "ours poisson": "ours, Poisson"}
    for name, text in shown.items():
        lines[name] = f"{text}, {CONNECTIONS} connections" + (", closed loop" if name == "wrk" else "")
    runs = {
        name: watch.undisturbed(functools.partial(stalled, name, seconds, cores), lambda run: run.strangers_cpu)
        for name in lines
    }
    n = figures.number
    rows = [
        [lines[name], n(run.reached, 0), *(n(ms) for ms in (*run.told_ms, *run.true_ms)), n(run.error_percent),
         n(run.strangers_cpu, 0)]
        for name, run in runs.items()
    ]  # fmt: skip
    head = ("client", "told /s", "told p90 ms", "told p99 ms", "true p90 ms", "true p99 ms", "error %", "other CPU %")
    return [
        figures.table(head, rows),
        *(
            figures.limit(
                f"{lines[name]}, error of p90 and p99",
                runs[name].error_percent,
                most=ERROR_PERCENT,
                unit=" %",
                note=watch.note(runs[name].strangers_cpu),
            )
            for name in ("ours constant", "ours poisson")
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=6, help="of each run")
    parser.add_argument("--repetitions", type=int, default=3, help="of ours and wrk")
    options = parser.parse_args()
    cores = server.cores()
    print(figures.machine(), flush=True)
    shown = {"wrk": "wrk", "hey": "hey", "locust": "locust"}
    missing = []
    for name in tuple(shown):
        try:
            shown[name] += f" {peer_install.installed(name).version}"
        except peer_install.NotToBeHad as e:
            missing.append(f"{name} is not to be had: {e}")
            del shown[name]
    names = {ours.OURS: "ours", **shown, ours.STDLIB: "ours, without uvloop"}
    print(f"\nclosed loop, {CONNECTIONS} connections")
    print("\n".join(closed_loop(names, options.seconds, options.repetitions, cores)), flush=True)
    print(f"\n{STALLED_RATE}/s on a server that stalls {STALL_MS} ms of every {EVERY_MS} ms")
    print("\n".join(under_stalls(shown, options.seconds + 4, cores)))
    print("\n".join(missing))


if __name__ == "__main__":
    main()
