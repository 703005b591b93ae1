# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers, times and sizes as a person reads them; one way for the screen, the HTML and the Markdown report."""

from __future__ import annotations

import math
import time
from typing import Any

NOTHING = "–"
_TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_ENERGY_UNITS = ((1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"))
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_BYTE_RATES = ((1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s"))


def number(value: float | None, digits: int = 4) -> str:
    """A number with `digits` significant ones and thousands separated: 1,402 · 7.35 · 0.00301."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    before = math.floor(math.log10(abs(value))) + 1
    text = f"{value:,.{min(12, max(0, digits - before))}f}"
    return text.rstrip("0").rstrip(".") if "." in text and before <= 0 else text


def seconds(value: float | None, digits: int = 3) -> str:
    """A measured time in the unit that suits it: 2.4 ms, 830 µs, 1.25 s."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0 s"
    for scale, unit in _TIME_UNITS:
        if abs(value) >= scale:
            return f"{number(value / scale, digits)} {unit}"
    return f"{value:.2g} s"


def energy(value: float | None, digits: int = 3) -> str:
    """An energy in the unit that suits it: 12.3 kJ, 412 mJ."""
    if value is None or not math.isfinite(value):
        return NOTHING
    for scale, unit in _ENERGY_UNITS:
        if abs(value) >= scale:
            return f"{number(value / scale, digits)} {unit}"
    return f"{value:.2g} J" if value else "0 J"


def offset(value: float | None) -> str:
    """How far a clock is from another: +1.2 ms, −830 µs."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{'−' if value < 0 else '+'}{seconds(abs(value))}"


def duration(value: float | None) -> str:
    """How long something took: 3.4 s, 2 min 05 s, 1 h 02 min."""
    if value is None:
        return NOTHING
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size(value: float | None) -> str:
    """Bytes in binary units: 1.5 GiB."""
    if value is None:
        return NOTHING
    for unit in _BYTE_UNITS[:-1]:
        if abs(value) < 1024:
            return f"{number(value, 3)} {unit}"
        value /= 1024
    return f"{number(value, 3)} {_BYTE_UNITS[-1]}"


def byte_rate(value: float | None) -> str:
    """Bytes per second in decimal units, as networks and disks are sold: 1.25 GB/s."""
    if value is None or not math.isfinite(value):
        return NOTHING
    scale, unit = next(((scale, unit) for scale, unit in _BYTE_RATES if abs(value) >= scale), _BYTE_RATES[-1])
    return f"{number(value / scale, 3)} {unit}"


def share(value: float | None) -> str:
    """A share of 1 in per cent."""
    return NOTHING if value is None else f"{number(100 * value, 2 if value < 0.0995 else 3)} %"


def quantity(value: float | None, unit: str = "") -> str:
    """A value of results.csv with its unit; times and bytes in the unit that suits them."""
    if value is None:
        return NOTHING
    if unit == "s":
        return seconds(value)
    if unit in ("B", "bytes"):
        return size(value)
    if unit == "B/s":
        return byte_rate(value)
    text = number(value)
    if unit in ("", "1"):
        return text
    return f"{text}{unit[1:]}" if unit.startswith("1/") else f"{text} {unit}"


def with_interval(line: dict[str, Any]) -> str:
    """A headline's value with the half width of its 95 % confidence interval, where it has one: 1,402/s ± 4.4.

    Of a capacity, with the loads between which it lies: 490/s (480 to 500).
    """
    if line.get("lower") is not None and line.get("upper") is not None:
        return f"{quantity(line['value'], line['unit'])} ({number(line['lower'])} to {number(line['upper'])})"
    return interval((line["value"], line.get("half_width")), line["unit"])


def statistic(name: str) -> str:
    """A statistic of results.csv as a person writes it: p99.9 of p999."""
    return "p99.9" if name == "p999" else name


def which(line: dict[str, Any]) -> str:
    """The statistic of a headline where it has to be told: p99; of a mean or a value by itself nothing."""
    return "" if line["statistic"] in ("value", "mean") else statistic(line["statistic"])


def metric(line: dict[str, Any]) -> str:
    """What a headline's value is: throughput, response time p99."""
    name = str(line["metric"]).replace("_", " ")
    return f"{name} {which(line)}".rstrip()


def interval(pair: tuple[float, float | None] | None, unit: str = "") -> str:
    """A mean with the half width of its interval, to two significant digits, in the mean's own unit."""
    if pair is None:
        return NOTHING
    mean, half = pair
    text = quantity(mean, unit)
    if half is None:
        return text
    scales = {"s": _TIME_UNITS, "B/s": _BYTE_RATES}.get(unit, ())
    if scales:
        scale = next((scale for scale, name in scales if text.endswith(f" {name}")), 1.0)
        return f"{text} ± {number(half / scale, 2)}"
    return f"{text} ± {size(half) if unit in ('B', 'bytes') else number(half, 2)}"


def when(epoch_s: float | None) -> str:
    """A time in UTC: 2026-09-21 14:13:20 UTC."""
    return NOTHING if epoch_s is None else time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(epoch_s))


def short_when(epoch_s: float | None) -> str:
    """A time in UTC, to the minute, for tables: 09-21 14:13."""
    return NOTHING if epoch_s is None else time.strftime("%m-%d %H:%M", time.gmtime(epoch_s))


def plural(count: int, word: str) -> str:
    """A count with its word: 1 client, 4 clients."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
