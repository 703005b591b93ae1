# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The set-up: has a server take the vectors, and says how long that took."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import threading
import time
from array import array

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

ROUND_BYTES = 1 << 28  # encoded at once, so that encoding is not measured as the server's speed
_POLL_S = 0.01


class Loaded:
    """What was measured: vectors (int); seconds (float): insert_s, index_s (None: no phase), searchable_s."""

    def __init__(self, vectors, insert_s, index_s, searchable_s):
        self.vectors, self.insert_s, self.index_s, self.searchable_s = vectors, insert_s, index_s, searchable_s

    def metrics(self):
        """Rows [metric, unit, statistic, value] of the results."""
        rows = [["vectors", "1", "value", self.vectors]]
        if self.insert_s > 0:
            rows.append(["insert_rate", "vector/s", "value", self.vectors / self.insert_s])
        if self.index_s is not None:
            rows.append(["index_build_time", "s", "value", self.index_s])
        rows.append(["time_to_searchable", "s", "value", self.searchable_s])
        return rows


def load(adapter, data, query, searches):
    """Make the collection and fill it, index it, wait until it is whole. Returns the Loaded of its first copy.

    query (array("f")): one to find out with; searches (list of dict): the settings `search` of all cases. Raises
    LoadError.
    """
    settings, encoded = adapter.settings, adapter.encode_query(query)
    adapter.create(searches)
    loaded = []
    for copy in range(adapter.copies):
        adapter.copy = copy
        done = adapter.fill(data)
        begin = time.monotonic()
        deadline = begin + settings["searchable_deadline_s"]
        if done is None:
            insert_s = _insert(adapter, data)
            begin = time.monotonic()
            deadline = begin + settings["searchable_deadline_s"]
            before_s, index_s = insert_s, adapter.build(deadline)
        else:
            insert_s, before_s, index_s = done[1], sum(done), sum(done)
        _wait_searchable(adapter, data, encoded, searches[0], deadline)
        loaded.append(Loaded(data.size, insert_s, index_s, before_s + time.monotonic() - begin))
    return loaded[0]


def _wait_searchable(adapter, data, encoded, search, deadline):
    """Until the server has all vectors, and answers a query with as many as were asked for."""
    k = adapter.settings["k"]
    while True:
        count = adapter.count()
        if count > data.size:
            raise LoadError("the server has %d vectors, more than the %d that were inserted" % (count, data.size))
        if count == data.size and len(adapter.nearest(encoded, k, search)) == k:
            return
        adapter.pause(_POLL_S, deadline, "an answer from all vectors (%d of %d are there)" % (count, data.size))


# -- inserting -----------------------------------------------------------------------------------------


def _insert(adapter, data):
    """Insert all vectors, several connections at a time. Returns the seconds that it took, without the encoding."""
    spent_s = 0.0
    for todo in _rounds(adapter, data):
        # new ones a round: while the next one was encoded, a server may have closed them as idle
        inserters = []
        try:
            for _number in range(adapter.settings["insert_clients"]):
                inserters.append(adapter.inserter())
            begin = time.monotonic()
            _work_off(inserters, todo, adapter.ctx.stop)
            spent_s += time.monotonic() - begin
        finally:
            for inserter in inserters:
                inserter.close()
    return spent_s


def _rounds(adapter, data):
    """Encoded batches (deque), each round at most ROUND_BYTES and one batch."""
    todo, size = collections.deque(), 0
    for first, values in batches(data, adapter.settings["batch_size"]):
        if adapter.ctx.stop.is_set():
            raise LoadError("stopped")
        encoded = adapter.encode(first, values)
        todo.append(encoded)
        size += len(encoded)
        if size > ROUND_BYTES:
            yield todo
            todo, size = collections.deque(), 0
    if todo:
        yield todo


def batches(data, count):
    """(number of its first vector, the numbers of `count` vectors: array("f")) of all of a data set's vectors."""
    step, first, waiting = count * data.dimensions, 0, array("f")
    for _first, values in data.blocks():
        waiting.extend(values)
        at = 0
        while len(waiting) - at >= step:
            yield first, waiting[at : at + step]
            at, first = at + step, first + count
        waiting = waiting[at:]
    if waiting:
        yield first, waiting


def _work_off(inserters, todo, stop):
    """Insert what is in `todo`, each inserter in a thread. Raises the first LoadError."""
    errors = []

    def work(inserter):
        while not errors:
            if stop.is_set():
                errors.append(LoadError("stopped"))
                return
            try:
                encoded = todo.popleft()
            except IndexError:
                return
            try:
                inserter.insert(encoded)
            except LoadError as e:
                errors.append(e)

    threads = [threading.Thread(target=work, args=(inserter,)) for inserter in inserters[1:]]
    for thread in threads:
        thread.start()
    work(inserters[0])
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
