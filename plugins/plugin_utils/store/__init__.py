# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The store: what every run was and what it measured, in SQLite or PostgreSQL.

The files of a run are the truth; the store is the index that makes thousands of them quick to list and
compare. It can be filled again from them at any time. See docs/store.md.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.database import Database, StoreError, sa
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.schema import EVENTS, RESULTS, RUNS

__all__ = ["Entry", "Store", "StoreError"]

RESULT_FIELDS = ("case", "repetition", "client", "metric", "unit", "statistic", "value")
_RUN_FIELDS = tuple(column.key for column in RUNS.c if column.key != "record")
_FILTERS = ("cluster", "recipe", "service", "workload", "state", "verdict", "group")


class Entry(NamedTuple):
    """What the store has of a run: its run.json, rows of results.csv, lines of events.jsonl.

    None keeps the results or events that are there.
    """

    record: dict[str, Any]
    results: Iterable[dict[str, Any]] | None = None
    events: Iterable[dict[str, Any]] | None = None


class Store:
    """The store of a benchmark_home, or of `url` (benchmark_store_url). A context manager."""

    def __init__(self, home: str | os.PathLike[str], url: str | None = None) -> None:
        self._database = Database(home, url)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    # -- writing ---------------------------------------------------------------------------------------

    def upsert(
        self,
        record: dict[str, Any],
        results: Iterable[dict[str, Any]] | None = None,
        events: Iterable[dict[str, Any]] | None = None,
    ) -> None:
        """Write a run: its row, and all its results and events where they are given, in one transaction.

        Repeating it leaves what writing it once leaves.
        """
        self.upsert_all([Entry(record, results, events)])

    def upsert_all(self, entries: Iterable[Entry]) -> None:
        """Write runs in one transaction. A run that is over is not overwritten by what it was before its end."""
        rows = [_rows(entry) for entry in entries]

        def write(connection: Any) -> None:
            for run, results, events in rows:
                if connection.execute(_upsert(self._database.engine.dialect.name, run), run).rowcount:
                    _replace(connection, RESULTS, run["id"], results)
                    _replace(connection, EVENTS, run["id"], events)

        self._database.write(write)

    # -- reading ---------------------------------------------------------------------------------------

    def ids(self, first: str = "", last: str | None = None, states: Iterable[str] = ()) -> set[str]:
        """The ids of the runs from `first` to `last`, of all by default; only of those in some states."""
        query = sa.select(RUNS.c.id).where(RUNS.c.id >= first)
        if last is not None:
            query = query.where(RUNS.c.id <= last)
        if states:
            query = query.where(RUNS.c.state.in_(list(states)))
        return self._database.read(lambda connection: set(connection.execute(query).scalars()))

    def runs(self, *, since: float | None = None, limit: int | None = None, **filters: Any) -> list[dict[str, Any]]:
        """The run.json of runs, newest first.

        `filters`: cluster, recipe, service, workload, state, verdict, group; each a value or a list of
        values. `since`: created at or after (epoch, s).
        """
        unknown = sorted(set(filters) - set(_FILTERS))
        if unknown:
            raise StoreError(f"runs cannot be filtered by {', '.join(unknown)}: choose among {', '.join(_FILTERS)}")
        query = sa.select(RUNS.c.record).order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()).limit(limit)
        for field, wanted in filters.items():
            if wanted not in (None, "", [], ()):
                values = wanted if isinstance(wanted, (list, tuple, set)) else [wanted]
                query = query.where(RUNS.c[field].in_(list(values)))
        if since is not None:
            query = query.where(RUNS.c.created_at >= since)
        texts = self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [json.loads(text) for text in texts]

    def results(self, run_ids: Iterable[str], metric: str | None = None) -> list[dict[str, Any]]:
        """Rows of results.csv of some runs, each with its `run_id`, in their order."""
        fields = [RESULTS.c.run_id, *(RESULTS.c[field].label(field) for field in RESULT_FIELDS)]
        query = sa.select(*fields).where(RESULTS.c.run_id.in_(list(run_ids)))
        if metric is not None:
            query = query.where(RESULTS.c.metric == metric)
        query = query.order_by(RESULTS.c.run_id, RESULTS.c.position)
        rows = self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [{**row, "value": math.nan if row["value"] is None else row["value"]} for row in rows]


def _rows(entry: Entry) -> tuple[dict[str, Any], list[dict[str, Any]] | None, list[dict[str, Any]] | None]:
    """The rows of the three tables; None for what stays as it is."""
    record, results, events = entry
    run = {field: _storable(record.get(field)) for field in _RUN_FIELDS}
    run["record"] = json.dumps(record)
    if results is not None:
        results = [
            {"run_id": run["id"], "position": n, **{field: _storable(row[field]) for field in RESULT_FIELDS}}
            for n, row in enumerate(results)
        ]
    if events is not None:
        events = [_event(run["id"], n, event) for n, event in enumerate(events)]
    return run, results, events


def _event(run_id: str, position: int, event: dict[str, Any]) -> dict[str, Any]:
    detail = {key: value for key, value in event.items() if key not in ("t", "source", "event")}
    source = event.get("source")
    return {
        "run_id": run_id,
        "position": position,
        "t": _storable(event["t"]),
        "source": None if source is None else _storable(str(source)),
        "name": _storable(str(event["event"])),
        "detail": json.dumps(detail),
    }


def _storable(value: Any) -> Any:
    """A value that every database takes: what a service answered may hold NUL, half of a surrogate pair, or NaN."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _upsert(dialect: str, run: dict[str, Any]) -> Any:
    """INSERT … ON CONFLICT UPDATE of a run; SQLite and PostgreSQL spell it alike."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    statement = insert(RUNS)
    changed = {column: statement.excluded[column.key] for column in RUNS.c if column.key != "id"}
    is_over = run["state"] in timeline.FINAL_STATES
    where = None if is_over else RUNS.c.state.is_(None) | RUNS.c.state.not_in(timeline.FINAL_STATES)
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=where)


def _replace(connection: Any, table: sa.Table, run_id: str, rows: list[dict[str, Any]] | None) -> None:
    if rows is None:
        return
    connection.execute(sa.delete(table).where(table.c.run_id == run_id))
    if rows:
        connection.execute(sa.insert(table), rows)
