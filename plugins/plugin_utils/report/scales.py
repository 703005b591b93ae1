# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a value lies on an axis of a static drawing, and the axis' ticks: as plotly would choose them, or nearly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

_TICKS = 6  # about so many on an axis


class Scale:
    """An axis of a figure: linear, logarithmic, or of categories.

    `axis`: plotly's layout of it; `values`: all that is drawn along it, None among them. `pad`: what is left free at
    both ends, as a share of the axis.
    """

    def __init__(self, axis: dict[str, Any], values: Iterable[Any], pad: float = 0.0) -> None:
        self.title: str = axis.get("title", {}).get("text", "")
        known = [value for value in values if value is not None]
        names = axis.get("categoryarray") or (known if axis.get("type") == "category" else ())
        self.names = list(dict.fromkeys(names))
        self.is_reversed = axis.get("autorange") == "reversed"
        self.is_log = axis.get("type") == "log"
        places = [place for place in map(self._place, known) if place is not None]
        low, high = self._ends(axis, places, pad)
        self.low, self.high = low, high
        self.ticks = [(at, text) for place, text in self._ticks(axis) if 0 <= (at := self._share(place)) <= 1]

    def at(self, value: Any) -> float | None:
        """Where a value lies: 0 at the axis' begin, 1 at its end; None where it has no place (0 on a logarithm)."""
        place = None if value is None else self._place(value)
        return None if place is None else self._share(place)

    def _share(self, place: float) -> float:
        share = (place - self.low) / (self.high - self.low)
        return 1.0 - share if self.is_reversed else share

    def _place(self, value: Any) -> float | None:
        if self.names:
            return float(self.names.index(value)) if value in self.names else None
        if self.is_log:
            return math.log10(value) if value > 0 else None
        return float(value)

    def _ends(self, axis: dict[str, Any], places: list[float], pad: float) -> tuple[float, float]:
        if self.names:
            return -0.5, len(self.names) - 0.5
        if axis.get("range"):
            return axis["range"][0], axis["range"][1]
        low, high = min(places, default=0.0), max(places, default=1.0)
        at_zero = axis.get("rangemode") == "tozero" and low >= 0
        low = 0.0 if at_zero else low
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            low, high = (low, low + 1.0) if at_zero or not low else (low - abs(low) / 2, high + abs(high) / 2)
        free = pad * (high - low)
        return low if at_zero else low - free, high + free

    def _ticks(self, axis: dict[str, Any]) -> list[tuple[float, str]]:
        if self.names:
            return list(enumerate(self.names))
        if axis.get("tickvals"):
            pairs = zip(axis["tickvals"], axis["ticktext"], strict=True)
            return _thinned(
                [(place, text) for value, text in pairs if self.low <= (place := self._place(value)) <= self.high]
            )
        if self.is_log:
            return [
                (float(decade), f"{10.0**decade:g}") for decade in range(math.ceil(self.low), math.floor(self.high) + 1)
            ]
        step = _round_step((self.high - self.low) / _TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(number * step, f"{float(f'{number * step:.9g}'):,g}") for number in range(first, last + 1)]


def _thinned(ticks: list[tuple[float, str]], most: int = 12) -> list[tuple[float, str]]:
    return ticks[:: math.ceil(len(ticks) / most)] if ticks else ticks


def _round_step(about: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= about * (1 - 1e-9))
