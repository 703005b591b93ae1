# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runs of a controller: its store, kept in step with the run directories.

A run that was changed and is not in the store yet has a note, an empty file `unstored/ID` in benchmark_home: the store
may be away when a run ends, or the controller may be killed between the two.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    RunDirectory,
    RunError,
    run_directory,
    run_ids,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Entry, Store, StoreError

__all__ = ["StoreError", "elsewhere", "note", "put", "refresh", "runs"]
NOTES = "unstored"
MANY = 100  # of one transaction


def note(run: RunDirectory) -> None:
    """Note that what the store has of a run is about to be out of date."""
    path = _notes(run.path.parent.parent) / run.id
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def put(
    run: RunDirectory,
    record: dict[str, Any],
    results: list[dict[str, Any]],
    events: list[dict[str, Any]],
    url: str | None = None,
) -> None:
    """Write a run into the store and take its note away. Raises StoreError, and the note stays.

    `results`: the merged ones; those of single clients stay in results.csv, since there may be a thousand clients.
    """
    home = run.path.parent.parent
    with Store(home, url) as store:
        store.upsert(record, results, events)
    (_notes(home) / run.id).unlink(missing_ok=True)


def _notes(home: str | os.PathLike[str]) -> Path:
    return Path(home) / NOTES


def runs(
    home: str | os.PathLike[str], url: str | None = None, *, say: Callable[[str], Any] | None = None, **query: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    """(run.json of runs, newest first; problems, as texts); `query` as of Store.runs.

    Runs whose directory is here but whose row is not (a new store, a copied directory), runs with a note, and runs
    that are not over are read from their files first; one that cannot be read is a problem, and the others are
    listed all the same. `say` is told when there are many. Raises StoreError.
    """
    with Store(home, url) as store:
        problems = refresh(store, home, say)
        return store.runs(**query), problems


def refresh(store: Store, home: str | os.PathLike[str], say: Callable[[str], Any] | None = None) -> list[str]:
    """Take into an open store what the files of runs know more; returns the problems. See `runs`."""
    missing = _missing(store, home)
    if say is not None and len(missing) > MANY:
        say(f"{len(missing)} runs in {home} are taken into the store first")
    problems = []
    for start in range(0, len(missing), MANY):
        problems += _take_in(store, home, missing[start : start + MANY])
    return problems


def elsewhere(home: str | os.PathLike[str], url: str, reference: str, clusters: list[str]) -> dict[str, Any] | None:
    """The run.json of a run that another controller put into a shared store; None when there is none.

    `reference` and `clusters` as of runs.find_run. Raises RunError when it is ambiguous, and StoreError.
    """
    is_latest = reference == "latest"
    with Store(home, url) as store:
        found = store.runs(prefix="" if is_latest else reference, cluster=clusters, limit=1 if is_latest else 2)
    if len(found) > 1:
        raise RunError(f"{reference!r} is the beginning of several runs of other controllers; give more of the id")
    return found[0] if found else None


def _missing(store: Store, home: str | os.PathLike[str]) -> list[str]:
    """The runs whose files are here and may know more than the store."""
    here = run_ids(home)
    if not here:
        return []
    stale = store.ids(here[0], states=[*timeline.LIVE_STATES, "unknown"])
    stale.update(path.name for path in _notes(home).glob("*"))
    known = store.ids(here[0])
    return [run_id for run_id in here if run_id not in known or run_id in stale]


def _take_in(store: Store, home: str | os.PathLike[str], identifiers: list[str]) -> list[str]:
    """Write runs into the store from their files, in one transaction; returns the problems."""
    entries, problems = [], []
    for run_id in identifiers:
        try:
            entry = _read(run_directory(home, run_id))
        except RunError as error:
            problems.append(str(error))
        else:
            entries += [entry] if entry else []
    store.upsert_all(entries)
    for entry in entries:
        (_notes(home) / entry.record["id"]).unlink(missing_ok=True)
    return problems


def _read(run: RunDirectory) -> Entry | None:
    """What the store should have of a run, from its files; None of a directory that is not (yet) a run's."""
    record = run.read_json("run.json", None)
    if record is None or record.get("state") not in timeline.FINAL_STATES:
        if not run.has("plan.json"):
            return None
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish

        record = finish.preview(run)
    return Entry(record, run.results(merged=True), run.events())
