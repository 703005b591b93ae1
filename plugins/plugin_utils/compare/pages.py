# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a comparison: comparison.json, comparison.md, and comparison.html, which needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import differences, words
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import RATIO
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import COLOURS, axis, figure
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

FOLDER = Path(__file__).parent
_ROW_PX, _FRAME_PX = 26, 90
PLOTTED = 60  # numbers of the plot; the tables have them all
_FAINT = "rgba(127,127,127,0.18)"


def write(folder: RunDirectory, record: dict[str, Any]) -> dict[str, str]:
    """Write the three files; returns their paths by kind. Raises RunError where plotly is not installed."""
    html, markdown = to_html(record), to_markdown(record)  # nothing is written when one of them can't be made
    return {
        "json": str(folder.write_json("comparison.json", record)),
        "markdown": str(folder.write_text("comparison.md", markdown)),
        "html": str(folder.write_text("comparison.html", html)),
    }


def to_html(record: dict[str, Any]) -> str:
    """The page of a comparison."""
    return _render(True, "comparison.html.j2", record, **page.frame(figures(record), ["ratios"]))


def to_markdown(record: dict[str, Any]) -> str:
    """The same as text."""
    return _render(False, "comparison.md.j2", record)


def _render(html: bool, template: str, record: dict[str, Any], **more: Any) -> str:
    environment = page.environment(html, FOLDER)
    environment.globals.update(vocabulary())
    return environment.get_template(template).render(**record, record=record, **more)


def vocabulary() -> dict[str, Any]:
    """What the templates of a comparison call."""
    return {"words": words, "kinds": differences.WHAT, "nothing": formatting.NOTHING}


def figures(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The ratios with their intervals, of all judged numbers; none where there is no ratio."""
    names, lines = {}, []
    for place, each in enumerate(record["comparisons"]):
        numbers = [
            number
            for number in each["numbers"]
            if number["verdict"] and number["scale"] == RATIO and number.get("interval")
        ][:PLOTTED]
        names.update(dict.fromkeys(words.name_of(number) for number in numbers))
        if numbers:
            lines.append(_line(each["side"], numbers, COLOURS[place % len(COLOURS)]))
    if not lines:
        return {}
    width = record["options"]["threshold"]
    band = {"type": "rect", "xref": "x", "yref": "paper", "layer": "below", "line": {"width": 0}, "fillcolor": _FAINT}
    shapes = [{**band, "x0": round(1 / (1 + width), 6), "x1": 1 + width, "y0": 0, "y1": 1}]
    y = axis("", autorange="reversed", categoryorder="array", categoryarray=list(names))
    x = axis(f"ratio to {record['comparisons'][0]['against']}", range=_range(lines))
    return {"ratios": figure(lines, x, y, shapes=shapes, height=_FRAME_PX + _ROW_PX * len(names))}


def _range(lines: list[dict[str, Any]]) -> list[float]:
    """What the axis shows: all intervals, but of those that go beyond a quarter or four times only as much."""
    ends = [
        (x - less, x + more)
        for line in lines
        for x, less, more in zip(line["x"], line["error_x"]["arrayminus"], line["error_x"]["array"], strict=True)
    ]
    low, high = max(0.25, min(1.0, *(end[0] for end in ends))), min(4.0, max(1.0, *(end[1] for end in ends)))
    return [round(low - 0.05 * (high - low), 4), round(high + 0.05 * (high - low), 4)]


def _line(name: str, numbers: list[dict[str, Any]], colour: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name, "marker": {"color": colour, "size": 9},
        "x": [round(number["change"], 5) for number in numbers],
        "y": [words.name_of(number) for number in numbers],
        "text": [number["verdict"] for number in numbers],
        "error_x": {
            "type": "data", "symmetric": False, "color": colour, "thickness": 2,
            "array": [round(number["interval"][1] - number["change"], 5) for number in numbers],
            "arrayminus": [round(number["change"] - number["interval"][0], 5) for number in numbers],
        },
    }  # fmt: skip
