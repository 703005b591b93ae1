# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values with units, as people write them in a recipe.

Every function takes what YAML gave, returns the value in the unit that its name says, and raises
``UnitError`` otherwise. Slurm's time format is that of ``--time`` in sbatch(1).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from .errors import describe

_DURATION_UNITS_S = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h|d)")
_CLOCK = re.compile(r"(?:(?P<days>\d+)-)?(?P<fields>\d+(?::\d+){0,2})")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?B)?", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_LONGEST_S = 366 * 86400


class UnitError(ValueError):
    """A value that can't be read; ``remedy`` shows one that can."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def _clock_s(text: str) -> int | None:
    """Seconds of Slurm's ``minutes:seconds``, ``h:m:s``, ``d-h``, ``d-h:m``, ``d-h:m:s``; else None."""
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    fields = [int(field) for field in match["fields"].split(":")]
    if match["days"] is not None:
        hours, minutes, seconds = (*fields, 0, 0)[:3]
        return ((int(match["days"]) * 24 + hours) * 60 + minutes) * 60 + seconds
    if len(fields) == 1:
        return None
    hours, minutes, seconds = fields if len(fields) == 3 else (0, *fields)
    return (hours * 60 + minutes) * 60 + seconds


def _units_s(text: str) -> float | None:
    """Seconds of ``90s``, ``1h30m``, ``250ms``; else None."""
    compact = re.sub(r"\s+", "", text.lower())
    parts = list(_DURATION.finditer(compact))
    if not parts or "".join(part.group(0) for part in parts) != compact:
        return None
    return sum(float(part.group(1)) * _DURATION_UNITS_S[part.group(2)] for part in parts)


def duration_s(value: object) -> float:
    """Seconds, more than or equal to 0, of ``10s``, ``5m``, ``01:30:00``, ``1-00:00:00`` or a number."""
    remedy = "write it like 10s, 5m, 01:30:00, 1-00:00:00 or a number of seconds"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds: float | None = float(value) if abs(value) < 1e12 else None
    elif isinstance(value, str):
        text = value.strip()
        seconds = float(text) if re.fullmatch(r"\d{1,12}(\.\d+)?", text) else _units_s(text)
        seconds = _clock_s(text) if seconds is None else seconds
    else:
        seconds = None
    if seconds is None:
        raise UnitError(f"expected a duration, found {describe(value)}", remedy)
    if seconds < 0 or seconds > _LONGEST_S:
        raise UnitError(f"a duration is between 0 and 366 days, found {describe(value)}", remedy)
    return float(seconds)


def time_limit_s(value: object) -> int:
    """Whole seconds of a Slurm time limit. A bare number is minutes, as in Slurm itself."""
    remedy = "write it as Slurm does: '00:30:00' (h:m:s), '1-12:00:00' (days-h:m:s), 30 (minutes), or 30m"
    seconds: float | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value * 60 if abs(value) < 1e9 else None
    elif isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d{1,9}", text):
            seconds = int(text) * 60
        else:
            seconds = _clock_s(text)
            seconds = _units_s(text) if seconds is None else seconds
    if seconds is None:
        raise UnitError(f"expected a time limit, found {describe(value)}", remedy)
    if seconds < 1 or seconds > _LONGEST_S:
        raise UnitError(
            f"a time limit is between 1 second and 366 days, found {describe(value)}; every job has one",
            remedy,
        )
    return math.ceil(seconds)


def memory_bytes(value: object) -> int:
    """Bytes of ``16GiB`` or ``16G`` (powers of 1024, as Slurm counts) and ``512MB`` (powers of 1000)."""
    remedy = "write it with its unit: 16GiB, 16G, 512MB"
    match = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise UnitError(f"expected an amount of memory, found {describe(value)}", remedy)
    number, prefix, suffix = match.groups()
    base = 1000 if (suffix or "").upper() == "B" else 1024
    amount = float(number) * base ** (" KMGT".index(prefix.upper()))
    if amount < 1 or amount > 2**60:
        raise UnitError(f"an amount of memory is between 1 byte and 1 EiB, found {describe(value)}", remedy)
    return math.ceil(amount)


def rate(value: object) -> float | str:
    """Operations per second (> 0), ``max`` (closed loop), or ``50%`` (of what ``max`` reached)."""
    remedy = "write a number of operations per second over all clients, 'max', or '50%' of the case max"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 < value < 1e9:  # false for NaN, too
            raise UnitError(f"a rate is more than 0, found {describe(value)}", remedy)
        return float(value)
    if isinstance(value, str):
        text = value.strip().lower()
        if text == "max":
            return "max"
        match = _PERCENT.fullmatch(text)
        if match and 0 < float(match.group(1)) <= 1000:
            return f"{float(match.group(1)):g}%"
    raise UnitError(f"expected a rate, found {describe(value)}", remedy)


def share(value: object) -> float:
    """A share of 1, more than 0: ``0.05`` or ``5%``."""
    remedy = "write a share of 1 such as 0.05, or a percentage such as 5%"
    number: float | None = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e9 else None  # None for NaN, too
    elif isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        number = float(match.group(1)) / 100
    if number is None:
        raise UnitError(f"expected a share, found {describe(value)}", remedy)
    if not 0 < number <= 1:
        raise UnitError(f"a share is more than 0 and at most 1, found {describe(value)}", remedy)
    return number


def format_clock(seconds: float) -> str:
    """``HH:MM:SS`` or ``D-HH:MM:SS`` as Slurm writes time limits; fractions are rounded up."""
    whole = math.ceil(seconds)
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock


def format_duration(seconds: float) -> str:
    """The shortest exact text: ``90s``, ``5m``, ``2h``, ``0.5s``."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{Decimal(repr(seconds)):f}s"


def format_memory(amount_bytes: int) -> str:
    """The largest power of 1024 that divides the amount, else kibibytes with a fraction."""
    for prefix, size in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if amount_bytes % size == 0:
            return f"{amount_bytes // size}{prefix}"
    return f"{amount_bytes / 1024}KiB"
