# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Merged latency histograms as the clients leave them: reading, merging, quantiles.

Format (docs/interfaces.md): counts of an integer v = value / scale, v >= 0, in log-linear buckets. With
`sub_bucket_bits` = b, a value below 2^b is its own bucket; else, with e = bit_length(v) - (b + 1), it is in
bucket (e + 1)·2^b + (v >> e) - 2^b, whose width is 2^e. A quantile is the middle of its bucket, at most
2^-(b+1) (0.2 % for b = 8) off. Histograms are merged, percentiles never.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


class HistogramError(ValueError):
    """A histogram file that does not keep the format."""


class Histogram:
    """Counts of a metric, in its unit."""

    def __init__(self, record: dict[str, Any]) -> None:
        try:
            self.unit = str(record.get("unit", "s"))
            self.scale = float(record["scale"])
            self.bits = int(record["sub_bucket_bits"])
            self.counts = {int(index): int(count) for index, count in record["counts"].items() if int(count)}
            self.sum = float(record.get("sum") or 0.0)
            self.min = record.get("min")
            self.max = record.get("max")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise HistogramError(f"not a histogram: {error!r}") from error
        self.count = sum(self.counts.values())

    def bounds(self, index: int) -> tuple[float, float]:
        """The values (unit) from which and below which bucket `index` counts."""
        sub = 1 << self.bits
        shift = max(0, (index >> self.bits) - 1)
        low = index if index < sub else (index - shift * sub) << shift
        return low * self.scale, (low + (1 << shift)) * self.scale

    def middle(self, index: int) -> float:
        """The middle of a bucket, within what was really seen. A bucket of one integer is that integer."""
        low, high = self.bounds(index)
        value = low if index < (2 << self.bits) else (low + high) / 2.0
        if self.min is not None:
            value = max(value, float(self.min))
        return min(value, float(self.max)) if self.max is not None else value

    def quantile(self, p: float) -> float | None:
        """The value (unit) below or at which a share `p` (0 to 1) of all values lies; None of no values."""
        if not self.count:
            return None
        rank = max(1, math.ceil(p * self.count))
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                return self.middle(index)
        return self.middle(max(self.counts))

    @property
    def mean(self) -> float | None:
        """The mean (unit), exact; None of no values."""
        return self.sum / self.count if self.count else None

    def cumulative(self) -> list[tuple[float, float]]:
        """(share of the values at or below, value) for every bucket that counts, ascending."""
        points, seen = [], 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            points.append((seen / self.count, self.middle(index)))
        return points


def merge(histograms: Iterable[Histogram]) -> Histogram | None:
    """One histogram of all values; None of no histograms. Raises HistogramError when scales differ."""
    total: Histogram | None = None
    for each in histograms:
        if total is None:
            total = Histogram({"unit": each.unit, "scale": each.scale, "sub_bucket_bits": each.bits, "counts": {}})
        if (total.scale, total.bits) != (each.scale, each.bits):
            raise HistogramError("histograms of different resolution cannot be merged")
        for index, count in each.counts.items():
            total.counts[index] = total.counts.get(index, 0) + count
        total.count += each.count
        total.sum += each.sum
        total.min = _best(min, total.min, each.min)
        total.max = _best(max, total.max, each.max)
    return total


def _best(choose: Any, first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return choose(known) if known else None
