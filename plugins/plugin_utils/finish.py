# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The end of a run on the controller: what was collected becomes run.json and rows of the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import (
    cost,
    estimate,
    objectives,
    results,
    timeline,
    verdict,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import bottlenecks, energy, slurm_jobs

SCHEMA = 1
SETUP = "set-up"  # where cases have their names


def finish(
    run: RunDirectory,
    plan: dict[str, Any],
    jobs: list[dict[str, Any]],
    events: list[dict[str, Any]] | None,
    calls: dict[str, int],
    *,
    store_url: str | None = None,
    warn: Callable[[str], Any] | None = None,
    thresholds: verdict.Thresholds | None = None,
    now: float | None = None,
) -> dict[str, Any]:
    """Put a run together, write its run.json and its rows in the store; returns the content of run.json.

    May be repeated, also while the run goes on (then verdict is None). `jobs` as in run.json (epoch seconds;
    nodes, cpus, gpus of the whole job); `events` None: those of events.jsonl; `calls` as in run.json.
    `run` is benchmark_home/runs/ID: the store lies beside `runs`, or at `store_url`.
    Raises RunError when a collected file cannot be read. A store that cannot be written takes nothing from the run: its
    files are complete, the next `list` takes it in, and `warn` is told why (without it: StoreError).
    """
    events = run.events() if events is None else events
    evidence = gather(run, plan, jobs, events)
    record = compose(evidence, calls, thresholds=thresholds, now=time.time() if now is None else now)
    record |= _what_follows(run, evidence, record)
    # imported here: a play that only reads files starts without the store
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index

    index.note(run)  # before run.json: who is killed in between leaves the note
    run.write_json("run.json", record)
    try:
        index.put(run, record, evidence.table.rows, events, store_url)
    except (index.StoreError, ImportError) as error:
        if warn is None:
            raise
        warn(f"run {run.id} is complete in {run.path}, but not in the store yet; the next list takes it in. {error}")
    return record


def preview(run: RunDirectory) -> dict[str, Any]:
    """What run.json would say now, from the files alone; nothing is written.

    A run that goes on is told up to its last event: nobody knows here what came after it.
    """
    events = run.events()
    evidence = gather(run, run.read_json("plan.json"), jobs_of(run), events)
    last = max((event["t"] for event in events), default=evidence.plan.get("created_at") or 0.0)
    record = compose(evidence, run.read_json("calls.json", {}), now=last)
    if record["state"] not in timeline.FINAL_STATES:
        return record  # its telemetry grows, and who lists runs that go on does not ask for it
    return {**record, **_what_follows(run, evidence, record)}


def _what_follows(run: RunDirectory, evidence: verdict.Evidence, record: dict[str, Any]) -> dict[str, Any]:
    """What run.json says of how sure its numbers are, of what the jobs used, of energy, and of what was saturated."""
    # imported here: scipy takes longer to load than most plays need
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils import confidence

    jobs = slurm_jobs.with_usage(run, evidence.jobs, evidence.events)
    sure = confidence.of_run(evidence, record["headline"])
    return {
        "jobs": jobs,
        "confidence": sure,
        "energy": energy.outcome(run, record["timeline"], evidence.events, jobs),
        "bottleneck": bottlenecks.outcome(run, _at_work(evidence), evidence.table, evidence.plan, sure["knees"]),
    }


def gather(
    run: RunDirectory, plan: dict[str, Any], jobs: list[dict[str, Any]], events: list[dict[str, Any]]
) -> verdict.Evidence:
    """What a run left, read from its files."""
    cases = run.cases()
    rates, responses = _seconds(run, cases)
    return verdict.Evidence(
        plan=plan,
        jobs=jobs,
        events=events,
        cases=cases,
        table=results.Table(run.results(merged=True)),
        histograms=histograms(run, cases),
        rates=rates,
        search=run.search(),
        setup=run.setup_metrics(),
        responses=responses,
    )


def _seconds(
    run: RunDirectory, cases: list[dict[str, Any]]
) -> tuple[dict[tuple[str, int], list[float]], dict[tuple[str, int], list[float | None]]]:
    """Operations and mean response times of every measured second but the last, which may be cut short."""
    rates: dict[tuple[str, int], list[float]] = {}
    responses: dict[tuple[str, int], list[float | None]] = {}
    for case in cases:
        name = run.case_file(case.get("series"), "series")
        rows = [row for row in run.table(name) if row.get("phase") == "measure"][:-1] if name else []
        rows = [row for row in rows if isinstance(row["operations"], float)]
        place = (case["case"], case["repetition"])
        rates[place] = [row["operations"] for row in rows]
        responses[place] = [row.get("response_time_mean_s") for row in rows]
    return rates, responses


