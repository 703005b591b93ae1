# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plots of a report as plotly figures: plain dicts (plotly's JSON), made without importing plotly."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results, verdict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.content import NODES_SHOWN, cpu_percent

# After Okabe and Ito: told apart by colour-blind readers, dark enough on white and light enough on black.
COLOURS = ("#1F87D4", "#E0661C", "#12A57A", "#CC79A7", "#8C6BB1", "#B8860B", "#56B4E9", "#7F7F7F")
POINTS = 600  # more than a screen shows; longer series are averaged down to this
DISTRIBUTION_BARS = 70


def figures(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Figures by name; one that has nothing to show is left out."""
    made = {
        "throughput": _throughput(content),
        "response": _response_over_time(content),
        "percentiles": _percentiles(content["latencies"]),
        "distribution": _distribution(content["latencies"]),
        **_nodes(content),
    }
    return {name: figure for name, figure in made.items() if figure is not None}


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


def _figure(data: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> dict[str, Any]:
    return {"data": data, "layout": {"xaxis": x, "yaxis": y, **layout}}


def _axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": title}, **more}


def _log_axis(title: str, values: list[float | None]) -> dict[str, Any]:
    """A logarithmic axis with its ticks at 1, 2 and 5 of every decade, each written out."""
    known = [value for value in values if value is not None and value > 0]
    if not known:
        return _axis(title, type="log")
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    steps = (1, 2, 5) if high - low <= 3 else (1,)
    ticks = [step * 10.0**decade for decade in range(low, high + 1) for step in steps]
    return _axis(title, type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])


def _line(points: list[tuple[float, float | None]], name: str, colour: str, **more: Any) -> dict[str, Any]:
    points = thin(points)
    mode = "lines" if len(points) > 2 else "lines+markers"  # a single sample is a point, not an invisible line
    return {
        "type": "scatter", "mode": mode, "name": name, "x": [round(p[0], 3) for p in points],
        "y": [None if p[1] is None else float(f"{p[1]:.6g}") for p in points],
        "line": {"color": colour, "width": 2, **more.pop("line", {})}, **more,
    }  # fmt: skip


def _shades(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Warm-up and measurement as coloured bands behind a plot over time."""
    colours = {"warmup": "rgba(204,121,167,0.16)", "measuring": "rgba(0,158,115,0.13)"}
    return [
        {
            "type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0},
            "x0": round(segment["start"] - content["begin"], 3), "x1": round(segment["end"] - content["begin"], 3),
            "fillcolor": colours[segment["phase"]],
        }
        for segment in content["segments"]
        if segment["phase"] in colours
    ]  # fmt: skip


def _colour_of(content: dict[str, Any]) -> dict[str, str]:
    names = dict.fromkeys(each["case"] for each in content["series"])
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _over_time(content: dict[str, Any], fields: tuple[tuple[str, str, dict[str, Any]], ...]) -> list[dict[str, Any]]:
    """Lines of series fields of all repetitions; those of one case have one colour and one legend entry."""
    colours, lines, named = _colour_of(content), [], set()
    for each in content["series"]:
        for field, suffix, style in fields:
            points = [(row["t"] - content["begin"], row.get(field)) for row in each["rows"]]
            if not any(isinstance(value, float) for _t, value in points):
                continue
            name = f"{each['case']}{suffix}"
            line = _line(points, name, colours[each["case"]], legendgroup=name, showlegend=name not in named, **style)
            named.add(name)
            lines.append(line)
    return lines


def _throughput(content: dict[str, Any]) -> dict[str, Any] | None:
    lines = _over_time(content, (("operations", "", {}),))
    if not lines:
        return None
    for each in content["series"]:
        if each.get("offered_rate_per_s"):
            ends = [
                (each[key] - content["begin"], each["offered_rate_per_s"]) for key in ("measure_start", "measure_end")
            ]
            lines.append(
                _line(ends, "offered", "#7F7F7F", line={"dash": "dot", "width": 1.5}, legendgroup="offered",
                      showlegend=not any(line["name"] == "offered" for line in lines))
            )  # fmt: skip
        errors = [(row["t"] - content["begin"], row.get("errors")) for row in each["rows"] if row.get("errors")]
        if errors:
            lines.append(
                {
                    "type": "bar", "name": "errors",
                    "x": [round(t, 3) for t, _v in errors], "y": [v for _t, v in errors],
                    "marker": {"color": "#C62828"}, "legendgroup": "errors",
                    "showlegend": not any(line["name"] == "errors" for line in lines),
                }
            )  # fmt: skip
    y = _axis("operations per second", rangemode="tozero")
    return _figure(lines, _axis("seconds since the submission"), y, shapes=_shades(content))


def _response_over_time(content: dict[str, Any]) -> dict[str, Any] | None:
    lines = _over_time(
        content,
        (
            ("response_time_mean_s", ", mean", {}),
            ("response_time_max_s", ", maximum", {"line": {"width": 1, "dash": "dot"}}),
        ),
    )
    if not lines:
        return None
    for line in lines:
        line["y"] = [None if value is None else round(value * 1e3, 6) for value in line["y"]]
    y = _log_axis("response time (ms)", [value for line in lines for value in line["y"]])
    return _figure(lines, _axis("seconds since the submission"), y, shapes=_shades(content))


def _percentiles(latencies: dict[str, Any]) -> dict[str, Any] | None:
    """Response time by percentile; beyond what the samples carry (ten above a percentile) dotted."""
    lines = []
    for number, (case, histogram) in enumerate(latencies.items()):
        points, seen = [], 0
        for value, count in results.buckets(histogram):
            seen += count
            # one sample is above the last but one: the tail axis 1/(1-p) ends at the number of samples
            points.append(
                (1.0 / max(1.0 - seen / histogram.count, 1.0 / histogram.count), max(value, histogram.scale) * 1e3)
            )
        sure = histogram.count / verdict.SAMPLES_BEYOND
        solid = [point for point in points if point[0] <= sure]
        colour = COLOURS[number % len(COLOURS)]
        if solid:
            lines.append(_line(_envelope(solid), case, colour, legendgroup=case))
        rest = [*solid[-1:], *(point for point in points if point[0] > sure)]
        if len(rest) > 1 or not solid:
            style = {"line": {"dash": "dot", "width": 1.5}, "legendgroup": case, "showlegend": not solid}
            lines.append(_line(_envelope(rest), f"{case} (few samples)", colour, **style))
    if not lines:
        return None
    marks = {1: "0", 2: "50", 10: "90", 20: "95", 100: "99", 1000: "99.9", 10_000: "99.99", 100_000: "99.999"}
    x = _axis("percentile", type="log", tickvals=list(marks), ticktext=list(marks.values()))
    return _figure(lines, x, _log_axis("response time (ms)", [value for line in lines for value in line["y"]]))


def _envelope(points: list[tuple[float, float]], limit: int = 250) -> list[tuple[float, float]]:
    """A rising curve with fewer points, evenly spread over its logarithmic axis."""
    if len(points) <= limit:
        return points
    low, high = math.log(points[0][0]), math.log(points[-1][0])
    step = (high - low) / limit or 1.0
    last: dict[int, tuple[float, float]] = {int((math.log(x) - low) / step): (x, y) for x, y in points}
    return [points[0], *last.values()]


def _distribution(latencies: dict[str, Any]) -> dict[str, Any] | None:
    """Share of the operations by response time, in equal steps of its logarithm."""
    values = [value for histogram in latencies.values() for value, _n in results.buckets(histogram) if value > 0]
    if not values:
        return None
    low, high = math.log(min(values)), math.log(max(values))
    step = max((high - low) / DISTRIBUTION_BARS, 1e-3)
    lines = []
    for number, (case, histogram) in enumerate(latencies.items()):
        shares: dict[int, int] = {}
        for value, count in results.buckets(histogram):
            column = int((math.log(value) - low) / step) if value > 0 else 0
            shares[column] = shares.get(column, 0) + count
        points = [
            (math.exp(low + (column + 0.5) * step) * 1e3, 100.0 * shares.get(column, 0) / histogram.count)
            for column in range(max(shares) + 2)
        ]
        style = {"line": {"shape": "hvh", "width": 1.5}, "fill": "tozeroy"}
        lines.append(_line(points, case, COLOURS[number % len(COLOURS)], **style))
    x = _log_axis("response time (ms)", [value * 1e3 for value in values])
    return _figure(lines, x, _axis("share of operations (%)", rangemode="tozero"))


_NETWORK = ("network_receive_bytes_per_s", "network_transmit_bytes_per_s")
_DISK = ("disk_read_bytes_per_s", "disk_write_bytes_per_s")
_NODE_PLOTS = (
    ("node_cpu", "processors at work (%)", 1.0, cpu_percent),
    ("node_memory", "memory used (GiB)", 2.0**-30, "memory_used_bytes"),
    ("node_network", "network in + out (MiB/s)", 2.0**-20, _NETWORK),
    ("node_disk", "disk read + write (MiB/s)", 2.0**-20, _DISK),
    ("node_pressure", "waiting for a processor (%)", 1.0, "psi_cpu_some_percent"),
    ("node_service", "memory of the service (MiB)", 2.0**-20, "service_memory_bytes"),
)  # fmt: skip


def _value(row: dict[str, Any], source: Any) -> float | None:
    if callable(source):
        return source(row)
    found = [row.get(field) for field in ([source] if isinstance(source, str) else source)]
    known = [value for value in found if isinstance(value, float)]
    return sum(known) if known else None


def _nodes(content: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """A plot for every kind of telemetry, a line for every node."""
    made: dict[str, dict[str, Any] | None] = {}
    for plot, title, scale, source in _NODE_PLOTS:
        lines = []
        for number, (node, rows) in enumerate(list(content["nodes"].items())[:NODES_SHOWN]):
            values = [(row["t"] - content["begin"], _value(row, source)) for row in rows]
            points = [(t, None if value is None else value * scale) for t, value in values]
            if any(value is not None for _t, value in points):
                lines.append(_line(points, node, COLOURS[number % len(COLOURS)], line={"width": 1.5}))
        y = _axis(title, rangemode="tozero")
        x = _axis("seconds since the submission")
        made[plot] = _figure(lines, x, y, shapes=_shades(content)) if lines else None
    return made
