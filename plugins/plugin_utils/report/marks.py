# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Markers of a static drawing: of plotly's forms those that the reports use."""

from __future__ import annotations

_MARKS = {
    "square": "M{0:.1f} {1:.1f}m-4-4h8v8h-8z",
    "diamond": "M{0:.1f} {1:.1f}m0-5l5 5l-5 5l-5-5z",
    "triangle-up": "M{0:.1f} {1:.1f}m0-5l5 9h-10z",
    "triangle-down": "M{0:.1f} {1:.1f}m0 5l5-9h-10z",
    "cross": "M{0:.1f} {1:.1f}m-5-1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",
}


def mark(symbol: str, x: float, y: float, colour: str) -> str:
    """A marker at a place of the drawing; `symbol`: plotly's name of its form."""
    if symbol == "x":
        return f'<path d="M{x:.1f} {y:.1f}m-4-4l8 8m0-8l-8 8" stroke="{colour}" stroke-width="2.5"/>'
    name, _dash, kind = symbol.rpartition("-open")
    shape = _MARKS.get(name or kind)
    inner = 'd="' + shape.format(x, y) + '"' if shape else f'cx="{x:.1f}" cy="{y:.1f}" r="4"'
    fill = f'fill="none" stroke="{colour}" stroke-width="2"' if name else f'fill="{colour}"'
    return f"<{'path' if shape else 'circle'} {inner} {fill}/>"
