# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sweep of a recipe: its parameters checked, each value with its line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from . import units
from .cases import MAX, SETTINGS, cases_of, choices_of
from .document import Document, FieldPath
from .errors import Problem, describe, did_you_mean, nearest
from .load_schema import Benchmarks, Sweep
from .settings import check_settings, check_value
from .workloads import Workload

MOST_CASES = 500
HERE: FieldPath = ("benchmarks", "sweep")
_LOADS = ("rate", "concurrency")


def swept_settings(sweep: Sweep | None) -> set[str]:
    """Names of the workload's settings that every case of the sweep gives."""
    if sweep is None:
        return set()
    if sweep.mode == "list":
        return set.intersection(*(set(case.settings) for case in sweep.cases)) if sweep.cases else set()
    names = (parameter.removeprefix("client.") for parameter in sweep.parameters)
    return {name.removeprefix(SETTINGS) for name in names if name.startswith(SETTINGS)}


def check_sweep(
    document: Document, benchmarks: Benchmarks, workload: Workload | None
) -> tuple[Sweep | None, list[Problem]]:
    """The sweep with values in their declared types and names without ``client.``, and what is wrong with it.

    Where something is wrong there is no sweep. ``workload``: None where it is unknown; then settings are not checked.
    """
    sweep = benchmarks.sweep
    if sweep is None:
        return None, []
    checker = _Checker(document, workload)
    problems = checker.problems
    problems.extend(_structure(document, sweep))
    if not problems:
        sweep = checker.cases(sweep) if sweep.mode == "list" else checker.parameters(sweep)
    if not problems:
        problems.extend(_together(document, benchmarks.model_copy(update={"sweep": sweep}), sweep))
    return (None if problems else sweep), problems


def place_of(document: Document, sweep: Sweep, setting: str, number: int) -> FieldPath | None:
    """Where the sweep gives a setting of its case ``number`` (from 0); None where it doesn't."""
    if sweep.mode == "list":
        return (*HERE, "cases", number, "settings", setting) if setting in sweep.cases[number].settings else None
    if f"{SETTINGS}{setting}" not in sweep.parameters:
        return None
    written = ((*HERE, "parameters", f"{prefix}{SETTINGS}{setting}") for prefix in ("", "client."))
    return next((path for path in written if path in document.keys), HERE)


def _structure(document: Document, sweep: Sweep) -> Iterator[Problem]:
    """What can be said without looking at the values."""
    unused, used = ("parameters", "cases") if sweep.mode == "list" else ("cases", "parameters")
    if getattr(sweep, unused):
        message = f"has no meaning in the mode {sweep.mode}"
        remedy = f"write {used}, or set mode: {'grid' if sweep.mode == 'list' else 'list'}"
        yield document.problem((*HERE, unused), message, remedy)
    elif not getattr(sweep, used):
        example = "cases: [{rate: 100}, {rate: 200}]" if sweep.mode == "list" else "parameters: {rate: [100, 200]}"
        yield document.problem(HERE, "makes no case", f"add {used}, such as {example}")
    for name, values in sweep.parameters.items():
        if not values:
            yield document.problem((*HERE, "parameters", name), "is empty", "give values, or remove the parameter")
    lengths = {name: len(values) for name, values in sweep.parameters.items()}
    if sweep.mode == "zip" and len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        message = f"in the mode zip every parameter has as many values: {found}"
        yield document.problem((*HERE, "parameters"), message, "make them equal, or set mode: grid")
    count = len(sweep.cases) if sweep.mode == "list" else _count(sweep.mode, list(lengths.values()))
    if count > MOST_CASES:
        yield document.problem(HERE, f"makes {count} cases, more than {MOST_CASES}", "take fewer values")


def _count(mode: str, lengths: list[int]) -> int:
    return math.prod(lengths) if mode == "grid" else min(lengths, default=0)


def _together(document: Document, benchmarks: Benchmarks, sweep: Sweep) -> Iterator[Problem]:
    """What the cases must be together."""
    first: dict[str, int] = {}
    for number, choice in enumerate(choices_of(sweep)):
        key = json.dumps(choice, sort_keys=True)
        if key in first:
            where = (*HERE, "cases", number) if sweep.mode == "list" else (*HERE, "parameters")
            message = f"cases {first[key] + 1} and {number + 1} are the same"
            yield document.problem(where, message, "remove one; benchmarks.repetitions measures a case several times")
            return
        first[key] = number
    cases = cases_of(benchmarks)
    percent = next((case["rate"] for case in cases if isinstance(case["rate"], str)), None)
    if percent and cases[0]["name"] != MAX:
        message = f"{percent} is a part of the highest rate, which no case finds out"
        remedy = "sweep only the rate, with max among its values, or add the case {rate: max} to a list"
        yield document.problem(HERE, message, remedy)


class _Checker:
    """Checks values one by one and collects what is wrong."""

    def __init__(self, document: Document, workload: Workload | None) -> None:
        self.document = document
        self.workload = workload
        self.problems: list[Problem] = []

    def parameters(self, sweep: Sweep) -> Sweep:
        """The sweep with the values of its parameters in their types."""
        checked: dict[str, list[Any]] = {}
        for written, values in sweep.parameters.items():
            name, path = written.removeprefix("client."), (*HERE, "parameters", written)
            if name in checked:
                self._add(path, f"is the parameter {name} again", "remove one")
            elif self._is_known(written, path):
                checked[name] = [self._value(name, value, (*path, index)) for index, value in enumerate(values)]
        return sweep.model_copy(update={"parameters": checked})

    def cases(self, sweep: Sweep) -> Sweep:
        """The sweep with the settings of its cases in their types."""
        checked = []
        for number, case in enumerate(sweep.cases):
            settings = case.settings
            if self.workload is not None:
                path, owner = (*HERE, "cases", number, "settings"), f"the workload {self.workload.name}"
                settings, found = check_settings(
                    self.document, path, settings, self.workload.options, owner, given=self.workload.options
                )
                self.problems.extend(found)
            checked.append(case.model_copy(update={"settings": settings}))
        return sweep.model_copy(update={"cases": checked})

    def _is_known(self, written: str, path: FieldPath) -> bool:
        name = written.removeprefix("client.")
        setting = name.removeprefix(SETTINGS) if name.startswith(SETTINGS) else None
        options = list(self.workload.options) if self.workload is not None else []
        if written in _LOADS or setting in options or (setting and self.workload is None):
            return True
        if setting is not None:
            self._add(path, "unknown setting", did_you_mean(setting, options, allowed="settings"))
            return False
        meant = nearest(name, [*_LOADS, *options])
        guess = f"did you mean '{meant if meant in _LOADS else SETTINGS + meant}'? " if meant else ""
        allowed = ", ".join([*_LOADS, *(f"{SETTINGS}{option}" for option in options)])
        self._add(path, "unknown parameter", f"{guess}(allowed: {allowed})")
        return False

    def _value(self, name: str, value: Any, path: FieldPath) -> Any:
        if name == "rate":
            try:
                return units.rate(value)
            except units.UnitError as error:
                self._add(path, error.message, error.remedy)
        elif name == "concurrency":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                self._add(path, f"expected a whole number of at least 1, found {describe(value)}", "")
        elif self.workload is not None:
            option: Mapping[str, Any] = self.workload.options[name.removeprefix(SETTINGS)]
            value, found = check_value(self.document, path, value, option)
            self.problems.extend(found)
        return value

    def _add(self, path: FieldPath, message: str, remedy: str) -> None:
        self.problems.append(self.document.problem(path, message, remedy))
