# SPDX-License-Identifier: MIT
"""Run directories with repetitions whose noise and speed are known, as a run leaves them."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Run
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from .. import samples

CASES = ("max", "half")


def run(
    home: Path,
    number: int,
    *,
    slower: float = 1.0,
    noise: float = 0.01,
    repetitions: int = 5,
    cases: tuple[str, ...] = CASES,
    capacity: float | None = None,
    plan: dict[str, Any] | None = None,
    provenance: dict[str, Any] | None = None,
    error_rate: float = 0.0,
    **record: Any,
) -> Run:
    """Write a run: times are multiplied by `slower`, throughput divided; `noise`: of a repetition, a share of 1."""
    directory = RunDirectory(home / "runs" / f"20260921-{141320 + number:06d}-postgresql-{number:04x}")
    rng = random.Random(f"run {number}")
    lines, listed = [("case", "repetition", "client", "metric", "unit", "statistic", "value")], []
    for case in cases:
        for repetition in range(1, repetitions + 1):
            speed = 1 / slower * (1 + rng.gauss(0, noise))
            rows = [("throughput", "1/s", "value", 1400 * speed), ("operations", "1", "value", 14000 * speed)]
            rows += [("error_rate", "1", "value", error_rate), ("my_score", "point", "mean", 7 * speed)]
            for statistic, value in (("mean", 0.003), ("p50", 0.0025), ("p99", 0.02)):
                rows.append(("response_time", "s", statistic, value / speed * (1 + rng.gauss(0, noise / 2))))
            rows.append(("response_time", "s", "count", 14000))
            lines += [(case, repetition, "all", *row) for row in rows]
            listed.append({"case": case, "repetition": repetition, "cut": None})
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    directory.write_text("results.csv", text.getvalue())
    directory.write_json("cases.json", listed)
    if capacity is not None:
        search = {
            "capacity": capacity / slower * (1 + rng.gauss(0, noise)),
            "unit": "1/s",
            "lower": None,
            "upper": None,
        }
        directory.write_json("search.json", {**search, "over": "rate", "trials": []})
    directory.write_json("plan.json", {**samples.plan_of(directory.id), **(plan or {})})
    directory.write_json("provenance.json", provenance or samples.PROVENANCE)
    headline = [("throughput", "mean"), ("response_time", "p50"), ("response_time", "p99")]
    headline += [("my_score", "mean")] + ([("capacity", "value")] if capacity is not None else [])
    usual = {
        "schema": 1, "id": directory.id, "recipe": "quickstart", "cluster": "meluxina", "service": "postgresql",
        "state": "finished", "verdict": "VALID", "reasons": [], "created_at": samples.BEGIN + number,
        "headline": [{"case": "max", "metric": metric, "statistic": statistic} for metric, statistic in headline],
    }  # fmt: skip
    directory.write_json("run.json", {**usual, **record})
    return Run(RunDirectory(directory.path))
