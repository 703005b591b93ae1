# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runs of a controller: its store, kept in step with the run directories."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    RunDirectory,
    RunError,
    run_directory,
    run_ids,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store, StoreError

__all__ = ["StoreError", "runs"]


def runs(home: str | os.PathLike[str], url: str | None = None, **query: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """(run.json of runs, newest first; problems, as texts); `query` as of Store.runs.

    Runs whose directory is here but whose row is not (a new store, a copied directory), and runs that are not
    over, are read from their files first; one that cannot be read is a problem, and the others are listed all the same.
    Raises StoreError.
    """
    with Store(home, url) as store:
        here = run_ids(home)
        known = store.ids()
        going_on = {record["id"] for record in store.runs(state=[*timeline.LIVE_STATES, "unknown"])}
        problems = []
        for run_id in here:
            if run_id not in known or run_id in going_on:
                try:
                    _take_in(store, run_directory(home, run_id))
                except RunError as error:
                    problems.append(str(error))
        return store.runs(**query), problems


def _take_in(store: Store, run: RunDirectory) -> None:
    """Write a run's row from its files; a directory that is not (yet) a run's is left alone."""
    record = run.read_json("run.json", None)
    if record is None or record.get("state") not in timeline.FINAL_STATES:
        if not run.has("plan.json"):
            return
        record = finish.preview(run)
    store.upsert(record, run.results(), run.events())
