# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading results.csv, which has millions of rows where a thousand clients ran a hundred cases."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from typing import Any

ALL = "all"  # clients
_Numbered = tuple[int, list[str]]  # a line's number, its fields


class BadRow(ValueError):
    """A row whose repetition or value is no number; the text says which."""


def finite(text: str) -> float | None:
    """A number; None for one that is none, as a service may say: no mean and no plot could be made with it."""
    value = float(text)
    return value if math.isfinite(value) else None


def read(text: str, *, merged: bool = False) -> list[dict[str, Any]]:
    """Rows of a tidy results.csv, but those without a finite value; `repetition` is an int and `value` a float.

    `merged`: without what single clients say of a metric that the same repetition has of all of them. Raises BadRow.
    """
    reader = csv.reader(text.splitlines())
    names = next(reader, [])
    numbered: Iterable[_Numbered] = enumerate(filter(None, reader), start=2)
    known: dict[str, str] = {}  # texts repeat a thousand times over: one object for each
    rows = []
    for number, fields in _without_clients(numbered, names) if merged else numbered:
        row: dict[str, Any] = dict(zip(names, fields, strict=False))
        try:
            value, repetition = finite(row.pop("value")), int(row["repetition"])
        except (KeyError, ValueError):
            found = dict(zip(names, fields, strict=False))
            raise BadRow(f"line {number}: repetition and value must be numbers, found {found}") from None
        if value is not None:
            row = {name: known.setdefault(field, field) for name, field in row.items()}
            row["repetition"], row["value"] = repetition, value
            rows.append(row)
    return rows


def _without_clients(numbered: Iterable[_Numbered], names: list[str]) -> Iterator[_Numbered]:
    """Without rows of single clients of what the same repetition, whose rows follow one another, has of all of them."""
    if not {"case", "repetition", "client", "metric"} <= set(names):
        yield from numbered
        return
    case, repetition, client, metric = (names.index(name) for name in ("case", "repetition", "client", "metric"))
    merged: dict[tuple[str, str], set[str]] = {}  # (case, repetition) → metrics of all clients together
    place: tuple[str, str] | None = None
    alone: dict[str, list[_Numbered]] = {}
    for number, fields in numbered:
        if len(fields) < len(names):
            yield number, fields  # cut short: the reader says so
            continue
        if (fields[case], fields[repetition]) != place:
            yield from _rest(alone)
            place, alone = (fields[case], fields[repetition]), {}
        known = merged.setdefault(place, set())
        if fields[client] == ALL:
            known.add(fields[metric])
            alone.pop(fields[metric], None)
            yield number, fields
        elif fields[metric] not in known:
            alone.setdefault(fields[metric], []).append((number, fields))
    yield from _rest(alone)


def _rest(alone: dict[str, list[_Numbered]]) -> Iterator[_Numbered]:
    for rows in alone.values():
        yield from rows
