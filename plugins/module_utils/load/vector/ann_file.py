# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Data sets in files of ann-benchmarks (HDF5): `train` is searched, `test` are the queries.

`neighbors` holds the numbers of each query's nearest vectors, the nearest first. The file's attribute `distance`
names its distance (https://github.com/erikbern/ann-benchmarks, data sets). h5py reads it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from array import array

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import optional

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DISTANCES = {"euclidean": "l2", "angular": "cosine", "dot": "ip", "ip": "ip", "inner": "ip"}
_BLOCK_BYTES = 1 << 23


class AnnFile:
    """path: str; size, queries: how many of its vectors and queries are used (int; 0: all).

    distance: the metric (str) of its neighbours, None where it doesn't say. Raises ValueError for a file that is
    none of these, OSError when it can't be read, ImportError without h5py.
    """

    grid = None  # its numbers are any float32

    def __init__(self, path, size=0, queries=0):
        check_signature(path)
        h5py = optional.h5py()
        if h5py is None:
            raise ImportError("the data set %s needs h5py, which this Python can't import: install it" % path)
        self.path = path
        self._file = h5py.File(path, "r")
        _check(self._file, path)
        train, test = self._file["train"], self._file["test"]
        self.dimensions = int(train.shape[1])
        self.size, self.queries = _share(size, train, "size", path), _share(queries, test, "queries", path)
        name = self._file.attrs.get("distance")
        self.distance = _DISTANCES.get(name.decode() if isinstance(name, bytes) else name)
        self.whole = self.size == train.shape[0]

    def blocks(self):
        """As those of Gaussian."""
        step = max(1, _BLOCK_BYTES // (4 * self.dimensions))
        for first in range(0, self.size, step):
            yield first, self._values("train", first, min(first + step, self.size))

    def query_values(self):
        """As those of Gaussian."""
        return self._values("test", 0, self.queries)

    def neighbours(self, depth):
        """The numbers (array("q")) of the `depth` nearest vectors of each query, None where the file lacks them."""
        found = self._file.get("neighbors")
        if found is None or found.shape[1] < depth or found.shape[0] < self.queries:
            return None
        return array("q", found[: self.queries, :depth].astype("int64").tobytes())

    def rows(self, numbers):
        """The vectors (numpy array of float64) with these numbers, in their order."""
        wanted = sorted(set(numbers))
        place = {number: at for at, number in enumerate(wanted)}
        return self._file["train"][wanted].astype("float64")[[place[number] for number in numbers]]

    def _values(self, name, first, end):
        return array("f", self._file[name][first:end].astype("float32").tobytes())


def check_signature(path):
    """The file begins as HDF5 does. Raises ValueError, OSError."""
    with open(path, "rb") as stream:
        start = stream.read(len(_SIGNATURE))
    if start != _SIGNATURE:
        raise ValueError("%s is no HDF5 file: a data set of ann-benchmarks is wanted" % path)


def _check(file, path):
    for name in ("train", "test"):
        found = file.get(name)
        if found is None or len(found.shape) != 2 or found.dtype.kind != "f":
            there = ", ".join(sorted(file)) or "nothing"
            raise ValueError("%s has no table %r of floating-point vectors (it has %s)" % (path, name, there))
        if not found.shape[0]:
            raise ValueError("%s: its table %r is empty" % (path, name))
    widths = file["train"].shape[1], file["test"].shape[1]
    if widths[0] != widths[1]:
        raise ValueError("%s: its vectors have %d dimensions, its queries %d" % (path, *widths))


def _share(wanted, table, what, path):
    there = int(table.shape[0])
    if wanted > there:
        raise ValueError("%s is %d, and %s has %d" % (what, wanted, path, there))
    return wanted or there
