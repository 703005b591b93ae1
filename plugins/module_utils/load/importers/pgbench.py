# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pgbench: its per-transaction log, and what it prints at its end.

The log's format is in load.pgbench_log. With --rate latency counts from the scheduled start, else from the send:
PostgreSQL documentation, pgbench, "Notes": "the reported latency is measured from the scheduled start time".
A log's line doesn't tell a lag from a number of retries; the report that pgbench prints does. Without a log there
are only the report's mean and standard deviation. Failed and skipped transactions are errors, by pgbench's words.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.foreign import SCHEDULE, SEND, Imported, later
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pgbench_log import LogReader
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

HINT = (
    "run it with --log --log-prefix=$BENCHMARK_OUTPUT_DIR/pgbench_log, "
    "and its standard output in $BENCHMARK_OUTPUT_DIR/pgbench.out"
)

# A slow transaction may be due before that of the log's first line, which ended before it: not as long before as this.
_BEFORE_S = 86400

_LOG, _REPORT = "pgbench_log", "pgbench.out"
_VERSION = re.compile(r"^pgbench \((?:PostgreSQL\) )?([0-9][0-9.a-z]*)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of (serialization|deadlock) failures: (\d+)", re.MULTILINE)
_ALL_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_SKIPPED = re.compile(r"^number of transactions skipped: (\d+)", re.MULTILINE)
_RETRIES = re.compile(r"^total number of retries: (\d+)", re.MULTILINE)
_MEAN = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
_STDDEV = re.compile(r"^latency stddev = ([0-9.]+) ms", re.MULTILINE)
_RATE = re.compile(r"^rate limit schedule lag:", re.MULTILINE)
_TPS = re.compile(r"^tps = ([0-9.]+) \((?:without|excluding|including reconnection)", re.MULTILINE)


def read(outputs):
    """An Imported from the execution's logs and report. Raises LoadError."""
    report = _Report(outputs.newest(_REPORT))
    logs = outputs.fresh(_LOG + ".*")
    imported = Imported("pgbench", report.version, SCHEDULE if report.has_lag else SEND, (logs or [report.path])[0])
    imported.operations = report.done
    imported.duration_s = report.done / report.tps if report.tps else 0.0
    imported.retries = report.retries
    if logs:
        _take_log(outputs, logs, report, imported)
    else:
        _take_report(report, imported)
    return imported


class _Report:
    """What pgbench prints at its end. Raises LoadError when it isn't that."""

    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8", errors="replace") as stream:
            self.text = stream.read()
        found = _VERSION.search(self.text)
        self.version = found.group(1) if found else None
        self.done = int(self._number(_DONE, "number of transactions actually processed"))
        self.tps = self._number(_TPS, "tps")
        self.mean_ms = self._number(_MEAN, "latency average") if self.done else None
        self.stddev_ms = self._number(_STDDEV, "latency stddev", needed=False)
        self.skipped = int(self._number(_SKIPPED, "number of transactions skipped", needed=False) or 0)
        self.failed = int(self._number(_ALL_FAILED, "number of failed transactions", needed=False) or 0)
        self.retries = int(self._number(_RETRIES, "total number of retries", needed=False) or 0)
        self.has_lag = bool(_RATE.search(self.text))

    def _number(self, pattern, what, needed=True):
        found = pattern.search(self.text)
        if found:
            return float(found.group(1))
        if needed:
            raise LoadError("%s: `%s` is missing" % (self.path, what))
        return None


def _take_log(outputs, logs, report, imported):
    """The single transactions; they must be as many as the report says."""
    prefix = os.path.join(os.path.dirname(logs[0]), _LOG)
    if any(os.path.dirname(path) != os.path.dirname(logs[0]) for path in logs):
        raise LoadError("pgbench's logs lie in several directories: %s" % ", ".join(logs))
    _check_columns(logs, report)
    try:
        imported.start = _begin(logs)
        recorder = Recorder((imported.start or 0.0) - _BEFORE_S)
        reader = LogReader(prefix, recorder, report.has_lag)
        reader.offsets = {path: outputs.size_before(path) for path in outputs.before}
        reader.read()
    except ValueError as e:
        raise LoadError("%s: %s" % (prefix, e))
    for path in logs:
        if reader.offsets[path] != os.path.getsize(path):
            raise LoadError("%s: ends in the middle of a line" % path)
    imported.expect("transactions that succeeded", recorder.operations, report.done)
    failures = sum(kept["count"] for kept in recorder.errors.values())
    imported.expect("failed or skipped transactions", failures, report.failed + report.skipped)
    imported.histograms = {name: found for name, found in recorder.histograms.items() if found.count}
    imported.errors = {name: [kept["count"], kept["example"]] for name, kept in recorder.errors.items()}
    imported.series = later(recorder.series, -_BEFORE_S)


def _begin(logs):
    """When about the first transaction was due (epoch s): that of the first line, since lines come by their ends."""
    begins = []
    for path in logs:
        with open(path, "rb") as stream:
            words = stream.readline().split()
        if words:
            took_us = int(words[2]) if words[2].isdigit() else 0
            begins.append(int(words[4]) + (int(words[5]) - took_us) / 1e6)
    return min(begins) if begins else None


def _check_columns(logs, report):
    """Raises LoadError for lines that are no transactions: those of --aggregate-interval begin with a time."""
    wanted = 6 + report.has_lag + ("total number of retries" in report.text)
    for path in logs:
        with open(path, "rb") as stream:
            words = stream.readline().split()
        if words and (len(words) != wanted or not words[0].isdigit() or int(words[0]) > 10**6):
            raise LoadError(
                "%s: has %d columns and begins with %s, where a transaction's line has %d and begins with a client's "
                "number (--aggregate-interval and a pgbench.out of another run do not fit)"
                % (path, len(words), words[0].decode("ascii", "replace"), wanted)
            )


def _take_report(report, imported):
    imported.statistic("response_time", "count", report.done)
    if report.done:
        imported.statistic("response_time", "mean", report.mean_ms / 1e3)
    if report.stddev_ms is not None:
        imported.statistic("response_time", "stddev", report.stddev_ms / 1e3)
    for kind, count in _FAILED.findall(report.text):
        if int(count):
            imported.error(kind, "pgbench counted transactions as %s" % kind, int(count))
    named = sum(count for count, _example in imported.errors.values())
    if report.failed > named:
        imported.error("failed", "pgbench counted transactions as failed", report.failed - named)
    if report.skipped:
        imported.error("skipped", "pgbench counted transactions as skipped", report.skipped)
