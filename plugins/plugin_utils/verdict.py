# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict, VALID or INVALID, and its reasons: may the numbers of a run be quoted.

Pure functions over what the clients left (cases, results) and what the run left (events, jobs). A reason makes
a run INVALID; a note tells how sure a number is and leaves the verdict alone. Both are data: `code`,
`message`, `case` (None when it is about the whole run).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table

VALID, INVALID = "VALID", "INVALID"

# A percentile p of n samples rests on the n·(1 − p) samples above it. Their number is about Poisson
# distributed, so ten of them are known to ±1/√10, a third: fewer, and the percentile is one outlier's value.
SAMPLES_BEYOND = 10
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Thresholds:
    """Where a number stops being quotable. Rates are shares of 1."""

    error_rate: float = 0.01  # operations that failed, of all
    rate_delivered: float = 0.99  # throughput, of the offered rate
    lag_share: float = 0.05  # p99 of the clients' lag behind the schedule, of the median response time
    lag_floor_s: float = 0.005  # a lag below this never counts: it is the kernel's scheduling
    drift: float = 0.2  # change of the throughput from the first half of a measurement to the second (a note)
    client_cpu_percent: float = 80.0  # of the cores that a client may use


class Evidence(NamedTuple):
    """What a run left: its plan, Slurm's job records, events, cases.json, results.csv, merged histograms."""

    plan: dict[str, Any]
    jobs: list[dict[str, Any]]
    events: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    table: Table
    latencies: dict[str, Histogram]
    rates: dict[tuple[str, int], list[float]]  # (case, repetition): operations of each measured second


def judge(
    evidence: Evidence, thresholds: Thresholds | None = None
) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """(verdict, reasons, notes) of a run that has ended."""
    thresholds = thresholds or Thresholds()
    reasons = [*_run_reasons(evidence.events, evidence.jobs), *_missing(evidence.plan, evidence.cases)]
    notes: list[dict[str, Any]] = []
    for case in evidence.cases:
        reasons.extend(_case_reasons(case, evidence.table, thresholds))
        notes.extend(_sample_notes(case, evidence.table))
    unsteady = [note for case in evidence.cases for note in _steady_notes(case, evidence.rates, thresholds)]
    return (INVALID if reasons else VALID), _grouped(reasons), [*_merged(notes), *_grouped(unsteady)]


def _item(code: str, message: str, case: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "case": case}


