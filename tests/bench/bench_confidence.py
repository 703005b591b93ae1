# SPDX-License-Identifier: MIT
"""How often what is said of a run's confidence is wrong, by simulation, with the code that says it.

usage: python bench_confidence.py [--runs 400] [--seed 1]

Prints tables: warm-ups that are told of runs without one, and those that are found where one was planted, with the
error of their length; trends and outliers of repetitions that have none; the intervals of knees whose place is known.
Fails when false alarms, or intervals that miss the knee, are more than 5 % of the runs by more than chance.
"""

from __future__ import annotations

import argparse
import collections
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.signal

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import (  # noqa: E402
    knee,
    outliers,
    trend,
    warmup,
)

from tests.bench.bench_compare import head, percent, row  # noqa: E402

LIMIT = 0.05
CASES = 3  # of a run; each has two series
RATES = (100.0, 200.0, 300.0, 400.0, 500.0, 600.0)
POWERS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
Curve = Callable[[np.ndarray], np.ndarray]


class Simulation:
    """Draws runs, and counts what is said of them."""

    def __init__(self, runs: int, seed: int) -> None:
        self.runs = runs
        self.rng = np.random.default_rng(seed)

    def share(self, is_so: Callable[[], bool]) -> float:
        """How often it is so."""
        return sum(is_so() for _number in range(self.runs)) / self.runs

    def seconds(self, kind: str, repetitions: int, length: int, cv: float, rho: float = 0.0) -> np.ndarray:
        """Seconds (repetitions × length) with mean 1, whose noise has an autocorrelation."""
        shape, run_in = (repetitions, length), 30
        before = (repetitions, length + run_in)
        shocks = {
            "normal": lambda: self.rng.normal(0, 1, before),
            "skewed": lambda: 1 - self.rng.exponential(1, before),
            "stalls": lambda: self.rng.normal(0, 1, before) - 8 * (self.rng.random(before) < 0.03),
        }[kind]()
        shocks = scipy.signal.lfilter([math.sqrt(1 - rho**2)], [1, -rho], shocks, axis=1)
        return np.maximum(1 + cv * shocks[:, run_in:], 0.01).reshape(shape)


def no_warm_up(simulation: Simulation) -> list[float]:
    """False alarms of runs of three cases, whose throughput and response time are looked at."""
    head("No warm-up: told of a run", "noise", "autocorrelation", "repetitions", "10 s", "30 s", "60 s", "300 s")
    worst = []
    for kind in ("normal", "skewed", "stalls"):
        for rho in (0.0, 0.3, 0.6, 0.8):
            for repetitions in (1, 3):
                shares = []
                for length in (9, 29, 59, 150):  # 300 s are 150 batches of 2 s at most

                    def told(now: tuple = (kind, repetitions, length, 0.05, rho)) -> bool:
                        series = {name: simulation.seconds(*now) for name in range(2 * CASES)}
                        return bool(warmup.find(series))

                    shares.append(simulation.share(told))
                row(kind, rho, repetitions, *map(percent, shares))
                worst += shares
    return worst


def planted(simulation: Simulation) -> None:
    """Warm-ups in all repetitions of one case, that end at once (a step) or fade; length: that of the step, 3·τ."""
    head(
        "Planted: found, and the error of the length (s)", "warm-up", "CV", "repetitions", "seconds", "found",
        "error: median", "10 % below", "10 % above",
    )  # fmt: skip
    for depth, lasts, fades in ((0.3, 5, False), (0.3, 10, False), (0.1, 10, False), (0.3, 9, True), (0.1, 15, True)):
        for cv, repetitions, length in ((0.02, 3, 29), (0.05, 3, 29), (0.05, 1, 59), (0.05, 3, 59), (0.05, 5, 59)):
            errors = []
            at = np.arange(length)
            lack = depth * (np.exp(-3 * at / lasts) if fades else at < lasts)
            for _number in range(simulation.runs):
                series = simulation.seconds("normal", repetitions, length, cv) * (1 - lack)
                found = warmup.find({"a": series, **{n: simulation.seconds("normal", repetitions, length, cv)
                                                     for n in range(2 * CASES - 1)}})  # fmt: skip
                errors += [found["a"].batches - lasts] if "a" in found else []
            name = f"{100 * depth:.0f} % for {lasts} s{', fading' if fades else ''}"
            spread = np.quantile(errors, [0.5, 0.1, 0.9]) if errors else [math.nan] * 3
            row(name, f"{100 * cv:g} %", repetitions, length + 1, percent(len(errors) / simulation.runs),
                *(f"{value:+.0f}" for value in spread))  # fmt: skip


