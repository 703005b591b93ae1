# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is measured: the cases of a recipe, how long they take, what they cost."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .load_schema import Benchmarks, Sweep
from .schema import JobOptions, RecipeModel, Service

START_S = 60.0  # allowance for a container's start and for what comes after the last case
SETTINGS = "settings."  # what a sweep's parameter begins with that is a setting of the workload
MAX = "max"
TRACE = "trace"
_DEFAULT_LIMIT_S = 1800
_LIMIT_STEP_S = 300
_LONGEST_NAME = 100  # of a case: other parts are added to it in names of files
_LONGEST_LABEL = 24


def cases_of(benchmarks: Benchmarks) -> list[dict[str, Any]]:
    """The cases in the order in which they are listed; ``max`` comes first, because the percentages refer to it.

    A search makes its cases while it runs: it has none here.
    """
    if benchmarks.search is not None:
        return []
    cases = list(_listed(benchmarks) if benchmarks.sweep is None else _swept(benchmarks, benchmarks.sweep))
    return sorted(_with_safe_names(cases), key=lambda case: case["name"] != MAX)


def _listed(benchmarks: Benchmarks) -> Iterator[dict[str, Any]]:
    """The cases of a list of rates or of concurrencies."""
    concurrencies, rates = benchmarks.concurrency or [1], benchmarks.rate or [MAX]
    several = len(concurrencies) > 1
    for rate, concurrency in itertools.product(rates[:1] if several else rates, concurrencies):
        name = f"concurrency-{concurrency}" if several else _base_name(benchmarks, rate)
        yield _case(name, concurrency, rate, {})


def _swept(benchmarks: Benchmarks, sweep: Sweep) -> Iterator[dict[str, Any]]:
    """The cases of a sweep, whose values were checked."""
    rate, concurrency = (benchmarks.rate or [MAX])[0], (benchmarks.concurrency or [1])[0]
    choices = list(choices_of(sweep))
    labels = _labels(choices)
    for choice in choices:
        name = ",".join(labels[parameter, _key(value)] for parameter, value in choice.items())
        settings = {key.removeprefix(SETTINGS): value for key, value in choice.items() if key.startswith(SETTINGS)}
        yield _case(
            name or _base_name(benchmarks, rate),
            choice.get("concurrency", concurrency),
            choice.get("rate", rate),
            settings,
        )


