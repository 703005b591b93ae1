# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The load of one repetition of a case: was what was asked for offered, completed, and answered."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import (
    ERROR_RATE,
    OVER_SATURATION,
    STABLE,
    Evidence,
    Thresholds,
    item,
)

# Classes of errors in which the service answered: with a status or an error of its own, with nothing, with something
# else, with half of it. The others (timeout, connect, reset …) had no answer.
_ANSWERED = (
    "no tokens", "wrong answer", "wrong row count", "wrong content", "wrong value", "wrong reply", "missing key",
    "stream cut short", "error in the stream", "redirect", "not completed",
)  # fmt: skip
_ANSWERED_WITH = ("status ", "redis ", "SQL error ", "not completed ")


def reasons(case: dict[str, Any], evidence: Evidence, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """Why the numbers of a repetition are not those of the load that was asked for."""
    for failed in case.get("failed_clients") or []:
        yield item(
            "client_failed",
            f"client {failed.get('client')} failed in repetition {case['repetition']}: "
            f"{failed.get('reason') or 'no reason was given'}",
            case["case"],
        )
    yield from _stopped(case, evidence)
    yield from _operations(case, evidence.table, thresholds)
    yield from _delivered(case, evidence, thresholds)
    yield from _lag(case, evidence.table, thresholds)


def notes(evidence: Evidence, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """Repetitions that ended early since they were stable, and those that had not settled."""
    for case in evidence.planned:
        if case.get("cut") == STABLE:
            why = _why(case, evidence)
            message = (
                f"repetition {case['repetition']} ended early, since its throughput was stable{why and f': {why}'}"
            )
            yield item("stable", message, case["case"])
        yield from _unsteady(case, evidence.rates, thresholds)


# -- stop rules ----------------------------------------------------------------------------------------


def _stopped(case: dict[str, Any], evidence: Evidence) -> Iterator[dict[str, Any]]:
    rule = case.get("cut")
    if rule == ERROR_RATE:
        repeated = "; it was not repeated" if int(evidence.benchmarks.get("repetitions") or 1) > 1 else ""
        why = _why(case, evidence) or "too many operations failed"
        message = f"repetition {case['repetition']} was stopped early{repeated}: {why}"
        yield item("stopped_early", message, case["case"])
    elif rule == OVER_SATURATION:
        why = _why(case, evidence) or "more was offered than it takes"
        message = f"repetition {case['repetition']} was stopped since the service was overloaded: {why}"
        yield item("over_saturated", message, case["case"])


def _why(case: dict[str, Any], evidence: Evidence) -> str:
    """The stop rule's own words, from its event."""
    place = (case["case"], case["repetition"])
    said = (e for e in evidence.events if e["event"] == "cut" and (e.get("case"), e.get("repetition")) == place)
    return next((str(event["why"]) for event in said if event.get("why")), "")


# -- errors --------------------------------------------------------------------------------------------


def _is_answer(error_class: str) -> bool:
    return error_class in _ANSWERED or error_class.startswith(_ANSWERED_WITH)


def _operations(case: dict[str, Any], table: Table, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    key = (case["case"], case["repetition"])
    done = table.value(*key, "operations", "value") or 0.0
    errors = table.value(*key, "errors", "value") or 0.0
    if not done:
        yield item("no_operations", f"no operation succeeded in repetition {case['repetition']}", case["case"])
    total = errors + done
    limit = thresholds.error_rate * total
    if errors <= limit:
        return
    classes = case.get("errors") or {}
    answered = {name: kept for name, kept in classes.items() if _is_answer(name)}
    wrong = sum(kept.get("count", 0) for kept in answered.values())
    of_all = f"of the operations of repetition {case['repetition']}"
    may = f"(at most {thresholds.error_rate:.1%} may)"
    if wrong > limit:
        words = f"{wrong / total:.1%} {of_all} were answered, but not with what was asked for {may}{_worst(answered)}"
        yield item("empty_answers", words, case["case"])
        errors -= wrong
        classes = {name: kept for name, kept in classes.items() if name not in answered}
    if errors > limit:
        yield item("errors", f"{errors / total:.1%} {of_all} failed {may}{_worst(classes)}", case["case"])


def _worst(classes: dict[str, Any]) -> str:
    worst = max(classes, key=lambda name: classes[name].get("count", 0), default=None)
    return f", mostly {worst}: {classes[worst].get('example')}" if worst else ""


# -- the offered rate ----------------------------------------------------------------------------------


def _delivered(case: dict[str, Any], evidence: Evidence, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """The offered load was not completed; the most telling of its causes is told."""
    offered, dropped = case.get("offered"), case.get("dropped")
    if offered and dropped and dropped > (1.0 - thresholds.rate_delivered) * offered:
        most = evidence.benchmarks.get("max_in_flight")
        now = f" ({most:,} a client)" if most else ""
        yield item(
            "dropped",
            f"{dropped:,} of the {offered:,} operations that were due in repetition {case['repetition']} "
            f"({dropped / offered:.1%}) were dropped, since as many were in flight as may be{now}: offer less, use "
            f"more clients, or raise benchmarks.max_in_flight and the nodes' limit of open files",
            case["case"],
        )
    elif case.get("cut") != OVER_SATURATION:  # it says the same
        yield from _rate(case, evidence, thresholds)


def _rate(case: dict[str, Any], evidence: Evidence, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """Fewer operations ended than were offered; those that failed are judged by themselves.

    Arrivals are random: in T seconds at rate r their number has the standard deviation √(r·T) of a Poisson process,
    √(r·T/b) of a gamma process with the burstiness b, so three of them are granted before a shortfall counts.
    """
    offered = case.get("offered_rate_per_s")
    key = (case["case"], case["repetition"])
    throughput = evidence.table.value(*key, "throughput", "value")
    if not offered or throughput is None:
        return
    seconds = float(case["measure_end"]) - float(case["measure_start"])
    if seconds <= 0:
        return
    done = throughput + (evidence.table.value(*key, "errors", "value") or 0.0) / seconds
    arrival = evidence.benchmarks.get("arrival") or {}
    burstiness = min(1.0, arrival.get("burstiness") or 1.0) if arrival.get("type") == "gamma" else 1.0
    if done < thresholds.rate_delivered * offered - 3.0 * math.sqrt(offered / burstiness / seconds):
        yield item(
            "rate_not_delivered",
            f"{done:,.1f}/s of the offered {offered:,.1f}/s ({done / offered:.1%}) were delivered in "
            f"repetition {case['repetition']}: the service is overloaded, or the clients are",
            case["case"],
        )


# -- the lag -------------------------------------------------------------------------------------------


def _lag(case: dict[str, Any], table: Table, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """The clients started operations later than scheduled, for reasons of their own.

    Where an operation has to wait for one of c connections (pgbench, command), that wait is the service's and belongs
    into the response time. At the rate r it is granted as one M/M/1 queue per connection:
    P(wait > t) = ρ·exp(−(1 − ρ)·t/S), where S is the mean service time and ρ = r·S/c; its 99th percentile is
    S·ln(ρ/0.01)/(1 − ρ). The engine opens a connection instead: nothing is granted then. Nor to another tool, which
    was to keep its own schedule.
    """
    key = (case["case"], case["repetition"])
    lag = table.value(*key, "schedule_lag", "p99")
    median = table.value(*key, "response_time", "p50")
    offered = case.get("offered_rate_per_s")
    if lag is None or median is None or not (offered or case.get("imported")):
        return
    explained_s = 0.0
    if offered and case.get("offered") is None:
        explained_s = _queueing_p99_s(case, table, offered)
    limit = max(thresholds.lag_share * median, thresholds.lag_floor_s, explained_s)
    if lag > limit:
        granted = f"at most {limit * 1e3:,.1f} ms are " + (
            "explained by busy connections" if explained_s else "granted"
        )
        yield item(
            "schedule_lag",
            f"clients started operations up to {lag * 1e3:,.1f} ms late (p99 of repetition {case['repetition']}; "
            f"{granted}): part of the response time is theirs",
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


# -- how steady ----------------------------------------------------------------------------------------


def _unsteady(
    case: dict[str, Any], rates: dict[tuple[str, int], list[float]], thresholds: Thresholds
) -> Iterator[dict[str, Any]]:
    """A closed loop whose throughput still drifts was not warmed up: its mean belongs to no state of the service."""
    seconds = rates.get((case["case"], case["repetition"])) or []
    if case.get("offered_rate_per_s") or len(seconds) < 4:
        return
    half = len(seconds) // 2
    first, second = sum(seconds[:half]) / half, sum(seconds[-half:]) / half
    if first > 0 and abs(second / first - 1.0) > thresholds.drift:
        yield item(
            "not_steady",
            f"the throughput went from {first:,.1f}/s in the first half of repetition {case['repetition']} to "
            f"{second:,.1f}/s in the second: it had not settled; a longer warm-up gives a steadier number",
            case["case"],
        )
