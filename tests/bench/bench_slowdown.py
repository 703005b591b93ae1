# SPDX-License-Identifier: MIT
"""A slow-down of 10 % planted in a real server: is it found, and is an unchanged rerun left alone?

usage: python bench_slowdown.py [--rounds 20] [--slower 10%] [--delay-ms 20] [--duration-s 1] [--metrics NAMES]

A server with a set delay is driven by the real agents in a closed loop, without Slurm, and each run is collected,
finished and compared as any run. Two runs of few repetitions are the pilot: their comparison proposes how many
repetitions a side needs. Then each round makes an unchanged run and a planted one, and holds both against the
unchanged run of the round before. Ends with 1 when more than 1 of 20 verdicts is wrong, or more than 1 of 20 planted
slow-downs is missed; `undecided` is no wrong verdict.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections"), str(ROOT / "tests/bench")]

import local_run  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare, stats  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import judged, verdicts, words  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Run, Side  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory  # noqa: E402

SERVER = ROOT / "tests/bench/delayed_server.py"
TOLERATED = 1 / 20
UNCHANGED, PLANTED = "unchanged", "planted"
VERDICTS = (verdicts.WORSE, verdicts.BETTER, verdicts.SAME, verdicts.UNDECIDED)
WRONG = {UNCHANGED: (verdicts.WORSE, verdicts.BETTER), PLANTED: (verdicts.BETTER, verdicts.SAME)}


class Experiment:
    """Runs of the delayed server, and the comparisons of two of them."""

    def __init__(self, machine: local_run.Machine, options: argparse.Namespace) -> None:
        self.machine, self.options = machine, options
        self.invalid: Counter[str] = Counter()

    def run(self, delay_s: float, repetitions: int) -> RunDirectory:
        """Measure a server that answers after `delay_s`."""
        found = self.machine.run(
            [sys.executable, str(SERVER), str(delay_s)],
            settings={"delay_s": delay_s},
            benchmarks={
                "duration_s": self.options.duration_s,
                "warmup_s": self.options.warmup_s,
                "repetitions": repetitions,
                "cases": [{"name": "max", "concurrency": self.options.concurrency, "rate": None}],
            },
        )
        self.invalid.update(reason["code"] for reason in found.read_json("run.json")["reasons"])
        return found

    def compare(self, reference: RunDirectory, other: RunDirectory) -> dict[str, Any]:
        """The comparison of two runs, as the playbook makes it."""
        sides = [Side("a", [Run(reference)]), Side("b", [Run(other)])]
        thresholds = judged.Thresholds(self.options.threshold)
        return compare.compare(sides, compare.Options(metrics=self.options.metrics, thresholds=thresholds))

    def pilot(self) -> tuple[int, float]:
        """(repetitions a side that two short runs propose, mean response time of the server in s)."""
        runs = [self.run(self.options.delay_ms / 1e3, stats.PILOT) for _side in "ab"]
        numbers = judged_numbers(self.compare(*runs))
        for number in numbers:
            print(
                f"pilot: {compare.name_of(number)} {words.value(number['reference'], number['unit'])}, "
                f"noise {words.percent(number['noise'])}, a side needs {number['needed'] or 'too many'}"
            )
        if any(number["needed"] is None or number["needed"] > self.options.most for number in numbers):
            raise SystemExit(
                f"so much noise needs more than {self.options.most} repetitions: wait for a quiet machine, "
                "or measure longer (--duration-s)"
            )
        times = [value for run in runs for value in Run(run).table.values("max", "response_time", "mean")]
        return max(number["needed"] for number in numbers), statistics.fmean(times)


def judged_numbers(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbers of a comparison that have a verdict."""
    return [number for number in record["comparisons"][0]["numbers"] if number["verdict"]]


def rounds(experiment: Experiment, repetitions: int, response_s: float) -> dict[str, Counter[str]]:
    """How often which comparison came out as what."""
    options, found = experiment.options, {UNCHANGED: Counter(), PLANTED: Counter()}
    delay_s = options.delay_ms / 1e3
    # of the whole response time, of which the delay is the larger part
    slow_s = delay_s + judged.Thresholds(options.slower).default * response_s
    reference = experiment.run(delay_s, repetitions)
    for number in range(1, options.rounds + 1):
        planted, again = experiment.run(slow_s, repetitions), experiment.run(delay_s, repetitions)
        told = []
        for kind, other in ((PLANTED, planted), (UNCHANGED, again)):
            record = experiment.compare(reference, other)
            verdict = record["comparisons"][0]["verdict"]
            found[kind][verdict] += 1
            ratios = ", ".join(words.ratio(each) for each in judged_numbers(record))
            told.append(f"{kind} {verdict} {ratios}")
        print(f"{number:3d}: {'; '.join(told)}", flush=True)
        reference = again
    return found


def wrong(found: dict[str, Counter[str]], count: int) -> list[str]:
    """What exceeds the limits."""
    said = []
    for kind, counts in found.items():
        errors = sum(counts[verdict] for verdict in WRONG[kind])
        if errors > TOLERATED * count:
            said.append(f"{errors} of {count} verdicts on {kind} runs are wrong")
    missed = count - found[PLANTED][verdicts.WORSE]
    if missed > TOLERATED * count:
        said.append(f"{missed} of {count} planted slow-downs are missed")
    return said


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, with their defaults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="comparisons of each kind")
    parser.add_argument("--slower", default="10%", help="what is planted, of the response time")
    parser.add_argument("--threshold", default="5%", help="of the comparisons")
    parser.add_argument("--delay-ms", type=float, default=20.0, help="after which the server answers")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--duration-s", type=float, default=1.0, help="of a repetition")
    parser.add_argument("--warmup-s", type=float, default=0.2)
    parser.add_argument("--most", type=int, default=15, help="repetitions a run may have at most")
    parser.add_argument(
        "--metrics", type=lambda text: text.split(","), default=["throughput", "response_time_p50"],
        help="what is judged, with commas; p99 of a second has two operations beyond it",
    )  # fmt: skip
    return parser.parse_args(arguments)


def main() -> None:
    """Measure and print; the exit code says whether the limits were kept."""
    options, began = parsed(), time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="aifactory-slowdown-") as folder,
        local_run.Machine(Path(folder)) as machine,
    ):
        experiment = Experiment(machine, options)
        repetitions, response_s = experiment.pilot()
        print(
            f"proposed: {repetitions} repetitions of {options.duration_s:g} s; response time {response_s * 1e3:.2f} ms"
        )
        found = rounds(experiment, repetitions, response_s)
    print(f"\n| {' | '.join(['', *VERDICTS])} |\n| {' | '.join(['---'] * 5)} |")
    for kind, counts in found.items():
        what = f"{options.slower} slower" if kind == PLANTED else kind
        print(f"| {what} | {' | '.join(str(counts[verdict]) for verdict in VERDICTS)} |")
    reasons = wrong(found, options.rounds)
    print(
        f"\n{machine.count} runs, {time.monotonic() - began:.0f} s; INVALID for {dict(experiment.invalid) or 'nothing'}"
    )
    print(
        "limits "
        + (f"EXCEEDED: {'; '.join(reasons)}" if reasons else "kept: at most 1 of 20 wrong, at most 1 of 20 missed")
    )
    sys.exit(bool(reasons))


if __name__ == "__main__":
    main()