def jobs_of(run: RunDirectory) -> list[dict[str, Any]]:
    """A run's job records: jobs.json while it goes on, else those of run.json."""
    return run.read_json("jobs.json", None) or (run.read_json("run.json", None) or {}).get("jobs") or []


def histograms(run: RunDirectory, cases: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Metric → case → its merged Histogram, of the cases of a run."""

    def read(reference: str) -> dict[str, Any] | None:
        name = run.case_file(reference, "histograms")
        return run.read_json(name) if name else None

    try:
        return results.merged(cases, read)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.path}/histograms: not a histogram ({error!r}). Collect the run again") from error


def compose(
    evidence: verdict.Evidence,
    calls: dict[str, int],
    *,
    now: float,
    thresholds: verdict.Thresholds | None = None,
) -> dict[str, Any]:
    """The content of run.json; pure."""
    plan, jobs, events = evidence.plan, evidence.jobs, evidence.events
    place = timeline.situation(jobs, events, now)
    over = place["state"] in timeline.FINAL_STATES
    segments = timeline.build(jobs, events, None if over else now)
    judged, reasons, notes = None, [], []
    if over:
        judged, reasons, notes = verdict.judge(evidence, thresholds)
    return {
        "schema": SCHEMA,
        "id": plan["run_id"],
        "group": plan.get("group") or plan["run_id"],
        "rerun_of": (plan.get("extra") or {}).get("rerun_of"),
        "recipe": (plan.get("recipe") or {}).get("name"),
        "cluster": (plan.get("cluster") or {}).get("name"),
        "service": (plan.get("service") or {}).get("type"),
        "workload": (plan.get("clients") or {}).get("type"),
        "state": place["state"],
        "verdict": judged,
        "reasons": reasons,
        "notes": notes,
        "created_at": plan.get("created_at"),
        "ended_at": segments[-1]["end"] if over and segments else None,
        "timeline": segments,
        "jobs": jobs,
        "cost": _cost(evidence, segments, None if over else now),
        "calls": _with_own(calls, slurm_jobs.asked(events)),
        "slo": objectives.slo_outcome(plan, evidence.cases, evidence.table),
        "search": objectives.search_outcome(evidence.search),
        "headline": _headline(evidence),
    }


def _with_own(calls: dict[str, int], asked: int) -> dict[str, int]:
    """The controller's calls, and those that the run's jobs made of sstat."""
    return {**calls, "sstat": calls.get("sstat", 0) + asked} if asked else calls


def _cost(evidence: verdict.Evidence, segments: list[dict[str, Any]], now: float | None) -> dict[str, Any]:
    """Hours by phase, their price, and what a million operations or tokens cost in each case."""
    found = cost.cost(evidence.jobs, segments, now)
    prices = (evidence.plan.get("cluster") or {}).get("prices") or {}
    return {
        **found,
        "price": estimate.price_of(found, prices),
        "currency": prices.get("currency"),
        "cases": cost.of_cases(evidence.jobs, _at_work(evidence), evidence.table, prices),
    }


def _at_work(evidence: verdict.Evidence) -> list[dict[str, Any]]:
    """The repetitions that were measured to their end, and of a search those of the highest load that met the SLO."""
    best = objectives.best_case(evidence.search)
    return [*evidence.planned, *(case for case in evidence.cases if case.get("trial") and case["case"] == best)]


def _headline(evidence: verdict.Evidence) -> list[dict[str, Any]]:
    """What a search found, the plan's cases in its order, the load at the capacity, what the set-up measured."""
    return [
        *objectives.search_line(evidence.search),
        *results.headline(
            evidence.table,
            evidence.histograms,
            evidence.benchmarks.get("metrics") or (),
            cases=shown_cases(evidence.plan, evidence.cases, evidence.table, evidence.search),
            workload=(evidence.plan.get("clients") or {}).get("type"),
            besides=[row["metric"] for row in evidence.setup],
        ),
        *(
            {**row, "case": SETUP, "samples": None, "repetitions": 1, "half_width": None}
            for row in evidence.setup
        ),
    ]  # fmt: skip


def shown_cases(
    plan: dict[str, Any],
    cases: list[dict[str, Any]],
    table: results.Table,
    search: dict[str, Any] | None,
) -> list[str]:
    """Names of the cases to be shown one by one: of the trials of a search, the highest load that met the SLO."""
    trials = {case["case"] for case in cases if case.get("trial")}
    trials.discard(objectives.best_case(search) or "")
    planned = [case["name"] for case in (plan.get("benchmarks") or {}).get("cases") or []]
    place = {name: number for number, name in enumerate(planned)}
    return sorted((name for name in table.cases() if name not in trials), key=lambda name: place.get(name, len(place)))
