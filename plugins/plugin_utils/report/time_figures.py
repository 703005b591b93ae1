# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plots of a report over time: throughput, response time, how busy it was, nodes, GPUs, services."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import utilization
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import (
    COLOURS,
    GREY,
    RED,
    axis,
    band,
    figure,
    line,
    log_axis,
    thin,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.nodes import NODES_SHOWN, cpu_percent
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.service_metrics import PLOTTED

MOST_POINTS = 12_000  # of all lines of a plot over time
_CUT_S = 0.01  # a measurement ends a moment after its time
# of a phase: its colour in the bar of the report, and its name in a plot
_PHASES = {
    "queued": ("rgba(154,164,176,0.18)", "queued"), "starting": ("rgba(224,161,0,0.16)", "starting"),
    "ready": ("rgba(127,178,229,0.16)", "ready"), "warmup": ("rgba(204,121,167,0.18)", "warm-up"),
    "measuring": ("rgba(0,158,115,0.13)", "measuring"), "ending": ("rgba(138,109,90,0.16)", "ending"),
}  # fmt: skip
_NARROW = 0.02  # of a plot: a phase that is shorter has no name in it


def _figure(
    content: dict[str, Any], lines: list[dict[str, Any]], y: dict[str, Any], span: tuple[float, float] | None = None
) -> dict[str, Any]:
    """A plot over time with the phases behind it; `span`: from when to when (s since the submission)."""
    times = [t for drawn in lines for t in drawn["x"]]
    start, end = span or (min(times), max(times))
    x = axis("seconds since the submission", **({"range": [start, end]} if end > start else {}))
    return figure(lines, x, y, shapes=_shades(content, start, end))


def _shades(content: dict[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """The phases between two times as bands."""
    found = []
    for segment in content["segments"]:
        at, until = (min(end, max(start, segment[name] - content["begin"])) for name in ("start", "end"))
        if until > at:
            colour, name = _PHASES[segment["phase"]]
            found.append(
                band(round(at, 3), round(until, 3), colour, name if until - at >= _NARROW * (end - start) else "")
            )
    return found


def _measured_span(content: dict[str, Any]) -> tuple[float, float] | None:
    """From the first second of load to the last (s since the submission): what the plots one below the other share."""
    times = [row["t"] - content["begin"] for each in content["series"] for row in each["rows"]]
    return (round(min(times), 3), round(max(times) + 1.0, 3)) if times else None


def _colour_of(content: dict[str, Any]) -> dict[str, str]:
    """Of each case the same as in the plots that are not over time."""
    names = dict.fromkeys([*content["plotted"], *(each["label"] for each in content["series"])])
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _over_time(content: dict[str, Any], fields: tuple[tuple[str, dict[str, Any]], ...]) -> list[dict[str, Any]]:
    """Lines of series fields of all repetitions; those of one case have one colour and one legend entry."""
    colours, lines, named = _colour_of(content), [], set()
    most = max(20, MOST_POINTS // max(1, len(content["series"]) * len(fields)))
    for each in content["series"]:
        for field, style in fields:
            points = [(row["t"] - content["begin"], row.get(field)) for row in whole_seconds(each)]
            if not any(isinstance(value, float) for _t, value in points):
                continue
            name = each["label"]
            drawn = line(
                thin(points, most), name, colours[name], legendgroup=name, showlegend=name not in named, **style
            )
            named.add(name)
            lines.append(drawn)
    return lines


def whole_seconds(each: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a repetition without a last second that was cut short: half a second has half of the operations."""
    end = each.get("measure_end")
    whole = [row for row in each["rows"] if row.get("phase") != "measure" or not end or row["t"] + 1 <= end + _CUT_S]
    return whole if len(whole) > 1 else each["rows"]


def throughput(content: dict[str, Any]) -> dict[str, Any] | None:
    """Operations of each second, what was offered, and errors."""
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
    return _figure(content, lines, y, _measured_span(content))


def _offered(content: dict[str, Any], each: dict[str, Any]) -> list[tuple[float, float | None]]:
    """What was due in every second, where the clients counted it; else the rate that was asked for."""
    counted = [(row["t"] - content["begin"], row.get("offered")) for row in each["rows"]]
    if any(count for _t, count in counted):
        return counted
    if not each.get("offered_rate_per_s"):
        return []
    return [(each[key] - content["begin"], each["offered_rate_per_s"]) for key in ("measure_start", "measure_end")]


def response(content: dict[str, Any]) -> dict[str, Any] | None:
    """Mean and largest response time of each second."""
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
    return _figure(content, lines, y, _measured_span(content))


def utilization_over_time(content: dict[str, Any]) -> dict[str, Any] | None:
    """How busy nodes and GPUs were, on the time axis of the throughput."""
    span = _measured_span(content)
    groups = utilization.over_time(content["nodes"], content["gpus"])
    if span is None or not groups:
        return None
    lines = [
        line([(t - content["begin"], value) for t, value in points], name, COLOURS[number])
        for number, (name, points) in enumerate(groups.items())
    ]
    return _figure(content, lines, axis("at work (%)", range=[0, 100]), span)


_NETWORK = ("network_receive_bytes_per_s", "network_transmit_bytes_per_s")
_DISK = ("disk_read_bytes_per_s", "disk_write_bytes_per_s")
NODE_PLOTS = (
    ("node_cpu", "processors at work (%)", 1.0, cpu_percent),
    ("node_memory", "memory used (GiB)", 2.0**-30, "memory_used_bytes"),
    ("node_network", "network in + out (MiB/s)", 2.0**-20, _NETWORK),
    ("node_disk", "disk read + write (MiB/s)", 2.0**-20, _DISK),
    ("node_pressure", "waiting for a processor (%)", 1.0, "psi_cpu_some_percent"),
    ("node_service", "memory of the service (MiB)", 2.0**-20, "service_memory_bytes"),
)  # fmt: skip

GPU_PLOTS = (
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


def telemetry(
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
        made[plot] = _figure(content, lines, y) if lines else None
    return made


def services(content: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """A plot for each of the first metrics that a service tells of itself."""
    made: dict[str, dict[str, Any] | None] = {}
    for number, service in enumerate(content["service_metrics"]):
        for place, row in enumerate(service["rows"][:PLOTTED]):
            times, values = row["points"]
            points = [(t - content["begin"], value) for t, value in zip(times, values, strict=True)]
            shape = {"width": 1.5} if row["kind"] == "counter" else {"width": 1.5, "shape": "hv"}
            lines = [line(points, row["name"], COLOURS[0], line=shape)]
            y = axis("per second" if row["kind"] == "counter" else "value", rangemode="tozero")
            plot = _figure(content, lines, y) if len(points) > 1 else None
            if plot:
                plot["layout"]["showlegend"] = False
            made[f"service_{number}_{place}"] = plot
    return made
