# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""aiperf: `profile_export.jsonl`, a line a request, and `profile_export_aiperf.json` beside it.

Format and counting: aiperf 0.13, common/models/record_models.py and metrics/types/: `request_latency` and
`time_to_first_token` count from `start_perf_ns`, when the worker hands the request to its HTTP client: from the
send. `request_latency` ends with the last chunk that has content. aiperf's `inter_token_latency` is a request's
mean, our time_per_output_token; its `inter_chunk_latency` lists the gaps, our inter_token_latency.

`credit_issued_ns` is when its rate limiter released a request. From there to `request_start_ns` is imported as
schedule_lag where there is a rate; how late the limiter itself was is not in it, so it is a lower bound.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.foreign import SEND, Imported, Node, read_json
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

HINT = "run it with --artifact-dir $BENCHMARK_OUTPUT_DIR/aiperf (and the default --profile-export-prefix)"

_REQUESTS, _SUMMARY = "profile_export.jsonl", "profile_export_aiperf.json"
_SCHEMA = "1."
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "sec": 1.0, "s": 1.0}
_MEASURED = "profiling"

# aiperf's name of a value of one request -> ours
_OURS = (("time_to_first_token", "time_to_first_token"), ("inter_token_latency", "time_per_output_token"))
_TOKENS = (("input_sequence_length", "input_tokens"), ("output_sequence_length", "output_tokens"))


def read(outputs):
    """An Imported from the newest pair of files. Raises LoadError."""
    path = outputs.newest(_REQUESTS)
    summary = read_json(os.path.join(os.path.dirname(path), _SUMMARY))
    version = summary.text("schema_version")
    if not version.startswith(_SCHEMA):
        summary.refuse("schema_version", "is %s, known is %sx" % (version, _SCHEMA))
    if not summary.get("is_complete", bool, "truth value") or summary.get("was_cancelled", bool, "truth value"):
        summary.refuse("is_complete", "says that aiperf was ended before its time")
    imported = Imported("aiperf", summary.text("aiperf_version"), SEND, path)
    imported.duration_s = _duration_s(summary)
    requests = _Requests(imported, _is_scheduled(summary))
    requests.read(path)
    imported.expect("requests that succeeded", imported.operations, _counted(summary, "request_count"))
    imported.expect("failed requests", len(requests.failures), _counted(summary, "error_request_count"))
    for metric, values in requests.columns.items():
        imported.times(metric, values)
    imported.seconds(zip(requests.ends, requests.columns["response_time"]), requests.failures)
    return imported


class _Requests:
    """Goes through the file line by line: a line is some kilobytes, what is needed of it some numbers."""

    def __init__(self, imported, scheduled):
        self.imported = imported
        self.scheduled = scheduled
        self.ends = []
        self.failures = []
        self.columns = {
            "response_time": [],
            "time_to_first_token": [],
            "time_per_output_token": [],
            "inter_token_latency": [],
            "schedule_lag": [],
        }

    def read(self, path):
        with open(path, encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    record = Node(json.loads(line), path, "line %d" % number)
                except ValueError as e:
                    raise LoadError("%s: line %d is no whole JSON: %s" % (path, number, e))
                metadata = record.node("metadata")
                if metadata.text("benchmark_phase") == _MEASURED and not metadata.value.get("context_overflow_skip"):
                    self._take(record, metadata)

    def _take(self, record, metadata):
        imported = self.imported
        start, end = metadata.number("request_start_ns") / 1e9, metadata.number("request_end_ns") / 1e9
        imported.start = start if imported.start is None else min(imported.start, start)
        if "error" in record:
            error_class, example = _error_of(record.node("error"))
            imported.error(error_class, example)
            self.failures.append(end)
            return
        imported.operations += 1
        metrics = record.node("metrics")
        latency = _seconds(metrics.node("request_latency"), "value")
        self.ends.append(end)
        self.columns["response_time"].append(latency)
        for metric, name in _OURS:
            if metric in metrics:
                self.columns[name].append(_seconds(metrics.node(metric), "value"))
        if "inter_chunk_latency" in metrics:
            gaps = metrics.node("inter_chunk_latency")
            unit_s = _unit_s(gaps)
            self.columns["inter_token_latency"] += [gap * unit_s for gap in gaps.numbers("value")]
        for metric, name in _TOKENS:
            if metric in metrics:
                imported.count(name, "token", metrics.node(metric).whole("value"))
        if self.scheduled and "credit_issued_ns" in metadata:
            lag_ns = metadata.number("request_start_ns") - metadata.number("credit_issued_ns")
            self.columns["schedule_lag"].append(max(0, lag_ns) / 1e9)


def _error_of(error):
    """(class, example) of a failed request."""
    parts = [str(error.value[field]) for field in ("code", "type") if error.value.get(field) is not None]
    return " ".join(parts) or "failed", str(error.value.get("message") or "")


def _is_scheduled(summary):
    """Whether a rate or a file said when requests were due, rather than a concurrency."""
    for phase in summary.node("input_config").nodes("phases"):
        if phase.value.get("kind") == _MEASURED:
            return "rate" in phase or phase.value.get("type") == "fixed_schedule"
    return False


def _duration_s(summary):
    """The time (s) that aiperf's own throughput is over: its whole phase, a little more than `benchmark_duration`."""
    done = _counted(summary, "request_count")
    if done and summary.node("request_throughput").number("avg") > 0:
        return done / summary.node("request_throughput").number("avg")
    return _seconds(summary.node("benchmark_duration"), "avg")


def _counted(summary, metric):
    """A count of the summary (int); aiperf leaves one out that is 0."""
    return summary.node(metric).whole("avg") if metric in summary else 0


def _unit_s(metric):
    unit = metric.text("unit")
    if unit not in _SECONDS:
        metric.refuse("unit", "is %r, known are %s" % (unit, ", ".join(_SECONDS)))
    return _SECONDS[unit]


def _seconds(metric, field):
    return metric.number(field) * _unit_s(metric)
