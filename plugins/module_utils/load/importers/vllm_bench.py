# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`vllm bench serve --save-result --save-detailed`: one JSON object with a list for each column of the requests.

Format and counting: vllm/benchmarks/serve.py and vllm/benchmarks/lib/endpoint_request_func.py (0.32). A request's
clock starts right before it is sent (`start_time`), after it waited for --max-concurrency: latency is from the
send. `latencies` ends with the last chunk that has a choice. Since 0.32 `queue_times` tells how long a request
waited in the client; how late the client's loop itself was is not in it, so the schedule_lag made of it is a lower
bound. Older files have no `latencies`: it is then the first token's time and all gaps, which is the same.
`itls` has a gap for every chunk with a choice, one without text at the end among them. The file names no version.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.foreign import SEND, Imported, read_json
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

HINT = "run it with --save-result --save-detailed --result-dir $BENCHMARK_OUTPUT_DIR"

_CLASS_CHARACTERS = 60


def read(outputs):
    """An Imported from the newest JSON file. Raises LoadError."""
    path = outputs.newest("*.json")
    report = read_json(path)
    if "input_lens" not in report:
        raise LoadError("%s: input_lens is missing; %s" % (path, HINT))
    imported = Imported("vllm-bench", None, SEND, path)
    imported.duration_s = report.number("duration")
    inputs = report.numbers("input_lens")
    n = len(inputs)
    errors = report.items("errors", n)
    tokens = _Tokens(report, n) if "output_lens" in report else None  # embeddings and scores have none
    latencies = report.numbers("latencies", n) if tokens is None or "latencies" in report else tokens.latencies()
    good = [number for number in range(n) if not errors[number] and latencies[number] > 0]
    imported.expect("requests that succeeded", len(good), report.whole("completed"))
    imported.operations = len(good)
    imported.times("response_time", [latencies[number] for number in good])
    imported.count("input_tokens", "token", sum(inputs[number] for number in good))
    if tokens:
        tokens.give(imported, good, latencies)
    if "queue_times" in report and _is_scheduled(report):
        waited = report.numbers("queue_times", n)
        imported.times("schedule_lag", [max(0.0, waited[number]) for number in good])
    for number in set(range(n)) - set(good):
        imported.error(_class_of(str(errors[number])), str(errors[number]))
    return imported


class _Tokens:
    """The columns of a run that generated text."""

    def __init__(self, report, n):
        self.outputs = report.numbers("output_lens", n)
        self.firsts = report.numbers("ttfts", n)
        self.gaps = report.number_lists("itls", n)

    def latencies(self):
        return [first + math.fsum(gaps) for first, gaps in zip(self.firsts, self.gaps)]

    def give(self, imported, good, latencies):
        imported.count("output_tokens", "token", sum(self.outputs[number] for number in good))
        imported.times("time_to_first_token", [self.firsts[number] for number in good])
        imported.times("inter_token_latency", [gap for number in good for gap in self.gaps[number]])
        several = [number for number in good if self.outputs[number] > 1]
        imported.times(
            "time_per_output_token",
            [(latencies[number] - self.firsts[number]) / (self.outputs[number] - 1) for number in several],
        )


def _is_scheduled(report):
    """Whether requests were due at a time: without a rate all are due at once, and each waits for the others."""
    rate = report.value.get("request_rate")
    return isinstance(rate, (int, float)) and not math.isinf(rate)


def _class_of(error):
    """A short name (str) of an error: the reason of an HTTP status, or the exception that ends a traceback."""
    lines = error.strip().splitlines()
    return lines[-1].partition(":")[0][:_CLASS_CHARACTERS] if lines else "no answer"
