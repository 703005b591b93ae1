# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plots of a report as plotly figures, plain dicts: all by name; those by percentile are made here."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results, verdict
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import load_figures, time_figures
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import (
    COLOURS,
    axis,
    figure,
    line,
    log_axis,
)

DISTRIBUTION_BARS = 70
WIDE = ("throughput", "response", "utilization", "percentiles", "distribution", "first_token")  # across the page


def figures(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Figures by name; one that has nothing to show is left out."""
    responses = content["histograms"].get("response_time", {})
    first_tokens = content["histograms"].get("time_to_first_token", {})
    made = {
        "throughput": time_figures.throughput(content),
        "response": time_figures.response(content),
        "utilization": time_figures.utilization_over_time(content),
        "percentiles": percentiles(responses, "response time"),
        "distribution": distribution(responses),
        "first_token": percentiles(first_tokens, "time to first token"),
        **load_figures.sweep(content["sweep"]),
        **load_figures.search(content["search"]),
        **time_figures.telemetry(content, time_figures.NODE_PLOTS, content["nodes"]),
        **time_figures.telemetry(content, time_figures.GPU_PLOTS, content["gpus"]),
        **time_figures.services(content),
    }
    return {name: made_of for name, made_of in made.items() if made_of is not None}


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
