# SPDX-License-Identifier: MIT
"""The exact answers once more, worked out as plainly as possible: what is reported is checked against them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Vector = Sequence[float]


def vectors(data: Any) -> list[Vector]:
    """All vectors of a data set, in order."""
    flat = [value for _first, block in data.blocks() for value in block]
    return cut(flat, data.dimensions)


def queries(data: Any) -> list[Vector]:
    return cut(data.query_values(), data.dimensions)


def steps(row: Vector) -> tuple[int, ...]:
    """A vector as the whole numbers of its grid, 1/1024."""
    return tuple(round(value * 1024) for value in row)


def cut(flat: Sequence[float], dimensions: int) -> list[Vector]:
    return [flat[at : at + dimensions] for at in range(0, len(flat), dimensions)]


def distance(metric: str, a: Vector, b: Vector) -> float:
    if metric == "l2":
        return math.dist(a, b)
    product = math.fsum(x * y for x, y in zip(a, b, strict=True))
    if metric == "ip":
        return -product
    return 1.0 - product / math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))


def nearest(metric: str, query: Vector, rows: list[Vector], k: int) -> list[tuple[float, int]]:
    """(distance, number) of the k nearest, the nearest first."""
    return sorted((distance(metric, query, row), number) for number, row in enumerate(rows))[:k]


def recall(metric: str, query: Vector, rows: list[Vector], ids: Sequence[int]) -> float:
    """The share of ids that is among as many nearest vectors."""
    exact = {number for _distance, number in nearest(metric, query, rows, len(ids))}
    return len(exact & set(ids)) / len(ids)
