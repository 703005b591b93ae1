# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the fields of the load must be together, and what each workload can do of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.load import slo
from .cases import MAX, choices_of, loops_of
from .document import FieldPath
from .errors import did_you_mean
from .load_schema import DRAIN_S, MAX_IN_FLIGHT, Arrival, Benchmarks, Search
from .schema import RecipeModel
from .units import format_duration
from .workloads import Workload

_BENCH = "benchmarks"
# What decides whether there are open loops: a mistake in one of them is not told twice.
_LOOPS: tuple[FieldPath, ...] = tuple((_BENCH, key) for key in ("rate", "arrival", "sweep", "search"))
# Fields that only the engine can do, with the value that asks for nothing.
_ENGINE_ONLY = {"think_time": 0.0, "max_in_flight": MAX_IN_FLIGHT, "retries": 0, "records": False, "cooldown": 0.0}
# The command's own settings, which benchmarks' fields of the same names set, too.
COMMAND_SETTINGS = ("arrival", "timeout", "drain")
_SCHEDULED_METRICS = ("schedule_lag", "service_time", "offered", "offered_rate", "dropped")


@dataclass(frozen=True)
class Finding:
    """A mistake at the first of ``paths``; the others are the fields that it also depends on."""

    paths: tuple[FieldPath, ...]
    message: str
    remedy: str


