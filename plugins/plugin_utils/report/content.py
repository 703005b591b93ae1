# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report says of a run, from the files of its directory; the templates only lay it out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, objectives, results, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import (
    answers,
    gpus,
    measures,
    nodes,
    search,
    service_metrics,
    slurm,
    sweep,
    texts,
    utilization,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict import clocks

FACTS = 1_000  # of provenance, environment, events and the bar of phases
CASES_PLOTTED = 12  # in one plot over time, or by percentile: more lines are not told apart

# Fields that the templates ask for, where an older or incomplete run.json lacks them.
_NO_COST = {
    "node_hours": 0,
    "core_hours": 0,
    "gpu_hours": 0,
    "by_phase": {},
    "measured_share": None,
    "wasted_share": None,
    "price": None,
    "currency": None,
    "cases": [],
}
_NO_RUN = {
    "recipe": "benchmark", "cluster": "unknown cluster", "service": "service", "workload": "", "state": "unknown",
    "verdict": None, "reasons": [], "notes": [], "created_at": None, "ended_at": None, "calls": {}, "cost": _NO_COST,
    "slo": None, "search": None,
}  # fmt: skip
_NO_JOB = dict.fromkeys(
    ("role", "id", "name", "state", "exit_code", "node_list", "cpus", "gpus", "submit", "start", "elapsed_s")
)


def collect(run: RunDirectory, record: dict[str, Any] | None = None) -> dict[str, Any]:
    """Everything that the templates and figures need. Raises RunError when run.json is not there.

    `record`: in the place of run.json, of a run that goes on (finish.preview).
    """
    record = run.read_json("run.json") if record is None else record
    plan, events = run.read_json("plan.json", {}), run.events()
    segments = record.get("timeline") or []
    by_node, by_gpu = nodes.telemetry(run), gpus.telemetry(run)
    return {
        "run": {
            **_NO_RUN,
            **record,
            "cost": {**_NO_COST, **(record.get("cost") or {})},
            "jobs": [
                {**_NO_JOB, **job, "usage": job.get("usage") or slurm.NO_USAGE} for job in record.get("jobs") or []
            ],
        },
        "plan": plan,
        "deployment": _deployment(record, plan),
        "begin": segments[0]["start"] if segments else record.get("created_at"),
        "segments": segments,
        "phase_seconds": timeline.by_phase(segments),
        "phases": timeline.PHASES,
        "total_s": segments[-1]["end"] - segments[0]["start"] if segments else None,
        "answers": answers.gather(record),
        "every_case": answers.every_case(answers.by_name(record.get("headline") or [])),
        "rows_shown": answers.ROWS,
        "facts_shown": FACTS,
        "segments_shown": FACTS,
        **_measured(run, plan, lambda cases, load: utilization.by_load(by_node, by_gpu, cases, load)),
        "nodes": by_node,
        "node_rows": [nodes.node_row(name, rows, segments) for name, rows in by_node.items()],
        "telemetry_cost_s": nodes.cost_s(events),
        "gpus": by_gpu,
        "gpu": gpus.gather(by_gpu, events, segments),
        "confidence": _sure(record),
        "energy": _energy(record),
        "slurm": slurm.gather(record),
        "bottleneck": record.get("bottleneck") or {"cases": [], "stopped": None, "sentence": "", "not_looked_at": []},
        "service_metrics": service_metrics.gather(run, events, segments),
        "clocks": clocks.offsets(events),
        **_provenance(run.read_json("provenance.json", {})),
        "teardown": run.read_json("teardown.json", None),
        "scripts": texts.scripts(run),
        "logs": texts.logs(run),
        "last_words": texts.last_words(record, events),
        "events": [event for event in events if event["event"] not in ("progress", "clocks")],
    }


