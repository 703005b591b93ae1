# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The store: what every run was and what it measured, in SQLite or any database that SQLAlchemy knows.

The files of a run are the truth; the store is the index that makes thousands of them quick to list and
compare. It can be filled again from them at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing, require

try:
    import sqlalchemy as sa
    from sqlalchemy import event as sa_event
except ImportError:
    sa = sa_event = Missing("the store needs SQLAlchemy 2 on the controller: pip install -r requirements.txt")

SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 30_000

# Tables of SQLAlchemy's core: a play writes one run, and its mapper (orm) takes longer to import than that.
_METADATA = sa.MetaData()
_VERSION = sa.Table("schema_version", _METADATA, sa.Column("version", sa.Integer, primary_key=True))

# One run; `record` is the whole of run.json, the columns are what runs are filtered and sorted by.
RUNS = sa.Table(
    "runs",
    _METADATA,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("group_id", sa.String(80), key="group", index=True),  # group is a word of SQL
    sa.Column("created_at", sa.Float, index=True),
    sa.Column("ended_at", sa.Float),
    sa.Column("cluster", sa.String(255)),
    sa.Column("recipe", sa.String(255)),
    sa.Column("service", sa.String(255)),
    sa.Column("workload", sa.String(255)),
    sa.Column("state", sa.String(32), index=True),
    sa.Column("verdict", sa.String(16), index=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("ix_runs_cluster_created", "cluster", "created_at"),
    sa.Index("ix_runs_recipe_created", "recipe", "created_at"),
)

# Rows of results.csv.
RESULTS = sa.Table(
    "results",
    _METADATA,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("case_name", sa.String(255), key="case", nullable=False),
    sa.Column("repetition", sa.Integer, nullable=False),
    sa.Column("client", sa.String(32), nullable=False),
    sa.Column("metric", sa.String(255), nullable=False),
    sa.Column("unit", sa.String(32), nullable=False),
    sa.Column("statistic", sa.String(32), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Index("ix_results_metric", "metric", "statistic", "client"),
)

# Lines of events.jsonl; `detail` holds the fields that have no column, as JSON.
EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("t", sa.Float, nullable=False),
    sa.Column("source", sa.String(32)),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

RESULT_FIELDS = ("case", "repetition", "client", "metric", "unit", "statistic", "value")
_RUN_FIELDS = tuple(column.key for column in RUNS.c if column.key != "record")
_FILTERS = ("cluster", "recipe", "service", "workload", "state", "verdict", "group")


class StoreError(Exception):
    """The store cannot be opened, read or written; the text is meant for the user."""


class Store:
    """The store of a benchmark_home, or of `url` (any SQLAlchemy URL). A context manager."""

    def __init__(self, home: str | os.PathLike[str], url: str | None = None) -> None:
        require(sa)
        self.path = None if url else Path(home) / "store.db"
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{self.path}"
        try:
            self._engine = sa.create_engine(url)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
            raise StoreError(
                f"benchmark_store_url cannot be used: {error}. Expected an SQLAlchemy URL, such as "
                "sqlite:////path/store.db or postgresql+psycopg://USER@HOST/DATABASE, and its driver installed"
            ) from error
        if self._engine.dialect.name == "sqlite":
            sa_event.listen(self._engine, "connect", _prepare_sqlite)
            sa_event.listen(self._engine, "begin", _begin_sqlite)
        self._where = self._engine.url.render_as_string(hide_password=True)
        self._checked = False

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    # -- writing ---------------------------------------------------------------------------------------

    def upsert(
        self,
        record: dict[str, Any],
        results: Iterable[dict[str, Any]] | None = None,
        events: Iterable[dict[str, Any]] | None = None,
    ) -> None:
        """Write a run: its row, and all its results and events where they are given, in one transaction.

        Repeating it leaves what writing it once leaves. None keeps the results or events that are there.
        """
        row = {field: record.get(field) for field in _RUN_FIELDS}
        row["record"] = json.dumps(record, ensure_ascii=False)
        run_id = record["id"]
        with self._transaction() as connection:
            connection.execute(_upsert(self._engine.dialect.name), [row])
            if results is not None:
                rows = [
                    {"run_id": run_id, "position": n, **{f: each[f] for f in RESULT_FIELDS}}
                    for n, each in enumerate(results)
                ]
                self._replace(connection, RESULTS, run_id, rows)
            if events is not None:
                self._replace(connection, EVENTS, run_id, [_event(run_id, n, e) for n, e in enumerate(events)])

    @staticmethod
    def _replace(connection: Any, table: sa.Table, run_id: str, rows: list[dict[str, Any]]) -> None:
        connection.execute(sa.delete(table).where(table.c.run_id == run_id))
        if rows:
            connection.execute(sa.insert(table), rows)

    # -- reading ---------------------------------------------------------------------------------------

    def ids(self) -> set[str]:
        """The ids of all runs in the store."""
        with self._transaction() as connection:
            return set(connection.execute(sa.select(RUNS.c.id)).scalars())

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
        with self._transaction() as connection:
            return [json.loads(text) for text in connection.execute(query).scalars()]

    def results(self, run_ids: Iterable[str], metric: str | None = None) -> list[dict[str, Any]]:
        """Rows of results.csv of some runs, each with its `run_id`, in their order."""
        fields = [RESULTS.c.run_id, *(RESULTS.c[field].label(field) for field in RESULT_FIELDS)]
        query = sa.select(*fields).where(RESULTS.c.run_id.in_(list(run_ids)))
        if metric is not None:
            query = query.where(RESULTS.c.metric == metric)
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(RESULTS.c.run_id, RESULTS.c.position)).mappings()
            return [dict(row) for row in rows]

    # -- the schema ------------------------------------------------------------------------------------

    def _transaction(self) -> _Transaction:
        return _Transaction(self)

    def _check(self, connection: Any) -> None:
        if self._checked:
            return
        _METADATA.create_all(connection)
        found = connection.execute(sa.select(_VERSION.c.version)).scalars().all()
        if not found:
            connection.execute(sa.insert(_VERSION).values(version=SCHEMA_VERSION))
        elif max(found) > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self._where} has schema version {max(found)}, this release knows {SCHEMA_VERSION}: "
                "install the release that wrote it, or name another store with benchmark_store_url"
            )
        self._checked = True


