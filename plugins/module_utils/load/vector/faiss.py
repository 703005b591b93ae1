# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faiss, a library: no server is asked, a process in the clients' container searches.

The set-up has one process build the index and write it to the run's directory; every client's process reads it from
there. A client's process searches one query at a time in each of its threads. `response_time` has the way through the
pipe and the waiting for a thread in it, `search_time` is the search alone, by that process's own clock.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math
import os
import struct
import sys

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Tally
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import Operation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import Adapter
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.faiss_process import (
    FaissConnector,
    FaissProcess,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

FOLDER = "vector"  # of the run's directory
_M = 32  # of HNSW, where nothing is said: the usual one of Faiss
_PARAMETERS = {"ef": "efSearch", "nprobe": "nprobe"}
_US = 1e6


class Faiss(Adapter):
    """See the module."""

    in_process = True

    def __init__(self, ctx, dimensions, size):
        super().__init__(ctx, dimensions, size)
        self.folder = os.path.join(ctx.run_dir, FOLDER)
        self.vectors = os.path.join(self.folder, "vectors.f32")
        self.path = os.path.join(self.folder, "index.faiss")
        self.process = None
        self.opened = 0  # vectors of the index that is open
        self.times = None  # of the searches of a case
        self.used_s = 0.0  # CPU seconds of the process before the case

    def _process(self):
        if self.process is None:
            os.makedirs(self.folder, exist_ok=True)
            self.process = FaissProcess(self.ctx, self.folder)
        return self.process

    # -- the set-up -------------------------------------------------------------------------------------

    def create(self, searches):
        """See Adapter."""
        self.drop()
        os.makedirs(self.folder, exist_ok=True)

    def fill(self, data):
        """Build the index of a data set. Returns (seconds of the training, seconds of adding the vectors)."""
        with open(self.vectors, "wb") as stream:
            for _first, values in data.blocks():
                stream.write(little_endian(values))
        try:
            built = self._process().command(
                op="build",
                vectors=self.vectors,
                dimensions=self.dimensions,
                metric=self.metric,
                index=factory(self.kind, self.index),
                ef_construction=self.index.get("ef_construction"),
                path=self.path,
            )
        finally:
            os.remove(self.vectors)
        return built["train_s"], built["add_s"]

    def count(self):
        """See Adapter."""
        self._open()
        return self.opened

    def _open(self):
        if not self.opened:
            answer = self._process().command(
                op="open", path=self.path, metric=self.metric, threads=self.settings["threads"]
            )
            self.opened = answer["count"]

    def nearest(self, encoded, k, search):
        """See Adapter."""
        self.begin(dict(self.settings, k=k, search=search))
        try:
            return self.read(self._process().once(encoded), k)[1]
        except ValueError as e:
            raise LoadError("the first search: %s" % e)

    def drop(self):
        """See Adapter."""
        for path in (self.vectors, self.path):
            if os.path.exists(path):
                os.remove(path)

    # -- the load ---------------------------------------------------------------------------------------

    def connector(self):
        """See Adapter."""
        return FaissConnector(Endpoint("this process", 0), self._process())

    def begin(self, settings):
        """See Adapter."""
        self._open()
        self._process().command(op="search", k=settings["k"], parameters=parameters_of(settings["search"]))
        self.times = Tally()
        self.used_s = self._process().command(op="usage")["cpu_s"]

    def encode_query(self, values):
        """See Adapter."""
        return little_endian(values)

    def payload(self, encoded, settings):
        """See Adapter."""
        return encoded

    def operation(self, payload, query, judge):
        """See Adapter."""
        return _Search(payload, self, query, judge)

    def read(self, body, k):
        """(seconds, ids, distances) in an answer. Raises ValueError."""
        seconds = struct.unpack_from("<d", body)[0]
        if seconds < 0 or len(body) != 8 + 12 * k:
            raise ValueError(body[8:].decode("utf-8", "replace") if seconds < 0 else "%d bytes" % len(body))
        ids = struct.unpack_from("<%dq" % k, body, 8)
        found = [number for number in ids if number >= 0]  # -1: there was none
        distances = struct.unpack_from("<%df" % k, body, 8 + 8 * k)[: len(found)]
        return seconds, found, distances_of(distances, self.metric)

    def report(self, samples, facts):
        """See Adapter."""
        facts["in_process"] = True
        facts["service_cpu_s"] = self._used_s()
        if self.times.histogram.count:
            samples.histograms["search_time"] = self.times.histogram

    def _used_s(self):
        """CPU seconds of the case: the service's, though the process is the client's."""
        try:
            return self._process().command(op="usage")["cpu_s"] - self.used_s
        except LoadError:
            return 0.0  # it died, or the run is being stopped: the errors say so

    def close(self):
        """See Adapter."""
        if self.process is not None:
            self.process.close()
            self.process = None


class _Search(Operation):
    """One search."""

    __slots__ = ("adapter", "body", "judge", "payload", "query")

    def __init__(self, payload, adapter, query, judge):
        super().__init__()
        self.payload, self.adapter, self.query, self.judge = payload, adapter, query, judge
        self.body = b""

    def began(self, now):
        """See Operation."""
        self.sent += len(self.payload)
        if not self.start:
            self.start = now

    def finished(self):
        """See Operation."""
        try:
            seconds, ids, distances = self.adapter.read(self.body, self.judge.k)
        except (ValueError, struct.error) as e:
            self.fail("wrong answer", str(e))
            return False
        self.body = b""
        self.judge.take(self, self.query, ids, distances)
        if self.error is None and self.judge.samples.is_measured(self.due):
            self.adapter.times.add((int(seconds * _US + 0.5),))
        return False


def factory(kind, index):
    """The index as Faiss's factory string (https://github.com/facebookresearch/faiss/wiki/The-index-factory).

    kind (str), index (dict): of the settings.
    """
    if index.get("factory"):
        return index["factory"]
    if kind == "flat":
        return "Flat"
    if kind == "ivf":
        return "IVF%d,Flat" % index["nlist"]
    return "HNSW%d,Flat" % index.get("m", _M)


def parameters_of(search):
    """The settings `search` (dict) by Faiss's own names."""
    return {_PARAMETERS[name]: value for name, value in search.items() if value}


def distances_of(values, metric):
    """Distances as the truth has them, of Faiss's: l2 squared, inner products for the others."""
    if metric == "l2":
        return [math.sqrt(max(0.0, value)) for value in values]
    if metric == "cosine":
        return [1.0 - value for value in values]
    return [-value for value in values]


def little_endian(values):
    """The bytes of numbers (array("f")), least significant first."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