def _sure(record: dict[str, Any]) -> dict[str, Any]:
    """How sure the numbers are (run.json; an older one does not say), and the repetitions to be marked in tables."""
    nothing = {"statement": "", "remarks": [], "cases": [], "outliers": [], "knees": []}
    found = {**nothing, **(record.get("confidence") or {})}
    odd = {(each["case"], each["repetition"]) for each in found["outliers"] if each["repetition"] is not None}
    return {**found, "odd": odd}


def _energy(record: dict[str, Any]) -> dict[str, Any]:
    """What each measurement took (run.json), and in which units it is told."""
    found = record.get("energy") or {"status": "unknown", "reason": None, "devices": [], "idle_w": None, "cases": []}
    units = dict.fromkeys(unit for case in found["cases"] for unit in case["per"])
    return {**found, "units": list(units)}


def _provenance(found: Any) -> dict[str, Any]:
    """What it says as rows, and apart from it what is long: the environment. Jobs have their own section."""
    if not isinstance(found, dict):
        return {"provenance": texts.flat(found), "environment": []}
    shown = {key: value for key, value in found.items() if key not in ("environment", "jobs")}
    return {"provenance": texts.flat(_told(shown)), "environment": texts.flat(found.get("environment") or {})}


def _told(found: Any) -> Any:
    """In the place of each null the reason that `missing` beside it gives."""
    if isinstance(found, list):
        return [_told(item) for item in found]
    if not isinstance(found, dict):
        return found
    why = found.get("missing")
    reasons = why if isinstance(why, dict) else {}
    told = {
        key: f"unknown: {reasons[key]}" if value is None and key in reasons else _told(value)
        for key, value in found.items()
        if key != "missing" or not reasons
    }
    return {key: value for key, value in told.items() if value not in ({}, [])}


def _deployment(record: dict[str, Any], plan: dict[str, Any]) -> str:
    """The benchmarked service, how many of it, and its companions: `redis, 2 replicas on 2 nodes, with db`."""
    service = plan.get("service", {})
    text, layout = str(record.get("service") or _NO_RUN["service"]), service.get("layout") or {}
    text = _named({"type": text, **service})
    replicas, nodes = layout.get("replicas", 1), service.get("job", {}).get("nodes", 1)
    if replicas > 1 or nodes > 1:
        text += f", {replicas} replicas" if replicas > 1 else ""
        text += f" on {nodes} nodes" if nodes > 1 else " on one node"
    others = [_named(companion) for companion in plan.get("companions", [])]
    return f"{text}, with {' and '.join(filter(None, (', '.join(others[:-1]), others[-1])))}" if others else text


def _named(service: dict[str, Any]) -> str:
    kind, name = str(service["type"]), str(service.get("name") or service["type"])
    return kind if name == kind else f"{name} ({kind})"


def _measured(run: RunDirectory, plan: dict[str, Any], by_load: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """What is in the results: of the trials of a search, one by one only the load at the capacity."""
    cases, table, found = run.cases(), results.Table(run.results(merged=True)), run.search()
    histograms, setup = finish.histograms(run, cases), run.setup_metrics()
    shown = finish.shown_cases(plan, cases, table, found)
    plotted = shown[:CASES_PLOTTED]
    listed = measures.in_order(cases, shown)
    busy = functools.partial(by_load, cases)
    planned = [name for name in shown if name != objectives.best_case(found)]
    return {
        "columns": measures.COLUMNS,
        "results": measures.result_rows(listed, table),
        "merged": measures.merged_rows(table, histograms, shown),
        "times": measures.time_rows(histograms, shown),
        "others": measures.other_rows(table, histograms, shown, {row["metric"] for row in setup}),
        "setup": setup,
        "errors": measures.error_rows(cases),
        "plotted": plotted,
        "not_plotted": len(shown) - len(plotted),
        "histograms": {
            metric: {case: by_case[case] for case in plotted if case in by_case}
            for metric, by_case in histograms.items()
        },
        "series": measures.series(run, cases, plotted),
        "sweep": sweep.gather(plan, cases, table, histograms, planned, busy=busy),
        "search": search.gather(found, plan, table, busy),
    }
