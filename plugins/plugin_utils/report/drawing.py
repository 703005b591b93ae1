# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parts of a plotly figure as plain dicts (plotly's JSON), made without importing plotly."""

from __future__ import annotations

import math
from typing import Any

# After Okabe and Ito: told apart by colour-blind readers, dark enough on white and light enough on black.
COLOURS = ("#1F87D4", "#E0661C", "#12A57A", "#CC79A7", "#8C6BB1", "#B8860B", "#56B4E9", "#7F7F7F")
GREY, RED = "#7F7F7F", "#C62828"
# Of lines besides the colour, for who can't tell colours apart and for paper.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "circle-open")
MARKS = 6  # of them on a line
WIDE = 20  # the largest value of an axis by its smallest, from which on it is logarithmic
POINTS = 600  # more than a screen shows; longer series are averaged down to this


def thin(points: list[tuple[float, float | None]], limit: int = POINTS) -> list[tuple[float, float | None]]:
    """At most `limit` points of a series: means of neighbours."""
    if len(points) <= limit:
        return points
    step = math.ceil(len(points) / limit)
    thinned = []
    for start in range(0, len(points), step):
        part = [point for point in points[start : start + step] if point[1] is not None]
        if part:
            thinned.append((sum(p[0] for p in part) / len(part), sum(p[1] for p in part) / len(part)))
    return thinned


def figure(data: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> dict[str, Any]:
    """A figure of traces, with its axes. Of several lines each has a symbol besides its colour."""
    plain = [trace for trace in data if trace["type"] == "scatter" and "marker" not in trace]
    groups = list(dict.fromkeys(_group(trace) for trace in plain if "dash" not in trace["line"]))
    for trace in plain if len(groups) > 1 else ():
        if _group(trace) in groups:
            symbol = SYMBOLS[groups.index(_group(trace)) % len(SYMBOLS)]
            trace["marker"] = {"symbol": symbol, "size": 7, "maxdisplayed": MARKS}
            trace["mode"] = "lines+markers"
    return {"data": data, "layout": {"xaxis": x, "yaxis": y, **layout}}


def _group(trace: dict[str, Any]) -> str:
    return str(trace.get("legendgroup") or trace["name"])


def band(start: float, end: float, colour: str, label: str = "") -> dict[str, Any]:
    """A band behind a plot between two values of its x axis, with its name at its left end."""
    told = {"text": label, "textangle": -90, "textposition": "bottom left", "font": {"size": 11}}
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": start, "x1": end, "y0": 0, "y1": 1, "layer": "below",
        "line": {"width": 0}, "fillcolor": colour, **({"label": told} if label else {}),
    }  # fmt: skip


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with its title."""
    return {"title": {"text": title}, **more}


def log_axis(title: str, values: list[float | None]) -> dict[str, Any]:
    """A logarithmic axis with its ticks at 1, 2 and 5 of every decade (of less than one at each digit), written out."""
    known = [value for value in values if value is not None and value > 0]
    if not known:
        return axis(title, type="log")
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    steps = range(1, 10) if max(known) < 10 * min(known) else (1, 2, 5) if high - low <= 3 else (1,)
    ticks = [step * 10.0**decade for decade in range(low, high + 1) for step in steps]
    return axis(title, type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])


def axis_of(title: str, values: list[float | None], unit: str) -> tuple[dict[str, Any], float]:
    """(an axis for values of a unit, what to multiply them by): logarithmic where they are decades apart."""
    scale, shown = {"s": (1e3, "ms"), "B/s": (1e-6, "MB/s"), "B": (2.0**-20, "MiB")}.get(unit, (1.0, unit))
    label = f"{title} ({shown})" if shown not in ("", "1") else title
    known = [value * scale for value in values if value is not None and value > 0]
    if known and max(known) > WIDE * min(known):
        return log_axis(label, known), scale
    return axis(label, rangemode="normal" if title == "recall" else "tozero"), scale  # recall is told near 1


def line(points: list[tuple[Any, float | None]], name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A curve; long ones are thinned. `more`: fields of plotly's scatter."""
    points = thin(points)
    mode = "lines" if len(points) > 2 else "lines+markers"  # a single sample is a point, not an invisible line
    return {
        "type": "scatter", "mode": mode, "name": name,
        "x": [round(p[0], 3) if isinstance(p[0], float) else p[0] for p in points],
        "y": [None if p[1] is None else float(f"{p[1]:.6g}") for p in points],
        "line": {"color": colour, "width": 2, **more.pop("line", {})}, **more,
    }  # fmt: skip
