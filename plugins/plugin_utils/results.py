# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results of a run: looking values up, putting repetitions together, the headline.

Percentiles of several repetitions come from their merged histograms. A mean over repetitions carries a 95 %
confidence interval by Student's t, from two repetitions on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram, middle_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results_csv import ALL

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom (any table of the distribution); beyond, the
# normal distribution's 1.96 is less than 4 % off. Kept here since importing scipy takes longer than a report.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class Table:
    """The rows of results.csv, and the values of all clients together by (case, repetition, metric, statistic)."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        self.rows = list(rows)
        self._index = {
            (row["case"], row["repetition"], row["metric"], row["statistic"]): row["value"]
            for row in self.rows
            if row["client"] == ALL
        }
        self._repetitions: dict[str, set[int]] = {}
        self._units: dict[str, str] = {}
        for row in self.rows:
            self._repetitions.setdefault(row["case"], set()).add(row["repetition"])
            self._units.setdefault(row["metric"], row["unit"])

    def value(self, case: str, repetition: int, metric: str, statistic: str) -> float | None:
        """One merged value, in the unit of its metric; None when it was not measured."""
        return self._index.get((case, int(repetition), metric, statistic))

    def cases(self) -> list[str]:
        """Names of the cases, in the order in which they were measured."""
        return list(self._repetitions)

    def repetitions(self, case: str) -> list[int]:
        """Numbers of the repetitions of a case that left results."""
        return sorted(self._repetitions.get(case, ()))

    def metrics(self) -> list[str]:
        """Names of the metrics."""
        return list(self._units)

    def unit(self, metric: str) -> str:
        """The unit of a metric, empty when it has none."""
        return self._units.get(metric, "")

    def values(self, case: str, metric: str, statistic: str) -> list[float]:
        """The merged value of every repetition that has one."""
        found = (self.value(case, number, metric, statistic) for number in self.repetitions(case))
        return [value for value in found if value is not None]


def interval(values: list[float]) -> tuple[float, float | None]:
    """(mean, half width of its 95 % confidence interval, None of a single value)."""
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return mean, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    t = _T[count - 2] if count - 2 < len(_T) else 1.96
    return mean, t * math.sqrt(variance / count)


def merged(
    cases: list[dict[str, Any]], read: Callable[[str], dict[str, Any] | None]
) -> dict[str, dict[str, Histogram]]:
    """Metric → case → the histogram over all its repetitions; those without a value are left out.

    `read` gives the content of a histogram file as cases.json names it, or None when it is not there.
    """
    found: dict[str, dict[str, Histogram]] = {}
    for case in cases:
        for metric, reference in (case.get("histograms") or {}).items():
            record = read(reference) if reference else None
            if record is None or not record["count"]:
                continue
            histogram, known = Histogram.from_dict(record), found.setdefault(metric, {})
            if case["case"] in known:
                known[case["case"]].merge(histogram)
            else:
                known[case["case"]] = histogram
    return found


def buckets(histogram: Histogram) -> list[tuple[float, int]]:
    """(value in the histogram's unit, count) of every bucket that counts, ascending."""
    return [(middle_of(index) * histogram.scale, histogram.counts[index]) for index in sorted(histogram.counts)]


# -- the headline --------------------------------------------------------------------------------------

# (metric, statistic) in the order in which a reader wants them; no statistic: the mean over the repetitions.
_FIRST = (
    ("throughput", None), ("response_time", "p50"), ("response_time", "p99"), ("time_to_first_token", "p50"),
    ("time_to_first_token", "p99"), ("time_per_output_token", "p50"), ("output_tokens_per_s", None), ("recall", None),
    ("goodput", None),
)  # fmt: skip
_FIRST_OF = {"s3": (("bytes_received_per_s", None), ("bytes_sent_per_s", None))}


def asked(names: Iterable[str], known: Collection[str] = ()) -> list[tuple[str, str | None]]:
    """(metric, statistic or None) of the recipe's `metrics`: (response_time, p999) of `response_time_p999`.

    `known`: metrics that there are; a name among them is never cut.
    """
    found: list[tuple[str, str | None]] = []
    for name in names:
        whole = slo.ALIASES.get(name, name)
        metric, statistic = whole, None
        if whole not in known:
            try:
                [term] = slo.parse(f"{name} < 1", None)
            except ValueError:
                continue  # no name that a metric can have
            if term["metric"] != whole and term["statistic"] != "value":
                metric, statistic = term["metric"], term["statistic"]
        found.append((metric, statistic))
    return found


def own_metrics(table: Table) -> list[str]:
    """Metrics that a workload or a command reports of itself; those that every load has are not among them."""
    names = table.metrics()
    counters = {name for name in names if f"{name}_per_s" in names}
    known = {*slo.TIMES, *slo.SCALARS, *counters, *(f"{name}_per_s" for name in counters), "recall"}
    return [name for name in names if name not in known and not name.startswith("response_time_")]


def headline(
    table: Table,
    histograms: dict[str, dict[str, Histogram]],
    metrics: Iterable[str] = (),
    *,
    cases: Sequence[str] | None = None,
    workload: str | None = None,
    besides: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The numbers that a reader wants first, of every case: throughput, times, what the workload is about.

    Each: `case`, `metric`, `unit`, `statistic`, `value`, `samples` (operations behind it), `repetitions`, and
    `half_width`, the 95 % interval's over the repetitions (None of one, and of a merged percentile). Of each case,
    those that the recipe names (`metrics`) come first, in its order. `cases`: which ones, in which order; `besides`:
    metrics that are told elsewhere.
    """
    names = [name for name in own_metrics(table) if name not in besides]
    first = [*_FIRST, *_FIRST_OF.get(workload or "", ()), *_usual(names, histograms)]
    wanted = [
        each
        for metric, statistic in asked(metrics, table.metrics())
        for each in (_usual([metric], histograms) if statistic is None else [(metric, statistic)])
    ]
    lines = []
    for case in table.cases() if cases is None else cases:
        for metric, statistic in dict.fromkeys([*wanted, *first]):
            found = line(table, histograms, case, metric, statistic)
            lines += [found] if found else []
    return lines


def _usual(metrics: Iterable[str], histograms: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What is told of a metric when nobody says what: of times their p50 and p99."""
    return [
        (metric, statistic)
        for metric in metrics
        for statistic in (("p50", "p99") if metric in histograms or metric in slo.TIMES else (None,))
    ]


def line(
    table: Table, histograms: dict[str, dict[str, Histogram]], case: str, metric: str, statistic: str | None = None
) -> dict[str, Any] | None:
    """A number of a case over its repetitions, in the form of `headline`; None where it was not measured.

    Without a statistic, and of `mean`, it is the mean over the repetitions; a percentile is of the merged histogram.
    """
    histogram, told, half_width = histograms.get(metric, {}).get(case), statistic, None
    if statistic in (None, "mean"):
        told = "value" if table.values(case, metric, "value") else "mean"
        values = table.values(case, metric, told)
        value, half_width = interval(values) if values else (None, None)
        told = "mean" if len(values) > 1 else told
    else:
        values = table.values(case, metric, statistic)
        value = max(values, default=None) if statistic == "max" else _percentile(histogram, statistic, values)
    if value is None:
        return None
    samples = histogram.count if histogram else sum(table.values(case, "operations", "value"))
    return {
        "case": case,
        "metric": metric,
        "unit": table.unit(metric) or (histogram.unit if histogram else ""),
        "statistic": told,
        "value": value,
        "samples": int(samples),
        "repetitions": len(values) or 1,
        "half_width": half_width,
    }


def _percentile(histogram: Histogram | None, statistic: str, values: list[float]) -> float | None:
    """Of the merged histogram; without one, of a single repetition: percentiles are not averaged."""
    if histogram is not None:
        return histogram.quantile(QUANTILES[statistic])
    return values[0] if len(values) == 1 else None
