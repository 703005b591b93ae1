# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Counts by second: what happened when, over the warm-up and the measurement."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

OPERATIONS, ERRORS, SUM_US, MAX_US, OFFERED = range(5)

HEADER = "t,phase,operations,errors,offered,response_time_mean_s,response_time_max_s"


class Series:
    """Second -> [operations, errors, sum of response times (us), longest (us), offered].

    Second 0 begins where the measurement begins; the warm-up's are negative. An operation counts in the second
    in which it ended, and as offered (where there is a schedule) in the one in which it was due. Not thread-safe.
    """

    def __init__(self):
        self.rows = {}

    def row(self, second):
        """The mutable row of a second (int)."""
        found = self.rows.get(second)
        if found is None:
            found = self.rows[second] = [0, 0, 0, 0, 0]
        return found

    def operation(self, second, response_us):
        """Count an operation that ended well in `second` after `response_us` (int)."""
        row = self.row(second)
        row[OPERATIONS] += 1
        row[SUM_US] += response_us
        row[MAX_US] = max(row[MAX_US], response_us)

    def operations(self, second, response_us):
        """Like `operation`, of several (list of int, not empty) that ended in the same second."""
        row = self.row(second)
        row[OPERATIONS] += len(response_us)
        row[SUM_US] += sum(response_us)
        row[MAX_US] = max(row[MAX_US], *response_us)

    def error(self, second):
        """Count a failed operation."""
        self.row(second)[ERRORS] += 1

    def totals(self):
        """(operations, sum of their response times in us) of all seconds so far; may be asked while others count."""
        rows = list(self.rows.values())
        return sum(row[OPERATIONS] for row in rows), sum(row[SUM_US] for row in rows)

    def merge(self, other):
        """Add another client's series (Series)."""
        for second, theirs in other.rows.items():
            mine = self.row(second)
            for field in (OPERATIONS, ERRORS, SUM_US, OFFERED):
                mine[field] += theirs[field]
            mine[MAX_US] = max(mine[MAX_US], theirs[MAX_US])

    def to_list(self):
        """As JSON: [[second, operations, errors, sum_us, max_us, offered], ...] in order."""
        return [[second] + self.rows[second] for second in sorted(self.rows)]

    @classmethod
    def from_list(cls, data):
        """The inverse of to_list."""
        made = cls()
        for item in data:
            made.rows[item[0]] = list(item[1:])
        return made

    def to_csv(self, measure_start, measure_end):
        """The text of series-CASE-REP.csv, one row for every second, the quiet ones too.

        `measure_start`, `measure_end`: epoch seconds. What ended after `measure_end` is left out: the load
        was being taken away by then.
        """
        if not self.rows:
            return HEADER + "\n"
        last = max(0, -int(-(measure_end - measure_start) // 1) - 1)
        lines = [HEADER]
        for second in range(min(self.rows), last + 1):
            operations, errors, sum_us, max_us, offered = self.rows.get(second, (0, 0, 0, 0, 0))
            times = "%.6f,%.6f" % (sum_us / operations / 1e6, max_us / 1e6) if operations else ","
            phase = "warmup" if second < 0 else "measure"
            lines.append("%.3f,%s,%d,%d,%d,%s" % (measure_start + second, phase, operations, errors, offered, times))
        return "\n".join(lines) + "\n"
