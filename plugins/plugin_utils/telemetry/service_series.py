# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The series that a service told of itself (metrics/NAME.csv, see module_utils/agent/metrics), with their times."""

from __future__ import annotations

import csv
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.scraper import COLUMNS as _COLUMNS
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results_csv import finite
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
        first, last = bisect_right(self.times, start), bisect_left(self.times, end)
        cuts = [start, *self.times[first:last], end]
        values = [self.values[first - 1] if first else None, *self.values[first:last]]
        found = zip(values, itertools.pairwise(cuts), strict=True)
        return [(value, until - since) for value, (since, until) in found if value is not None]

    def changes(self, start: float, end: float) -> int:
        """How often it got another value between two times."""
        return max(0, bisect_left(self.times, end) - bisect_right(self.times, start))

    def grown(self, start: float, end: float) -> float:
        """By how much a counter grew; one that begins anew (its server did) counts from 0."""
        values = [value for value, _seconds in self.parts(start, end)]
        last = self.at(end)
        values += [] if last is None else [last]
        return sum(b - a if b >= a else b for a, b in itertools.pairwise(values))


def read(run: RunDirectory, name: str, metrics: Collection[str] | None = None) -> dict[str, Series]:
    """The series of a file by their names, of all `metrics` or only of these.

    Lines that are no sample (its writer was killed) are left out.
    """
    found: dict[tuple[str, str], Series] = {}
    moments: dict[str, float | None] = {}  # those of one question have one time
    for cells in csv.reader(run.lines(name)):
        if len(cells) < len(_COLUMNS) or (metrics is not None and cells[1] not in metrics):
            continue
        moment, metric, labels, kind, text = cells[: len(_COLUMNS)]
        if moment not in moments:
            moments[moment] = _number(moment)
        t, value = moments[moment], _number(text)
        if t is None or value is None:
            continue
        series = found.get((metric, labels))
        if series is None:
            series = found[metric, labels] = Series(metric, labels, kind)
        series.times.append(t)
        series.values.append(value)
    return {series.name: series for series in found.values()}


def _number(text: str) -> float | None:
    try:
        return finite(text)
    except ValueError:
        return None  # of the header, or of a line that is cut short
