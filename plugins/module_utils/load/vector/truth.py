# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The exact answers: each query's nearest vectors by brute force, in numpy or in Python's own integers.

Without numpy only a data set on a grid is searched: its vectors' numbers are integers, and the numbers of one
dimension of all vectors are packed into one long integer, so that one multiplication of Python's takes them all.
That is some fifteen times as fast as a loop, and as exact.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import heapq
import math
import operator
import os
import sys
from array import array

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import optional
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

METRICS = ("l2", "cosine", "ip")
DEPTH = 100  # neighbours that are kept of each query, as in files of ann-benchmarks
_MOST_STEPS = 2e10  # multiplications without numpy: some minutes
_QUERIES_AT_ONCE = 1024


class Truth:
    """ids: the numbers of each query's `depth` nearest vectors, the nearest first, query after query (array("q")).

    distances: their distances (array("d")): l2 the Euclidean one, cosine 1 - cos, ip the negative inner product.
    """

    def __init__(self, depth, ids, distances):
        self.depth, self.ids, self.distances = depth, ids, distances

    def write(self, path):
        """Into a file; a reader sees all of it or nothing."""
        with open(path + ".part", "wb") as stream:
            stream.write(b"%d %d\n" % (self.depth, len(self.ids)))
            self.ids.tofile(stream)
            self.distances.tofile(stream)
        os.replace(path + ".part", path)

    @classmethod
    def read(cls, path):
        """What was written. Raises OSError, ValueError, EOFError."""
        with open(path, "rb") as stream:
            depth, count = map(int, stream.readline().split())
            ids, distances = array("q"), array("d")
            ids.fromfile(stream, count)
            distances.fromfile(stream, count)
        return cls(depth, ids, distances)


def truth_of(data, metric, depth, stop=None):
    """The Truth of a data set (Gaussian or AnnFile). stop (threading.Event or None): give up when it is set.

    Raises LoadError when it would take too long, or was stopped.
    """
    if data.distance == metric and data.whole:
        ids = data.neighbours(depth)
        if ids is not None:
            return Truth(depth, ids, _distances(data, metric, depth, ids))
    numpy = optional.numpy()
    if numpy is not None:
        return _Best(data, metric, depth, stop).with_numpy(numpy)
    steps = data.size * data.queries * data.dimensions
    if steps > _MOST_STEPS:
        raise LoadError(
            "the exact neighbours of %d queries among %d vectors of %d dimensions take too long without numpy: "
            "have the cluster's Python import numpy, or lower size or queries"
            % (data.queries, data.size, data.dimensions)
        )
    return _Best(data, metric, depth, stop).with_integers()


class _Best:
    """Goes through the blocks of vectors and keeps the nearest of each query.

    A score is smaller for a nearer vector: l2 |p|^2 - 2 qp, ip -qp, cosine -qp / |p|. On a grid it is exact, but for
    cosine's one rounding, and the same in both ways. Of equal scores the smaller number comes first.
    """

    def __init__(self, data, metric, depth, stop):
        self.data, self.metric, self.depth, self.stop = data, metric, depth, stop
        self.scale = data.grid or 1

    def _check(self):
        if self.stop is not None and self.stop.is_set():
            raise LoadError("stopped")

    def with_numpy(self, numpy):
        """The Truth, by matrix products in double precision: sums of integers below 2^53 are exact."""
        data, depth = self.data, self.depth
        queries = numpy.array(data.query_values(), numpy.float64).reshape(-1, data.dimensions) * self.scale
        parts = [queries[at : at + _QUERIES_AT_ONCE] for at in range(0, len(queries), _QUERIES_AT_ONCE)]
        best = [(numpy.empty((len(part), 0)), numpy.empty((len(part), 0), numpy.int64)) for part in parts]
        for first, values in data.blocks():
            block = numpy.frombuffer(values, numpy.float32).astype(numpy.float64).reshape(-1, data.dimensions)
            block *= self.scale
            norms = (block * block).sum(1)
            numbers = numpy.arange(first, first + len(block), dtype=numpy.int64)
            for at, part in enumerate(parts):
                self._check()
                scores = self._scored(numpy, part, block, norms)
                near = _smallest(numpy, scores, numpy.broadcast_to(numbers, scores.shape), depth)
                both = [numpy.hstack(pair) for pair in zip(best[at], near)]
                best[at] = _smallest(numpy, both[0], both[1], depth)
        distances = array("d")
        for part, (scores, _numbers) in zip(parts, best):
            for row, square in zip(scores.tolist(), (part * part).sum(1).tolist()):
                distances.extend([self._distance(score, square) for score in row])
        return Truth(depth, array("q", [n for _scores, found in best for n in found.ravel().tolist()]), distances)

    def _scored(self, numpy, queries, block, norms):
        products = queries @ block.T
        if self.metric == "l2":
            return norms - 2.0 * products
        if self.metric == "ip":
            return -products
        return -products / numpy.sqrt(norms)

    def with_integers(self):
        """The Truth, in Python's own integers."""
        data, depth = self.data, self.depth
        values = [int(value * self.scale) for value in data.query_values()]
        queries = [values[at : at + data.dimensions] for at in range(0, len(values), data.dimensions)]
        best = [[] for _query in queries]  # (score, number), the nearest first
        for first, block in data.blocks():
            packed = _Packed([int(value * self.scale) for value in block], data.dimensions)
            for number, query in enumerate(queries):
                self._check()
                found = best[number]
                scores = self._integer_scores(packed, query)
                limit = found[-1][0] if len(found) == depth else max(scores)
                near = [(score, first + at) for at, score in enumerate(scores) if score <= limit]
                best[number] = heapq.nsmallest(depth, found + near)
        ids = array("q", [number for found in best for _score, number in found])
        distances = array("d")
        for query, found in zip(queries, best):
            square = sum(map(operator.mul, query, query))
            distances.extend([self._distance(score, square) for score, _number in found])
        return Truth(depth, ids, distances)

    def _integer_scores(self, packed, query):
        products = packed.products(query)
        if self.metric == "l2":
            return [norm - 2 * product for norm, product in zip(packed.norms, products)]
        if self.metric == "ip":
            return [-product for product in products]
        return [-product / math.sqrt(norm) for norm, product in zip(packed.norms, products)]

    def _distance(self, score, square):
        """The distance (float) of a score; square: |q|^2 in steps of the grid."""
        if self.metric == "l2":
            return math.sqrt(max(0.0, score + square)) / self.scale
        if self.metric == "ip":
            return score / (self.scale * self.scale)
        return 1.0 + score / math.sqrt(square)


