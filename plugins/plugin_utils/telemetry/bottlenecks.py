# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was saturated in each case, and where the load stopped growing: with the evidence, or not at all.

A resource is named when its mean over the measured time is beyond a limit that leaves it no room. That it limits is
likely and not proven: two may be saturated at once, and what nobody measures is never named. What was not looked at is
told.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry.service_series import Series, read

# So much more was asked for, and not so much more was done: it stopped growing. The knee's STOPPED is the same.
MORE_LOAD, MORE_DONE = 1.2, 1.05
_NOT_LOOKED_AT = "the network (nobody knows how much its links carry)"

Span = tuple[float, float]
Rows = list[dict[str, Any]]


class Limit(NamedTuple):
    """A column of telemetry, the mean from which on it is saturated, what it is of, and how the mean is written."""

    of: Callable[[dict[str, Any]], float | None]
    at: float
    what: str
    text: str


def _column(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda row: row.get(name)


def _cpu(row: dict[str, Any]) -> float | None:
    parts = [row.get(f"cpu_{kind}_percent") for kind in ("user", "system")]
    return None if None in parts else sum(parts)


def _memory(row: dict[str, Any]) -> float | None:
    used, free = row.get("memory_used_bytes"), row.get("memory_available_bytes")
    return 100.0 * used / (used + free) if used is not None and free else None


def _held_back(row: dict[str, Any]) -> float | None:
    """100 where power or temperature lowered the clocks, else 0; nothing where the GPU does not tell."""
    if row.get("power_w") is None:
        return None
    return 100.0 if any(word in str(row.get("throttle_reasons") or "") for word in ("power", "thermal")) else 0.0


_OF_NODE = (
    Limit(_cpu, 90.0, "cpu", "its CPUs were at work {:.0f} % of the time"),
    Limit(_memory, 95.0, "memory", "{:.0f} % of its memory was in use"),
    Limit(_column("psi_memory_some_percent"), 10.0, "memory", "some task waited for memory {:.0f} % of the time"),
    Limit(_column("psi_io_some_percent"), 30.0, "disk", "some task waited for a disk {:.0f} % of the time"),
)
_OF_GPU = (
    Limit(_column("utilization_percent"), 95.0, "gpu", "it was at work {:.0f} % of the time"),
    Limit(
        _column("memory_busy_percent"), 80.0, "gpu_memory_bandwidth", "its memory was read or written {:.0f} % of it"
    ),
    Limit(_held_back, 50.0, "gpu_clocks", "power or temperature held its clocks back {:.0f} % of the time"),
)
# gauges of services: (metric, from which mean on, what, text)
_OF_SERVICE = (
    ("vllm:kv_cache_usage_perc", 0.9, "kv_cache", "its KV cache was {:.0%} full"),
    ("vllm:gpu_cache_usage_perc", 0.9, "kv_cache", "its KV cache was {:.0%} full"),
    ("llamacpp:kv_cache_usage_ratio", 0.9, "kv_cache", "its KV cache was {:.0%} full"),
    ("vllm:num_requests_waiting", 1.0, "queue", "{:.1f} requests waited in its queue"),
    ("llamacpp:requests_deferred", 1.0, "queue", "{:.1f} requests waited in its queue"),
)
_CONNECTIONS = "pg_stat_database_numbackends"
_LOOKED_AT = {_CONNECTIONS, *(metric for metric, *_limit in _OF_SERVICE)}  # of a file of up to 64 MiB


def outcome(
    run: RunDirectory,
    cases: list[dict[str, Any]],
    table: Table,
    plan: dict[str, Any],
    knees: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What run.json says of it: `cases` (each `case` and what was `saturated`), `stopped`, `sentence`, `not_looked_at`.

    `cases` as in cases.json, those that were measured to their end. `stopped`: null, or the `case` at which more load
    brought no more, and the one `before` it. `knees`: those of run.json's `confidence`, which tell a knee from noise.
    """
    names = list(dict.fromkeys(case["case"] for case in cases if case.get("measure_end")))
    sources = _Sources(run)
    found = [
        {"case": name, "saturated": list(_saturated(sources, [case for case in cases if case["case"] == name], plan))}
        for name in names
    ]
    stopped = _stopped(cases, table, knees)
    return {
        "cases": found,
        "stopped": stopped,
        "sentence": _sentence(found, stopped),
        "not_looked_at": [_NOT_LOOKED_AT, *sources.missing],
    }


class _Sources:
    """The files of a run that tell of load, read once."""

    def __init__(self, run: RunDirectory) -> None:
        def tables(pattern: str) -> dict[str, Rows]:
            return {path.stem: run.table(f"telemetry/{path.name}") for path in sorted(run.path.glob(pattern))}

        self.nodes = tables("telemetry/service-*.csv")
        self.gpus: dict[str, Rows] = {}
        for stem, rows in tables("telemetry/gpu-*.csv").items():
            for row in rows:
                self.gpus.setdefault(f"{stem.removeprefix('gpu-')} GPU {row.get('gpu') or 0.0:.0f}", []).append(row)
        self.services: dict[str, dict[str, Series]] = {
            Path(path).stem: read(run, f"metrics/{path.name}", _LOOKED_AT)
            for path in sorted(run.path.glob("metrics/*.csv"))
        }
        has = {"the service's nodes": self.nodes, "what the service says of itself": self.services}
        self.missing = [name for name, tables_ in has.items() if not tables_]


def _saturated(sources: _Sources, cases: list[dict[str, Any]], plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    spans = [(case["measure_start"], case["measure_end"]) for case in cases]
    yield from _clients(cases)
    for stem, rows in sources.nodes.items():
        yield from _beyond(_OF_NODE, rows, spans, f"node {stem.removeprefix('service-')}", f"telemetry/{stem}.csv")
    for name, rows in sources.gpus.items():
        yield from _beyond(_OF_GPU, rows, spans, name, f"telemetry/gpu-{name.partition(' ')[0]}.csv")
    for name, series in sources.services.items():
        yield from _of_service(name, series, spans, plan)


def _item(what: str, of: str, text: str, value: float, source: str) -> dict[str, Any]:
    return {"what": what, "text": f"{of}: {text.format(value)}", "value": value, "source": source}


def _clients(cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for column, limit, text in (
        ("client_cpu_percent", 80.0, "the busiest used {:.0f} % of its cores"),
        ("client_run_delay_percent", 10.0, "one waited for a CPU {:.0f} % of the time"),
    ):
        known = [value for case in cases for value in (case.get(column) or {}).values() if value is not None]
        if known and max(known) >= limit:
            yield _item("client", "clients", text, max(known), f"cases.json, {column}")


def _beyond(limits: Iterable[Limit], rows: Rows, spans: list[Span], of: str, source: str) -> Iterator[dict[str, Any]]:
    inside = [row for row in rows if any(start <= (row.get("t") or 0.0) < end for start, end in spans)]
    for limit in limits:
        values = [value for value in map(limit.of, inside) if isinstance(value, float)]
        mean = sum(values) / len(values) if values else 0.0
        if values and mean >= limit.at:
            yield _item(limit.what, of, limit.text, mean, source)


def _of_service(
    name: str, series: dict[str, Series], spans: list[Span], plan: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    source = f"metrics/{name}.csv"
    for metric, limit, what, text in _OF_SERVICE:
        for one in series.values():
            mean = _mean(one, spans) if one.metric == metric else None
            if mean is not None and mean >= limit:
                yield _item(what, name, text, mean, source)
    most = ((plan.get("service") or {}).get("settings") or {}).get("max_connections")
    backends = [mean for one in series.values() if one.metric == _CONNECTIONS
                and (mean := _mean(one, spans)) is not None]  # fmt: skip
    if most and sum(backends) >= 0.9 * float(most):
        text = f"{{:.0f}} of its {most} connections were in use"
        yield _item("connections", name, text, sum(backends), source)


def _mean(one: Series, spans: list[Span]) -> float | None:
    parts = [part for start, end in spans for part in one.parts(start, end)]
    seconds = sum(lasted for _value, lasted in parts)
    return sum(value * lasted for value, lasted in parts) / seconds if seconds else None


def _stopped(cases: list[dict[str, Any]], table: Table, knees: Sequence[dict[str, Any]] = ()) -> dict[str, Any] | None:
    """From which load on no more was done, of cases that differ in nothing but their rate or their concurrency.

    The first step that brought no more; where a knee was found, none that ends below its interval, and none at all
    where the throughput grew to the last load: there a single step is noise.
    """
    for over in ("rate", "concurrency"):
        loads: dict[str, float] = {case["case"]: case[over] for case in cases if case.get(over)}
        settings = {str(case.get("settings") or {}) for case in cases}
        if len(set(loads.values())) < 2 or len(loads) != len({case["case"] for case in cases}) or len(settings) > 1:
            continue
        knee = next((each for each in knees if each["over"] == over and set(each["cases"]) == set(loads)), {})
        if knee.get("status") == "grows":
            continue
        ordered = sorted(loads, key=lambda name: loads[name])
        for before, case in itertools.pairwise(ordered):
            done = [_mean_of(table.values(name, "throughput", "value")) for name in (before, case)]
            too_little = loads[case] < max(MORE_LOAD * loads[before], knee.get("low") or 0.0)
            if None in done or not done[0] or too_little:
                continue
            if done[1] < MORE_DONE * done[0]:
                return {"over": over, "case": case, "before": before}
    return None


def _mean_of(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _sentence(found: list[dict[str, Any]], stopped: dict[str, Any] | None) -> str:
    """One line for a person."""
    by_case = {each["case"]: each["saturated"] for each in found}
    if stopped:
        begin = f"more {stopped['over']} than in {stopped['before']} brought no more"
        texts = [each["text"] for each in by_case.get(stopped["case"], [])]
        return f"{begin}: {'; '.join(texts)}" if texts else f"{begin}; nothing that is measured was saturated"
    said = {name: "; ".join(each["text"] for each in saturated) for name, saturated in by_case.items() if saturated}
    if not said:
        return "nothing that is measured was saturated" if found else "nothing was measured"
    first, text = next(iter(said.items()))
    more = f" (and in {len(said) - 1} more cases)" if len(said) > 1 else ""
    return f"{first}: {text}{more}" if len(by_case) > 1 else text
