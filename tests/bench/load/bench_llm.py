# SPDX-License-Identifier: MIT
"""Streaming LLM load, open loop at rising rates: the collection's client beside aiperf and GuideLLM.

usage: python bench_llm.py [--seconds 6] [--clients ours,ours-stdlib,aiperf,guidellm]

One truth-logging server on one core, one client at a time on another. A rate is delivered when the server saw at
least 99 % of it; each client's rates go up until one is not delivered, twice. Arrivals are evenly spaced, so that
the server's log shows how late each one came.
"""

from __future__ import annotations

import argparse
import functools
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

DELIVERED = 0.99
TRIES, MOST_TRIES = 2, 5  # undisturbed ones, and in all
LIMIT_RATES = (1000, 2000)  # at which the limits of our own are
PEER_RATES = (50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 800, 1000)
OUR_RATES = (500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000)
NAMES = {ours.OURS: "ours", ours.STDLIB: "ours, without uvloop", "aiperf": "aiperf", "guidellm": "GuideLLM"}
STARTS = 5
SKIP_S = 1.0  # of which nobody's lag counts: warming up


@dataclass
class Told:
    """What a client said of a run: quantiles of the time to first token (ms), its own idea of its lag's p99 (ms)."""

    p50_ms: float | None
    p99_ms: float | None
    lag_p99_ms: float | None
    observed: watch.Observed
    window_ns: tuple[int, int] | None = None  # what it measured, by the epoch; None: all of it


@dataclass
class Row:
    """A client at a rate. true_*: by the server's log; lag_*: what the arrivals at the server show."""

    rate: float
    seen: float
    told: Told
    true_p50_ms: float
    true_p99_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    client_cpu: float | None
    server_cpu: float | None
    strangers_cpu: float | None

    @property
    def delivered(self) -> bool:
        """The server saw what was asked."""
        return self.seen >= DELIVERED * self.rate

    @property
    def disturbed(self) -> str:
        """Not empty when something else ran: what was not delivered then says nothing of the client."""
        return watch.note(self.strangers_cpu)

    @property
    def error_percent(self) -> float | None:
        """The larger error of the reported p50 and p99."""
        if self.told.p50_ms is None or self.told.p99_ms is None:
            return None
        pairs = ((self.told.p50_ms, self.true_p50_ms), (self.told.p99_ms, self.true_p99_ms))
        return max(100.0 * abs(told / true - 1.0) for told, true in pairs)

    @property
    def memory_mb(self) -> float:
        """Of all the client's processes."""
        return max(self.told.observed.memory_bytes, self.told.observed.max_rss_bytes) / 1e6


Runner = Callable[[str, float, float, int, tuple[int, ...]], Told]


def our_client(name: str) -> Runner:
    """Runs the collection's client."""

    def run(url: str, rate: float, seconds: float, core: int, others: tuple[int, ...]) -> Told:
        options = {"rate": rate, "warmup": SKIP_S, "duration": seconds, "arrival": "constant"}
        result = ours.run(url, "llm", ours.LLM, core=core, name=name, others=others, **options)
        if result.errors:
            print(f"  {result.errors} errors: {result.data['errors']}", file=sys.stderr)
        first = [result.ms("time_to_first_token", q) for q in (0.5, 0.99)]
        return Told(*first, result.ms("schedule_lag", 0.99), result.observed, result.window_ns)

    return run


def peer(name: str) -> Runner:
    """Runs a peer."""

    def run(url: str, rate: float, seconds: float, core: int, others: tuple[int, ...]) -> Told:
        reported = getattr(peers, name)(url, rate, seconds + SKIP_S, core, others)
        return Told(reported.p50, reported.p99, None, reported.observed)

    return run


def measure(runner: Runner, rate: float, seconds: float, cores: tuple[int, int]) -> Row:
    """One client at one rate, on a server of its own."""
    with server.Server(cores[1]) as truth:
        told = runner(truth.url, rate, seconds, cores[0], (truth.process.pid,))
        log = truth.stop()
    requests = log.of(server.CHAT, streamed=True)
    arrivals = [request.arrival_ns / 1e9 for request in requests]
    begin, end = told.window_ns or (0, sys.maxsize)
    first = [
        (r.first_ns - r.arrival_ns) / 1e6
        for r in requests
        if r.first_ns and begin <= r.arrival_ns + log.epoch_offset_ns < end
    ]
    lags = figures.lags_s(arrivals, rate, SKIP_S)
    return Row(
        rate,
        figures.rate_of(arrivals),
        told,
        figures.quantile(first, 0.5),
        figures.quantile(first, 0.99),
        1000 * figures.quantile(lags, 0.5),
        1000 * figures.quantile(lags, 0.99),
        told.observed.cpu_percent(arrivals[0], arrivals[-1]),
        told.observed.cpu_percent(arrivals[0], arrivals[-1], truth.process.pid),
        told.observed.strangers_percent(arrivals[0], arrivals[-1]),
    )


def step_up(name: str, runner: Runner, rates: tuple[int, ...], seconds: float, cores: tuple[int, int]) -> list[Row]:
    """Rising rates until one is not delivered in any of its tries."""
    rows: list[Row] = []
    for rate in rates:
        run = functools.partial(measure, runner, rate, seconds, cores)
        row = None
        if name == ours.OURS and rate in LIMIT_RATES:
            row = watch.undisturbed(run, lambda row: row.strangers_cpu)
        rows.append(row if row and row.delivered else best_of_tries(run))
        print(f"  {NAMES[name]}, {rate}/s: the server saw {rows[-1].seen:.1f}/s", file=sys.stderr, flush=True)
        if not rows[-1].delivered:
            break
    return rows


