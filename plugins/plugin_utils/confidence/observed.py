# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run left, put before the tests: which values belong together, and what was found of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import RAMP, TRACE
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import (
    intervals,
    outliers,
    seconds,
    trend,
    warmup,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import ALL, Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence

THROUGHPUT, RESPONSE = "throughput", "response_time"
_OF_CLIENTS = ((THROUGHPUT, "value"), (RESPONSE, "p50"))


def by_case(evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """The repetitions of each case that were measured to their end, in the order in which they were measured."""
    found: dict[str, list[dict[str, Any]]] = {}
    for case in evidence.planned:
        found.setdefault(case["case"], []).append(case)
    for repetitions in found.values():
        repetitions.sort(key=lambda case: (case.get("order") or 0, case["repetition"]))
    return found


def values_of(table: Table, line: dict[str, Any]) -> list[float]:
    """The value of each repetition of a headline's number."""
    if line["statistic"] not in ("value", "mean"):
        return table.values(line["case"], line["metric"], line["statistic"])
    values = table.values(line["case"], line["metric"], "value")
    return values or table.values(line["case"], line["metric"], "mean")


def _measured(evidence: Evidence, headline: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[float]]]:
    """(a headline's line, its values); what a search found and what the set-up measured have no repetitions."""
    names = by_case(evidence)
    for line in headline:
        values = values_of(evidence.table, line) if line["case"] in names else []
        if values:
            yield line, values


def intervals_of(evidence: Evidence, headline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How well each number of the headline is known."""
    lines = list(_measured(evidence, headline))
    return [intervals.of_line(line, values, len(lines)) for line, values in lines]


# -- over the seconds ----------------------------------------------------------------------------------


def warmups(evidence: Evidence) -> list[dict[str, Any]]:
    """Warm-ups that were measured: `case`, `metric`, `repetitions`, `seconds`, `bias`, `is_settled`, `warmup_s`.

    `warmup_s`: what to set `benchmarks.warmup` to. A load that changes by itself, such as a ramp, is not looked at.
    """
    if (evidence.benchmarks.get("arrival") or {}).get("type") in (RAMP, TRACE):
        return []
    series, lengths, cases = {}, {}, by_case(evidence)
    for name, repetitions in cases.items():
        for metric, (batches, length) in _batches(evidence, repetitions).items():
            series[name, metric], lengths[name, metric] = batches, length
    found = []
    for (name, metric), warm in warmup.find(series).items():
        lasted = warm.batches * lengths[name, metric]
        before = max((_warmed_up_s(cases[name][place]) for place in warm.repetitions), default=0.0)
        found.append(
            {
                "case": name, "metric": metric,
                "repetitions": sorted(cases[name][place]["repetition"] for place in warm.repetitions),
                "seconds": lasted, "bias": warm.bias, "is_settled": warm.is_settled,
                "warmup_s": math.ceil(before + lasted),
            }
        )  # fmt: skip
    return found


def _warmed_up_s(case: dict[str, Any]) -> float:
    """How long a repetition had warmed up before it was measured."""
    begin = case.get("warmup_start")
    return max(0.0, float(case["measure_start"]) - float(begin)) if begin else 0.0


def _batches(evidence: Evidence, repetitions: list[dict[str, Any]]) -> dict[str, tuple[list[Any], int]]:
    """Metric → (batches of each repetition, equally many; seconds of a batch).

    The throughput of a closed loop, and response times; with a rate the throughput is the schedule's.
    """
    places = [(case["case"], case["repetition"]) for case in repetitions]
    rates = [evidence.rates.get(place) or [] for place in places]
    shortest, found = min(map(len, rates)), {}
    if shortest < seconds.FEWEST:
        return {}
    rates = [each[:shortest] for each in rates]
    if not any(case.get("offered_rate_per_s") for case in repetitions):
        length = seconds.batch_s(shortest)
        found[THROUGHPUT] = ([seconds.throughput(each, length) for each in rates], length)
    length = seconds.whole_batch_s(rates)
    means = [list(evidence.responses.get(place) or [])[:shortest] for place in places]
    known = all(mean is not None for each, of in zip(rates, means, strict=True)
                for count, mean in zip(each, of, strict=False) if count)  # fmt: skip
    if length and known and all(len(each) == shortest for each in means):
        batches = [seconds.response_s(each, of, length) for each, of in zip(rates, means, strict=True)]
        found[RESPONSE] = (batches, length)
    return found


def correlated_seconds(evidence: Evidence) -> tuple[str, float] | None:
    """(the case whose seconds are most alike their neighbours, their autocorrelation); None: they are nowhere."""
    found = {}
    for name, repetitions in by_case(evidence).items():
        rates = [evidence.rates.get((case["case"], case["repetition"])) or [] for case in repetitions]
        if all(len(each) >= 2 * seconds.FEWEST for each in rates):
            again, count = seconds.autocorrelation(rates), sum(len(each) // 2 for each in rates)
            if again * math.sqrt(count) > 3:  # far beyond chance, whose standard error is 1/√n
                found[name] = again
    return max(found.items(), key=lambda item: item[1]) if found else None


# -- over the repetitions ------------------------------------------------------------------------------


def trends(evidence: Evidence) -> list[dict[str, Any]]:
    """What changed from repetition to repetition: `case`, `metric`, `statistic`, `share`, `tau`, `p_value`."""
    values = {}
    for name, repetitions in by_case(evidence).items():
        numbers = [(RESPONSE, "p50")]
        if not any(case.get("offered_rate_per_s") for case in repetitions):
            numbers.append((THROUGHPUT, "value"))
        for number in numbers:
            known = [evidence.table.value(name, case["repetition"], *number) for case in repetitions]
            if None not in known:
                values[(name, *number)] = known
    return [
        {"case": name, "metric": metric, "statistic": statistic, **found._asdict()}
        for (name, metric, statistic), found in trend.find(values).items()
    ]


def odd_repetitions(evidence: Evidence, headline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Repetitions that are far from the others of their case, by the numbers of the headline."""
    found, lines = [], [pair for pair in _measured(evidence, headline) if len(pair[1]) >= outliers.FEWEST]
    for line, values in lines:
        numbers = evidence.table.repetitions(line["case"])
        if len(numbers) != len(values):
            continue  # one lacks this number, and which is not known
        for odd in outliers.find(values, len(lines)):
            about = {key: line[key] for key in ("case", "metric", "statistic", "unit")}
            found.append({**about, "repetition": numbers[odd.place], "client": None, **_of(odd)})
    return found


def odd_clients(evidence: Evidence) -> list[dict[str, Any]]:
    """Clients that are far from the others of their case: the mean over the repetitions of each by their median."""
    found, by_client = [], _by_client(evidence)
    for (case, metric, statistic), clients in by_client.items():
        repetitions = {repetition for values in clients.values() for repetition in values}
        medians = {each: statistics.median(values[each] for values in clients.values() if each in values)
                   for each in repetitions}  # fmt: skip
        if not all(medians.values()):
            continue
        ratios = {
            client: statistics.fmean(value / medians[each] for each, value in values.items())
            for client, values in clients.items()
        }
        names, scale = list(ratios), statistics.fmean(medians.values())
        for odd in outliers.find(list(ratios.values()), len(by_client)):
            about = {"case": case, "metric": metric, "statistic": statistic, "unit": evidence.table.unit(metric)}
            scaled = odd._replace(value=odd.value * scale, median=odd.median * scale)
            found.append({**about, "repetition": None, "client": names[odd.place], **_of(scaled)})
    return found


def _of(odd: outliers.Outlier) -> dict[str, Any]:
    return {"value": odd.value, "median": odd.median, "score": odd.score}


def _by_client(evidence: Evidence) -> dict[tuple[str, str, str], dict[str, dict[int, float]]]:
    """(case, metric, statistic) → client → repetition → value."""
    wanted = {(case["case"], case["repetition"]) for case in evidence.planned}
    found: dict[tuple[str, str, str], dict[str, dict[int, float]]] = {}
    for row in evidence.table.rows:
        number = (row["metric"], row["statistic"])
        if row["client"] == ALL or number not in _OF_CLIENTS or (row["case"], row["repetition"]) not in wanted:
            continue
        clients = found.setdefault((row["case"], *number), {})
        clients.setdefault(str(row["client"]), {})[row["repetition"]] = row["value"]
    return found
