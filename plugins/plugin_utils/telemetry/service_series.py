# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The series that a service told of itself (metrics/NAME.csv, see module_utils/agent/metrics), with their times."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass, field

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

UP = "up"  # 1 while the service answers its questions


@dataclass
class Series:
    """One series of a service: values (float) at times (epoch, s), each until the next one."""

    metric: str
    labels: str
    kind: str
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As Prometheus writes it."""
        return f"{self.metric}{{{self.labels}}}" if self.labels else self.metric

    def at(self, t: float) -> float | None:
        """The value at a time, None before the first one."""
        number = bisect_right(self.times, t)
        return self.values[number - 1] if number else None

    def parts(self, start: float, end: float) -> list[tuple[float, float]]:
        """(value, how long, s) of each value that it had in a time."""
        inside = [t for t in self.times if start < t < end]
        cuts = [start, *inside, end]
        found = ((self.at(a), b - a) for a, b in itertools.pairwise(cuts))
        return [(value, seconds) for value, seconds in found if value is not None]

    def grown(self, start: float, end: float) -> float:
        """By how much a counter grew; one that begins anew (its server did) counts from 0."""
        values = [value for value, _seconds in self.parts(start, end)]
        last = self.at(end)
        values += [] if last is None else [last]
        return sum(b - a if b >= a else b for a, b in itertools.pairwise(values))


def read(run: RunDirectory, name: str) -> dict[str, Series]:
    """The series of a file by their names; lines that are no sample (its writer was killed) are left out."""
    found: dict[str, Series] = {}
    for row in run.table(name):
        t, value = row.get("t"), row.get("value")
        if not isinstance(t, float) or not isinstance(value, float):
            continue
        made = Series(str(row["metric"]), str(row["labels"] or ""), str(row["kind"]))
        series = found.setdefault(made.name, made)
        series.times.append(t)
        series.values.append(value)
    return found
