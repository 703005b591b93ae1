# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the pages and the API read of runs: the store for lists, the files for one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, index, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import NoSuchRun, RunDirectory, find_run
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

FILTERS = ("recipe", "cluster", "service", "workload", "state", "verdict")
PAGE = 50  # runs on a page


def settings() -> Settings:
    """Those of the server that answers."""
    return flask.current_app.config["SETTINGS"]


@dataclass(frozen=True)
class Wanted:
    """Which runs a list has. `order` as of Store.runs; `page` counts from 1."""

    filters: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    order: str = "-created_at"
    page: int = 1
    size: int = PAGE


@dataclass(frozen=True)
class Listed:
    """A page of runs (their run.json), how many there are in all, what can be chosen, and what could not be read."""

    records: list[dict[str, Any]]
    total: int
    choices: dict[str, list[str]]
    problems: list[str]


def listed(here: Settings, wanted: Wanted) -> Listed:
    """The runs that are wanted. Raises StoreError."""
    with Store(here.home, here.store_url) as store:
        problems = index.refresh(store, here.home)
        query: dict[str, Any] = {**wanted.filters, "prefix": wanted.prefix}
        return Listed(
            store.runs(limit=wanted.size, offset=(wanted.page - 1) * wanted.size, order=wanted.order, **query),
            store.count(**query),
            store.choices(*FILTERS),
            problems,
        )


def found(here: Settings, reference: str) -> tuple[RunDirectory | None, dict[str, Any]]:
    """(The directory of a run, what run.json says or would say now); no directory for one of another controller.

    Raises RunError: NoSuchRun where there is none.
    """
    try:
        run = find_run(here.home, reference)
    except NoSuchRun:
        record = index.elsewhere(here.home, here.store_url, reference, []) if here.store_url else None
        if record is None:
            raise
        return None, record
    return run, record_of(run)


def local(here: Settings, reference: str) -> tuple[RunDirectory, dict[str, Any]]:
    """The same of a run whose files are here. Raises NoSuchRun for others."""
    run = find_run(here.home, reference)
    return run, record_of(run)


def record_of(run: RunDirectory) -> dict[str, Any]:
    """run.json of a run that is over; of another one what it would say now."""
    record = run.read_json("run.json", None)
    if record is not None and is_over(record):
        return record
    if not run.has("plan.json"):
        raise NoSuchRun(f"run {run.id} has neither run.json nor plan.json in {run.path}: nothing was submitted")
    return finish.preview(run)


def is_over(record: dict[str, Any]) -> bool:
    """Whether a run has ended."""
    return record.get("state") in timeline.FINAL_STATES