class _Transaction:
    """A transaction of the store; errors of the database become a StoreError that says which store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Any:
        try:
            self._begun = self._store._engine.begin()
            connection = self._begun.__enter__()
        except sa.exc.SQLAlchemyError as error:
            raise self._explain(error) from error
        try:
            self._store._check(connection)
        except BaseException as error:
            self._begun.__exit__(type(error), error, error.__traceback__)
            if isinstance(error, sa.exc.SQLAlchemyError):
                raise self._explain(error) from error
            raise
        return connection

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self._begun.__exit__(kind, error, trace)
        except sa.exc.SQLAlchemyError as failure:
            raise self._explain(failure) from failure
        if isinstance(error, sa.exc.SQLAlchemyError):
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> StoreError:
        cause = getattr(error, "orig", None) or error
        return StoreError(
            f"the store {self._store._where} cannot be used: {cause}. The files of the runs are not affected; "
            "check the path's permissions and space, or name another store with benchmark_store_url"
        )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # this module says when a transaction begins
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would fail at once, without waiting, when
    # another process wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upsert(dialect: str) -> Any:
    """INSERT … ON CONFLICT UPDATE of a run; SQLite and PostgreSQL spell it alike."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    elif dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        raise StoreError(f"benchmark_store_url: {dialect} is not supported, use sqlite or postgresql")
    statement = insert(RUNS)
    changed = {column: statement.excluded[column.key] for column in RUNS.c if column.key != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


def _event(run_id: str, position: int, event: dict[str, Any]) -> dict[str, Any]:
    detail = {key: value for key, value in event.items() if key not in ("t", "source", "event")}
    return {
        "run_id": run_id, "position": position, "t": event["t"], "source": event.get("source"),
        "name": event["event"], "detail": json.dumps(detail, ensure_ascii=False),
    }  # fmt: skip
