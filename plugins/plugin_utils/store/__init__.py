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
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.database import Connection, Database
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.errors import StoreError

__all__ = ["Entry", "Store", "StoreError"]

RESULT_FIELDS = ("case", "repetition", "client", "metric", "unit", "statistic", "value")
RUN_FIELDS = (
    "id", "group", "created_at", "ended_at", "cluster", "recipe", "service", "workload", "state", "verdict",
)  # fmt: skip
ORDERS = ("created_at", "recipe", "cluster", "service", "workload", "state", "verdict")
_FILTERS = ("cluster", "recipe", "service", "workload", "state", "verdict", "group")
_COLUMNS = {"group": "group_id", "case": "case_name"}  # words of SQL


def _columns(*fields: str) -> tuple[str, ...]:
    return tuple(_COLUMNS.get(field, field) for field in fields)


_RUN = _columns(*RUN_FIELDS, "record")
_RESULT = _columns("run_id", "position", *RESULT_FIELDS)
_EVENT = _columns("run_id", "position", "t", "source", "name", "detail")
_UPSERT = (
    f"INSERT INTO runs ({', '.join(_RUN)}) VALUES ({', '.join('?' * len(_RUN))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _RUN[1:])}"
)
_UNLESS_OVER = f" WHERE runs.state IS NULL OR runs.state NOT IN {timeline.FINAL_STATES}"


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

        def write(connection: Connection) -> None:
            for run, results, events in rows:
                is_over = run[RUN_FIELDS.index("state")] in timeline.FINAL_STATES
                if connection.execute(_UPSERT + ("" if is_over else _UNLESS_OVER), run).rowcount:
                    _replace(connection, "results", _RESULT, run[0], results)
                    _replace(connection, "events", _EVENT, run[0], events)

        self._database.write(write)

    # -- reading ---------------------------------------------------------------------------------------

    def ids(self, since: str = "", states: Iterable[str] = ()) -> set[str]:
        """The ids of the runs since a day (YYYYMMDD, as ids begin), of all by default; only of those in some states."""
        # no longer a bound than the day: beyond digits, databases differ in their order
        query, values = "SELECT id FROM runs WHERE id >= ?", [since[:8]]
        wanted = list(states)
        if wanted:
            query += f" AND state {_among(wanted)}"
        found = self._database.read(lambda connection: connection.execute(query, [*values, *wanted]).fetchall())
        return {run_id for (run_id,) in found}

    def runs(
        self,
        *,
        prefix: str = "",
        since: float | None = None,
        limit: int | None = None,
        offset: int = 0,
        order: str = "-created_at",
        **filters: Any,
    ) -> list[dict[str, Any]]:
        """The run.json of runs, newest first.

        `filters`: cluster, recipe, service, workload, state, verdict, group; each a value or a list of
        values. `prefix`: of the id. `since`: created at or after (epoch, s). `order`: one of ORDERS, after a minus
        the other way round; runs that are alike in it come newest first. `offset`: so many are left out before.
        """
        field = order.removeprefix("-")
        if field not in ORDERS:
            raise StoreError(f"runs cannot be ordered by {field!r}: choose among {', '.join(ORDERS)}")
        conditions, values = _conditions(prefix, since, filters)
        way = "DESC" if order.startswith("-") else "ASC"
        query = f"SELECT record FROM runs{conditions} ORDER BY {field} {way}, created_at DESC, id DESC"
        if limit is not None:
            query += " LIMIT ? OFFSET ?"
            values += [limit, offset]
        found = self._database.read(lambda connection: connection.execute(query, values).fetchall())
        return [json.loads(text) for (text,) in found]

    def count(self, *, prefix: str = "", since: float | None = None, **filters: Any) -> int:
        """How many runs there are; the filters as of `runs`."""
        conditions, values = _conditions(prefix, since, filters)
        query = f"SELECT count(*) FROM runs{conditions}"
        return self._database.read(lambda connection: connection.execute(query, values).fetchone())[0]

    def choices(self, *fields: str) -> dict[str, list[str]]:
        """The values that there are of each field, in their order; for what runs can be filtered by."""

        def read(connection: Connection) -> dict[str, list[str]]:
            found = {}
            for field in fields:
                column = _COLUMNS.get(field, field)
                query = f"SELECT DISTINCT {column} FROM runs WHERE {column} IS NOT NULL ORDER BY {column}"
                found[field] = [value for (value,) in connection.execute(query).fetchall()]
            return found

        _check_filters(fields)
        return self._database.read(read)

    def latest(self, states: Iterable[str]) -> list[dict[str, Any]]:
        """The run.json of the newest run in one of these states, of every recipe on every cluster."""
        wanted = list(states)
        ranked = "row_number() OVER (PARTITION BY cluster, recipe ORDER BY created_at DESC, id DESC) AS place"
        ids = f"SELECT id FROM (SELECT id, {ranked} FROM runs WHERE state {_among(wanted)}) AS ranked WHERE place = 1"
        query = f"SELECT record FROM runs WHERE id IN ({ids}) ORDER BY created_at DESC, id DESC"
        found = self._database.read(lambda connection: connection.execute(query, wanted).fetchall())
        return [json.loads(text) for (text,) in found]

    def results(self, run_ids: Iterable[str], metric: str | None = None) -> list[dict[str, Any]]:
        """Rows of results.csv of some runs, each with its `run_id`, in their order."""
        values = list(run_ids)
        if not values:
            return []
        query = f"SELECT run_id, {', '.join(_columns(*RESULT_FIELDS))} FROM results WHERE run_id {_among(values)}"
        if metric is not None:
            query += " AND metric = ?"
            values.append(metric)
        query += " ORDER BY run_id, position"
        found = self._database.read(lambda connection: connection.execute(query, values).fetchall())
        fields = ("run_id", *RESULT_FIELDS)
        return [dict(zip(fields, (*row[:-1], math.nan if row[-1] is None else row[-1]), strict=True)) for row in found]


