# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a recipe, in words that lead to the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake. ``line`` and ``column`` count from 1; ``None`` where there is no such place."""

    file: str
    line: int | None
    column: int | None
    field: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None and not self.field:
                place += f":{self.column}"
        parts = [place, self.field] if self.field else [place]
        text = ": ".join([*parts, self.message]) + (f"; {self.remedy}" if self.remedy else "")
        # a quoted value may have line breaks or worse in it; one problem is one line
        return "".join(character if character.isprintable() else " " for character in text)


class RecipeError(Exception):
    """Every mistake of a recipe at once; ``str()`` has one line for each, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.column or 0, p.field))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that somebody who wrote ``word`` most likely meant, or ``None``."""
    by_folded = {str(candidate).casefold().replace("-", "_"): str(candidate) for candidate in candidates}
    found = difflib.get_close_matches(word.casefold().replace("-", "_"), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str], *, allowed: str = "allowed") -> str:
    """The remedy for an unknown word: the nearest valid one and all of them."""
    known = list(candidates)
    guess = nearest(word, known)
    listing = f"({allowed}: {', '.join(known)})" if known else ""
    return f"did you mean '{guess}'? {listing}".strip() if guess else listing.strip("()")


def describe(value: object) -> str:
    """Names a value as its author would: ``the text 'abc'``, ``the number 3``."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 40 else value[:37] + '...'}'"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"
