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
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import hdr_export
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import QUANTILES, Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import Series

HEADER = ("case", "repetition", "client", "metric", "unit", "statistic", "value")
ALL = "all"

# What a client counts, and the merged result as the sum over the clients: None where one of them can't tell.
_TOTALS = ("offered", "dropped", "retries", "good")


class Merged:
    """The results (list of dict: the clients' files) of one repetition of a case, merged.

    rate (float or None): operations per second that the schedule asked of `clients` (int; default: these) together.
    """

    def __init__(self, results, rate=None, clients=None):
        self.results = sorted(results, key=lambda result: result["client"])
        self.rate = rate
        self.clients = clients or len(results)
        self.measure_start = min(result["measure_start"] for result in results)
        self.measure_end = max(result["measure_end"] for result in results)
        self.parts = [
            {name: Histogram.from_dict(data) for name, data in result["histograms"].items()} for result in self.results
        ]
        self.histograms = _merge_histograms(self.parts)
        self.operations = sum(result["operations"] for result in results)
        self.errors = _merge_errors(self.results)
        self.totals = {name: _total(results, name) for name in _TOTALS}
        self.series = Series()
        for result in results:
            self.series.merge(Series.from_list(result["series"]))
        self._all = _rows(ALL, self.histograms, self._whole(), rate)

    def _whole(self):
        """All clients as one client's result would be."""
        return dict(
            self.totals,
            measure_start=self.measure_start,
            measure_end=self.measure_end,
            operations=self.operations,
            errors=self.errors,
            counters=_merge_counters(self.results),
            metrics=_merge_metrics(self.results),
            # Another program's percentiles can't be merged: they are the whole's only where it ran but once.
            statistics=self.results[0].get("statistics") or [] if len(self.results) == 1 else [],
        )

    @property
    def throughput(self):
        """Operations per second (float) over the time in which they count."""
        return _rate(self.operations, self.measure_start, self.measure_end)

    @property
    def error_count(self):
        """Operations (int) that failed."""
        return _count(self.errors)

    def rows(self):
        """(client, metric, unit, statistic, value) of every client, and of all together."""
        share = None if self.rate is None else self.rate / self.clients
        rows = []
        for result, histograms in zip(self.results, self.parts):
            rows += _rows(result["client"], histograms, result, share)
        return rows + self._all

    def value(self, metric, statistic):
        """A number (float) of all clients together, as results.csv has it, or None."""
        return next((row[-1] for row in self._all if (row[1], row[3]) == (metric, statistic)), None)


class Results:
    """What was measured so far: results.csv, cases.json, series and histograms, rewritten whole after each case."""

    def __init__(self, directory):
        self.dir = directory
        self.text = _csv([HEADER])
        self.cases = []
        self.throughputs = {}

    def add(self, case, repetition, merged, facts):
        """Keep a repetition of a case; `facts` (dict) are what cases.json says of it besides its results.

        Returns its record in cases.json (dict).
        """
        stem = "%s-%d" % (run_dir.file_name(case), repetition)
        series = "results/series-%s.csv" % stem
        run_dir.write_text(self.dir.path(series), merged.series.to_csv(merged.measure_start, merged.measure_end))
        histograms = {}
        for metric, histogram in merged.histograms.items():
            histograms[metric] = "histograms/%s-%s.json" % (stem, run_dir.file_name(metric))
            run_dir.write_json(self.dir.path(histograms[metric]), histogram.to_dict())
        self._write_hlog("histograms/%s.hlog" % stem, merged)
        self.text += _csv([case, repetition, *row[:-1], _number(row[-1])] for row in merged.rows())
        self.throughputs.setdefault(case, []).append(merged.throughput)
        record = {"case": case, "repetition": repetition, "order": len(self.cases)}
        record.update(facts)
        record.update(merged.totals)
        record.update(
            measure_start=merged.measure_start,
            measure_end=merged.measure_end,
            errors=merged.errors,
            client_cpu_percent=_of_clients(merged.results, "cpu_percent"),
            client_run_delay_percent=_of_clients(merged.results, "run_delay_percent"),
            client_psi_cpu_some_percent=_of_clients(merged.results, "psi_cpu_some_percent"),
            records=["clients/%03d/%s" % (r["client"], r["records"]) for r in merged.results if r.get("records")],
            # The clients run the same tool; the first that could read its result speaks for them.
            imported=next((r["imported"] for r in merged.results if r.get("imported")), None),
            series=series,
            histograms=histograms,
        )
        self.cases.append(record)
        self._write()
        return record

    def _write_hlog(self, path, merged):
        """The same histograms for HdrHistogram's tools: us, a line each, the metric as its tag."""
        window = (merged.measure_start, merged.measure_end)
        times = {metric: histogram for metric, histogram in merged.histograms.items() if histogram.unit == "s"}
        lines = [(times[metric], *window, run_dir.file_name(metric)) for metric in sorted(times)]
        run_dir.write_text(self.dir.path(path), hdr_export.log(lines))

    def _write(self):
        run_dir.write_text(self.dir.path("results", "results.csv"), self.text)
        run_dir.write_text(self.dir.path("results", "cases.json"), json.dumps(self.cases, indent=1) + "\n")