def check_load(model: RecipeModel, workload: Workload | None, settings: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Every mistake of the load.

    ``workload``: None where it is unknown; ``settings``: the workload's, None where they are wrong.
    """
    bench = model.benchmarks
    yield from _amount(bench)
    yield from _lists(bench)
    yield from _loops(bench)
    if bench.arrival is not None:
        yield from _arrival(bench, bench.arrival)
    if bench.search is not None:
        yield from _search(bench, bench.search)
    if workload is not None:
        metrics = workload.metrics(settings)
        yield from _metrics(bench, workload, metrics)
        yield from _slo(model, workload, metrics)
        if not workload.engine:
            yield from _without_engine(bench, workload)
        if workload.name == "command":
            yield from _command_settings(bench, model.client.settings)


def _of(key: str, *more: str) -> tuple[FieldPath, ...]:
    return tuple((_BENCH, name) for name in (key, *more))


def _amount(bench: Benchmarks) -> Iterator[Finding]:
    """How long, or how much."""
    if bench.duration is not None and bench.requests is not None:
        message = "duration and requests exclude each other"
        remedy = "keep duration (measures for a time) or requests (a number of operations of each client)"
        yield Finding(_of("requests", "duration"), message, remedy)
    elif bench.duration is None and bench.cooldown > 0:
        message = "has no meaning without a duration: the load ends with the last request"
        yield Finding(_of("cooldown", "duration", "requests"), message, "remove it, or give a duration")
    if bench.duration == 0:
        yield Finding(_of("duration"), "expected more than 0 seconds", "write it like 30s")
    if bench.timeout == 0:
        yield Finding(_of("timeout"), "expected more than 0 seconds", "write it like 30s, or remove it for no limit")


def _lists(bench: Benchmarks) -> Iterator[Finding]:
    """Lists of rates and of concurrencies, and what a sweep has to do with them."""
    for key in ("rate", "concurrency"):
        values = getattr(bench, key) or []
        if len(set(values)) < len(values):
            remedy = "each value makes a case of its own: remove one"
            yield Finding(_of(key), "has the same value twice", remedy)
        if bench.sweep is not None and len(values) > 1:
            remedy = f"give one value here, or sweep: {{parameters: {{{key}: [VALUE, VALUE]}}}}"
            yield Finding(_of(key, "sweep"), "is a list beside a sweep", remedy)
        elif values and bench.sweep is not None and key in bench.sweep.parameters:
            yield Finding(_of(key, "sweep"), f"the sweep has the parameter {key}, too", "remove one of them")
    rates = bench.rate or []
    percent = next((rate for rate in rates if isinstance(rate, str) and rate.endswith("%")), None)
    if percent and MAX not in rates:
        message = f"{percent} is a part of the highest rate, which no case finds out"
        yield Finding(_of("rate"), message, f"add 'max': rate: [max, {', '.join(map(str, rates))}]")
    if len(rates) > 1 and len(bench.concurrency or []) > 1:
        remedy = "give a list of rates or a list of concurrencies and one value of the other, or a sweep over both"
        yield Finding(_of("concurrency", "rate"), "rate and concurrency are both lists", remedy)


def _loops(bench: Benchmarks) -> Iterator[Finding]:
    """What belongs to the open loop, and what to the closed one."""
    is_open, is_closed = loops_of(bench)
    add_a_rate = "remove it, or add benchmarks.rate, such as rate: 100"
    if bench.arrival is not None and not is_open:
        message = "needs a rate: without one, an operation begins when the one before has ended"
        yield Finding((*_of("arrival"), *_LOOPS), message, add_a_rate)
    if bench.think_time > 0 and not is_closed:
        message = "has no meaning with a rate: the schedule says when operations begin"
        yield Finding((*_of("think_time"), *_LOOPS), message, "remove it, or remove the rate")
    if bench.max_in_flight != MAX_IN_FLIGHT and not is_open:
        message = "has no meaning without a rate: no more operations are in flight than there are connections"
        yield Finding((*_of("max_in_flight"), *_LOOPS), message, add_a_rate)
    if bench.stop_on is not None and bench.stop_on.over_saturation and not is_open:
        message = "has no meaning without a rate: a closed loop offers what the service takes"
        yield Finding((("benchmarks", "stop_on", "over_saturation"), *_LOOPS), message, add_a_rate)


def _arrival(bench: Benchmarks, arrival: Arrival) -> Iterator[Finding]:
    here = (_BENCH, "arrival")
    for key, owner, is_given in (
        ("burstiness", "gamma", arrival.burstiness != 1),
        ("from", "ramp", arrival.from_ != 0),
        ("path", "trace", arrival.path is not None),
    ):
        if is_given and arrival.type != owner:
            message = f"belongs to arrivals of the type {owner}, not {arrival.type}"
            yield Finding(((*here, key),), message, f"remove it, or set type: {owner}")
    if arrival.type == "trace" and arrival.path is None:
        remedy = "write arrival: {type: trace, path: FILE}, one number of seconds a line"
        yield Finding((here,), "a trace needs a file of times", remedy)
    if arrival.type == "ramp" and bench.duration is None:
        message = "a ramp needs a duration, over which its rate grows"
        yield Finding((here, *_of("duration", "requests")), message, "give benchmarks.duration instead of requests")
    yield from _trace_rates(bench, arrival)
    if arrival.type in ("ramp", "trace") and bench.search is not None:
        message = f"a search needs an even load, not a {arrival.type}"
        yield Finding((here, *_of("search")), message, "set type: poisson, constant or gamma")


def _trace_rates(bench: Benchmarks, arrival: Arrival) -> Iterator[Finding]:
    """A trace says when operations begin: a rate only stretches it."""
    swept = [choice.get("rate") for choice in choices_of(bench.sweep)] if bench.sweep else []
    for key, rates in (("rate", bench.rate or []), ("sweep", swept)):
        named = [rate for rate in rates if isinstance(rate, str)]
        if arrival.type == "trace" and named:
            message = f"{named[0]} can't be had of a trace, whose file says when operations begin"
            remedy = "write a number, to which its mean rate is stretched, or no rate: then it is used as it is"
            yield Finding(_of(key, "arrival"), message, remedy)


def _search(bench: Benchmarks, search: Search) -> Iterator[Finding]:
    here = (_BENCH, "search")
    if bench.slo is None:
        remedy = "add benchmarks.slo, such as slo: response_time_p99_ms < 100 and error_rate < 0.01"
        yield Finding((here, *_of("slo")), "needs an SLO that the load has to meet", remedy)
    if bench.duration is None:
        yield Finding(
            (here, *_of("duration", "requests")), "needs a duration: the time of each trial", "add duration: 30s"
        )
    if bench.sweep is not None:
        yield Finding((here, *_of("sweep")), "search and sweep exclude each other", "remove one of them")
    if bench.rate not in (None, [MAX]):
        message = "a search chooses the rate" if search.over == "rate" else "a search over the concurrency has no rate"
        yield Finding(_of("rate", "search"), message, "remove the rate")
    if bench.concurrency is not None and (search.over == "concurrency" or len(bench.concurrency) > 1):
        message = "a search chooses the concurrency" if search.over == "concurrency" else "is a list beside a search"
        yield Finding(_of("concurrency", "search"), message, "remove it, or give one value with a search over the rate")
    if bench.repetitions != 1:
        message = "has no meaning beside a search, which repeats the loads at the edge"
        yield Finding(_of("repetitions", "search"), message, f"write search: {{repetitions: {bench.repetitions}}}")
    if search.to is not None and search.to <= search.from_:
        message = f"expected more than where the search begins ({search.from_:g}), found the number {search.to:g}"
        yield Finding(((*here, "to"),), message, "raise it, or lower search.from")
    for key, value in (("from", search.from_), ("to", search.to)):
        if search.over == "concurrency" and value is not None and value != int(value):
            yield Finding(((*here, key),), f"expected a whole number, found the number {value:g}", "round it")


def _metrics(bench: Benchmarks, workload: Workload, metrics: tuple[str, ...] | None) -> Iterator[Finding]:
    here = (_BENCH, "metrics")
    for index, name in enumerate(bench.metrics):
        if name in bench.metrics[:index]:
            yield Finding(((*here, index), here), f"'{name}' is given twice", "remove one")
        elif metrics is not None and not _is_known(name, metrics):
            message = f"'{name}' is no metric of the workload {workload.name}"
            yield Finding(((*here, index), here, ("client", "type")), message, did_you_mean(name, metrics))


def _is_known(name: str, metrics: tuple[str, ...]) -> bool:
    """Whether it is one of the metrics, by itself or with an alias or a statistic as in the SLO: ``ttft_p99``."""
    try:
        return slo.is_metric(name, metrics) or bool(slo.parse(f"{name} < 1", metrics))
    except ValueError:
        return False


def _slo(model: RecipeModel, workload: Workload, metrics: tuple[str, ...] | None) -> Iterator[Finding]:
    text = model.benchmarks.slo
    if text is None:
        return
    paths: tuple[FieldPath, ...] = (*_of("slo"), ("client", "type"), ("client", "settings"))
    try:
        terms = slo.parse(text, metrics)
    except ValueError as error:
        for line in str(error).splitlines():
            yield Finding(paths, line, "")
        return
    is_open, _is_closed = loops_of(model.benchmarks)
    for term in terms:
        metric, here = term["metric"], f"term '{term['text']}'"
        if metric in _SCHEDULED_METRICS and not is_open:
            remedy = "add benchmarks.rate, or remove the term"
            yield Finding((*paths, *_LOOPS), f"{here}: there is no {metric} without a rate", remedy)
        if metric == "goodput" and not workload.engine and model.client.parser is None:
            message = f"{here}: the workload {workload.name} doesn't judge each operation by itself"
            yield Finding(paths, message, "write throughput, or remove the term")
        elif metric == "goodput" and not slo.per_request_terms(terms):
            message = f"{here}: goodput counts the operations that are within a bound of their time"
            yield Finding(paths, message, "add such a bound, as in response_time_p99_ms < 100")


def _without_engine(bench: Benchmarks, workload: Workload) -> Iterator[Finding]:
    """What is asked of a workload that is another program."""
    kind: FieldPath = ("client", "type")
    remove = "remove it"
    for key, nothing in _ENGINE_ONLY.items():
        if getattr(bench, key) != nothing:
            yield Finding((*_of(key), kind), f"the workload {workload.name} can't do this", remove)
    if bench.stop_on is not None and bench.stop_on.over_saturation:
        message = f"the workload {workload.name} doesn't say what is in flight"
        yield Finding(((_BENCH, "stop_on", "over_saturation"), kind), message, remove)
    arrival = "poisson" if bench.arrival is None else bench.arrival.type
    possible = ("poisson", "constant") if workload.name == "command" else ("poisson",)
    if arrival not in possible:
        message = f"the workload {workload.name} has {' and '.join(possible)} arrivals only, not {arrival}"
        yield Finding((*_of("arrival"), kind), message, f"write arrival: {possible[-1]}, or remove it")
    if workload.name != "command":
        for key, nothing in (("timeout", None), ("drain", DRAIN_S)):
            if getattr(bench, key) != nothing:
                yield Finding((*_of(key), kind), f"the workload {workload.name} can't do this", remove)


def _command_settings(bench: Benchmarks, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """The command's own settings of what ``benchmarks`` says, too."""
    arrival = None if bench.arrival is None else bench.arrival.type
    drain = None if bench.drain == DRAIN_S else bench.drain
    for key, value in zip(COMMAND_SETTINGS, (arrival, bench.timeout, drain), strict=True):
        if value is not None and key in settings and settings[key] != value:
            own = settings[key] if key == "arrival" else format_duration(settings[key])
            message = f"client.settings.{key} says {own}"
            yield Finding((*_of(key), ("client", "settings")), message, "remove one of them")
