# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one client keeps of one case: histograms, counts, errors by class, a series."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math
import threading

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import MAX_US, OPERATIONS, SUM_US, Series

EXAMPLE_CHARACTERS = 500
_CLASS_CHARACTERS = 80
_MOST_CLASSES = 100
VALUES_KEPT = 100000  # per metric that a command reports


class Recorder:
    """Sorts operations into warm-up and measurement by the time at which they were due (closed loop: started).

    `measure_start`, `measure_end`: epoch seconds; `measure_end` is None when a number of operations is asked
    for. Failed operations are errors, and never part of the response times. Thread-safe.
    """

    def __init__(self, measure_start, measure_end=None):
        self.measure_start = measure_start
        self.measure_end = measure_end
        self.histograms = {"response_time": Histogram()}
        self.series = Series()
        self.operations = 0
        self.errors = {}
        self.metrics = {}
        self.counters = {}
        self.statistics = []
        self.offered = None  # operations that were due in the measurement, where a schedule says so
        self.dropped = 0
        self.retries = 0
        self.good = None  # operations that met the SLO's terms, where it has terms for one operation
        self.first_end = None
        self.last_end = None
        self.seen_operations = 0  # warm-up included, for the progress
        self.seen_errors = 0
        self.live = None  # (operations, errors), where a workload knows them earlier than it can record them
        self.lock = threading.Lock()

    def measures(self, due):
        """True when what was due at `due` (epoch seconds) belongs to the measurement."""
        return due >= self.measure_start and (self.measure_end is None or due < self.measure_end)

    def operation(self, due, end, lag_s=None):
        """Count an operation that was due at `due` and ended well at `end` (epoch seconds)."""
        response_us = max(0, round((end - due) * 1e6))
        with self.lock:
            self.seen_operations += 1
            self.series.operation(self._second(end), response_us)
            if not self.measures(due):
                return
            self.operations += 1
            self.histograms["response_time"].record(response_us)
            if lag_s is not None:
                self.lag_histogram().record(max(0, round(lag_s * 1e6)))
            self._ended(end)

    def error(self, due, end, error_class, example=""):
        """Count a failed operation under `error_class` (str); the first example of a class is kept."""
        with self.lock:
            self.seen_errors += 1
            self.series.error(self._second(end))
            if self.measures(due):
                self._add_error(error_class, example)
                self._ended(end)

    def problem(self, error_class, example="", count=1):
        """Count errors that have no time of their own, such as a metric that could not be read."""
        with self.lock:
            self._add_error(error_class, example, count)

    def value(self, metric, value, unit="1"):
        """Keep a number that the command itself reports. Raises ValueError for what is no finite number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError("metric %s is no number: %r" % (metric, value))
        with self.lock:
            kept = self.metrics.setdefault(metric, {"unit": unit, "values": [], "dropped": 0})
            if kept["unit"] != unit:
                raise ValueError("metric %s changes its unit from %s to %s" % (metric, kept["unit"], unit))
            if len(kept["values"]) < VALUES_KEPT:
                kept["values"].append(value)
            else:
                kept["dropped"] += 1

    def count(self, name, unit, n):
        """Add `n` to a counter, such as the tokens that came: they belong to the measurement as a whole."""
        with self.lock:
            kept = self.counters.setdefault(name, {"unit": unit, "total": 0})
            kept["total"] += n

    def statistic(self, metric, unit, statistic, value):
        """Keep a statistic that another program has worked out (it kept no single values)."""
        with self.lock:
            self.statistics.append([metric, unit, statistic, value])

    def histogram(self, name, unit="s", scale=1e-6):
        """The histogram of a metric, made when first needed."""
        return self.histograms.setdefault(name, Histogram(unit, scale))

    def progress(self):
        """(operations, errors) so far, the warm-up's too."""
        return self.live or (self.seen_operations, self.seen_errors)

    def recent(self, now):
        """(operations, sum and longest of their response times in us) of the last whole second before `now` (epoch, s).

        None where nothing is known of it.
        """
        with self.lock:
            row = self.series.rows.get(self._second(now) - 1)
            return None if row is None else (row[OPERATIONS], row[SUM_US], row[MAX_US])

    def take_lag(self):
        """The longest lag (s) behind the schedule since the last call; None where it isn't known."""

    def lag_histogram(self):
        """The histogram of schedule_lag, made when first needed."""
        return self.histogram("schedule_lag")

    def result(self):
        """As JSON: the body of clients/NNN/CASE-REP.json."""
        with self.lock:
            return {
                "measure_start": self.measure_start,
                "measure_end": self.measure_end,
                "operations": self.operations,
                "errors": self.errors,
                "histograms": {name: h.to_dict() for name, h in self.histograms.items()},
                "series": self.series.to_list(),
                "metrics": self.metrics,
                "counters": self.counters,
                "statistics": self.statistics,
                "offered": self.offered,
                "dropped": self.dropped,
                "retries": self.retries,
                "good": self.good,
            }

    def _second(self, t):
        return int((t - self.measure_start) // 1)

    def _ended(self, t):
        self.first_end = t if self.first_end is None else min(self.first_end, t)
        self.last_end = t if self.last_end is None else max(self.last_end, t)

    def _add_error(self, error_class, example, count=1):
        error_class = error_class[:_CLASS_CHARACTERS]
        if error_class not in self.errors and len(self.errors) >= _MOST_CLASSES:  # a service may name each differently
            error_class = "other errors"
        kept = self.errors.setdefault(error_class, {"count": 0, "example": ""})
        kept["count"] += count
        if not kept["example"]:
            kept["example"] = example[-EXAMPLE_CHARACTERS:]
