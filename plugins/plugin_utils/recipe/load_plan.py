# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan's part about the load: ``benchmarks``, and the settings of the command that repeat some of it."""

from __future__ import annotations

from typing import Any

from ...module_utils.load import slo
from .cases import cases_of
from .load_schema import DRAIN_S, Arrival, Benchmarks, StopOn
from .schema import Client, RecipeModel
from .workloads import workload_of


def benchmarks_plan(model: RecipeModel) -> dict[str, Any]:
    """``benchmarks`` of the plan, with a value for everything that the recipe does not say."""
    bench = model.benchmarks
    return {
        "duration_s": bench.duration,
        "requests": bench.requests,
        "warmup_s": bench.warmup,
        "cooldown_s": bench.cooldown,
        "repetitions": bench.repetitions,
        "order": bench.order,
        "seed": bench.seed,
        "metrics": bench.metrics,
        "arrival": _arrival(bench.arrival or Arrival()),
        "think_time_s": bench.think_time,
        "max_in_flight": bench.max_in_flight,
        "timeout_s": bench.timeout,
        "retries": bench.retries,
        "drain_s": bench.drain,
        "records": bench.records,
        "slo": _slo(model),
        "stop_on": (bench.stop_on or StopOn()).model_dump(),
        "search": _search(bench),
        "cases": cases_of(bench),
        **_as_the_command_says(model.client, bench),
    }


def client_settings(client: Client, bench: Benchmarks) -> dict[str, Any]:
    """The clients' settings; of the workload command with what ``benchmarks`` says in its place."""
    if client.type != "command":
        return client.settings
    said = {
        "arrival": bench.arrival.type if bench.arrival else None,
        "timeout": bench.timeout,
        "drain": None if bench.drain == DRAIN_S else bench.drain,
    }
    return {**{key: value for key, value in said.items() if value is not None}, **client.settings}


def _as_the_command_says(client: Client, bench: Benchmarks) -> dict[str, Any]:
    """What the command's own settings say of the load, so that the plan says it once."""
    if client.type != "command":
        return {}
    settings = client_settings(client, bench)
    said: dict[str, Any] = {}
    if "arrival" in settings:
        said["arrival"] = _arrival(Arrival(type=settings["arrival"]))
    if "timeout" in settings:
        said["timeout_s"] = settings["timeout"] or None  # the command's 0 is: never
    if "drain" in settings:
        said["drain_s"] = settings["drain"]
    return said


def _arrival(arrival: Arrival) -> dict[str, Any]:
    return {
        "type": arrival.type,
        "burstiness": arrival.burstiness,
        "ramp_from": arrival.from_,
        "trace": arrival.path,
    }


def _search(bench: Benchmarks) -> dict[str, Any] | None:
    if bench.search is None:
        return None
    return {**bench.search.model_dump(by_alias=True), "concurrency": (bench.concurrency or [1])[0]}


def _slo(model: RecipeModel) -> dict[str, Any] | None:
    text = model.benchmarks.slo
    if text is None:
        return None
    metrics = workload_of(model.client.type).metrics(model.client.settings) if model.client.type else None
    terms = slo.parse(text, metrics)
    return {"text": " and ".join(term["text"] for term in terms), "terms": terms}
