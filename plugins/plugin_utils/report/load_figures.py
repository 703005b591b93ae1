# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plots of a report against the load or the parameter that was swept, as plotly figures: plain dicts."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import (
    COLOURS,
    GREY,
    RED,
    WIDE,
    axis,
    axis_of,
    band,
    figure,
    line,
    log_axis,
)

# What became of a trial → colour and form, so that it is told without the colour, too.
_TRIALS = {"met": ("#12A57A", "circle"), "missed": (RED, "x"), "not delivered": (GREY, "diamond-open")}


def sweep(content: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """A plot for each number of a sweep (see report.sweep), by name."""
    made = {}
    for number, plot in enumerate((content or {}).get("plots") or []):
        curves = {name: points for name, points in plot["curves"].items() if points}
        if any(len(points) > 1 for points in curves.values()) or len(curves) > 1:
            made[f"sweep_{number}"] = _curves(plot, curves, content)
    if (content or {}).get("utilization"):
        made["sweep_utilization"] = _busy(content["utilization"], content)
    trade_off = (content or {}).get("trade_off") or []
    if len(trade_off) > 1:
        points = [(recall, throughput) for recall, throughput, _case in trade_off]
        style = {"mode": "lines+markers+text", "text": [case for *_values, case in trade_off], "showlegend": False}
        curve = line(points, "cases", COLOURS[0], textposition="top center", cliponaxis=False, **style)
        made["trade_off"] = figure([curve], axis("recall"), axis("throughput (1/s)", rangemode="tozero"))
    return made


def _curves(
    plot: dict[str, Any], curves: dict[str, list[tuple[Any, float, float | None]]], content: dict[str, Any]
) -> dict[str, Any]:
    values = [value for points in curves.values() for _x, value, _half in points] + _limit_of(plot)
    y, scale = axis_of(plot["title"], values, plot["unit"])
    lines = []
    for number, (name, points) in enumerate(curves.items()):
        halves = [(half or 0.0) * scale for _x, _value, half in points]
        style: dict[str, Any] = {"mode": "lines+markers", "showlegend": len(curves) > 1 or bool(_limit_of(plot))}
        if any(halves):
            style["error_y"] = {"type": "data", "array": [float(f"{half:.6g}") for half in halves], "thickness": 1.5}
        shown = [(at, value * scale) for at, value, _half in points]
        lines.append(line(shown, name or plot["title"], COLOURS[number % len(COLOURS)], **style))
    xs = list(dict.fromkeys(at for points in curves.values() for at, _value, _half in points))
    lines += _slo_line(plot, xs, scale)
    return figure(lines, _x_axis(_title_of(content["x"]), xs), y, shapes=_interval(content))


def _title_of(load: str) -> str:
    return {"rate": "offered rate (1/s)", "concurrency": "connections of each client"}.get(load, load)


def _busy(groups: dict[str, list[tuple[Any, float, None]]], content: dict[str, Any]) -> dict[str, Any]:
    """How busy nodes and GPUs were at each load, on the axis of the other curves."""
    lines = [
        line([(at, value) for at, value, _half in points], name, COLOURS[number], mode="lines+markers")
        for number, (name, points) in enumerate(groups.items())
    ]
    xs = sorted({at for points in groups.values() for at, *_rest in points})
    load = content.get("x") or content["over"]
    return figure(lines, _x_axis(_title_of(load), xs), axis("at work (%)", range=[0, 100]), shapes=_interval(content))


def search(content: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """A plot for each term of the SLO (see report.search), by name: the trials, and the interval as a band."""
    made = {
        f"search_{number}": _trials(plot, content)
        for number, plot in enumerate((content or {}).get("plots") or [])
        if plot["points"]
    }
    if (content or {}).get("utilization"):
        made["search_utilization"] = _busy(content["utilization"], content)
    return made


def _trials(plot: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    loads = sorted({load for load, _value, _state in plot["points"]})
    y, scale = axis_of(_name(plot), [value for _load, value, _state in plot["points"]] + _limit_of(plot), plot["unit"])
    marks = []
    for state, (colour, symbol) in _TRIALS.items():
        points = [(load, value * scale) for load, value, found in plot["points"] if found == state]
        if points:
            style = {"mode": "markers", "marker": {"color": colour, "symbol": symbol, "size": 9}}
            marks.append(line(sorted(points), state, colour, **style))
    x = _x_axis(_title_of(content["over"]), loads)
    return figure([*marks, *_slo_line(plot, loads, scale)], x, y, shapes=_interval(content))


def _name(plot: dict[str, Any]) -> str:
    """The metric of a term, as it is written: ttft_p95_ms < 500 is about ttft_p95; the axis has the unit."""
    name = plot["title"].split()[0]
    return name.removesuffix("_ms").removesuffix("_us").removesuffix("_s") if plot["unit"] == "s" else name


def _interval(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Where the capacity lies, as a band."""
    lower, upper = content.get("lower"), content.get("upper")
    if lower is None or upper is None:
        return []
    return [band(lower, upper, "rgba(31,135,212,0.22)", "capacity")]


def _limit_of(plot: dict[str, Any]) -> list[float]:
    return [plot["limit"]["value"]] if plot.get("limit") else []


def _slo_line(plot: dict[str, Any], xs: list[Any], scale: float) -> list[dict[str, Any]]:
    """The limit of the SLO across the plot."""
    if not plot.get("limit") or len(xs) < 2:
        return []
    ends = (min(xs), max(xs)) if _are_numbers(xs) else (xs[0], xs[-1])
    limit = plot["limit"]["value"] * scale
    dashed = {"mode": "lines", "line": {"dash": "dash", "width": 1.5}}
    return [line([(x, limit) for x in ends], f"SLO: {plot['limit']['text']}", RED, **dashed)]


def _x_axis(title: str, values: list[Any]) -> dict[str, Any]:
    if not _are_numbers(values):
        return axis(title, type="category")
    if min(values) > 0 and max(values) > WIDE * min(values):
        return log_axis(title, values)
    return axis(title)


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
