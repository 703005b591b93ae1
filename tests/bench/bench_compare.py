# SPDX-License-Identifier: MIT
"""How often a comparison is wrong, and how often it finds what is there: by simulation, with the code that judges.

usage: python bench_compare.py [--comparisons 400] [--seed 1]

A simulated run has repetitions of one case with three numbers, throughput, p50 and p99 of the response time, which
move together and each a bit by itself. A comparison counts as `worse` when any of them is. Prints tables, and whether
the limits are kept: an unchanged rerun is called worse in at most 1 of 20 comparisons, and a slow-down of 10 % is found
in at least 19 of 20 with the number of repetitions that a comparison of two short runs proposed.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.stats

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import verdicts  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import Number, Thresholds  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.observations import Key, Values  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.sample_size import MOST  # noqa: E402

NUMBERS = (Number("throughput", "value"), Number("response_time", "p50"), Number("response_time", "p99"))
UNITS = ("1/s", "s", "s")
Side = dict[Key, Values]
FALSE_ALARMS, FOUND = 0.05, 0.95
OWN = 0.5  # what a number varies by itself, as a share of what all vary together


class Simulation:
    """Draws runs and counts the verdicts of their comparisons."""

    def __init__(self, comparisons: int, seed: int) -> None:
        self.comparisons = comparisons
        self.rng = np.random.default_rng(seed)
        self.noises: dict[str, Callable[[float, int], np.ndarray]] = {
            "normal": lambda sd, n: self.rng.normal(0, sd, n),
            "skewed": self.rng.exponential,  # now and then a slow one
            "bursts": lambda sd, n: sd / 1.78 * 5 * (self.rng.random(n) < 0.15) + self.rng.normal(0, sd / 4, n),
        }

    def side(self, sd: float, runs: list[int], slower: float = 1.0, between: float = 0.0, kind: str = "normal") -> Side:
        """A side of runs with so many repetitions; `sd`, `between`: of logarithms, within a run and between runs."""
        by_run: list[list[np.ndarray]] = [[] for _number in NUMBERS]
        for repetitions in runs:
            slow = math.log(slower) + self.rng.normal(0, between) + self.noises[kind](sd, repetitions)
            for values, sign in zip(by_run, (-1, 1, 1), strict=True):
                own = self.noises[kind](sd * OWN, repetitions)
                values.append(np.exp(sign * (slow + own)))
        return {
            Key("max", number): Values(unit, [list(map(float, run)) for run in runs_])
            for number, unit, runs_ in zip(NUMBERS, UNITS, by_run, strict=True)
        }

    @staticmethod
    def judged(reference: Side, other: Side, threshold: str = "5%") -> list[verdicts.Line]:
        """The lines of one comparison."""
        lines = verdicts.lines(reference, other, NUMBERS, Thresholds(threshold))
        verdicts.judge(lines)
        return lines

    def shares(self, sides: Callable[[], tuple[Side, Side]], threshold: str = "5%") -> dict[str, float]:
        """How often a comparison comes out as what."""
        counts = dict.fromkeys((verdicts.WORSE, verdicts.BETTER, verdicts.SAME, verdicts.UNDECIDED), 0)
        for _number in range(self.comparisons):
            counts[verdicts.overall(self.judged(*sides(), threshold))] += 1
        return {verdict: count / self.comparisons for verdict, count in counts.items()}


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def head(title: str, *columns: str) -> None:
    print(f"\n{title}\n")
    row(*columns)
    row(*["---"] * len(columns))


def unchanged(simulation: Simulation) -> list[float]:
    """False alarms of two runs of the same; returns the shares that were called worse."""
    head("Unchanged", "noise", "CV", "repetitions", "worse", "better", "same", "undecided")
    alarms = []
    for kind in simulation.noises:
        for sd in (0.01, 0.03, 0.10):
            for count in (3, 10):
                draw = lambda sd=sd, count=count, kind=kind: simulation.side(sd, [count], kind=kind)  # noqa: E731
                found = simulation.shares(lambda draw=draw: (draw(), draw()))
                row(kind, f"{100 * sd:g} %", count, *(percent(share) for share in found.values()))
                alarms.append(found[verdicts.WORSE])
    return alarms


def power(simulation: Simulation) -> None:
    """How often slow-downs are found, by noise and repetitions."""
    head("Found", "CV", "repetitions", "5 % (threshold 5 %)", "10 % (5 %)", "20 % (5 %)", "5 % (2.5 %)", "10 % (2.5 %)")
    for sd in (0.01, 0.02, 0.03, 0.05):
        for count in (3, 5, 10):
            cells = []
            for slower, threshold in ((1.05, "5%"), (1.1, "5%"), (1.2, "5%"), (1.05, "2.5%"), (1.1, "2.5%")):
                draw = lambda slower, sd=sd, count=count: simulation.side(sd, [count], slower)  # noqa: E731
                found = simulation.shares(lambda draw=draw, slower=slower: (draw(1), draw(slower)), threshold)
                cells.append(percent(found[verdicts.WORSE]))
            row(f"{100 * sd:g} %", count, *cells)


def proposed(simulation: Simulation) -> tuple[list[float], list[float]]:
    """Two short sides, the number that their comparison proposes, two sides with so many; (false alarms, found)."""
    head(
        "Proposed", "noise", "CV of repetitions", "between runs", "short sides", "proposed: median", "90 % up to",
        "10 % slower: found", "unchanged: worse", "unchanged: better",
    )  # fmt: skip
    repetitions = [
        (kind, sd, 0.0, pilot) for kind in simulation.noises for sd in (0.01, 0.02, 0.03) for pilot in (3, 5)
    ]
    runs = [("normal", 0.01, between, pilot) for between in (0.01, 0.02) for pilot in (3, 5)]
    alarms, finds = [], []
    for kind, sd, between, pilot in [*repetitions, *runs]:
        shape = (lambda count: [3] * count) if between else lambda count: [count]
        draw = lambda count, slower=1.0, now=(kind, sd, between, shape): simulation.side(  # noqa: E731
            now[1], now[3](count), slower, now[2], now[0]
        )
        counts, found, worse, better = [], 0, 0, 0
        for _number in range(simulation.comparisons):
            count = max(line.needed or MOST for line in simulation.judged(draw(pilot), draw(pilot)))
            counts.append(count)
            first = draw(count)
            found += verdicts.overall(simulation.judged(first, draw(count, 1.1))) == verdicts.WORSE
            verdict = verdicts.overall(simulation.judged(first, draw(count)))
            worse, better = worse + (verdict == verdicts.WORSE), better + (verdict == verdicts.BETTER)
        shares = [each / simulation.comparisons for each in (found, worse, better)]
        what = f"{pilot} runs of 3" if between else f"1 run of {pilot}"
        upper = statistics.quantiles(counts, n=10)[-1]
        row(kind, f"{100 * sd:g} %", f"{100 * between:g} %", what, f"{statistics.median(counts):g}", f"{upper:.0f}",
            *map(percent, shares))  # fmt: skip
        finds.append(shares[0])
        alarms.append(shares[1])
    return alarms, finds


def between_runs(simulation: Simulation) -> None:
    """What varies from run to run, seen and not seen."""
    shapes = {
        "1 and 1": ([5], [5]),
        "3 and 3": ([5] * 3, [5] * 3),
        "5 and 1": ([5] * 5, [5]),
        "5 and 5": ([5] * 5,) * 2,
    }
    head("Between runs", "CV between runs", "runs a side", "unchanged: worse", "10 % slower: found", "undecided")
    for between in (0.0, 0.01, 0.02, 0.03, 0.05):
        for name, (first, second) in shapes.items():
            draw = lambda runs, slower=1.0, between=between: simulation.side(0.01, runs, slower, between)  # noqa: E731
            same = simulation.shares(lambda draw=draw, first=first, second=second: (draw(first), draw(second)))
            slow = simulation.shares(lambda draw=draw, first=first, second=second: (draw(first), draw(second, 1.1)))
            cells = (same[verdicts.WORSE], slow[verdicts.WORSE], slow[verdicts.UNDECIDED])
            row(f"{100 * between:g} %", name, *map(percent, cells))


def bootstrap(simulation: Simulation) -> None:
    """Why percentiles have Welch's t, too: how often an interval of 95 % misses the truth."""
    head("95 % intervals that miss the truth", "noise", "repetitions", "Welch's t of logarithms", "bootstrap (BCa)")
    for kind, noise in simulation.noises.items():
        for count in (3, 5, 10, 20, 40):
            misses = {"welch": 0, "bca": 0}
            for _number in range(simulation.comparisons):
                pair = noise(0.05, count), noise(0.05, count)
                intervals = {
                    "welch": scipy.stats.ttest_ind(*pair, equal_var=False).confidence_interval(0.95),
                    "bca": scipy.stats.bootstrap(
                        pair, lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=999, method="BCa",
                        rng=simulation.rng, vectorized=True,
                    ).confidence_interval,
                }  # fmt: skip
                for name, interval in intervals.items():
                    misses[name] += not interval.low <= 0 <= interval.high
            row(kind, count, *(percent(count_ / simulation.comparisons) for count_ in misses.values()))


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comparisons", type=int, default=400, help="of each line of the tables")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    simulation = Simulation(options.comparisons, options.seed)
    alarms = unchanged(simulation)
    power(simulation)
    later, finds = proposed(simulation)
    between_runs(simulation)
    bootstrap(simulation)
    # by chance a share differs from the truth by more than this in 1 of 1000 lines
    slack = 3.1 * math.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / options.comparisons)
    worst, least = max(alarms + later), min(finds)
    is_kept = worst <= FALSE_ALARMS + slack and least >= FOUND - slack
    print(f"\n{options.comparisons:,} comparisons a line, seed {options.seed}, {time.monotonic() - began:.0f} s")
    print(f"unchanged, called worse: at most {percent(worst)}, limit {percent(FALSE_ALARMS)}")
    print(f"10 % slower, found with what was proposed: at least {percent(least)}, limit {percent(FOUND)}")
    print(f"limits {'kept' if is_kept else 'EXCEEDED'} (a share is up to {percent(slack)} off by chance)")
    sys.exit(not is_kept)


if __name__ == "__main__":
    main()
