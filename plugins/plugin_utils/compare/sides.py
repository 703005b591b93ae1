# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sides of a comparison: which runs each has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    NoSuchRun,
    RunDirectory,
    RunError,
    find_run,
    run_ids,
    runs_root,
)

_FORMS = (
    "-e run=A,B (the runs A and B; A1+A2,B1+B2: several runs a side), "
    '-e \'{"runs": [["A1", "A2"], ["B1", "B2"]]}\', or -e \'{"sides": {"before": ["A1", "A2"], "after": ["B1"]}}\''
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Run:
    """A run that is over, and what it left."""

    directory: RunDirectory

    @property
    def id(self) -> str:
        """The run's id."""
        return self.directory.id

    @cached_property
    def record(self) -> dict[str, Any]:
        """Its run.json. Raises RunError when the run is not over."""
        record = self.directory.read_json("run.json", None) or {}
        if record.get("state") not in timeline.FINAL_STATES:
            raise RunError(
                f"run {self.id} is not over ({record.get('state') or 'nothing was reported yet'}): "
                f"ansible-playbook aifactory.benchmark.watch -e run={self.id} finishes it"
            )
        return record

    @cached_property
    def plan(self) -> dict[str, Any]:
        """Its plan.json, empty where there is none."""
        return self.directory.read_json("plan.json", {})

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Its provenance.json, empty where there is none."""
        return self.directory.read_json("provenance.json", {})

    @cached_property
    def cases(self) -> list[dict[str, Any]]:
        """Its cases.json."""
        return self.directory.cases()

    @cached_property
    def table(self) -> results.Table:
        """Its results, of all clients together."""
        return results.Table(row for row in self.directory.results(merged=True) if row["client"] == results.ALL)


@dataclass(frozen=True)
class Side:
    """What is compared: a run, or several runs of the same."""

    name: str
    runs: list[Run] = field(repr=False)


def read(
    home: str | os.PathLike[str],
    *,
    run: Any = None,
    runs: Any = None,
    sides: Any = None,
    clusters: Sequence[str] = (),
) -> list[Side]:
    """The sides that a user names in one of three forms, the reference first. Raises RunError."""
    given = [value for value in (run, runs, sides) if value]
    if len(given) != 1:
        what = "say in one way only what to compare" if given else "say what to compare"
        raise RunError(f"{what}: {_FORMS}")
    named = _named(sides) if sides else _lettered(run or runs)
    found = [
        Side(name, [find(home, reference, clusters) for reference in references]) for name, references in named.items()
    ]
    return distinct(found)


def listed(home: str | os.PathLike[str], run: str, clusters: Iterable[str] = ()) -> list[Run]:
    """The runs of a list `A,B` that are one side, each once, the oldest first. Raises RunError."""
    found = [find(home, reference.strip(), clusters) for reference in run.replace("+", ",").split(",")]
    return sorted(distinct([Side("it", found)])[0].runs, key=lambda each: each.id)


def _named(sides: Any) -> dict[str, list[str]]:
    if not isinstance(sides, dict):
        raise RunError(f"sides={sides!r} is not a mapping of names to lists of runs: {_FORMS}")
    return {str(name): _references(value) for name, value in sides.items()}


def _lettered(runs: Any) -> dict[str, list[str]]:
    listed = runs.split(",") if isinstance(runs, str) else runs
    if not isinstance(listed, list):
        raise RunError(f"{runs!r} is not a list of runs: {_FORMS}")
    if len(listed) > len(_LETTERS):
        raise RunError(f"{len(listed)} sides are too many: at most {len(_LETTERS)}")
    return {_LETTERS[number]: _references(value) for number, value in enumerate(listed)}


def _references(value: Any) -> list[str]:
    parts = value.split("+") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        raise RunError(f"{value!r} does not name runs: {_FORMS}")
    return [part.strip() for part in parts]


def find(home: str | os.PathLike[str], reference: str, clusters: Iterable[str] = ()) -> Run:
    """The run that a reference means: an id, a unique prefix, `latest`, or one of these and @CLUSTER."""
    reference, _at, cluster = reference.partition("@")
    return Run(find_run(home, reference, [cluster] if cluster else clusters))


def distinct(sides: list[Side]) -> list[Side]:
    """The sides as they are. Raises RunError where a run is named twice: it can't differ from itself."""
    where: dict[str, str] = {}
    for side in sides:
        for run in side.runs:
            if run.id in where:
                raise RunError(
                    f"run {run.id} is named twice, in {where[run.id]} and in {side.name}: name each run once"
                )
            where[run.id] = side.name
    return sides


def newest_like(home: str | os.PathLike[str], baseline: list[Run]) -> Run:
    """The newest run that is over, of the baseline's recipe and cluster, and later than it. Raises NoSuchRun."""
    recipe, cluster = baseline[-1].record.get("recipe"), baseline[-1].record.get("cluster")
    last = max(run.id for run in baseline)
    for run_id in reversed(run_ids(home)):
        if run_id <= last:
            break
        run = Run(RunDirectory(runs_root(home) / run_id))
        record = run.directory.read_json("run.json", None) or {}
        is_over = record.get("state") in timeline.FINAL_STATES
        if is_over and (record.get("recipe"), record.get("cluster")) == (recipe, cluster):
            return run
    raise NoSuchRun(
        f"there is no run of {recipe} on {cluster} since the baseline ({last}). "
        f"Run it: ansible-playbook aifactory.benchmark.run -e recipe={recipe}; or name a run: -e run=ID"
    )
