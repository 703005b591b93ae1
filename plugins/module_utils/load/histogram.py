# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A log-linear histogram whose merging loses nothing.

Values are integers (a time in microseconds: `scale` 1e-6). The first 256 values have a bucket each; from there
on every power of two is cut into 256 buckets, so a bucket's middle is at most 0.2 % from any value in it.
Method: HdrHistogram's, with the middle of the bucket as its value. Count, sum, sum of squares, minimum and
maximum are exact, whatever is merged.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

try:  # what Counter.update counts an iterable with, in C; private, hence the other way beside it
    from collections import _count_elements as count_elements
except ImportError:
    from collections import Counter

    def count_elements(mapping, iterable):
        """Add to `mapping` how often each element occurs."""
        for value, times in Counter(iterable).items():
            mapping[value] = mapping.get(value, 0) + times


SUB_BUCKET_BITS = 8
_SUB_BUCKETS = 1 << SUB_BUCKET_BITS

# Distinct values that wait to be sorted into buckets: enough to pay it seldom, little enough memory (some MB).
_WAITING = 20000

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))


def bucket_of(value):
    """The bucket's index (int) of an integer value >= 0."""
    if value < _SUB_BUCKETS:
        return value
    e = value.bit_length() - SUB_BUCKET_BITS - 1
    return (e << SUB_BUCKET_BITS) + (value >> e)


def middle_of(index):
    """The middle (float) of the integer values of a bucket."""
    if index < _SUB_BUCKETS:
        return float(index)
    e = (index >> SUB_BUCKET_BITS) - 1
    low = ((index & (_SUB_BUCKETS - 1)) + _SUB_BUCKETS) << e
    return low + ((1 << e) - 1) / 2.0


class _Indices(dict):
    """Bucket index as text -> int: one int a bucket for all histograms, which is made, hashed and found faster."""

    def __missing__(self, text):
        number = self[text] = int(text)
        return number


_INDICES = _Indices()


class Histogram:
    """Counts integer values >= 0; `value * scale` is in `unit`. Not thread-safe."""

    def __init__(self, unit="s", scale=1e-6):
        self.unit = unit
        self.scale = scale
        self.counts = {}
        self.count = 0
        self.sum = 0
        self.sum_squares = 0
        self.min = None
        self.max = None

    def record(self, value, times=1):
        """Count an integer value. Raises ValueError for a negative one."""
        if value < 0:
            raise ValueError("a histogram takes values >= 0, not %r" % (value,))
        index = bucket_of(value)
        self.counts[index] = self.counts.get(index, 0) + times
        self.count += times
        self.sum += value * times
        self.sum_squares += value * value * times
        if self.min is None or value < self.min:
            self.min = value
        if self.max is None or value > self.max:
            self.max = value

    def record_many(self, values):
        """Count many integers at once (each distinct value costs one step in Python)."""
        waiting = {}
        count_elements(waiting, values)
        self.record_counts(waiting)

    def record_counts(self, counts):
        """Count integers >= 0, given as a dict: value -> how often."""
        for value, times in counts.items():
            self.record(value, times)

    def merge(self, other):
        """Add another histogram of the same unit and scale. Raises ValueError when they differ."""
        if (self.unit, self.scale) != (other.unit, other.scale):
            raise ValueError("cannot merge %s x %r into %s x %r" % (other.unit, other.scale, self.unit, self.scale))
        counts, get = self.counts, self.counts.get
        for index, times in other.counts.items():
            counts[index] = get(index, 0) + times
        self.count += other.count
        self.sum += other.sum
        self.sum_squares += other.sum_squares
        for value in (other.min, other.max):
            if value is not None:
                self.min = value if self.min is None else min(self.min, value)
                self.max = value if self.max is None else max(self.max, value)

    def quantile(self, q):
        """The q-quantile in `unit` (float) by nearest rank, at most 0.2 % off; None when empty."""
        return self._quantiles([q])[0] if self.count else None

    def _quantiles(self, qs):
        """Of several in ascending order, with one sorting."""
        found, seen = [], 0
        indices = iter(sorted(self.counts))
        for q in qs:
            rank = self._rank(q)
            while seen < rank:
                index = next(indices)
                seen += self.counts[index]
            found.append(min(max(middle_of(index), self.min), self.max) * self.scale)
        return found

    def _rank(self, q):
        # round() takes away what binary fractions add: 0.999 * 1000 is 999.0000000000001 on the way up.
        return max(1, min(self.count, -int(-round(q * self.count, 9) // 1)))

    @property
    def mean(self):
        """Arithmetic mean in `unit` (float), exact; None when empty."""
        return self.sum / self.count * self.scale if self.count else None

    @property
    def stddev(self):
        """Sample standard deviation in `unit` (float), exact; None with fewer than two values."""
        n = self.count
        if n < 2:
            return None
        return ((n * self.sum_squares - self.sum * self.sum) / (n * (n - 1))) ** 0.5 * self.scale

    def statistics(self):
        """(name, value in `unit`) of each statistic of results.csv; an empty histogram has only its count."""
        if not self.count:
            return [("count", 0)]
        rows = [("count", self.count), ("sum", self.sum * self.scale), ("mean", self.mean)]
        if self.count > 1:
            rows.append(("stddev", self.stddev))
        rows += [("min", self.min * self.scale), ("max", self.max * self.scale)]
        return rows + list(zip((name for name, _q in QUANTILES), self._quantiles([q for _name, q in QUANTILES])))

    def to_dict(self):
        """As JSON: sum, sum_squares, min and max are integers in units of `scale`."""
        return {
            "unit": self.unit,
            "scale": self.scale,
            "sub_bucket_bits": SUB_BUCKET_BITS,
            "count": self.count,
            "sum": self.sum,
            "sum_squares": self.sum_squares,
            "min": self.min,
            "max": self.max,
            "counts": {str(index): self.counts[index] for index in sorted(self.counts)},
        }

    @classmethod
    def from_dict(cls, data):
        """The inverse of to_dict. Raises ValueError for another bucket layout."""
        if data["sub_bucket_bits"] != SUB_BUCKET_BITS:
            raise ValueError("sub_bucket_bits is %r, expected %d" % (data["sub_bucket_bits"], SUB_BUCKET_BITS))
        made = cls(data["unit"], data["scale"])
        counts = data["counts"]
        made.counts = dict(zip(map(_INDICES.__getitem__, counts), counts.values()))
        made.count, made.sum, made.sum_squares = data["count"], data["sum"], data["sum_squares"]
        made.min, made.max = data["min"], data["max"]
        return made


class Tally:
    """Takes many values for a histogram: each is sorted in once, however often it occurs.

    That costs 50 ns where values repeat, and up to 300 ns where hardly any does.
    """

    def __init__(self, unit="s", scale=1e-6):
        self._histogram = Histogram(unit, scale)
        self._waiting = {}

    def add(self, values):
        """Count integers >= 0 (any iterable)."""
        count_elements(self._waiting, values)
        if len(self._waiting) > _WAITING:
            self._settle()

    @property
    def histogram(self):
        """The Histogram with all that was added. Raises ValueError when a value was negative."""
        self._settle()
        return self._histogram

    def _settle(self):
        waiting, self._waiting = self._waiting, {}
        self._histogram.record_counts(waiting)
