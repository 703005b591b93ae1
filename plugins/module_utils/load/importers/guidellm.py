# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GuideLLM: its JSON report (`benchmarks.json`) with one benchmark.

Format and counting: guidellm 0.8, schemas/base/request_stats.py and info.py; report schema 2. A request's times
count from `request_start`, when a worker hands it to its HTTP client: from the send. `targeted_start` is when the
strategy wanted it; the difference is imported as schedule_lag for the strategies that have a schedule.

GuideLLM's own `time_per_output_token_ms` has the first token in it; ours is its `inter_token_latency_ms`, a
request's mean gap. It keeps no single gaps, so there is no inter_token_latency. Requests that it cut off at its end
(`incomplete`) are neither operations nor errors, as in its own figures; its warm-up and cool-down are left out.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.foreign import SEND, Imported, read_json
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

HINT = "run it with --output kind=json,path=$BENCHMARK_OUTPUT_DIR/benchmarks.json"

_SCHEMA = 2
_SCHEDULED = ("constant", "poisson", "trace")
_CLASS_CHARACTERS = 60


def read(outputs):
    """An Imported from the newest JSON file. Raises LoadError."""
    path = outputs.newest("*.json")
    report = read_json(path)
    metadata = report.node("metadata")
    if metadata.whole("version") != _SCHEMA:
        metadata.refuse("version", "is %d, known is %d" % (metadata.whole("version"), _SCHEMA))
    benchmarks = report.nodes("benchmarks")
    if len(benchmarks) != 1:
        raise LoadError("%s: benchmarks has %d entries: give GuideLLM one rate a command" % (path, len(benchmarks)))
    benchmark = benchmarks[0]
    imported = Imported("guidellm", metadata.text("guidellm_version"), SEND, path)
    imported.start, imported.duration_s = benchmark.number("start_time"), benchmark.number("duration")
    good, failed = _measured(benchmark, "successful"), _measured(benchmark, "errored")
    totals = benchmark.node("metrics").node("request_totals")
    try:
        imported.expect("requests that succeeded", len(good), totals.whole("successful"))
        imported.expect("failed requests", len(failed), totals.whole("errored"))
    except LoadError as e:
        raise LoadError("%s; give it no sample_size" % e)
    strategy = benchmark.node("config").node("strategy").text("type_")
    ends = _take(good, imported, strategy in _SCHEDULED)
    imported.seconds(ends, [request.number("request_end_time") for request in failed])
    for request in failed:
        error = str(request.node("info").value.get("error") or "")
        imported.error(error.partition("(")[0][:_CLASS_CHARACTERS] or "failed", error)
    return imported


def _measured(benchmark, status):
    """The requests (list of Node) of a status that touch the time over which GuideLLM measures; its own rule."""
    start, end = benchmark.number("start_time"), benchmark.number("end_time")
    found = []
    for request in benchmark.node("requests").nodes(status):
        ended = request.number("request_end_time")
        began = request.number("request_start_time") if "request_start_time" in request else ended
        if ended >= start and began <= end:
            found.append(request)
    return found


def _take(good, imported, scheduled):
    """Give the requests (list of Node) to `imported`. Returns (end, response time) of each (s)."""
    ends, firsts, means, lags = [], [], [], []
    for request in good:
        timings = request.node("info").node("timings")
        start, end = timings.number("request_start"), timings.number("request_end")
        ends.append((end, end - start))
        if "first_token_iteration" in timings:
            first = timings.number("first_token_iteration")
            firsts.append(first - start)
            tokens = request.whole("output_tokens") if "output_tokens" in request else 0
            if tokens > 1:
                means.append((timings.number("last_token_iteration") - first) / (tokens - 1))
        for field, name in (("prompt_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
            if field in request:
                imported.count(name, "token", request.whole(field))
        if scheduled and "targeted_start" in timings:
            lags.append(max(0.0, start - timings.number("targeted_start")))
    imported.operations = len(good)
    imported.times("response_time", [latency for _end, latency in ends])
    imported.times("time_to_first_token", firsts)
    imported.times("time_per_output_token", means)
    imported.times("schedule_lag", lags)
    return ends
