# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the services said of themselves while the run measured (metrics/NAME.csv, see module_utils/agent/metrics)."""

from __future__ import annotations

import fnmatch
import itertools
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry.service_series import UP, Series, read

SHOWN = 20  # series of one service in the report; all of them are in the file
PLOTTED = 6


def gather(run: RunDirectory, events: list[dict[str, Any]], segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the report shows of each service: `name`, `rows` and `note`.

    A row has `name`, `kind` and, while the run measured: of a gauge `mean`, `min`, `max` and `last`, of a counter
    `grown` and `per_s`; `points`: (times, values) for a plot, a counter's being its rates.
    """
    spans = [(s["start"], s["end"]) for s in segments if s["phase"] == "measuring"]
    found = []
    for path in sorted(run.path.glob("metrics/*.csv")):
        name = f"metrics/{path.name}"
        series = read(run, name)
        started = _event(events, "metrics_started", path.stem)
        if not series:
            continue
        times = [t for one in series.values() for t in one.times]
        windows = spans or [(min(times), max(times))]
        chosen = _chosen(series, started.get("show") or [], windows)
        found.append({
            "name": path.stem, "rows": [_row(one, windows, max(times)) for one in chosen],
            "note": _note(name, len(series) - 1, bool(spans), _event(events, "metrics_done", path.stem),
                          _down_s(series, windows)),
        })  # fmt: skip
    return found


def _note(file: str, count: int, measured: bool, done: dict[str, Any], down_s: float) -> str:
    """What the numbers are of, and what is missing."""
    words = [f"{'While the run measured' if measured else 'Over the whole run'}; all {count:,} series are in {file}."]
    if done.get("scrapes"):
        cost_ms = 1000 * done.get("seconds", 0.0) / done["scrapes"]
        words.append(f"Asked {done['scrapes']:,} times, {formatting.number(cost_ms, 2)} ms each.")
    if down_s:
        words.append(f"For {formatting.duration(down_s)} of it the service did not tell: {done.get('problem')}.")
    if done.get("cut"):
        words.append("The file had become too large: its end is missing.")
    return " ".join(words)


def _event(events: list[dict[str, Any]], name: str, service: str) -> dict[str, Any]:
    for event in reversed(events):
        if event["event"] == name and event.get("service", service) == service:
            return event
    return {}


def _chosen(series: dict[str, Series], patterns: list[str], windows: list[tuple[float, float]]) -> list[Series]:
    """What the service type wants to be shown, in its order; of an unknown one the series that changed most often.

    Of one metric with several labels those are first that changed most.
    """
    if patterns:
        by_change = sorted(series.values(), key=lambda one: min(one.values) - max(one.values))
        wanted = [
            (one.name, one)
            for pattern in patterns
            for one in sorted(by_change, key=lambda one: one.metric)
            if fnmatch.fnmatchcase(one.metric, pattern) and one.metric != UP
        ]
        return list(dict(wanted).values())[:SHOWN]
    changes = {
        name: sum(one.changes(start, end) for start, end in windows)
        for name, one in series.items()
        if one.metric != UP and not one.metric.endswith("_bucket")
    }
    most = sorted(changes, key=lambda name: (-changes[name], name))[:SHOWN]
    return [series[name] for name in sorted(most)]


def _row(one: Series, windows: list[tuple[float, float]], until: float) -> dict[str, Any]:
    seconds = sum(end - start for start, end in windows)
    row: dict[str, Any] = {"name": one.name, "kind": one.kind, "points": _points(one, until)}
    if one.kind == "counter":
        grown = sum(one.grown(start, end) for start, end in windows)
        return {**row, "grown": grown, "per_s": grown / seconds if seconds else None}
    parts = [part for window in windows for part in one.parts(*window)]
    lasted = sum(part_s for _value, part_s in parts)
    values = [value for value, _seconds in parts]
    return {
        **row,
        "mean": sum(value * part_s for value, part_s in parts) / lasted if lasted else None,
        "min": min(values, default=None),
        "max": max(values, default=None),
        "last": one.at(windows[-1][1]),
    }


def _points(one: Series, until: float) -> tuple[list[float], list[float]]:
    """Of a gauge its steps, of a counter the rate between two samples."""
    if one.kind != "counter":
        return [*one.times, until], [*one.values, one.values[-1]]
    pairs = list(zip(one.times, one.values, strict=True))
    steps = itertools.pairwise(pairs)
    rates = [(t, max(0.0, b - a) / (t - before)) for (before, a), (t, b) in steps if t > before]
    return [t for t, _rate in rates], [rate for _t, rate in rates]


def _down_s(series: dict[str, Series], windows: list[tuple[float, float]]) -> float:
    """How long (s) the service did not tell its metrics while the run measured."""
    up = series.get(UP)
    if up is None:
        return 0.0
    return sum(part_s for window in windows for value, part_s in up.parts(*window) if not value)
