# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Merges what the clients of one case left, and keeps results/ and histograms/ up to date after every case."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import csv
import io
import json
import math

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import QUANTILES, Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import Series

HEADER = ("case", "repetition", "client", "metric", "unit", "statistic", "value")
ALL = "all"


class Merged:
    """The results (list of dict: the clients' files) of one repetition of a case, merged."""

    def __init__(self, results):
        self.results = sorted(results, key=lambda result: result["client"])
        self.measure_start = min(result["measure_start"] for result in results)
        self.measure_end = max(result["measure_end"] for result in results)
        self.operations = sum(result["operations"] for result in results)
        self.histograms = _merge_histograms(results)
        self.errors = _merge_errors(results)
        self.metrics = _merge_metrics(results)
        self.series = Series()
        for result in results:
            self.series.merge(Series.from_list(result["series"]))

    @property
    def throughput(self):
        """Operations per second (float) over the time in which they count."""
        return _rate(self.operations, self.measure_start, self.measure_end)

    def rows(self):
        """(client, metric, unit, statistic, value) of every client, and of all together."""
        rows = []
        for result in self.results:
            histograms = {name: Histogram.from_dict(data) for name, data in result["histograms"].items()}
            throughput = _rate(result["operations"], result["measure_start"], result["measure_end"])
            rows += _rows(result["client"], histograms, throughput, result)
        whole = {"operations": self.operations, "errors": self.errors, "metrics": self.metrics}
        return rows + _rows(ALL, self.histograms, self.throughput, whole)


class Results:
    """What was measured so far: results.csv, cases.json, series and histograms, rewritten whole after each case."""

    def __init__(self, directory):
        self.dir = directory
        self.rows = []
        self.cases = []
        self.throughputs = {}

    def add(self, case, repetition, merged, facts):
        """Keep a repetition of a case; `facts` (dict) are what cases.json says of it besides its results."""
        stem = "%s-%d" % (run_dir.file_name(case), repetition)
        series = "results/series-%s.csv" % stem
        run_dir.write_text(self.dir.path(series), merged.series.to_csv(merged.measure_start, merged.measure_end))
        histograms = {}
        for metric, histogram in merged.histograms.items():
            histograms[metric] = "histograms/%s-%s.json" % (stem, run_dir.file_name(metric))
            run_dir.write_json(self.dir.path(histograms[metric]), histogram.to_dict())
        self.rows += [(case, repetition, *row) for row in merged.rows()]
        self.throughputs.setdefault(case, []).append(merged.throughput)
        record = {"case": case, "repetition": repetition}
        record.update(facts)
        record.update(
            measure_start=merged.measure_start,
            measure_end=merged.measure_end,
            errors=merged.errors,
            client_cpu_percent={str(r["client"]): r["cpu_percent"] for r in merged.results},
            series=series,
            histograms=histograms,
        )
        self.cases.append(record)
        self._write()

    def _write(self):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows([*row[:-1], _number(row[-1])] for row in self.rows)
        run_dir.write_text(self.dir.path("results", "results.csv"), text.getvalue())
        run_dir.write_text(self.dir.path("results", "cases.json"), json.dumps(self.cases, indent=1) + "\n")


def _rate(operations, start, end):
    return operations / (end - start) if end > start else 0.0


def _rows(client, histograms, throughput, result):
    rows = []
    for metric in sorted(histograms):
        histogram = histograms[metric]
        rows += [(client, metric, histogram.unit, name, value) for name, value in histogram.statistics()]
    rows.append((client, "throughput", "1/s", "value", throughput))
    rows.append((client, "operations", "1", "value", result["operations"]))
    rows.append((client, "errors", "1", "value", sum(kept["count"] for kept in result["errors"].values())))
    for metric in sorted(result["metrics"]):
        kept = result["metrics"][metric]
        rows += [(client, metric, kept["unit"], name, value) for name, value in statistics(kept["values"])]
    return rows


def statistics(values):
    """(name, value) of each statistic of a list of numbers; quantiles by nearest rank."""
    ordered = sorted(values)
    n = len(ordered)
    if not n:
        return [("count", 0)]
    total = math.fsum(ordered)
    mean = total / n
    rows = [("count", n), ("sum", total), ("mean", mean)]
    if n > 1:
        rows.append(("stddev", math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / (n - 1))))
    rows += [("min", ordered[0]), ("max", ordered[-1])]
    return rows + [(name, ordered[max(0, math.ceil(round(q * n, 9)) - 1)]) for name, q in QUANTILES]


def _merge_histograms(results):
    merged = {}
    for result in results:
        for metric, data in result["histograms"].items():
            histogram = Histogram.from_dict(data)
            if metric in merged:
                merged[metric].merge(histogram)
            else:
                merged[metric] = histogram
    return merged


def _merge_errors(results):
    merged = {}
    for result in results:
        for error_class, kept in result["errors"].items():
            all_of_it = merged.setdefault(error_class, {"count": 0, "example": kept["example"]})
            all_of_it["count"] += kept["count"]
            all_of_it["example"] = all_of_it["example"] or kept["example"]
    return merged


def _merge_metrics(results):
    merged = {}
    for result in results:
        for metric, kept in result["metrics"].items():
            all_of_it = merged.setdefault(metric, {"unit": kept["unit"], "values": []})
            all_of_it["values"] = all_of_it["values"] + kept["values"]
    return merged


def _number(value):
    """As results.csv has it: whole numbers exactly, others to nine digits (the clock has fewer)."""
    return value if isinstance(value, int) else "%.9g" % value
