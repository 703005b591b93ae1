# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runs of a controller: its store, kept in step with the run directories.

A run that was changed and is not in the store yet has a note, an empty file `unstored/ID` in benchmark_home: the store
may be away when a run ends, or the controller may be killed between the two.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    RunDirectory,
    RunError,
    run_directory,
    run_ids,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store, StoreError

__all__ = ["StoreError", "note", "put", "runs"]
NOTES = "unstored"


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
    """Write a run into the store and take its note away. Raises StoreError, and the note stays."""
    home = run.path.parent.parent
    with Store(home, url) as store:
        store.upsert(record, results, events)
    (_notes(home) / run.id).unlink(missing_ok=True)


def _notes(home: str | os.PathLike[str]) -> Path:
    return Path(home) / NOTES


def runs(home: str | os.PathLike[str], url: str | None = None, **query: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """(run.json of runs, newest first; problems, as texts); `query` as of Store.runs.

    Runs whose directory is here but whose row is not (a new store, a copied directory), runs with a note, and runs
    that are not over are read from their files first; one that cannot be read is a problem, and the others are
    listed all the same.
    Raises StoreError.
    """
    with Store(home, url) as store:
        here = run_ids(home)
        known = store.ids()
        going_on = {record["id"] for record in store.runs(state=[*timeline.LIVE_STATES, "unknown"])}
        noted = {path.name for path in _notes(home).glob("*")}
        problems = []
        for run_id in here:
            if run_id not in known or run_id in going_on or run_id in noted:
                try:
                    _take_in(store, run_directory(home, run_id))
                    (_notes(home) / run_id).unlink(missing_ok=True)
                except RunError as error:
                    problems.append(str(error))
        return store.runs(**query), problems


def _take_in(store: Store, run: RunDirectory) -> None:
    """Write a run's row from its files; a directory that is not (yet) a run's is left alone."""
    record = run.read_json("run.json", None)
    if record is None or record.get("state") not in timeline.FINAL_STATES:
        if not run.has("plan.json"):
            return
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish

        record = finish.preview(run)
    store.upsert(record, run.results(), run.events())
