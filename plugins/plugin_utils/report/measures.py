# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report says of the cases: repetition by repetition, merged, their errors, how fit the clients were."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

# Statistics of a time, as the tables have them.
COLUMNS = ("mean", *results.QUANTILES, "max")
_TIMES = ("time_to_first_token", "time_per_output_token", "inter_token_latency")  # first in the table of times
SEARCH_TRIALS = "trials of the search"  # their one name in plots over time


def in_order(cases: list[dict[str, Any]], shown: Sequence[str]) -> list[dict[str, Any]]:
    """The repetitions of the cases that are shown, case by case, however they were mixed when measured."""
    place = {name: number for number, name in enumerate(shown)}
    found = [case for case in cases if case["case"] in place]
    return sorted(found, key=lambda case: (place[case["case"]], case["repetition"]))


def result_rows(cases: list[dict[str, Any]], table: results.Table) -> list[dict[str, Any]]:
    """One row for every repetition of a case."""
    rows = []
    for case in cases:
        key = (case["case"], case["repetition"])
        rows.append(
            {
                "case": case["case"],
                "repetition": case["repetition"],
                "order": case.get("order"),
                "cut": case.get("cut"),
                "offered": case.get("offered_rate_per_s"),
                "throughput": table.value(*key, "throughput", "value"),
                "operations": table.value(*key, "operations", "value"),
                "errors": table.value(*key, "errors", "value"),
                "dropped": case.get("dropped"),
                "retries": case.get("retries"),
                "times": {s: table.value(*key, "response_time", s) for s in COLUMNS},
                "lag_p99": table.value(*key, "schedule_lag", "p99"),
                "client_cpu_percent": _most(case.get("client_cpu_percent")),
                "client_run_delay_percent": _most(case.get("client_run_delay_percent")),
                "client_psi_cpu_some_percent": _most(case.get("client_psi_cpu_some_percent")),
            }
        )
    return rows


def _most(percents: dict[str, float | None] | None) -> float | None:
    return max((percent for percent in (percents or {}).values() if percent is not None), default=None)


def merged_rows(
    table: results.Table, histograms: dict[str, dict[str, Any]], shown: Sequence[str]
) -> list[dict[str, Any]]:
    """One row for every case over its repetitions: percentiles of merged histograms, means with interval."""
    rows = []
    for case in shown:
        throughput = table.values(case, "throughput", "value")
        histogram = histograms.get("response_time", {}).get(case)
        rows.append(
            {
                "case": case,
                "repetitions": len(table.repetitions(case)),
                "throughput": results.interval(throughput) if throughput else None,
                "samples": histogram.count if histogram else 0,
                "times": dict(histogram.statistics()) if histogram else {},
            }
        )
    return rows


def time_rows(histograms: dict[str, dict[str, Any]], shown: Sequence[str]) -> list[dict[str, Any]]:
    """The distributions besides the response time, merged: one row for each metric of a case."""
    return [
        {
            "metric": metric,
            "case": case,
            "unit": by_case[case].unit,
            "samples": by_case[case].count,
            "values": dict(by_case[case].statistics()),
        }
        for metric, by_case in sorted(histograms.items(), key=_place)
        if metric != "response_time"
        for case in shown
        if case in by_case
    ]


def _place(found: tuple[str, Any]) -> int:
    return _TIMES.index(found[0]) if found[0] in _TIMES else len(_TIMES)


def other_rows(
    table: results.Table, histograms: Collection[str], shown: Sequence[str], besides: Collection[str]
) -> list[dict[str, Any]]:
    """What the other tables do not have: counters, and what a workload or a command reports of itself.

    One row for each metric of a repetition: of all clients, or of the one that knows it. `besides`: metrics that are
    told elsewhere.
    """
    told = {
        "throughput",
        "operations",
        "errors",
        "offered",
        "offered_rate",
        "dropped",
        "retries",
        *histograms,
        *besides,
    }
    merged = {row["metric"] for row in table.rows if row["client"] == results.ALL}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    cases = set(shown)
    for row in table.rows:
        if row["metric"] in told or row["case"] not in cases:
            continue
        if row["client"] != results.ALL and row["metric"] in merged:
            continue
        key = (row["case"], row["repetition"], row["client"], row["metric"])
        rows.setdefault(key, {"unit": row["unit"], "values": {}})["values"][row["statistic"]] = row["value"]
    names = ("case", "repetition", "client", "metric")
    found = [{**dict(zip(names, key, strict=True)), **row} for key, row in rows.items() if any(row["values"].values())]
    return in_order(found, shown)


def error_rows(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each class of errors of a case, over its repetitions; the most frequent ones first."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for case in cases:
        for name, kept in (case.get("errors") or {}).items():
            row = rows.setdefault(
                (case["case"], name), {"case": case["case"], "class": name, "count": 0, "example": ""}
            )
            row["count"] += kept.get("count") or 0
            row["example"] = row["example"] or kept.get("example") or ""
    return sorted(rows.values(), key=lambda row: -row["count"])


def series(run: RunDirectory, cases: list[dict[str, Any]], plotted: Sequence[str]) -> list[dict[str, Any]]:
    """The seconds of every repetition, with the `label` of their line; the trials of a search have one for all."""
    found = []
    for case in cases:
        label = SEARCH_TRIALS if case.get("trial") else case["case"]
        if label == case["case"] and label not in plotted:
            continue
        name = run.case_file(case.get("series"), "series")
        rows = [row for row in run.table(name) if isinstance(row.get("t"), float)] if name else []
        if rows:
            found.append({**case, "label": label, "rows": rows})
    return found
