# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""warp: the JSON that `warp OPERATION --json` or `warp analyze --full --json FILE.csv.zst` prints.

Format: warp 1.6, pkg/aggregate (live.go, aggregate.go, requests.go, throughput.go, ttfb.go), data version 2.
Counting: pkg/bench/get.go and its neighbours: an operation's `Start` is taken right before the call, after the wait
for --rps-limit: latency is from the send, in a closed loop of --concurrent threads.

Neither form has single operations, so that a run comes in as statistics. The first has them of every client and ten
seconds, failed operations among them: of one such segment the percentiles are imported, too; of several only what can
be put together, that is count, mean, minimum and maximum. The second form, of a run with --full, has percentiles of
the whole run. Objects of different sizes have no more than the mean in both.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import calendar
import re
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.foreign import SEND, Imported, read_json

HINT = "run it with --json and its standard output in $BENCHMARK_OUTPUT_DIR/warp.json"

_VERSION = 2
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$")
_BYTES = {"GET": "bytes_received", "PUT": "bytes_sent"}
# Fields of the times of operations, and of those to the first byte.
_TIMES = {
    "mean": "dur_avg_millis",
    "min": "fastest_millis",
    "max": "slowest_millis",
    "p50": "dur_median_millis",
    "p90": "dur_90_millis",
    "p99": "dur_99_millis",
    "all": "dur_percentiles_millis",
}
_FIRST_BYTES = {
    "mean": "average_millis",
    "min": "fastest_millis",
    "max": "slowest_millis",
    "p50": "median_millis",
    "p90": "p90_millis",
    "p99": "p99_millis",
    "all": "percentiles_millis",
}


def read(outputs):
    """An Imported from the newest JSON file. Raises LoadError."""
    path = outputs.newest("*.json")
    report = read_json(path)
    imported = Imported("warp", report.value.get("warp_version") or None, SEND, path)
    if "operations" in report:
        _take_analysis(report, imported)
    else:
        _take_run(report, imported)
    return imported


def _take_run(report, imported):
    """What a benchmark prints: `total` and `by_op_type`, each with segments by client."""
    if report.whole("v") != _VERSION:
        report.refuse("v", "is %d, known is %d" % (report.whole("v"), _VERSION))
    if not report.get("final", bool, "truth value"):
        report.refuse("final", "says that warp was ended before its time")
    total = report.node("total")
    errors = total.whole("total_errors")
    imported.start = _epoch(total, "start_time")
    imported.duration_s = _epoch(total, "end_time") - imported.start
    imported.operations = total.whole("total_requests") - errors
    if errors:
        imported.error("failed", _first_error(total), errors)
    kinds = report.node("by_op_type")
    for kind in sorted(kinds.value):
        _take_kind(kind, _segments(kinds.node(kind)), imported)
        _count_bytes(kind, kinds.node(kind).whole("total_bytes"), imported)
    _take_segments("response_time", list(_segments(total)), imported)


def _take_analysis(report, imported):
    """What an analysis prints: `operations` by kind. Unless mixed, all but the last kind were the preparation."""
    kinds = sorted(report.nodes("operations"), key=lambda kind: _epoch(kind, "end_time"))
    kinds = [kind for kind in kinds if not kind.get("skipped", bool, "truth value")]
    if not kinds:
        report.refuse("operations", "are all skipped: warp wants a longer run")
    mixed = report.get("mixed", bool, "truth value")
    if not mixed:
        kinds = kinds[-1:]
    whole = report.node("mixed_server_stats") if mixed else kinds[0].node("throughput")
    imported.start = _epoch(whole, "start_time")
    imported.duration_s = whole.whole("measure_duration_millis") / 1e3
    imported.operations = whole.whole("ops")
    for kind in kinds:
        name = kind.text("type")
        _take_kind(name, [kind], imported)
        _count_bytes(name, kind.node("throughput").whole("bytes"), imported)
        if kind.whole("errors"):
            imported.error("failed", _first_error(kind), kind.whole("errors"))
    if not mixed:
        _take_segments("response_time", kinds, imported)


def _segments(aggregate):
    """The segments (Node) of every client."""
    clients = aggregate.node("requests_by_client")
    for client in clients.value:
        yield from clients.nodes(client)


def _take_kind(kind, segments, imported):
    segments = list(segments)
    _take_segments("response_time_" + kind.lower(), segments, imported)
    singles = [segment.node("single_sized_requests") for segment in segments if "single_sized_requests" in segment]
    firsts = [(single.whole("requests"), single.node("first_byte")) for single in singles if "first_byte" in single]
    _take_times("time_to_first_byte_" + kind.lower(), firsts, _FIRST_BYTES, imported)


def _take_segments(metric, segments, imported):
    singles, sizes = [], []
    for segment in segments:
        if "single_sized_requests" in segment:
            single = segment.node("single_sized_requests")
            if not single.value.get("skipped"):
                singles.append((single.whole("requests"), single))
        elif "multi_sized_requests" in segment:
            multi = segment.node("multi_sized_requests")
            if not multi.value.get("skipped"):
                sizes += [(size.whole("requests"), size) for size in multi.nodes("by_size")]
    if sizes:
        means = [(n, size.number("avg_duration_millis")) for n, size in sizes]
        _add(metric, _weighed(means + [(n, single.number(_TIMES["mean"])) for n, single in singles]), imported)
    else:
        _take_times(metric, singles, _TIMES, imported)


def _take_times(metric, parts, fields, imported):
    """Statistics of parts (list of (requests, Node)) of a run, whose `fields` hold the times in ms."""
    parts = [(n, part) for n, part in parts if n]
    rows = _weighed([(n, part.number(fields["mean"])) for n, part in parts])
    if rows:
        rows.append(("min", min(part.number(fields["min"]) for _n, part in parts)))
        rows.append(("max", max(part.number(fields["max"]) for _n, part in parts)))
    if len(parts) == 1:
        part = parts[0][1]
        rows.append(("p50", part.number(fields["p50"])))
        rows.append(("p90", part.number(fields["p90"])))
        if fields["all"] in part:
            rows.append(("p95", part.numbers(fields["all"], 101)[95]))
        rows.append(("p99", part.number(fields["p99"])))
    _add(metric, rows, imported)


def _weighed(means):
    """The rows of count and mean of a list of (requests, mean in ms)."""
    n = sum(requests for requests, _mean in means)
    return [("count", n), ("mean", sum(requests * mean for requests, mean in means) / n)] if n else []


def _add(metric, rows, imported):
    for statistic, value in rows:
        imported.statistic(metric, statistic, value if statistic == "count" else value / 1e3)


def _count_bytes(kind, total, imported):
    if kind in _BYTES and total:
        imported.count(_BYTES[kind], "B", total)


def _first_error(aggregate):
    examples = aggregate.items("first_errors") if "first_errors" in aggregate else []
    return str(examples[0]) if examples else ""


def _epoch(node, field):
    """A time of RFC 3339 as epoch seconds (float)."""
    found = _TIME.match(node.text(field))
    if not found:
        node.refuse(field, "is no time: %s" % node.text(field))
    whole, fraction, sign, hours, minutes = found.groups()
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(fraction or 0)
    if sign:
        offset_s = int(hours) * 3600 + int(minutes) * 60
        seconds -= offset_s if sign == "+" else -offset_s
    return seconds
