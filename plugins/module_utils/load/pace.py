# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Did a service keep up with a schedule: when it did not, what waits for it grows, and with it every response time."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math
import statistics

_NEEDED = 20  # operations: below, chance is as large as anything that could be seen
_PARTS, _IN_EACH = 20, 5
_SURE = 2.0  # standard errors
_ENOUGH = 200000  # operations: the median of 10,000 response times is as good as that of half a million


def stretch(dues, ends):
    """How much longer the operations of a schedule took than the schedule: 1.0 for a service that kept up.

    dues, ends: of each operation, s, by one clock. Of a service that completes c of the r operations a second that
    are due, the response time grows by r/c - 1 seconds each second. That slope is fitted (least squares) to the
    medians of up to twenty equal parts of the schedule: a median, since one straggler is no queue; and two standard
    errors of the slope are granted, since stalls and chance bend the line, too, but leave it no line.
    """
    points = _medians(dues, ends)
    if len(points) < 3:
        return 1.0
    middle = sum(x for x, _y in points) / len(points)
    mean = sum(y for _x, y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _y in points)
    slope = sum((x - middle) * (y - mean) for x, y in points) / spread
    squares = sum((y - mean - slope * (x - middle)) ** 2 for x, y in points)
    error = math.sqrt(squares / (len(points) - 2) / spread)
    return 1.0 + max(0.0, slope - _SURE * error)


def _medians(dues, ends):
    """(median of when they were due, median of their response times), s, of the operations of each part."""
    if len(dues) < _NEEDED:
        return []
    step = -(-len(dues) // _ENOUGH)
    dues, ends = dues[::step], ends[::step]
    first, last = min(dues), max(dues)
    if last <= first:
        return []
    count = min(_PARTS, len(dues) // _IN_EACH)
    each_s = (last - first) / count
    parts = [[] for _number in range(count)]
    for due, end in zip(dues, ends):
        parts[min(count - 1, int((due - first) / each_s))].append((due, end - due))
    return [tuple(statistics.median(values) for values in zip(*part)) for part in parts if part]
