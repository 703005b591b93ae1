# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values that are compared: of every case and number, one list for each run, one value for each repetition."""

from __future__ import annotations

import math
from typing import NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, objectives, stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import CAPACITY, ENERGY, RATIO, Number
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Run, Side

REPETITION, RUN = "repetition", "run"
_NOT_COMPARED = ("count", "sum", "stddev", "min")  # of a distribution


class Key(NamedTuple):
    """A number of a case."""

    case: str
    number: Number


class Values(NamedTuple):
    """What a side measured of one number: a list for each of its runs that has it, a value for each repetition."""

    unit: str
    by_run: list[list[float]]

    @property
    def flat(self) -> list[float]:
        """All values, whatever run they are of."""
        return [value for values in self.by_run for value in values]


def of_side(side: Side) -> dict[Key, Values]:
    """Everything that a side measured, its cases in the order of the first run's plan."""
    found: dict[Key, Values] = {}
    for run in side.runs:
        for key, (unit, values) in _of_run(run).items():
            found.setdefault(key, Values(unit, [])).by_run.append(values)
    return found


def _of_run(run: Run) -> dict[Key, tuple[str, list[float]]]:
    found: dict[Key, tuple[str, list[float]]] = {}
    search = run.directory.search()
    if search and search.get("capacity") is not None:
        key = Key(objectives.SEARCH, Number(CAPACITY, "value"))
        found[key] = (search["unit"], [float(search["capacity"])])
    shown = finish.shown_cases(run.plan, run.cases, run.table, search)
    numbers = dict.fromkeys(
        (Number(row["metric"], row["statistic"]), row["unit"])
        for row in run.table.rows
        if row["statistic"] not in _NOT_COMPARED
    )
    for case in shown:
        for number, unit in numbers:
            values = run.table.values(case, *number)
            if values:
                found[Key(case, number)] = (unit, values)
    for measured in (run.record.get("energy") or {}).get("cases") or []:
        for what, joules in measured["per"].items() if measured["case"] in shown else ():
            key = Key(measured["case"], Number(f"{ENERGY}{what}", "value"))
            found.setdefault(key, ("J", []))[1].append(float(joules))
    return found


def level(*sides: Values) -> str:
    """What an observation is: a run, where a side has several; else a repetition.

    Repetitions of one run share its deployment, its nodes and its hour: what varies between runs does not show in
    them.
    """
    return RUN if any(len(values.by_run) > 1 for values in sides) else REPETITION


def samples(values: Values, of: str, scale: str) -> list[float]:
    """The observations of a side: of a run its mean. Logarithms, where the scale is a ratio."""
    by_run = [[math.log(value) for value in run] for run in values.by_run] if scale == RATIO else values.by_run
    if of == RUN:
        return [math.fsum(run) / len(run) for run in by_run]
    return [value for run in by_run for value in run]


def inner(values: Values, scale: str) -> tuple[float, int] | None:
    """(variance of the mean of a side's only run, as its repetitions show it, degrees of freedom); None without."""
    repetitions = samples(values, REPETITION, scale)
    pooled = stats.pooled_stddev(repetitions) if len(values.by_run) == 1 else None
    return pooled and (pooled[0] ** 2 / len(repetitions), pooled[1])


def summary(values: Values, of: str, scale: str) -> dict[str, object]:
    """What a side's number is: `mean` (geometric of a ratio), `half_width`, `stddev`, `cv`, `count`, `runs`.

    `half_width` (95 %) and the others are in the number's unit, over its observations.
    """
    sample = samples(values, of, scale)
    told = stats.summary([math.exp(value) for value in sample] if scale == RATIO else sample)
    if scale == RATIO:
        told["mean"] = math.exp(math.fsum(sample) / len(sample))
    return {**told, "observation": of, "runs": len(values.by_run), "repetitions": [len(run) for run in values.by_run]}