def _check_filters(fields: Iterable[str]) -> None:
    unknown = sorted(set(fields) - set(_FILTERS))
    if unknown:
        raise StoreError(f"runs cannot be filtered by {', '.join(unknown)}: choose among {', '.join(_FILTERS)}")


def _conditions(prefix: str, since: float | None, filters: dict[str, Any]) -> tuple[str, list[Any]]:
    """(The WHERE of a query of runs, its parameters)."""
    _check_filters(filters)
    conditions: list[str] = []
    values: list[Any] = []
    for field, wanted in filters.items():
        if wanted not in (None, "", [], ()):
            chosen = list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted]
            conditions.append(f"{_COLUMNS.get(field, field)} {_among(chosen)}")
            values += chosen
    if prefix:
        conditions.append("substr(id, 1, ?) = ?")
        values += [len(prefix), prefix]
    if since is not None:
        conditions.append("created_at >= ?")
        values.append(since)
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), values


def _among(values: list[Any]) -> str:
    return f"IN ({', '.join('?' * len(values))})"


Row = tuple[Any, ...]


def _rows(entry: Entry) -> tuple[Row, list[Row] | None, list[Row] | None]:
    """The rows of the three tables; None for what stays as it is."""
    record, results, events = entry
    run_id = record["id"]
    run = (*(_storable(record.get(field)) for field in RUN_FIELDS), json.dumps(record))
    if results is not None:
        results = [(run_id, n, *(_storable(row[field]) for field in RESULT_FIELDS)) for n, row in enumerate(results)]
    if events is not None:
        events = [(run_id, n, *_event(event)) for n, event in enumerate(events)]
    return run, results, events


def _event(event: dict[str, Any]) -> Row:
    source = event.get("source")
    detail = {key: value for key, value in event.items() if key not in ("t", "source", "event")}
    return (
        _storable(event["t"]),
        None if source is None else _storable(str(source)),
        _storable(str(event["event"])),
        json.dumps(detail),
    )


def _storable(value: Any) -> Any:
    """A value that every database takes: what a service answered may hold NUL, half of a surrogate pair, or NaN."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _replace(connection: Connection, table: str, columns: tuple[str, ...], run_id: str, rows: list[Row] | None) -> None:
    if rows is None:
        return
    connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
    if rows:
        connection.insert(table, columns, rows)