def _csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _of_clients(results, name):
    """Client (str) -> its number, of those that know it."""
    return {str(result["client"]): result[name] for result in results if result.get(name) is not None}


def _rate(operations, start, end):
    return operations / (end - start) if end > start else 0.0


def _count(errors):
    return sum(kept["count"] for kept in errors.values())


def _rows(client, histograms, result, rate):
    """The rows of one client's result (dict), or of one that is like it."""
    rows = []
    for metric in sorted(histograms):
        histogram = histograms[metric]
        rows += [(client, metric, histogram.unit, name, value) for name, value in histogram.statistics()]
    rows += [(client, metric, unit, "value", value) for metric, unit, value in _scalars(result, rate)]
    for metric in sorted(result["metrics"]):
        kept = result["metrics"][metric]
        rows += [(client, metric, kept["unit"], name, value) for name, value in statistics(kept["values"])]
    return rows + [(client, *row) for row in result.get("statistics") or []]


def _scalars(result, rate):
    """(metric, unit, value) of what is one number."""
    window = (result["measure_start"], result["measure_end"])
    operations, errors = result["operations"], _count(result["errors"])
    rows = [
        ("throughput", "1/s", _rate(operations, *window)),
        ("operations", "1", operations),
        ("errors", "1", errors),
        ("error_rate", "1", errors / (errors + operations) if errors else 0.0),
    ]
    rows += [(name, "1", result[name]) for name in ("offered", "dropped", "retries") if result.get(name) is not None]
    if rate is not None:
        rows.append(("offered_rate", "1/s", rate))
    if result.get("good") is not None:
        rows.append(("goodput", "1/s", _rate(result["good"], *window)))
    for name, kept in sorted((result.get("counters") or {}).items()):
        rows.append((name, kept["unit"], kept["total"]))
        rows.append((name + "_per_s", kept["unit"] + "/s", _rate(kept["total"], *window)))
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


def _merge_histograms(parts):
    merged = {}
    for histograms in parts:
        for metric, histogram in histograms.items():
            if metric not in merged:
                merged[metric] = Histogram(histogram.unit, histogram.scale)
            merged[metric].merge(histogram)
    return merged


def _merge_errors(results):
    merged = {}
    for result in results:
        for error_class, kept in result["errors"].items():
            all_of_it = merged.setdefault(error_class, {"count": 0, "example": kept["example"]})
            all_of_it["count"] += kept["count"]
            all_of_it["example"] = all_of_it["example"] or kept["example"]
    return merged


def _merge_counters(results):
    merged = {}
    for result in results:
        for name, kept in (result.get("counters") or {}).items():
            all_of_it = merged.setdefault(name, {"unit": kept["unit"], "total": 0})
            all_of_it["total"] += kept["total"]
    return merged


def _merge_metrics(results):
    merged = {}
    for result in results:
        for metric, kept in result["metrics"].items():
            all_of_it = merged.setdefault(metric, {"unit": kept["unit"], "values": []})
            all_of_it["values"] += kept["values"]
    return merged


def _total(results, name):
    found = [result.get(name) for result in results]
    return None if any(value is None for value in found) else sum(found)


def _number(value):
    """As results.csv has it: whole numbers exactly, others to nine digits (the clock has fewer)."""
    return value if isinstance(value, int) else "%.9g" % value
