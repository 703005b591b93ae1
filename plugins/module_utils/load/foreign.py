# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results of other tools, run as the client's command: `client.parser` names the tool.

One module a tool in `load.importers`, with
- `HINT` (str): how the tool is made to write what is read here,
- `read(outputs)`: an Imported from what the execution left. Raises LoadError, and has then taken nothing.

A metric is imported as the tool counts it, under our name for it, and the run is marked with `latency_from`:
`send` (from when the tool began the request, so that waiting in the tool is hidden) or `schedule` (from when the
request was due). Where the tool also wrote down when a request was due, schedule_lag says how far behind it was.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import fnmatch
import importlib
import json
import math
import os

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import importers
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import Series
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

SEND, SCHEDULE = "send", "schedule"

# client.parser -> the module here
_MODULES = {
    "vllm-bench": "vllm_bench",
    "aiperf": "aiperf",
    "guidellm": "guidellm",
    "warp": "warp",
    "pgbench": "pgbench",
}
PARSERS = tuple(_MODULES)

# Other files of a command's own, see load.metric_files.
_NOT_RESULTS = ("metrics.json", "metrics-last.json", "metrics.jsonl")


def load(parser):
    """The module (see above) of a `client.parser`. Raises LoadError when there is none of this name."""
    if parser not in _MODULES:
        raise LoadError("there is no parser %r; there are %s" % (parser, ", ".join(PARSERS)))
    return importlib.import_module("%s.%s" % (importers.__name__, _MODULES[parser]))


class Outputs:
    """What one execution of a tool wrote below a directory: files that are new or have changed since `forget`.

    hint (str): how the tool is made to write; part of the error when it didn't.
    """

    def __init__(self, directory, hint):
        self.directory = directory
        self.hint = hint
        self.before = {}
        self.forget()

    def forget(self):
        """What is there now belongs to the past."""
        self.before = {path: (stat.st_mtime_ns, stat.st_size) for path, stat in self._files()}

    def fresh(self, pattern):
        """The paths (list of str, oldest first) of files of this execution whose name fits `pattern`."""
        found = []
        for path, stat in self._files():
            name = os.path.basename(path)
            if fnmatch.fnmatch(name, pattern) and self.before.get(path) != (stat.st_mtime_ns, stat.st_size):
                found.append((stat.st_mtime_ns, path))
        return [path for _time, path in sorted(found)]

    def newest(self, pattern):
        """The path (str) of the newest such file. Raises LoadError when there is none."""
        found = self.fresh(pattern)
        if not found:
            raise LoadError("the tool wrote no %s in BENCHMARK_OUTPUT_DIR; %s" % (pattern, self.hint))
        return found[-1]

    def size_before(self, path):
        """Bytes (int) that a file had when it was last forgotten."""
        return self.before.get(path, (0, 0))[1]

    def _files(self):
        for folder, _folders, names in os.walk(self.directory):
            for name in names:
                if name in _NOT_RESULTS:
                    continue
                path = os.path.join(folder, name)
                try:
                    yield path, os.stat(path)
                except FileNotFoundError:
                    continue  # a temporary file of the tool


