# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A figure as a static SVG: what a reader sees with scripts off, and what is printed.

It draws what the figures of a report use of plotly: lines, steps, areas, markers, error bars, bars, bands. Colours of
text and rules are the style sheet's (classes), so that they follow dark mode.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import thin
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.marks import mark
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.scales import Scale

WIDE, SMALL = (1000, 320), (480, 290)  # width and height, in units of the drawing
_POINTS = 300  # of a line: one in three units is enough
_LETTER, _LINE, _KEY = 6.6, 17, 30  # width of a letter, height of a line of text, width of a key of the legend
_RIGHT, _BOTTOM = 14, 42
_LONGEST = 70  # letters of a name in the legend
_DASHES = {"dot": "2 3", "dash": "7 4"}


def draw(figure: dict[str, Any], wide: bool, label: str = "") -> str:
    """The `<svg>` of a figure (`data` and `layout`, see report.drawing); `label`: what it is, for who can't see it."""
    return _Drawing(figure, *(WIDE if wide else SMALL)).text(label)


class _Drawing:
    def __init__(self, figure: dict[str, Any], width: int, height: int) -> None:
        self.data, self.layout = figure["data"], figure["layout"]
        height = self.layout.get("height", height)
        self.width = width
        self.x = Scale(self.layout["xaxis"], self._values("x"), 0.03 if self._has_markers() else 0.0)
        self.y = Scale(self.layout["yaxis"], [*self._values("y"), *self._ends_of_bars()], 0.05)
        self.legend = list(self._legend())
        longest = max((len(text) for _at, text in self.y.ticks), default=1)
        self.left = 26 + _LETTER * longest
        self.top = 8 + _LINE * (1 + max((row for row, *_rest in self.legend), default=-1))
        self.height = height + max(0, self.top - 3 * _LINE)
        self.right, self.bottom = width - _RIGHT, self.height - _BOTTOM

    def _values(self, name: str) -> list[Any]:
        return [value for trace in self.data for value in trace[name]]

    def _ends_of_bars(self) -> Iterator[float]:
        for trace in self.data:
            yield from [0.0] if trace["type"] == "bar" else []
            for value, half in zip(trace["y"], trace.get("error_y", {}).get("array", ()), strict=False):
                yield from () if value is None else (value - half, value + half)

    def _has_markers(self) -> bool:
        return any("markers" in trace.get("mode", "") and "lines" not in trace["mode"] for trace in self.data) or (
            max((len(trace["x"]) for trace in self.data), default=0) < 30
        )

    def text(self, label: str) -> str:
        inside = "".join([
            *self._bands(), *self._axes(), *(part for trace in self.data for part in self._trace(trace)), *self._keys(),
        ])  # fmt: skip
        box, size = f"0 0 {self.width} {self.height:.0f}", "wide" if self.width == WIDE[0] else "small"
        return f'<svg class="{size}" viewBox="{box}" role="img" aria-label="{escape(label)}">{inside}</svg>'

    # -- places ----------------------------------------------------------------------------------------

    def _px(self, value: Any) -> float | None:
        at = self.x.at(value)
        return None if at is None else self.left + at * (self.right - self.left)

    def _py(self, value: Any) -> float | None:
        at = self.y.at(value)
        return None if at is None else self.bottom - at * (self.bottom - self.top)

    def _parts(self, trace: dict[str, Any]) -> Iterator[list[tuple[float, float]]]:
        """The points of a trace on the drawing, cut where a value is missing or beyond the axis."""
        points = list(zip(trace["x"], trace["y"], strict=True))
        part: list[tuple[float, float]] = []
        for x, y in points if self.x.names or self.y.names else thin(points, _POINTS):
            px, py = self._px(x), self._py(y)
            if px is None or py is None or not self.left - 1 <= px <= self.right + 1:
                if part:
                    yield part
                part = []
            else:
                part.append((px, py))
        if part:
            yield part

    # -- what is drawn ---------------------------------------------------------------------------------

    def _bands(self) -> Iterator[str]:
        for shape in self.layout.get("shapes", ()):
            start, end = (min(self.right, max(self.left, self._px(shape[name]) or 0.0)) for name in ("x0", "x1"))
            if end <= start:
                continue
            yield (
                f'<rect x="{start:.1f}" y="{self.top:.0f}" width="{end - start:.1f}" '
                f'height="{self.bottom - self.top:.0f}" fill="{shape["fillcolor"]}"/>'
            )
            text = shape.get("label", {}).get("text")
            if text and end - start >= 12:
                x, y = start + 11, self.bottom - 6
                yield f'<text class="band" transform="translate({x:.1f} {y:.0f}) rotate(-90)">{escape(text)}</text>'

    def _axes(self) -> Iterator[str]:
        for at, text in self.y.ticks:
            y = self.bottom - at * (self.bottom - self.top)
            yield f'<path class="rule" d="M{self.left:.0f} {y:.1f}H{self.right:.0f}"/>'
            yield f'<text x="{self.left - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        free = -math.inf
        for at, text in self.x.ticks:
            x, half = self.left + at * (self.right - self.left), _LETTER * len(str(text)) / 2
            yield f'<path class="rule" d="M{x:.1f} {self.top:.0f}V{self.bottom:.0f}"/>'
            if x - half >= free:
                yield f'<text x="{x:.1f}" y="{self.bottom + 16:.0f}" text-anchor="middle">{escape(str(text))}</text>'
                free = x + half + 6
        yield f'<path class="axis" d="M{self.left:.0f} {self.top:.0f}V{self.bottom:.0f}H{self.right:.0f}"/>'
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        yield f'<text x="{x:.0f}" y="{self.height - 8:.0f}" text-anchor="middle">{escape(self.x.title)}</text>'
        yield f'<text transform="translate(12 {y:.0f}) rotate(-90)" text-anchor="middle">{escape(self.y.title)}</text>'

    def _trace(self, trace: dict[str, Any]) -> Iterator[str]:
        colour = _colour(trace)
        if trace["type"] == "bar":
            yield from self._bars(trace, colour)
            return
        mode, line = trace.get("mode", "lines"), trace.get("line", {})
        for part in self._parts(trace):
            if "lines" in mode and len(part) > 1:
                path = _path(part, line.get("shape", "linear"))
                if trace.get("fill"):
                    closed = f"{path}V{self.bottom:.0f}H{part[0][0]:.1f}Z"
                    yield f'<path d="{closed}" fill="{colour}" fill-opacity="0.15"/>'
                yield f'<path d="{path}" fill="none" stroke="{colour}" {_stroke(line)}/>'
            if "markers" in mode or len(part) == 1:
                yield from self._markers(part, trace, colour)
        yield from self._errors(trace, colour)
        yield from self._texts(trace) if "text" in mode else ()

    def _markers(self, part: list[tuple[float, float]], trace: dict[str, Any], colour: str) -> Iterator[str]:
        marker = trace.get("marker", {})
        step = math.ceil(len(part) / (marker.get("maxdisplayed") or len(part)))
        for x, y in part[step // 2 :: step]:
            yield mark(marker.get("symbol", "circle"), x, y, colour)

    def _bars(self, trace: dict[str, Any], colour: str) -> Iterator[str]:
        for x, y in zip(trace["x"], trace["y"], strict=True):
            px, py = self._px(x), self._py(y)
            if px is not None and py is not None:
                yield f'<path d="M{px:.1f} {self.bottom:.0f}V{py:.1f}" stroke="{colour}" stroke-width="3"/>'

    def _errors(self, trace: dict[str, Any], colour: str) -> Iterator[str]:
        for x, y, half in zip(trace["x"], trace["y"], trace.get("error_y", {}).get("array", ()), strict=False):
            if half and y is not None:
                yield from self._error((x, y - half), (x, y + half), "h", colour)
        across = trace.get("error_x", {})
        for x, y, less, more in zip(
            trace["x"], trace["y"], across.get("arrayminus", ()), across.get("array", ()), strict=False
        ):
            yield from self._error((x - less, y), (x + more, y), "v", colour)

    def _error(self, start: tuple[Any, Any], end: tuple[Any, Any], across: str, colour: str) -> Iterator[str]:
        """A bar between two points with an end across it (`h` or `v`) where it does not leave the drawing."""
        xs, ys = [self._px(point[0]) for point in (start, end)], [self._py(point[1]) for point in (start, end)]
        if None in xs or None in ys:
            return
        inside = [min(self.right, max(self.left, x)) for x in xs]
        path = f"M{inside[0]:.1f} {ys[0]:.1f}L{inside[1]:.1f} {ys[1]:.1f}"
        for x, kept, y in zip(xs, inside, ys, strict=True):
            path += (f"M{x - 4:.1f} {y:.1f}h8" if across == "h" else f"M{x:.1f} {y - 4:.1f}v8") if x == kept else ""
        yield f'<path d="{path}" stroke="{colour}" stroke-width="1.5"/>'

    def _texts(self, trace: dict[str, Any]) -> Iterator[str]:
        for x, y, text in zip(trace["x"], trace["y"], trace.get("text", ()), strict=False):
            px, py = self._px(x), self._py(y)
            if px is not None and py is not None:
                yield f'<text x="{px:.1f}" y="{py - 8:.1f}" text-anchor="middle">{escape(str(text))}</text>'

    # -- the legend ------------------------------------------------------------------------------------

    def _legend(self) -> Iterator[tuple[int, float, str, dict[str, Any]]]:
        """(row, x, name, trace) of what the legend names, from the left to the right and then below."""
        if self.layout.get("showlegend") is False:
            return
        row, x = 0, 10.0
        for trace in self.data:
            if trace.get("showlegend") is False:
                continue
            name = str(trace["name"])
            name = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
            width = _KEY + _LETTER * len(name) + 14
            if x > 10 and x + width > self.width:
                row, x = row + 1, 10.0
            yield row, x, name, trace
            x += width

    def _keys(self) -> Iterator[str]:
        for row, x, name, trace in self.legend:
            y, colour, mode = 10 + row * _LINE, _colour(trace), trace.get("mode", "lines")
            if trace["type"] == "bar":
                yield f'<rect x="{x:.0f}" y="{y - 5}" width="22" height="9" fill="{colour}"/>'
            elif "lines" in mode:
                yield f'<path d="M{x:.0f} {y}h22" stroke="{colour}" {_stroke(trace.get("line", {}))}/>'
            if "markers" in mode:
                yield mark(trace.get("marker", {}).get("symbol", "circle"), x + 11, y, colour)
            yield f'<text x="{x + 27:.0f}" y="{y + 4}">{escape(name)}</text>'


def _colour(trace: dict[str, Any]) -> str:
    return trace.get("marker", {}).get("color") or trace.get("line", {}).get("color") or "currentColor"


def _stroke(line: dict[str, Any]) -> str:
    dash = _DASHES.get(line.get("dash", ""))
    return f'stroke-width="{line.get("width", 2)}"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _path(points: list[tuple[float, float]], shape: str) -> str:
    """The path of a line; `hv`: steps that begin at a point, `hvh`: steps whose middle is the point."""
    (x, y), *rest = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if shape == "hv":
            parts.append(f"H{to_x:.1f}V{to_y:.1f}")
        elif shape == "hvh":
            parts.append(f"H{(x + to_x) / 2:.1f}V{to_y:.1f}H{to_x:.1f}")
        else:
            parts.append(f"L{to_x:.1f} {to_y:.1f}")
        x = to_x
    return "".join(parts)