def best_of_tries(run: Callable[[], Row]) -> Row:
    """The first run that delivers; else the best one, undisturbed if there was any such."""
    rows: list[Row] = []
    while len(rows) < MOST_TRIES and sum(not row.disturbed for row in rows) < TRIES:
        watch.wait_for_quiet()
        rows.append(run())
        if rows[-1].delivered:
            return rows[-1]
    return max(rows, key=lambda row: (not row.disturbed, row.seen))


def shown(name: str, row: Row) -> list[str]:
    """A line of the table."""
    n = figures.number
    return [
        NAMES[name], f"{row.rate:,.0f}", f"{row.seen:,.1f}{'' if row.delivered else ' (not delivered)'}",
        f"{n(row.told.p50_ms)} / {n(row.told.p99_ms)}", f"{n(row.true_p50_ms)} / {n(row.true_p99_ms)}",
        f"{n(row.error_percent)} %", f"{n(row.lag_p50_ms, 2)} / {n(row.lag_p99_ms, 2)}", n(row.told.lag_p99_ms, 2),
        n(row.memory_mb, 0), n(row.client_cpu, 0), n(row.server_cpu, 0), n(row.strangers_cpu, 0),
    ]  # fmt: skip


HEAD = (
    "client", "asked /s", "the server saw /s", "first token told p50 / p99 ms", "server's log p50 / p99 ms", "error",
    "lag by the server's log p50 / p99 ms", "lag told p99 ms", "memory MB", "client CPU %", "server CPU %",
    "other CPU %",
)  # fmt: skip


def ratio_lines(best: dict[str, list[Row]]) -> list[str]:
    """The highest rate of each, and the ratios: against the first rate that the peer missed, so at least so much."""
    highest, missed, lines = {}, {}, []
    for name, rows in best.items():
        highest[name] = max((row.rate for row in rows if row.delivered), default=None)
        missed[name] = next((row for row in rows if not row.delivered), None)
        not_at = (
            f"not {missed[name].rate:,.0f}/s{missed[name].disturbed}" if missed[name] else "no higher rate was tried"
        )
        lines.append(f"{NAMES[name]}: delivers {figures.number(highest[name], 0)}/s, {not_at}")
    mine, my_miss = highest.get(ours.OURS), missed.get(ours.OURS)
    for name, least in (("aiperf", 4), ("guidellm", 10)):
        row = missed.get(name)
        ratio = mine / row.rate if mine and row and not row.disturbed else None
        note = row.disturbed if row else ""
        if ratio and ratio < least and my_miss and my_miss.disturbed:
            ratio, note = None, my_miss.disturbed  # we were kept from more
        what = f"highest rate, ours / the first that {NAMES[name]} misses"
        lines.append(figures.limit(what, ratio, least=least, note=note))
    return lines


def limit_lines(rows: list[Row], start_s: dict[str, float]) -> list[str]:
    """Our own limits."""
    at = {row.rate: row for row in rows}
    one, two = (at.get(rate) for rate in LIMIT_RATES)
    lines = [
        figures.limit(f"{what} at {row.rate:,.0f}/s", value, most=most, unit=unit, note=row.disturbed)
        for row, what, value, most, unit in (
            (one, "error of the first token's p50 and p99", one and one.error_percent, 2, " %"),
            (one, "start lag p99, told,", one and one.told.lag_p99_ms, 10, " ms"),
            (one, "start lag p99, by the server's log,", one and one.lag_p99_ms, 10, " ms"),
            (two, "memory", two and two.memory_mb, 100, " MB"),
        )
        if row
    ]
    return lines + [figures.limit(f"start-up, {what}", value, most=0.3, unit=" s") for what, value in start_s.items()]


def start_ups(cores: tuple[int, int]) -> dict[str, float]:
    """Seconds until a client's load may begin, medians."""
    with server.Server(cores[1]) as truth:
        plain = [ours.start_up_s(truth.url, "http", {"path": "/plain"}, cores[0]) for _turn in range(STARTS)]
        llm = [ours.start_up_s(truth.url, "llm", ours.LLM, cores[0]) for _turn in range(STARTS)]
    return {
        "workload http": statistics.median(plain),
        "workload llm (0.1 s of it: the server's answers to two probes)": statistics.median(llm),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="of each run")
    parser.add_argument("--clients", default=",".join(NAMES))
    options = parser.parse_args()
    cores = server.cores()
    print(figures.machine(), flush=True)
    best: dict[str, list[Row]] = {}
    missing = []
    for name in options.clients.split(","):
        is_ours = name in (ours.OURS, ours.STDLIB)
        try:
            print(f"{NAMES[name]} {peer_install.installed(name).version}", file=sys.stderr, flush=True)
            runner, rates = (our_client(name), OUR_RATES) if is_ours else (peer(name), PEER_RATES)
            best[name] = step_up(name, runner, rates, options.seconds, cores)
        except (peer_install.NotToBeHad, peers.Failed) as e:
            missing.append(f"{NAMES[name]} is not to be had: {e}")
    print(figures.table(HEAD, [shown(name, row) for name, rows in best.items() for row in rows]))
    print("\n".join(missing + ratio_lines(best) + limit_lines(best.get(ours.OURS, []), start_ups(cores))))


if __name__ == "__main__":
    main()
