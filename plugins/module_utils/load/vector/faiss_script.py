# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faiss in a process of its own, in the clients' container: builds an index, and searches it query by query.

This file runs there as a program; it needs Python 3 with faiss and numpy, and nothing of this collection.
Frames in on standard input and out on standard output: length (uint32, of what follows), number (uint32), body, all
little-endian. Number 0 is a command and its answer, both JSON:
{"op": "build", "vectors": path of float32, "dimensions", "metric": "l2|cosine|ip", "index": factory string,
"ef_construction": int or null, "path": where the index goes} -> {"ok": true, "train_s", "add_s", "count"};
{"op": "open", "path", "metric", "threads"} -> {"ok": true, "count"};
{"op": "search", "k", "parameters": {name: int}} -> {"ok": true}: of the searches that follow; those that wait are
forgotten;
{"op": "usage"} -> {"ok": true, "cpu_s"}: what this process has used. A failed command is {"ok": false, "error"}.
Any other number is a search, its body the query (float32); the answer to it is seconds (float64), k ids (int64),
k distances (float32), or -1.0 and the text of an error.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import queue
import struct
import sys
import threading
import time

_HEAD = struct.Struct("<II")


class Server:
    """source, sink: binary streams."""

    def __init__(self, source, sink):
        import faiss
        import numpy

        self.faiss, self.numpy = faiss, numpy
        self.source, self.sink = source, sink
        self.index = self.metric = None
        self.k = 1
        self.waiting = queue.Queue()
        self.lock = threading.Lock()
        self.is_threaded = False

    def serve(self):
        """Until the source ends."""
        while True:
            head = self.source.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            length, number = _HEAD.unpack(head)
            body = self.source.read(length - 4)
            if number == 0:
                self.answer(0, json.dumps(self.command(json.loads(body.decode("utf-8")))).encode("utf-8"))
            elif self.is_threaded:
                self.waiting.put((number, body))
            else:
                self.search(number, body)

    def answer(self, number, body):
        """Send a frame."""
        with self.lock:
            self.sink.write(_HEAD.pack(len(body) + 4, number) + body)
            self.sink.flush()

    def command(self, order):
        """The answer (dict) to a command."""
        try:
            return dict(getattr(self, "do_" + order.pop("op"))(**order), ok=True)
        except Exception as e:  # whatever it is, the other side has to know
            return {"ok": False, "error": "%s: %s" % (type(e).__name__, e)}

    def do_build(self, *, vectors, dimensions, metric, index, ef_construction, path):
        """See the module."""
        faiss, numpy = self.faiss, self.numpy
        rows = numpy.fromfile(vectors, dtype="<f4").reshape(-1, dimensions)
        if metric == "cosine":
            rows /= numpy.sqrt((rows.astype("f8") ** 2).sum(1))[:, None]
        kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        made = faiss.index_factory(dimensions, index, kind)
        if ef_construction:
            faiss.ParameterSpace().set_index_parameter(made, "efConstruction", ef_construction)
        begin = time.perf_counter()
        made.train(rows)
        trained = time.perf_counter()
        made.add(rows)
        added = time.perf_counter()
        faiss.write_index(made, path + ".part")
        os.rename(path + ".part", path)
        return {"train_s": trained - begin, "add_s": added - trained, "count": int(made.ntotal)}

    def do_open(self, path, metric, threads):
        """See the module."""
        self.index, self.metric = self.faiss.read_index(path), metric
        self.faiss.omp_set_num_threads(1)
        self.is_threaded = threads > 1
        for _number in range(threads if self.is_threaded else 0):
            threading.Thread(target=self.work, daemon=True).start()
        return {"count": int(self.index.ntotal)}

    def do_search(self, k, parameters):
        """See the module."""
        while True:
            try:
                self.waiting.get_nowait()
            except queue.Empty:
                break
        space = self.faiss.ParameterSpace()
        for name, value in parameters.items():
            space.set_index_parameter(self.index, name, value)
        self.k = k
        return {}

    @staticmethod
    def do_usage():
        """See the module."""
        return {"cpu_s": time.process_time()}

    def work(self):
        """One thread that searches."""
        self.faiss.omp_set_num_threads(1)
        while True:
            self.search(*self.waiting.get())

    def search(self, number, body):
        """Search, and say how long that took."""
        try:
            query = self.numpy.frombuffer(body, dtype="<f4").reshape(1, -1)
            if self.metric == "cosine":
                query = query / self.numpy.float32(self.numpy.sqrt((query.astype("f8") ** 2).sum()))
            begin = time.perf_counter()
            distances, ids = self.index.search(query, self.k)
            spent_s = time.perf_counter() - begin
        except Exception as e:
            self.answer(number, struct.pack("<d", -1.0) + ("%s: %s" % (type(e).__name__, e)).encode("utf-8"))
            return
        self.answer(
            number, struct.pack("<d", spent_s) + ids.astype("<i8").tobytes() + distances.astype("<f4").tobytes()
        )


def main():
    """Serve on standard input and output; what libraries print goes to standard error."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        server = Server(sys.stdin.buffer, sink)
    except ImportError as e:
        reason = "this Python (%s) has no faiss with numpy: %s" % (sys.executable, e)
        sys.exit(reason)  # pylint: disable=ansible-bad-function
    server.serve()


if __name__ == "__main__":
    main()