def _grouped(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One reason for all that have its code and case: a hundred clients that failed alike are one reason."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for reason in reasons:
        groups.setdefault((reason["code"], reason["case"]), []).append(reason)
    for first, *more in groups.values():
        if more:
            first["message"] += f" (and {len(more)} more like it)"
    return [group[0] for group in groups.values()]


# -- the run as a whole --------------------------------------------------------------------------------


def _run_reasons(events: list[dict[str, Any]], jobs: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    explained = set()
    clients_done = any(e["event"] == "done" and e.get("source") == "clients" for e in events)
    for event in events:
        reason = event.get("reason") or "no reason was given"
        if event["event"] == "service_failed":
            explained.add("service")
            code = f" (exit code {event['exit_code']})" if event.get("exit_code") is not None else ""
            yield _item("service_failed", f"the service failed{code}: {reason}; see logs/service.log")
        elif event["event"] == "failed" and event.get("source") == "clients":
            explained.add("clients")
            yield _item("clients_failed", f"the client job failed: {reason}; see logs/slurm-clients.out")
        elif event["event"] == "failed" and event.get("source") == "image":
            explained.add("image")
            yield _item("image_failed", f"the image could not be fetched: {reason}")
    for job in jobs:
        state, role = states.normalize(job.get("state")), job.get("role")
        if states.is_ok(state) or (clients_done and state == "CANCELLED" and role == "service"):
            continue
        if state == "FAILED" and role in explained:
            continue  # its own words say more than its exit code
        code = f" with exit code {job['exit_code']}" if job.get("exit_code") not in (None, "", "0:0") else ""
        where = f" on {job['node_list']}" if job.get("node_list") else ""
        yield _item(f"{role}_job", f"the {role} job {job.get('id')} ended {job.get('state') or state}{code}{where}")


def _missing(plan: dict[str, Any], cases: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Cases and repetitions that the plan wanted and that have no result."""
    benchmarks = plan.get("benchmarks") or {}
    wanted = [case["name"] for case in benchmarks.get("cases") or []]
    repetitions = int(benchmarks.get("repetitions") or 1)
    measured = {(case["case"], int(case["repetition"])) for case in cases if case.get("measure_end")}
    if not measured:
        yield _item("no_results", "nothing was measured")
        return
    per_case = {name: sum(1 for case, _number in measured if case == name) for name in wanted}
    for name, count in per_case.items():
        if count < repetitions:
            yield _item("incomplete", f"{count} of {repetitions} repetitions were measured", name)


# -- one repetition of a case ------------------------------------------------------------------------


def _case_reasons(case: dict[str, Any], table: Table, thresholds: Thresholds) -> Iterable[dict[str, Any]]:
    name = case["case"]
    for failed in case.get("failed_clients") or []:
        yield _item(
            "client_failed",
            f"client {failed.get('client')} failed in repetition {case['repetition']}: "
            f"{failed.get('reason') or 'no reason was given'}",
            name,
        )
    yield from _operations(case, table, thresholds)
    yield from _rate(case, table, thresholds)
    yield from _lag(case, table, thresholds)
    hot = {
        client: percent
        for client, percent in (case.get("client_cpu_percent") or {}).items()
        if percent is not None and percent > thresholds.client_cpu_percent
    }
    if hot:
        worst = max(hot, key=lambda client: hot[client])
        yield _item(
            "client_saturated",
            f"{len(hot)} of {case.get('clients', len(hot))} clients used more than "
            f"{thresholds.client_cpu_percent:g} % of their cores (client {worst}: {hot[worst]:.0f} %): the clients "
            f"were measured, not the service. Give them more cores, or use more clients",
            name,
        )


def _operations(case: dict[str, Any], table: Table, thresholds: Thresholds) -> Iterable[dict[str, Any]]:
    key = (case["case"], case["repetition"])
    done = table.value(*key, "operations", "value")
    errors = table.value(*key, "errors", "value") or 0.0
    if not done:
        yield _item("no_operations", f"no operation succeeded in repetition {case['repetition']}", case["case"])
        if not errors:
            return
    share = errors / (errors + (done or 0.0)) if errors else 0.0
    if share > thresholds.error_rate:
        classes = case.get("errors") or {}
        worst = max(classes, key=lambda name: classes[name].get("count", 0), default=None)
        example = f", mostly {worst}: {classes[worst].get('example')}" if worst else ""
        yield _item(
            "errors",
            f"{share:.1%} of the operations of repetition {case['repetition']} failed "
            f"(at most {thresholds.error_rate:.1%} may){example}",
            case["case"],
        )


def _rate(case: dict[str, Any], table: Table, thresholds: Thresholds) -> Iterable[dict[str, Any]]:
    """The offered rate was not delivered.

    Arrivals are random (Poisson): in T seconds at rate r their number has the standard deviation √(r·T), so
    three of them are granted before a shortfall counts.
    """
    offered = case.get("offered_rate_per_s")
    delivered = table.value(case["case"], case["repetition"], "throughput", "value")
    if not offered or delivered is None:
        return
    seconds = float(case["measure_end"]) - float(case["measure_start"])
    granted = 3.0 * math.sqrt(offered / seconds) if seconds > 0 else 0.0
    if delivered < thresholds.rate_delivered * offered - granted:
        yield _item(
            "rate_not_delivered",
            f"{delivered:,.1f}/s of the offered {offered:,.1f}/s ({delivered / offered:.1%}) were delivered in "
            f"repetition {case['repetition']}: the service is overloaded, or the clients are",
            case["case"],
        )


def _lag(case: dict[str, Any], table: Table, thresholds: Thresholds) -> Iterable[dict[str, Any]]:
    """The clients started operations later than scheduled, for reasons of their own.

    With c connections at the rate r, an operation also waits while all connections are busy; that wait is
    the service's and belongs into the response time. It is granted as one M/M/1 queue per connection:
    P(wait > t) = ρ·exp(−(1 − ρ)·t/S), where S is the mean service time and ρ = r·S/c; its 99th percentile is
    S·ln(ρ/0.01)/(1 − ρ).
    """
    key = (case["case"], case["repetition"])
    lag = table.value(*key, "schedule_lag", "p99")
    median = table.value(*key, "response_time", "p50")
    offered = case.get("offered_rate_per_s")
    if not offered or lag is None or median is None:
        return
    limit = max(thresholds.lag_share * median, thresholds.lag_floor_s, _queueing_p99_s(case, table, offered))
    if lag > limit:
        yield _item(
            "schedule_lag",
            f"clients started operations up to {lag * 1e3:,.1f} ms late (p99 of repetition {case['repetition']}; at "
            f"most {limit * 1e3:,.1f} ms are explained by busy connections): part of the response time is theirs",
            case["case"],
        )


def _queueing_p99_s(case: dict[str, Any], table: Table, offered: float) -> float:
    key = (case["case"], case["repetition"])
    response, lag = table.value(*key, "response_time", "mean"), table.value(*key, "schedule_lag", "mean")
    connections = (case.get("clients") or 1) * (case.get("concurrency") or 1)
    if response is None or lag is None or response <= lag:
        return 0.0
    service_s = response - lag
    busy = offered * service_s / connections
    if busy >= 1.0:
        return math.inf  # overloaded: the rate that was not delivered says so
    return service_s * math.log(busy / 0.01) / (1.0 - busy) if busy > 0.01 else 0.0


# -- how sure ----------------------------------------------------------------------------------------


def samples_needed(p: float) -> int:
    """How many samples a percentile `p` (0 to 1) needs: p50 20, p90 100, p99 1,000, p999 10,000."""
    return math.ceil(round(SAMPLES_BEYOND / (1.0 - p), 6))


def _sample_notes(case: dict[str, Any], table: Table) -> Iterable[dict[str, Any]]:
    count = table.value(case["case"], case["repetition"], "response_time", "count")
    if not count:
        return
    unsure = [name for name, p in PERCENTILES.items() if count < samples_needed(p)]
    if unsure:
        yield {
            **_item("few_samples", "", case["case"]),
            "percentile": unsure[0],
            "samples": int(count),
            "needed": samples_needed(PERCENTILES[unsure[0]]),
        }


def _steady_notes(
    case: dict[str, Any], rates: dict[tuple[str, int], list[float]], thresholds: Thresholds
) -> Iterable[dict[str, Any]]:
    """A closed loop whose throughput still drifts was not warmed up: its mean belongs to no state of the service."""
    seconds = rates.get((case["case"], case["repetition"])) or []
    if case.get("offered_rate_per_s") or len(seconds) < 4:
        return
    half = len(seconds) // 2
    first, second = sum(seconds[:half]) / half, sum(seconds[-half:]) / half
    if first > 0 and abs(second / first - 1.0) > thresholds.drift:
        yield _item(
            "not_steady",
            f"the throughput went from {first:,.1f}/s in the first half of repetition {case['repetition']} to "
            f"{second:,.1f}/s in the second: it had not settled; a longer warm-up gives a steadier number",
            case["case"],
        )


def _merged(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One note a case: its repetition with the fewest samples."""
    least: dict[Any, dict[str, Any]] = {}
    for note in notes:
        if note["case"] not in least or note["samples"] < least[note["case"]]["samples"]:
            least[note["case"]] = note
    for note in least.values():
        name = "p99.9" if note["percentile"] == "p999" else note["percentile"]
        note["message"] = (
            f"{note['samples']:,} samples a repetition: {name} and above rest on fewer than {SAMPLES_BEYOND} of them; "
            f"{name} needs {note['needed']:,}"
        )
    return list(least.values())
