# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results of a run: looking values up, putting repetitions together, the headline.

Percentiles of several repetitions come from their merged histograms. A mean over repetitions carries a 95 %
confidence interval by Student's t, from two repetitions on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram, middle_of

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom (any table of the distribution); beyond, the
# normal distribution's 1.96 is less than 4 % off. Kept here since importing scipy takes longer than a report.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip

TIME_STATISTICS = ("p50", "p90", "p95", "p99", "p999")
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
ALL = "all"
USUAL_METRICS = ("throughput", "response_time", "schedule_lag", "operations", "errors")


class Table:
    """The rows of results.csv by (case, repetition, metric, statistic, client)."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        self.rows = list(rows)
        self._index = {
            (row["case"], row["repetition"], row["metric"], row["statistic"], row["client"]): row["value"]
            for row in self.rows
        }

    def value(self, case: str, repetition: int, metric: str, statistic: str, client: str = ALL) -> float | None:
        """One value, in the unit of its metric; None when it was not measured."""
        return self._index.get((case, int(repetition), metric, statistic, client))

    def cases(self) -> list[str]:
        """Names of the cases, in the order in which they were measured."""
        return list(dict.fromkeys(row["case"] for row in self.rows))

    def repetitions(self, case: str) -> list[int]:
        """Numbers of the repetitions of a case that left results."""
        return sorted({row["repetition"] for row in self.rows if row["case"] == case})

    def metrics(self) -> list[str]:
        """Names of the metrics."""
        return list(dict.fromkeys(row["metric"] for row in self.rows))

    def unit(self, metric: str) -> str:
        """The unit of a metric, empty when it has none."""
        return next((row["unit"] for row in self.rows if row["metric"] == metric), "")

    def values(self, case: str, metric: str, statistic: str) -> list[float]:
        """The merged value of every repetition that has one."""
        found = (self.value(case, number, metric, statistic) for number in self.repetitions(case))
        return [value for value in found if value is not None]

    def select(self, metric: str | None = None, case: str | None = None) -> list[dict[str, Any]]:
        """Rows of a metric, of a case, or of both."""
        return [
            row
            for row in self.rows
            if (metric is None or row["metric"] == metric) and (case is None or row["case"] == case)
        ]


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
    cases: list[dict[str, Any]], read: Callable[[str], dict[str, Any] | None], metric: str = "response_time"
) -> dict[str, Histogram]:
    """The histogram of a metric of every case, over all its repetitions.

    `read` gives the content of a histogram file as cases.json names it, or None when it is not there.
    """
    found: dict[str, Histogram] = {}
    for case in cases:
        reference = (case.get("histograms") or {}).get(metric)
        record = read(reference) if reference else None
        if record is None:
            continue
        histogram = Histogram.from_dict(record)
        if case["case"] in found:
            found[case["case"]].merge(histogram)
        else:
            found[case["case"]] = histogram
    return {name: histogram for name, histogram in found.items() if histogram.count}


def buckets(histogram: Histogram) -> list[tuple[float, int]]:
    """(value in the histogram's unit, count) of every bucket that counts, ascending."""
    return [(middle_of(index) * histogram.scale, histogram.counts[index]) for index in sorted(histogram.counts)]


def headline(table: Table, latencies: dict[str, Histogram], metrics: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The numbers that a reader wants first, of every case: throughput, response time p50 and p99, errors.

    Each: `case`, `metric`, `unit`, `statistic`, `value`, `samples` (operations behind it), `repetitions`, and
    `half_width`, the 95 % interval's over the repetitions (None of one, and of a merged percentile). Of each case,
    those that the recipe names (`metrics`) come first, in its order.
    """
    lines: list[dict[str, Any]] = []
    for case in table.cases():
        samples = sum(table.values(case, "operations", "value"))
        lines += _mean_line(table, case, "throughput", samples)
        lines += _percentile_lines(table, case, latencies.get(case), samples)
        for metric in table.metrics():
            if metric not in USUAL_METRICS:
                lines += _mean_line(table, case, metric, samples)
    wanted = list(metrics)
    cases = table.cases()

    def place(line: dict[str, Any]) -> tuple[int, int]:
        metric = line["metric"]
        return cases.index(line["case"]), wanted.index(metric) if metric in wanted else len(wanted)

    return sorted(lines, key=place)


def _mean_line(table: Table, case: str, metric: str, samples: float) -> list[dict[str, Any]]:
    statistic = "value" if table.values(case, metric, "value") else "mean"
    values = table.values(case, metric, statistic)
    if not values:
        return []
    mean, half_width = interval(values)
    return [
        {
            "case": case,
            "metric": metric,
            "unit": table.unit(metric),
            "statistic": "mean" if len(values) > 1 else statistic,
            "value": mean,
            "samples": int(samples),
            "repetitions": len(values),
            "half_width": half_width,
        }
    ]


def _percentile_lines(table: Table, case: str, latency: Histogram | None, samples: float) -> list[dict[str, Any]]:
    lines = []
    for statistic in ("p50", "p99"):
        values = table.values(case, "response_time", statistic)
        if latency is not None:
            value, count = latency.quantile(_QUANTILES[statistic]), latency.count
        elif len(values) == 1:
            value, count = values[0], samples
        else:
            continue  # percentiles of repetitions are not averaged
        lines.append(
            {
                "case": case,
                "metric": "response_time",
                "unit": "s",
                "statistic": statistic,
                "value": value,
                "samples": int(count),
                "repetitions": len(values) or 1,
                "half_width": None,
            }
        )
    return lines
