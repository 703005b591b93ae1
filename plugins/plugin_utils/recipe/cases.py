# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is measured: the cases of a recipe, how long they take, what they cost."""

from __future__ import annotations

import math
from typing import Any

from .schema import Benchmarks, JobOptions, RecipeModel

START_S = 60.0  # allowance for a container's start and for what comes after the last case
_DEFAULT_LIMIT_S = 1800
_LIMIT_STEP_S = 300


def cases_of(benchmarks: Benchmarks) -> list[dict[str, Any]]:
    """The cases in the order in which they run; ``max`` comes first, because the percentages refer to it."""
    concurrencies = benchmarks.concurrency or [1]
    rates = benchmarks.rate or ["max"]
    if len(concurrencies) > 1:
        rate = None if rates == ["max"] else rates[0]
        return [{"name": f"concurrency-{number}", "concurrency": number, "rate": rate} for number in concurrencies]
    ordered = sorted(rates, key=lambda rate: rate != "max")
    return [
        {"name": _case_name(rate), "concurrency": concurrencies[0], "rate": None if rate == "max" else rate}
        for rate in ordered
    ]


def _case_name(rate: float | str) -> str:
    """A name that is safe in a file's name: ``max``, ``rate-50pct``, ``rate-200``."""
    if isinstance(rate, str):
        return rate if rate == "max" else f"rate-{rate.rstrip('%')}pct"
    return f"rate-{int(rate) if rate == int(rate) else rate}"


def measured_s(benchmarks: Benchmarks) -> float | None:
    """Seconds under load, warm-ups included; None where the recipe counts requests."""
    if benchmarks.duration is None:
        return None
    return len(cases_of(benchmarks)) * benchmarks.repetitions * (benchmarks.warmup + benchmarks.duration)


def time_limit_of(job: JobOptions, benchmarks: Benchmarks) -> int:
    """The job's time limit in seconds: the recipe's, else 30 minutes or what the measurement needs and half as much."""
    if job.time_limit is not None:
        return job.time_limit
    wanted = 1.5 * (measured_s(benchmarks) or 0.0) + 10 * START_S
    return max(_DEFAULT_LIMIT_S, math.ceil(wanted / _LIMIT_STEP_S) * _LIMIT_STEP_S)


def node_hours(model: RecipeModel) -> tuple[float | None, float]:
    """Node-hours that a run will likely take (None where it counts requests), and the most that its limits allow."""
    jobs = [model.service] if model.client.placement == "shared" else [model.service, model.client]
    limit_s = sum(job.nodes * time_limit_of(job, model.benchmarks) for job in jobs)
    measured = measured_s(model.benchmarks)
    likely_s = None if measured is None else (measured + START_S) * sum(job.nodes for job in jobs)
    return None if likely_s is None else likely_s / 3600, limit_s / 3600
