# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the clients said of a running case, put on one clock.

Every client reports once a second, each at a moment of its own. So counts are read between two reports of each
client, by straight lines: summed as they happen to come in, a second would hold none of a client's reports, and
the next one two.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from collections import deque, namedtuple

_KEPT = 6  # reports of a client: more than lie between a moment that is asked for and now

#: All clients at `t` (epoch, s): operations, errors, offered (counts since the start of the load), in_flight, and
#: lag_ms, the largest of any client (both None where no client knows them).
Sample = namedtuple("Sample", "t operations errors offered in_flight lag_ms")


class Progress:
    """The `progress` answers of the clients.

    `offered_at`: a function epoch s -> operations that were due by then (float), for workloads that do not say it,
    or None where nobody can know.
    """

    def __init__(self, offered_at=None):
        self.offered_at = offered_at
        self.reports = {}  # client -> the last of its (received, message)

    def take(self, message):
        """Keep a `progress` answer (dict); `received` is when it came (epoch, s)."""
        kept = self.reports.setdefault(message["client"], deque(maxlen=_KEPT))
        kept.append((message["received"], message))

    def totals(self):
        """(operations, errors) so far, over all clients."""
        last = [kept[-1][1] for kept in self.reports.values()]
        return sum(message["operations"] for message in last), sum(message["errors"] for message in last)

    def response_times(self):
        """(operations whose response time is known, the sum of these in us) so far, over all clients."""
        last = [kept[-1][1] for kept in self.reports.values()]
        timed = sum(message.get("timed", 0) for message in last)
        return timed, sum(message.get("response_sum_us", 0) for message in last)

    def recent(self):
        """(count, sum, longest) of the response times (us) of the operations of about a second, over all clients."""
        found = [kept[-1][1].get("recent") or (0, 0, 0) for kept in list(self.reports.values())]
        return sum(r[0] for r in found), sum(r[1] for r in found), max([r[2] for r in found] or [0])

    def heard_since(self, t, clients):
        """True when each of `clients` has reported after `t` (epoch, s)."""
        return all(self.reports[n][-1][0] >= t if n in self.reports else False for n in clients)

    def at(self, t):
        """The Sample of `t` (epoch, s). A client's counts stand still before its first report and after its last."""
        found = [_between(kept, t) for kept in self.reports.values()]
        operations = _sum(found, "operations") or 0.0
        errors = _sum(found, "errors") or 0.0
        offered = _sum(found, "offered")
        in_flight = _sum(found, "in_flight")
        if offered is None and self.offered_at:
            offered = self.offered_at(t)
        if in_flight is None and offered is not None:
            in_flight = max(0.0, offered - operations - errors)
        lags = [report["lag_ms"] for report in found if report.get("lag_ms") is not None]
        return Sample(t, operations, errors, offered, in_flight, max(lags) if lags else None)


def _between(kept, t):
    """A client's numbers (dict) at `t`, from the reports before and after it."""
    before = after = kept[0]
    for report in kept:
        if report[0] <= t:
            before = report
        after = report
        if report[0] >= t:
            break
    span = after[0] - before[0]
    share = min(1.0, max(0.0, (t - before[0]) / span)) if span > 0 else 0.0
    found = {"lag_ms": after[1].get("lag_ms")}
    for name in ("operations", "errors", "offered", "in_flight"):
        first, last = before[1].get(name), after[1].get(name)
        if first is not None and last is not None:
            found[name] = first + (last - first) * share
    return found


def _sum(found, name):
    """The sum over all clients, or None when one does not know it."""
    if not found or any(name not in report for report in found):
        return None
    return sum(report[name] for report in found)
