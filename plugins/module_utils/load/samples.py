# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The recorder of the engine: takes a tuple an operation, and works on many of them at once.

A generator that makes tens of thousands of operations a second has some microseconds for each: a row is put
aside in 0.1 us and accounted for with some hundred others: as many as stay in the processor's cache meanwhile.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import array
import itertools

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import pace
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Tally
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder

# The columns of a row. Times are seconds of time.monotonic(); `first` is that of the first token, 0.0 without one;
# `last` that of the last one. KIND is an index into the workload's kinds. OK is 1 or 0.
DUE, START, FIRST, LAST, END, STATUS, OK, KIND, RECEIVED, SENT, TOKENS_IN, TOKENS_OUT = range(12)

_TOTALS = (
    ("bytes_received", "B", RECEIVED),
    ("bytes_sent", "B", SENT),
    ("input_tokens", "token", TOKENS_IN),
    ("output_tokens", "token", TOKENS_OUT),
)
ROWS = 256  # that wait at most
_US = 1e6


class Samples(Recorder):
    """clock_offset_s (float): time.time() - time.monotonic(). kinds (list of str): of operations, one is no kind.

    scheduled (bool): there is a schedule, so that lag and offered rate mean something. terms: the SLO's terms for
    one operation (list of dict). keep (callable or None): takes the rows (list of tuple) of the measurement.
    `add`, `error_of` and `due_in` are for one thread, that of the loop.
    """

    def __init__(
        self, measure_start, measure_end, clock_offset_s, *, kinds=("",), scheduled=False, terms=(), keep=None
    ):
        super().__init__(measure_start, measure_end)
        self.clock_offset_s = clock_offset_s
        self.kinds = list(kinds)
        self.scheduled = scheduled
        self.terms = list(terms)
        self.keep = keep
        self.rows = []
        self.repeats = []  # (due, end, status, received) of operations that began when they were due: see `repeat`
        self.repeated = (0, 0)  # what they have in common: kind, bytes sent
        self.gaps = []  # us between two tokens of the measurement
        self.tallies = {}
        self.dues = array.array("d")  # of all measured operations, for the pace at which they were completed
        self.ends = array.array("d")
        self.reconnects = 0  # connections that the server had ended when they were used again
        self.max_lag_s = 0.0  # since `take_lag`
        self.start = measure_start - clock_offset_s
        self.stop = None if measure_end is None else measure_end - clock_offset_s
        if scheduled:
            self.offered = 0
        if self.terms:
            self.good = 0

    def is_measured(self, due):
        """Like `measures`, by the monotonic clock."""
        return due >= self.start and (self.stop is None or due < self.stop)

    def add(self, row):
        """Take a row of an operation that ended well."""
        self.rows.append(row)
        if len(self.rows) >= ROWS:
            self.flush()

    def due_in(self, due):
        """An operation is due at `due`: what the schedule offers."""
        if due >= self.start and (self.stop is None or due < self.stop):
            self.offered += 1
        self.series.row(int((due - self.start) // 1))[4] += 1

    def drop(self, due):
        """An operation that was due is not made, since too many are in flight."""
        if self.is_measured(due):
            self.dropped += 1

    def error_of(self, row, error_class, example=""):
        """Count a failed operation, given as its row."""
        self.error(row[DUE] + self.clock_offset_s, row[END] + self.clock_offset_s, error_class, example)
        if self.keep and self.is_measured(row[DUE]):
            self.keep([row])

    def end_at(self, t):
        """The measurement ends at the epoch time `t`: nothing that is due later belongs to it."""
        self.flush()
        self.measure_end, self.stop = t, t - self.clock_offset_s

    def take_lag(self):
        """See Recorder."""
        if not self.scheduled:
            return None
        lag_s, self.max_lag_s = self.max_lag_s, 0.0
        return lag_s

    def progress(self):
        """See Recorder; the rows that wait are operations, too."""
        with self.lock:
            return self.seen_operations + len(self.rows) + len(self.repeats), self.seen_errors

    def flush(self):
        """Account for all rows that were added."""
        with self.lock:
            rows, self.rows = self.rows, []
            repeats, self.repeats = self.repeats, []
            self.seen_operations += len(rows) + len(repeats)
        if rows:
            self._account(list(zip(*rows)))  # one pass in C instead of one in Python for each column
        if repeats:
            self._account(self._columns(repeats))

    def _columns(self, repeats):
        """All columns of operations that were kept in short."""
        dues, ends, statuses, received = zip(*repeats)
        count, (kind, sent) = len(dues), self.repeated
        none = (0,) * count
        return [
            dues, dues, none, none, ends, statuses, (1,) * count, (kind,) * count,
            received, (sent,) * count, none, none,
        ]  # fmt: skip

    def _account(self, columns):
        dues = columns[DUE]
        response_us = [int((end - due) * _US + 0.5) for end, due in zip(columns[END], dues)]
        with self.lock:
            self._by_second(columns[END], response_us)
            if not (self.is_measured(min(dues)) and self.is_measured(max(dues))):
                inside = [self.is_measured(due) for due in dues]
                response_us = list(itertools.compress(response_us, inside))
                columns = [list(itertools.compress(column, inside)) for column in columns]
            if response_us:
                self._measure(columns, response_us)

    def result(self):
        """See Recorder."""
        self.flush()
        if self.reconnects:
            self.counters["reconnects"] = {"unit": "1", "total": self.reconnects}
        self._tally("inter_token_latency", self.gaps)
        self.gaps = []
        for name, tally in self.tallies.items():
            if tally.histogram.count or name == "response_time":
                self.histograms[name] = tally.histogram
        return super().result()

    def pace_end(self):
        """Epoch time until which operations count: later than the measurement's end when the service fell behind."""
        return self.measure_start + (self.measure_end - self.measure_start) * pace.stretch(self.dues, self.ends)

    def _by_second(self, ends, response_us):
        start = self.start
        first, last = int((ends[0] - start) // 1), int((ends[-1] - start) // 1)
        if first == last:  # rows come in the order of their ends, many a second
            self.series.operations(first, response_us)
            return
        for end, us in zip(ends, response_us):
            self.series.operation(int((end - start) // 1), us)

    def _measure(self, columns, response_us):
        self.operations += len(response_us)
        self._tally("response_time", response_us)
        if self.scheduled:
            dues, starts, ends = columns[DUE], columns[START], columns[END]
            lags = [max(0, int((start - due) * _US + 0.5)) for start, due in zip(starts, dues)]
            self._tally("schedule_lag", lags)
            self._tally("service_time", [int((end - start) * _US + 0.5) for end, start in zip(ends, starts)])
            self.max_lag_s = max(self.max_lag_s, max(lags) / _US)
            self.dues.extend(dues)
            self.ends.extend(ends)
        if len(self.kinds) > 1:
            for number, kind in enumerate(self.kinds):
                mine = [us for us, of in zip(response_us, columns[KIND]) if of == number]
                self._tally("response_time_" + kind, mine)
        if any(columns[FIRST]):
            self._tokens([row for row in zip(*columns) if row[FIRST]])
        if self.gaps:
            self._tally("inter_token_latency", self.gaps)
            self.gaps = []
        self._totals(columns)
        if self.terms:
            self.good += sum(map(self._is_good, zip(*columns)))
        if self.keep:
            self.keep(list(zip(*columns)))
        self._ended(min(columns[END]) + self.clock_offset_s)
        self._ended(max(columns[END]) + self.clock_offset_s)

    def _tokens(self, streamed):
        self._tally("time_to_first_token", [int((row[FIRST] - row[DUE]) * _US + 0.5) for row in streamed])
        self._tally(
            "time_per_output_token",
            [
                int((row[LAST] - row[FIRST]) * _US / (row[TOKENS_OUT] - 1) + 0.5)
                for row in streamed
                if row[TOKENS_OUT] > 1
            ],
        )

    def _totals(self, columns):
        for name, unit, column in _TOTALS:
            total = sum(columns[column])
            if total:
                kept = self.counters.setdefault(name, {"unit": unit, "total": 0})
                kept["total"] += total

    def _tally(self, name, values):
        if values:
            tally = self.tallies.get(name)
            if tally is None:
                tally = self.tallies[name] = Tally()
            tally.add(values)

    def _is_good(self, row):
        return all(_within(term, _per_operation(term["metric"], row)) for term in self.terms)


def _per_operation(metric, row):
    """The value (s) of a metric of one operation, None where it has none."""
    if metric == "response_time":
        return row[END] - row[DUE]
    if metric == "service_time":
        return row[END] - row[START]
    if metric == "time_to_first_token":
        return row[FIRST] - row[DUE] if row[FIRST] else None
    if metric in ("time_per_output_token", "inter_token_latency"):  # of one operation the mean of its gaps
        return (row[LAST] - row[FIRST]) / (row[TOKENS_OUT] - 1) if row[FIRST] and row[TOKENS_OUT] > 1 else 0.0
    return None


def _within(term, value):
    return value is not None and (value < term["value"] if term["operator"] == "<" else value <= term["value"])
