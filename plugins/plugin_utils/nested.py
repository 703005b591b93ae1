# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between two nested records, such as the plans of two runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_ABSENT = object()


class Difference(NamedTuple):
    """`field`: its dotted name; what it is in the one and in the other record, None where it is not there."""

    field: str
    before: Any
    after: Any


def differences(before: Any, after: Any, prefix: str = "") -> list[Difference]:
    """All fields in which two nested records differ, in the order of the first and then of the second.

    Lists of plain values are one value; of lists with records in them the items with the same number are compared.
    """
    one, two = dict(_leaves(before, prefix)), dict(_leaves(after, prefix))
    found = []
    for field in dict.fromkeys([*one, *two]):
        old, new = one.get(field, _ABSENT), two.get(field, _ABSENT)
        if old != new:
            found.append(Difference(field, None if old is _ABSENT else old, None if new is _ABSENT else new))
    return [each for each in found if (each.before, each.after) != (None, None)]


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{prefix}[{number}]")
    else:
        yield prefix, value
