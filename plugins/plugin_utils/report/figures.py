# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plots of a report over time and by percentile, and those of the nodes, as plotly figures: plain dicts."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results, verdict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import load_figures
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import (
    COLOURS,
    GREY,
    RED,
    axis,
    figure,
    line,
    log_axis,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.nodes import NODES_SHOWN, cpu_percent
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.service_metrics import PLOTTED

DISTRIBUTION_BARS = 70
_CUT_S = 0.01  # a measurement ends a moment after its time


def figures(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Figures by name; one that has nothing to show is left out."""
    responses = content["histograms"].get("response_time", {})
    first_tokens = content["histograms"].get("time_to_first_token", {})
    made = {
        "throughput": _throughput(content),
        "response": _response_over_time(content),
        "percentiles": percentiles(responses, "response time"),
        "distribution": distribution(responses),
        "first_token": percentiles(first_tokens, "time to first token"),
        **load_figures.sweep(content["sweep"]),
        **load_figures.search(content["search"]),
        **_telemetry(content, _NODE_PLOTS, content["nodes"]),
        **_telemetry(content, _GPU_PLOTS, content["gpus"]),
        **_services(content),
    }
    return {name: made_of for name, made_of in made.items() if made_of is not None}


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
    """Of each case the same as in the plots that are not over time."""
    names = dict.fromkeys([*content["plotted"], *(each["label"] for each in content["series"])])
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _over_time(content: dict[str, Any], fields: tuple[tuple[str, dict[str, Any]], ...]) -> list[dict[str, Any]]:
    """Lines of series fields of all repetitions; those of one case have one colour and one legend entry."""
    colours, lines, named = _colour_of(content), [], set()
    for each in content["series"]:
        for field, style in fields:
            points = [(row["t"] - content["begin"], row.get(field)) for row in _whole_seconds(each)]
            if not any(isinstance(value, float) for _t, value in points):
                continue
            name = each["label"]
            drawn = line(points, name, colours[name], legendgroup=name, showlegend=name not in named, **style)
            named.add(name)
            lines.append(drawn)
    return lines


def _whole_seconds(each: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a repetition without a last second that was cut short: half a second has half of the operations."""
    end = each.get("measure_end")
    whole = [row for row in each["rows"] if row.get("phase") != "measure" or not end or row["t"] + 1 <= end + _CUT_S]
    return whole if len(whole) > 1 else each["rows"]


def _throughput(content: dict[str, Any]) -> dict[str, Any] | None:
    lines = _over_time(content, (("operations", {}),))
    if not lines:
        return None
    for each in content["series"]:
        offered = _offered(content, each)
        if offered:
            style = {"line": {"dash": "dot", "width": 1.5}, "legendgroup": "offered"}
            first = not any(drawn["name"] == "offered" for drawn in lines)
            lines.append(line(offered, "offered", GREY, showlegend=first, **style))
        errors = [(row["t"] - content["begin"], row.get("errors")) for row in each["rows"] if row.get("errors")]
        if errors:
            lines.append(
                {
                    "type": "bar", "name": "errors",
                    "x": [round(t, 3) for t, _v in errors], "y": [v for _t, v in errors],
                    "marker": {"color": RED}, "legendgroup": "errors",
                    "showlegend": not any(drawn["name"] == "errors" for drawn in lines),
                }
            )  # fmt: skip
    y = axis("operations per second", rangemode="tozero")
    return figure(lines, axis("seconds since the submission"), y, shapes=_shades(content))


def _offered(content: dict[str, Any], each: dict[str, Any]) -> list[tuple[float, float | None]]:
    """What was due in every second, where the clients counted it; else the rate that was asked for."""
    counted = [(row["t"] - content["begin"], row.get("offered")) for row in each["rows"]]
    if any(count for _t, count in counted):
        return counted
    if not each.get("offered_rate_per_s"):
        return []
    return [(each[key] - content["begin"], each["offered_rate_per_s"]) for key in ("measure_start", "measure_end")]


def _response_over_time(content: dict[str, Any]) -> dict[str, Any] | None:
    lines = _over_time(
        content,
        (
            ("response_time_mean_s", {}),
            ("response_time_max_s", {"line": {"width": 1, "dash": "dot"}}),
        ),
    )
    if not lines:
        return None
    for drawn in lines:
        drawn["y"] = [None if value is None else round(value * 1e3, 6) for value in drawn["y"]]
    y = log_axis("response time (ms)", [value for drawn in lines for value in drawn["y"]])
    return figure(lines, axis("seconds since the submission"), y, shapes=_shades(content))


def percentiles(latencies: dict[str, Any], title: str) -> dict[str, Any] | None:
    """A time by percentile; beyond what the samples carry (ten above a percentile) dotted."""
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
            lines.append(line(_envelope(solid), case, colour, legendgroup=case))
        rest = [*solid[-1:], *(point for point in points if point[0] > sure)]
        if len(rest) > 1 or not solid:
            style = {"line": {"dash": "dot", "width": 1.5}, "legendgroup": case, "showlegend": not solid}
            lines.append(line(_envelope(rest), f"{case} (few samples)", colour, **style))
    if not lines:
        return None
    marks = {1: "0", 2: "50", 10: "90", 20: "95", 100: "99", 1000: "99.9", 10_000: "99.99", 100_000: "99.999"}
    x = axis("percentile", type="log", tickvals=list(marks), ticktext=list(marks.values()))
    return figure(lines, x, log_axis(f"{title} (ms)", [value for drawn in lines for value in drawn["y"]]))


def _envelope(points: list[tuple[float, float]], limit: int = 250) -> list[tuple[float, float]]:
    """A rising curve with fewer points, evenly spread over its logarithmic axis."""
    if len(points) <= limit:
        return points
    low, high = math.log(points[0][0]), math.log(points[-1][0])
    step = (high - low) / limit or 1.0
    last: dict[int, tuple[float, float]] = {int((math.log(x) - low) / step): (x, y) for x, y in points}
    return [points[0], *last.values()]


def distribution(latencies: dict[str, Any]) -> dict[str, Any] | None:
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
        lines.append(line(points, case, COLOURS[number % len(COLOURS)], **style))
    x = log_axis("response time (ms)", [value * 1e3 for value in values])
    return figure(lines, x, axis("share of operations (%)", rangemode="tozero"))


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

_GPU_PLOTS = (
    ("gpu_utilization", "GPU at work (%)", 1.0, "utilization_percent"),
    ("gpu_memory", "GPU memory used (GiB)", 2.0**-30, "memory_used_bytes"),
    ("gpu_power", "power (W)", 1.0, "power_w"),
    ("gpu_clock", "SM clock (MHz)", 1.0, "sm_clock_mhz"),
    ("gpu_temperature", "temperature (°C)", 1.0, "temperature_celsius"),
)


def _value(row: dict[str, Any], source: Any) -> float | None:
    if callable(source):
        return source(row)
    found = [row.get(field) for field in ([source] if isinstance(source, str) else source)]
    known = [value for value in found if isinstance(value, float)]
    return sum(known) if known else None


def _telemetry(
    content: dict[str, Any], plots: tuple[tuple[str, str, float, Any], ...], by_name: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any] | None]:
    """A plot for every kind of telemetry, a line for every node or GPU."""
    made: dict[str, dict[str, Any] | None] = {}
    for plot, title, scale, source in plots:
        lines = []
        for number, (name, rows) in enumerate(list(by_name.items())[:NODES_SHOWN]):
            values = [(row["t"] - content["begin"], _value(row, source)) for row in rows]
            points = [(t, None if value is None else value * scale) for t, value in values]
            if any(value is not None for _t, value in points):
                lines.append(line(points, name, COLOURS[number % len(COLOURS)], line={"width": 1.5}))
        y = axis(title, rangemode="tozero")
        x = axis("seconds since the submission")
        made[plot] = figure(lines, x, y, shapes=_shades(content)) if lines else None
    return made


def _services(content: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """A plot for each of the first metrics that a service tells of itself."""
    made: dict[str, dict[str, Any] | None] = {}
    for number, service in enumerate(content["service_metrics"]):
        for place, row in enumerate(service["rows"][:PLOTTED]):
            times, values = row["points"]
            points = [(t - content["begin"], value) for t, value in zip(times, values, strict=True)]
            shape = {"width": 1.5} if row["kind"] == "counter" else {"width": 1.5, "shape": "hv"}
            lines = [line(points, row["name"], COLOURS[0], line=shape)]
            y = axis("per second" if row["kind"] == "counter" else "value", rangemode="tozero")
            x = axis("seconds since the submission")
            plot = figure(lines, x, y, shapes=_shades(content), showlegend=False) if len(points) > 1 else None
            made[f"service_{number}_{place}"] = plot
    return made