def choices_of(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """What a sweep chooses for each case: ``rate``, ``concurrency``, ``settings.NAME`` → value."""
    if sweep.mode == "list":
        for case in sweep.cases:
            load = {"rate": case.rate, "concurrency": case.concurrency}
            settings = {f"{SETTINGS}{name}": value for name, value in case.settings.items()}
            yield {**{key: value for key, value in load.items() if value is not None}, **settings}
        return
    values = sweep.parameters.values()
    rows: Iterable[Any] = itertools.product(*values) if sweep.mode == "grid" else zip(*values, strict=False)
    for row in rows:
        yield dict(zip(sweep.parameters, row, strict=True))


def _case(name: str, concurrency: int, rate: float | str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "concurrency": concurrency, "rate": None if rate == MAX else rate, "settings": settings}


def _base_name(benchmarks: Benchmarks, rate: float | str) -> str:
    arrival = benchmarks.arrival
    return TRACE if arrival is not None and arrival.type == TRACE and rate == MAX else rate_name(rate)


def rate_name(rate: float | str) -> str:
    """A name that is safe in a file's name: ``max``, ``rate-50pct``, ``rate-200``."""
    if isinstance(rate, str):
        return rate if rate == MAX else f"rate-{rate.rstrip('%')}pct"
    return f"rate-{int(rate) if rate == int(rate) else rate}"


def _labels(choices: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(parameter, value) → its part of a case's name: ``ef-20``, and ``scripts-v2`` for what is no short word."""
    values: dict[str, dict[str, Any]] = {}
    for choice in choices:
        for parameter, value in choice.items():
            values.setdefault(parameter, {})[_key(value)] = value
    labels = {}
    for parameter, found in values.items():
        words = {key: _word(parameter, value) for key, value in found.items()}
        short = parameter.removeprefix(SETTINGS)
        for number, key in enumerate(found, 1):
            plain = words[key] and list(words.values()).count(words[key]) == 1
            labels[parameter, key] = words[key] if plain else f"{short}-v{number}"
    return labels


def _word(parameter: str, value: Any) -> str:
    """``ef-20`` where the value is a number, a truth value or a short text; else an empty text."""
    if parameter == "rate":
        return rate_name(value)
    if isinstance(value, dict):
        value = "-".join(f"{key}-{item}" for key, item in value.items())  # search-ef-20
    if isinstance(value, list) or value is None:
        return ""
    if isinstance(value, float):
        value = int(value) if value == int(value) else value
    word = re.sub(r"[^A-Za-z0-9.-]+", "_", str(value).lower() if isinstance(value, bool) else str(value)).strip("_")
    return f"{parameter.removeprefix(SETTINGS)}-{word}" if 0 < len(word) <= _LONGEST_LABEL else ""


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _with_safe_names(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Names that are not too long, and differ as names of files, where the agent writes ``_`` for the comma."""
    taken: set[str] = set()
    for number, case in enumerate(cases, 1):
        name = case["name"] if len(case["name"]) <= _LONGEST_NAME else f"{case['name'][: _LONGEST_NAME - 5]}-{number}"
        while re.sub(r"[^A-Za-z0-9._-]", "_", name) in taken:
            name = f"{name}-{number}"
        taken.add(re.sub(r"[^A-Za-z0-9._-]", "_", name))
        case["name"] = name
    return cases


def loops_of(benchmarks: Benchmarks) -> tuple[bool, bool]:
    """Whether there are open loops (a schedule says when operations begin), and whether there are closed ones."""
    if benchmarks.arrival is not None and benchmarks.arrival.type == TRACE:
        return True, False
    if benchmarks.search is not None:
        return benchmarks.search.over == "rate", benchmarks.search.over != "rate"
    rates = [case["rate"] for case in cases_of(benchmarks)]
    return any(rate is not None for rate in rates), None in rates


def measurements_of(benchmarks: Benchmarks) -> int:
    """How many times something is measured: cases times repetitions, or the most trials of a search."""
    if benchmarks.search is not None:
        return benchmarks.search.max_trials
    return len(cases_of(benchmarks)) * benchmarks.repetitions


def measured_s(benchmarks: Benchmarks) -> float | None:
    """Seconds under load, at most, warm-ups and cool-downs included; None where the recipe counts requests."""
    if benchmarks.duration is None:
        return None
    return measurements_of(benchmarks) * (benchmarks.warmup + benchmarks.duration + benchmarks.cooldown)


def time_limit_of(job: JobOptions, benchmarks: Benchmarks) -> int:
    """The job's time limit in seconds: the recipe's, else 30 minutes or what the measurement needs and half as much."""
    if job.time_limit is not None:
        return job.time_limit
    wanted = 1.5 * (measured_s(benchmarks) or 0.0) + 10 * START_S
    return max(_DEFAULT_LIMIT_S, math.ceil(wanted / _LIMIT_STEP_S) * _LIMIT_STEP_S)


def node_hours(model: RecipeModel, companions: Sequence[Service] = ()) -> tuple[float | None, float]:
    """Node-hours that a run will likely take (None where it counts requests), and the most that its limits allow."""
    jobs: list[JobOptions] = [model.service, *companions]
    if model.client.placement != "shared":
        jobs.append(model.client)
    limit_s = sum(job.nodes * time_limit_of(job, model.benchmarks) for job in jobs)
    measured = measured_s(model.benchmarks)
    likely_s = None if measured is None else (measured + START_S) * sum(job.nodes for job in jobs)
    return None if likely_s is None else likely_s / 3600, limit_s / 3600