class Imported:
    """What one execution of a tool came to.

    tool (str), version (str or None where the file doesn't say), latency_from (SEND or SCHEDULE), path (str: the
    file it was read from), duration_s (float: the tool's own measurement), start (epoch s of its beginning, or None).
    """

    def __init__(self, tool, version, latency_from, path):
        self.tool = tool
        self.version = version
        self.latency_from = latency_from
        self.path = path
        self.start = None
        self.duration_s = 0.0
        self.operations = 0
        self.retries = 0
        self.histograms = {}
        self.counters = {}  # name -> [unit, total]
        self.errors = {}  # class -> [count, example]
        self.statistics = []  # (metric, unit, statistic, value): of tools that keep no single requests
        self.series = Series()  # second 0 begins at `start`

    def times(self, metric, seconds):
        """Add values (list of float, s) to a metric's histogram. Raises LoadError for a negative one."""
        microseconds = [round(value * 1e6) for value in seconds]
        if microseconds:
            if min(microseconds) < 0:
                raise LoadError("%s: %s has a negative time" % (self.path, metric))
            self.histograms.setdefault(metric, Histogram()).record_many(microseconds)

    def statistic(self, metric, statistic, value):
        """Keep what the tool worked out itself (value: float in s, or int for a count). Raises LoadError below 0."""
        if value < 0:
            raise LoadError("%s: the %s of %s is negative" % (self.path, statistic, metric))
        self.statistics.append((metric, "s", statistic, value))

    def seconds(self, ends, failures):
        """Fill the series: ends (list of (epoch s, response time in s)) of operations, failures (list of epoch s)."""
        for end, response_s in ends:
            self.series.operation(int((end - self.start) // 1), max(0, round(response_s * 1e6)))
        for end in failures:
            self.series.error(int((end - self.start) // 1))

    def count(self, name, unit, n):
        """Add `n` (int) to a counter."""
        self.counters.setdefault(name, [unit, 0])[1] += n

    def error(self, error_class, example="", count=1):
        """Count failed operations; the first example of a class is kept."""
        self.errors.setdefault(error_class, [0, example])[0] += count

    def expect(self, what, found, said):
        """Raises LoadError when the requests in the file are not as many as the tool says it made."""
        if found != said:
            raise LoadError("%s: holds %d %s, but the tool counted %d" % (self.path, found, what, said))

    def facts(self, relative_to):
        """For the client's result (dict): what was read, and how that tool counts latency."""
        return {
            "tool": self.tool,
            "version": self.version,
            "latency_from": self.latency_from,
            "file": os.path.relpath(self.path, relative_to),
        }


def apply(imported, recorder, before_s=0.0):
    """Give an Imported to a Recorder. Raises LoadError, and has then given nothing.

    before_s (float): seconds that earlier executions of the same case measured; its own seconds follow on them.
    """
    if imported.operations and imported.duration_s <= 0:
        raise LoadError("%s: says that %d operations took no time" % (imported.path, imported.operations))
    if imported.statistics and recorder.statistics:
        raise LoadError("%s keeps no single requests, so that two runs can't be merged: `requests: 1`" % imported.tool)
    with recorder.lock:
        for name, histogram in imported.histograms.items():
            recorder.histogram(name, histogram.unit, histogram.scale).merge(histogram)
        recorder.operations += imported.operations
        recorder.retries += imported.retries
        recorder.seen_operations += imported.operations
        recorder.seen_errors += sum(count for count, _example in imported.errors.values())
        recorder.series.merge(later(imported.series, int(before_s)))
        if imported.statistics and not recorder.histograms["response_time"].count:
            del recorder.histograms["response_time"]  # else its rows would say that there were no operations
    for name, (unit, total) in imported.counters.items():
        recorder.count(name, unit, total)
    for error_class, (count, example) in imported.errors.items():
        recorder.problem(error_class, example, count)
    for row in imported.statistics:
        recorder.statistic(*row)


def later(series, seconds):
    """A copy of a Series in which everything happens `seconds` (int) later."""
    return Series.from_list([second + seconds, *row] for second, *row in series.to_list())


class Node:
    """A JSON object of a tool's file, whose fields are asked for by name and kind; errors name file and field."""

    def __init__(self, value, path, name=""):
        self.value = value
        self.path = path
        self.name = name
        if not isinstance(value, dict):
            self.refuse("", "is no object")

    def __contains__(self, field):
        return self.value.get(field) is not None

    def refuse(self, field, problem):
        """Raises LoadError that a field of this object `problem` (str)."""
        whole = ".".join(part for part in (self.name, field) if part) or "the whole"
        raise LoadError("%s: %s %s" % (self.path, whole, problem))

    def get(self, field, kind, what):
        """The value of a field, which must be an instance of `kind`, described as `what`."""
        value = self.value.get(field)
        if value is None:
            self.refuse(field, "is missing")
        if isinstance(value, bool) is not (kind is bool) or not isinstance(value, kind):
            self.refuse(field, "is no %s: %s" % (what, json.dumps(value)[:60]))
        return value

    def node(self, field):
        """A field that is an object (Node)."""
        name = ".".join(part for part in (self.name, field) if part)
        return Node(self.get(field, dict, "object"), self.path, name)

    def nodes(self, field):
        """A field that is a list of objects (list of Node)."""
        return [Node(item, self.path, "%s[%d]" % (field, number)) for number, item in enumerate(self.items(field))]

    def number(self, field):
        """A field that is a number (int or float)."""
        value = self.get(field, (int, float), "number")
        if not math.isfinite(value):
            self.refuse(field, "is no finite number")
        return value

    def whole(self, field):
        """A field that counts something (int)."""
        value = self.number(field)
        if value != int(value) or value < 0:
            self.refuse(field, "is no whole number >= 0: %r" % value)
        return int(value)

    def text(self, field):
        """A field that is a str."""
        return self.get(field, str, "text")

    def numbers(self, field, length=None):
        """A field that is a list of numbers, as long as `length` (int) says."""
        values = self.items(field, length)
        self._check(field, values)
        return values

    def number_lists(self, field, length):
        """A field that is a list of lists of numbers, as long as `length` (int) says."""
        lists = self.items(field, length)
        for values in lists:
            if not isinstance(values, list):
                self.refuse(field, "has %s among its lists" % json.dumps(values)[:60])
            self._check(field, values)
        return lists

    def items(self, field, length=None):
        """A field that is a list of anything, as long as `length` (int) says."""
        values = self.get(field, list, "list")
        if length is not None and len(values) != length:
            self.refuse(field, "has %d values where there are %d requests" % (len(values), length))
        return values

    def _check(self, field, values):
        for value in values:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                self.refuse(field, "has %s among its numbers" % json.dumps(value)[:60])


def read_json(path):
    """The object (Node) that a file holds. Raises LoadError when it can't be read or isn't whole."""
    try:
        with open(path, encoding="utf-8") as stream:
            return Node(json.load(stream), path)
    except OSError as e:
        raise LoadError("%s: cannot be read: %s" % (path, e.strerror))
    except ValueError as e:  # also what is no UTF-8
        raise LoadError("%s: is no whole JSON: %s" % (path, e))
