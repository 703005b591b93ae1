# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading results.csv, which has millions of rows where a thousand clients ran a hundred cases."""

from __future__ import annotations

import csv
import itertools
import math
import operator
from collections.abc import Iterable, Iterator
from typing import Any

ALL = "all"  # clients
_PLACE = ("case", "repetition")  # the first columns
_Numbered = tuple[int, list[str]]  # a line's number, its fields


class BadRow(ValueError):
    """A row whose repetition or value is no number; the text says which."""


def finite(text: str) -> float | None:
    """A number; None for one that is none, as a service may say: no mean and no plot could be made with it."""
    value = float(text)
    return value if math.isfinite(value) else None


def read(lines: Iterable[str], *, merged: bool = False) -> list[dict[str, Any]]:
    """Rows of a tidy results.csv, but those without a finite value; `repetition` is an int and `value` a float.

    `lines`: of the file, the first with the columns' names. `merged`: without what single clients say of a metric that
    the same repetition has of all of them. Raises BadRow.
    """
    reader = filter(None, csv.reader(lines))
    names = next(reader, [])
    known: dict[str, str] = {}  # texts repeat a thousand times over: one object for each
    rows = []
    for number, fields in _without_clients(reader, names) if merged else enumerate(reader, start=2):
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


def _without_clients(reader: Iterable[list[str]], names: list[str]) -> Iterator[_Numbered]:
    """Without rows of single clients of what the same repetition, whose rows follow one another, has of all of them."""
    if names[: len(_PLACE)] != list(_PLACE) or not {"client", "metric"} <= set(names):
        yield from enumerate(reader, start=2)
        return
    client, metric = names.index("client"), names.index("metric")
    number, known = 2, {}  # by repetition the metrics of all clients together
    # a slice, since a row may be cut short; all of this runs in C, for nearly all rows are left out
    for place, group in itertools.groupby(reader, operator.itemgetter(slice(len(_PLACE)))):
        rows = list(group)
        merged: set[str] = known.setdefault(tuple(place), set())
        is_whole = min(map(len, rows)) >= len(names)  # else whoever reads them says so
        if is_whole:
            merged.update(fields[metric] for fields in rows if fields[client] == ALL)
        for line, fields in enumerate(rows, number):
            if not is_whole or fields[metric] not in merged or fields[client] == ALL:
                yield line, fields
        number += len(rows)
