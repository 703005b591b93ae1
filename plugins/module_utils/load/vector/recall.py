# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How right the answers of one case are: recall@k of each against the exact one."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import bisect

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Tally

# As in ann-benchmarks: an answer at the distance of the k-th nearest vector is as good as that one.
EPSILON = 1e-3


class Judge:
    """Looks at answers. k: int; truth: Truth; samples: Samples, which says what is measured.

    Two recalls are kept, each a share of k: `recall` counts the numbers that are in the exact answer (as VectorDBBench
    does), `recall_by_distance` the returned distances up to EPSILON beyond the k-th exact one (as ann-benchmarks
    does; from the server's own distances).
    """

    def __init__(self, k, truth, samples):
        self.k = k
        self.samples = samples
        self.right, self.limits = [], []
        for at in range(0, len(truth.ids), truth.depth):
            ids, distances = truth.ids[at : at + truth.depth], truth.distances[at : at + truth.depth]
            last = distances[k - 1]
            # several vectors at the very distance of the k-th: any of them is right
            self.right.append(frozenset(ids[: bisect.bisect_right(distances, last)]))
            self.limits.append(last + EPSILON)
        self.by_id, self.by_distance = self._tally(), self._tally()

    def _tally(self):
        return Tally("1", 1.0 / self.k)

    def take(self, operation, query, ids, distances):
        """An operation's answer to the query with this number. distances: list of float, None where there are none."""
        k = self.k
        found = set(ids)
        if len(ids) != k or len(found) != k:
            operation.fail("wrong row count", "%d rows (%d different ones) instead of %d" % (len(ids), len(found), k))
        elif self.samples.is_measured(operation.due):
            self.by_id.add((len(found & self.right[query]),))
            if distances is not None:
                limit = self.limits[query]
                self.by_distance.add((sum([distance <= limit for distance in distances]),))

    def report(self):
        """Hand what was found to the samples, as histograms."""
        for name, tally in (("recall", self.by_id), ("recall_by_distance", self.by_distance)):
            if tally.histogram.count:
                self.samples.histograms[name] = tally.histogram
