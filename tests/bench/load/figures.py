# SPDX-License-Identifier: MIT
"""Figures of the benches, and how they are printed."""

from __future__ import annotations

import datetime
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path


def quantile(values: Sequence[float], q: float) -> float:
    """By nearest rank. Raises ValueError when there are no values."""
    if not values:
        raise ValueError("a quantile of nothing")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(q * len(ordered), 9)) - 1)]


def lags_s(arrivals_s: Sequence[float], rate: float, skip_s: float = 0.0) -> list[float]:
    """How far (s) arrivals are behind evenly spaced ones, without those due in the first `skip_s`.

    Nobody but the client knows when its schedule began: it is taken to have begun so that its most punctual request
    was on time. What all requests are late by is therefore not seen: the lag is at least this.
    """
    begin = min(arrival - number / rate for number, arrival in enumerate(arrivals_s))
    return [arrival - begin - number / rate for number, arrival in enumerate(arrivals_s) if number / rate >= skip_s]


def rate_of(arrivals_s: Sequence[float], skip_s: float = 0.0) -> float:
    """Arrivals a second, without those of the first `skip_s`; 0 when there are fewer than two."""
    kept = [arrival for arrival in arrivals_s if arrival >= arrivals_s[0] + skip_s] if arrivals_s else []
    return (len(kept) - 1) / (kept[-1] - kept[0]) if len(kept) > 1 else 0.0


def number(value: float | None, digits: int = 1) -> str:
    """As in a table; a dash for None."""
    return "–" if value is None else f"{value:,.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As Markdown, its columns aligned so that a terminal shows it well, too."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def limit(
    what: str,
    value: float | None,
    *,
    most: float | None = None,
    least: float | None = None,
    unit: str = "",
    note: str = "",
) -> str:
    """A line that says whether a limit is kept; None: the value could not be had. note: what else is to be known."""
    asked = f"at most {most:g}" if most is not None else f"at least {least:g}"
    if value is None:
        return f"UNKNOWN   {what}: not measured ({asked}{unit}){note}"
    kept = value <= most if most is not None else value >= least
    return f"{'kept    ' if kept else 'EXCEEDED'}  {what}: {value:.3g}{unit} ({asked}{unit}){note}"


def machine() -> str:
    """A line that says when and where the figures were made."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown CPU"
    )
    load = os.getloadavg()[0]
    return (
        f"{datetime.date.today()}, {os.cpu_count()} cores ({model}), Linux {platform.release().split('-')[0]}, "
        f"load average before {load:.1f}"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