def repetitions_alike(simulation: Simulation) -> list[float]:
    """Trends and outliers of three cases whose repetitions vary by chance alone."""
    head("Nothing there: told of a run of three cases", "CV", "repetitions", "trend", "outlier of throughput")
    worst = []
    for cv in (0.01, 0.05):
        for count in (5, 10, 20):
            draw = lambda cv=cv, count=count: {n: list(simulation.rng.normal(1, cv, count)) for n in range(CASES)}  # noqa: E731
            trends = simulation.share(lambda draw=draw: bool(trend.find(draw())))
            odd = simulation.share(lambda draw=draw: any(outliers.find(each, CASES) for each in draw().values()))
            row(f"{100 * cv:g} %", count, percent(trends), percent(odd))
            worst += [trends, odd]
    sizes = (5, 6, 7, 8, 9, 10, 12, 20, 50, 1000)
    head("An outlier beyond the limit, whatever it matters, in one normal sample", *map(str, sizes))
    highest = lambda n: np.abs(outliers.scores(simulation.rng.normal(size=n))).max()  # noqa: E731
    beyond = [simulation.share(lambda n=n: bool(highest(n) > outliers.limit(n))) for n in sizes]
    row(*map(percent, beyond))
    return worst + beyond


CURVES: dict[str, tuple[tuple[float, ...], Curve, float | None]] = {
    "rates, stops at 330/s": (RATES, lambda x: np.minimum(x, 330.0), 330.0),
    "rates, stops at 450/s": (RATES, lambda x: np.minimum(x, 450.0), 450.0),
    "powers of two, at 11": (POWERS, lambda x: 100 * np.minimum(x, 11.0), 11.0),
    "powers of two, at 8, then falls": (POWERS, lambda x: 100 * np.minimum(x, 8) * np.maximum(x / 8, 1) ** -0.15, 8.0),
    "rates, grows": (RATES, lambda x: x, None),
    "powers of two, grows by x^0.7": (POWERS, lambda x: 100 * x**0.7, None),
    "powers of two, flat": (POWERS, lambda x: 100 + 0 * x, None),
}


def knees(simulation: Simulation) -> tuple[list[float], list[float]]:
    """(shares of the intervals that miss the knee, shares of the curves without one that were told one)."""
    head("The knee", "curve", "CV", "repetitions", "told a knee", "grows", "flat", "undecided", "interval misses it",
         "its width: median")  # fmt: skip
    missed, invented = [], []
    for name, (loads, curve, true) in CURVES.items():
        for cv, repetitions in ((0.01, 3), (0.03, 3), (0.03, 5), (0.08, 5)):
            told, misses, widths = collections.Counter(), 0, []
            for _number in range(simulation.runs):
                noise = np.exp(simulation.rng.normal(0, cv, (repetitions, len(loads))))
                found = knee.find(loads, list((curve(np.asarray(loads)) * noise).T))
                told[found.status] += 1
                if found.status == knee.FOUND:
                    misses += true is None or not found.low <= true <= found.high
                    widths.append((found.high - found.low) / found.at)
            shares = {
                status: told[status] / simulation.runs for status in (knee.FOUND, knee.GROWS, knee.FLAT, "undecided")
            }
            share = misses / simulation.runs
            (missed if true else invented).append(share)
            row(name, f"{100 * cv:g} %", repetitions, *map(percent, shares.values()), percent(share),
                percent(float(np.median(widths))) if widths else "–")  # fmt: skip
    return missed, invented


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400, help="of each line of the tables")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    simulation = Simulation(options.runs, options.seed)
    figures = {"warm-up told without one": no_warm_up(simulation)}
    planted(simulation)
    figures["trend or outlier told without one"] = repetitions_alike(simulation)
    figures["interval misses the knee"], figures["knee told without one"] = knees(simulation)
    # by chance a share differs from the truth by more than this in 1 of 1000 lines
    slack = 3.1 * math.sqrt(LIMIT * (1 - LIMIT) / options.runs)
    is_kept = all(max(shares) <= LIMIT + slack for shares in figures.values())
    print(f"\n{options.runs:,} runs a line, seed {options.seed}, {time.monotonic() - began:.0f} s")
    for name, shares in figures.items():
        print(f"{name}: {percent(sum(shares) / len(shares))} in the mean of all lines, at most {percent(max(shares))}, "
              f"limit {percent(LIMIT)}")  # fmt: skip
    print(f"limits {'kept' if is_kept else 'EXCEEDED'} (a share is up to {percent(slack)} off by chance)")
    sys.exit(not is_kept)


if __name__ == "__main__":
    main()
