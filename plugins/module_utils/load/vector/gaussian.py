# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A data set of Gaussian clusters, the same one for the same seed on every machine, with numpy or without.

Every number is a whole multiple of 1/1024, so that a float32 holds it exactly and exact distances can be worked out
in integers. The randomness is SHAKE-128 (FIPS 202) of the seed and a block's number: no generator of any library,
whose numbers might change, and any block can be made without the ones before it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import itertools
import math
import operator
import sys
from array import array

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import optional

GRID = 1024  # steps of 1.0
BLOCK = 1024  # vectors that share a stream of random bytes

_UNIFORM_BITS = 16  # of the number that picks a quantile


class Gaussian:
    """`clusters` centres, each number of which is normal (mean 0, standard deviation 1); every vector is a centre,
    chosen evenly, and noise of standard deviation `sigma`. The queries are made like the vectors and are none of them.

    size, queries, dimensions, clusters, seed: int; sigma: float.
    """

    grid = GRID
    distance = None  # it is no file that has a distance of its own

    def __init__(self, size, queries, dimensions, *, clusters, sigma, seed):
        self.size, self.queries, self.dimensions = size, queries, dimensions
        self.clusters, self.seed = clusters, seed
        self._noise = quantiles(sigma)
        centres = quantiles(1.0)
        values = [centres[u] for u in self._uniforms("centres", 0, clusters * dimensions)]
        self._centres = [values[at : at + dimensions] for at in range(0, len(values), dimensions)]

    def blocks(self):
        """(number of its first vector, the numbers of its vectors one after the other as array("f")) of each block."""
        for block, first in enumerate(range(0, self.size, BLOCK)):
            yield first, self._block("vectors", block, min(BLOCK, self.size - first))

    def query_values(self):
        """The queries' numbers, one query after the other (array("f"))."""
        values = array("f")
        for block, first in enumerate(range(0, self.queries, BLOCK)):
            values.extend(self._block("queries", block, min(BLOCK, self.queries - first)))
        return values

    def _block(self, what, block, count):
        noise = self._uniforms(what, block, count * self.dimensions)
        chosen = array("I", self._bytes(what + " clusters", block, 4 * count))
        if sys.byteorder == "big":
            chosen.byteswap()
        numpy = optional.numpy()
        if numpy is not None:  # four times as fast, and the same numbers
            steps = numpy.array(self._noise)[numpy.frombuffer(noise, numpy.uint16)].reshape(count, self.dimensions)
            steps += numpy.array(self._centres)[numpy.frombuffer(chosen, numpy.uint32) % self.clusters]
            return array("f", (steps / GRID).astype(numpy.float32).tobytes())
        steps = map(self._noise.__getitem__, noise)
        centres = itertools.chain.from_iterable([self._centres[number % self.clusters] for number in chosen])
        return array("f", [step / GRID for step in map(operator.add, steps, centres)])

    def _uniforms(self, what, block, count):
        """`count` whole numbers below 2^16 (array("H"))."""
        found = array("H", self._bytes(what, block, 2 * count))
        if sys.byteorder == "big":
            found.byteswap()
        return found

    def _bytes(self, what, block, count):
        name = "aifactory gaussian 1: %d %s %d" % (self.seed, what, block)
        return hashlib.shake_128(name.encode("ascii")).digest(count)


def quantiles(sigma):
    """For every number u of 16 bits the quantile (u + 1/2) / 2^16 of the normal distribution, in steps of the grid."""
    count = 1 << _UNIFORM_BITS
    upper = [math.floor(sigma * GRID * normal_quantile((u + 0.5) / count) + 0.5) for u in range(count // 2, count)]
    return [-step for step in reversed(upper)] + upper


# Wichura's algorithm AS 241, PPND7 (Applied Statistics 37, 1988, pages 477-484): about seven digits, which is
# more than the grid has. Its coefficients, the highest power first.
_CENTRE = ((59.109374720, 159.29113202, 50.434271938, 3.3871327179), (67.187563600, 78.757757664, 17.895169469, 1.0))
_MIDDLE = ((0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777), (0.12021132975, 0.73700164250, 1.0))
_TAIL = ((0.017337203997, 0.42868294337, 3.0812263860, 6.6579051150), (0.012258202635, 0.24197894225, 1.0))


def normal_quantile(p):
    """The quantile (float) of the standard normal distribution, 0 < p < 1."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(_CENTRE[0], r) / _polynomial(_CENTRE[1], r)
    r = math.sqrt(-math.log(min(p, 1.0 - p)))
    parts, r = (_MIDDLE, r - 1.6) if r <= 5.0 else (_TAIL, r - 5.0)
    return math.copysign(_polynomial(parts[0], r) / _polynomial(parts[1], r), q)


def _polynomial(coefficients, x):
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value