class _Packed:
    """The vectors (values: list of int, one after the other) of a block, dimension by dimension, in long integers."""

    def __init__(self, values, dimensions):
        self.count = len(values) // dimensions
        columns = [values[at::dimensions] for at in range(dimensions)]
        rows = [values[at : at + dimensions] for at in range(0, len(values), dimensions)]
        self.norms = [sum(map(operator.mul, row, row)) for row in rows]
        # every number is made positive, and a sum must fit into its eight bytes
        self.offset = max(map(abs, values))
        self.columns = [_joined([value + self.offset for value in column]) for column in columns]
        self.ones = _joined([1] * self.count)

    def products(self, query):
        """The inner products (list of int) of every vector with `query` (list of int)."""
        # sum(q * (p + offset)) is at least -bound: with bound added no place becomes negative and borrows
        bound = 2 * self.offset * sum(map(abs, query))
        total = self.ones * bound
        for factor, column in zip(query, self.columns):
            total += factor * column
        shift = bound + self.offset * sum(query)
        return [value - shift for value in _parted(total, self.count)]


def _joined(values):
    """Whole numbers from 0 to 2^64 - 1 (list of int) as the places of one integer, the first one the lowest."""
    places = array("Q", values)
    if sys.byteorder == "big":
        places.byteswap()
    return int.from_bytes(places.tobytes(), "little")


def _parted(joined, count):
    """The inverse of _joined (array("Q"))."""
    places = array("Q", joined.to_bytes(8 * count, "little"))
    if sys.byteorder == "big":
        places.byteswap()
    return places


def _smallest(numpy, scores, numbers, depth):
    """The `depth` smallest scores of each row in order, and their numbers; of equal scores the left one is smaller."""
    if scores.shape[1] > depth:
        chosen = numpy.argpartition(scores, depth - 1, axis=1)[:, :depth]
        last = numpy.take_along_axis(scores, chosen, 1).max(1)
        for row in numpy.flatnonzero((scores <= last[:, None]).sum(1) > depth):  # which of equals were chosen is chance
            chosen[row] = numpy.argsort(scores[row], kind="stable")[:depth]
        chosen.sort(axis=1)
        scores, numbers = numpy.take_along_axis(scores, chosen, 1), numpy.take_along_axis(numbers, chosen, 1)
    order = numpy.argsort(scores, axis=1, kind="stable")
    return numpy.take_along_axis(scores, order, 1), numpy.take_along_axis(numbers, order, 1)


def _distances(data, metric, depth, ids):
    """The distances (array("d")) of the neighbours that a file names, from its vectors."""
    numpy = optional.numpy()
    queries = numpy.array(data.query_values(), numpy.float64).reshape(-1, data.dimensions)
    distances = array("d")
    for number, query in enumerate(queries):
        rows = data.rows(ids[number * depth : (number + 1) * depth].tolist())
        if metric == "l2":
            found = numpy.sqrt(((rows - query) ** 2).sum(1))
        elif metric == "ip":
            found = -(rows @ query)
        else:
            found = 1.0 - (rows @ query) / numpy.sqrt((rows * rows).sum(1) * (query @ query))
        distances.extend(found.tolist())
    return distances
