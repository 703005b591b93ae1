# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The database of a store: how it is opened, how a transaction waits for others, and what its errors say."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import filesystem
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing, require

try:
    import sqlalchemy as sa
    from sqlalchemy import event as sa_event
except ImportError:
    sa = sa_event = Missing("the store needs SQLAlchemy 2 on the controller: pip install -r requirements.txt")

WAIT_S = 60.0  # for other plays, all tries together
CONNECT_TIMEOUT_S = 10
_TRY_S = 5  # how long SQLite itself waits for a lock before it gives up
_PAUSES_S = (0.01, 0.5)
# SQLite's result codes, https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _CORRUPT, _PROTOCOL, _NO_DATABASE = 5, 6, 11, 15, 26
# PostgreSQL: serialization failure, deadlock, too many connections, starting up
_PASSING_STATES = ("40001", "40P01", "53300", "57P03")
_PASSING_TEXTS = ("too many clients already", "too many connections", "the database system is starting up")
_EXPECTED = "expected sqlite:////PATH/store.db or postgresql://USER@HOST/DATABASE"

Result = TypeVar("Result")


class StoreError(Exception):
    """The store cannot be opened, read or written; the text is meant for the user and shows no password."""


class Database:
    """The SQLite file of a benchmark_home, or the database of `url`."""

    def __init__(self, home: str | os.PathLike[str], url: str | None = None) -> None:
        require(sa)
        self.url = _parse(str(url)) if url else sa.URL.create("sqlite", database=str(Path(home) / "store.db"))
        self.where = self.url.set(query={}).render_as_string(hide_password=True)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        try:
            if not url:
                Path(home).mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(self.url, hide_parameters=True, **_engine_options(self.url))
        except ImportError as error:
            raise StoreError(
                f"benchmark_store_url needs the Python package {error.name or 'psycopg'} on the controller: "
                "pip install 'psycopg[binary]'"
            ) from None
        except (sa.exc.SQLAlchemyError, OSError) as error:
            self._fail(error)
        if self.is_sqlite:
            self._on_shared_files = _on_shared_files(self.url.database)
            sa_event.listen(self.engine, "connect", self._prepare_sqlite)
            sa_event.listen(self.engine, "begin", _begin_sqlite)
        self._is_current = False

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def read(self, work: Callable[[Any], Result]) -> Result:
        """What `work` returns, in a transaction that only reads."""
        return self._transact(work, "BEGIN")

    def write(self, work: Callable[[Any], Result]) -> Result:
        """What `work` returns, in a transaction. It is called again when another play was in the way."""
        # IMMEDIATE: a transaction that reads first and writes later would fail at once, without waiting, when
        # another process wrote in between.
        return self._transact(work, "BEGIN IMMEDIATE")

    def _transact(self, work: Callable[[Any], Result], begin: str) -> Result:
        def attempt() -> Result:
            if not self._is_current:
                from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import migrate

                migrate.bring_up_to_date(self)
                self._is_current = True
            with self.transaction(begin) as connection:
                return work(connection)

        return self._patiently(attempt)

    def transaction(self, begin: str) -> Any:
        """A context manager: a connection in a transaction that SQLite begins in this way."""
        return _Transaction(self.engine, begin)

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        deadline, pause_s = time.monotonic() + WAIT_S, _PAUSES_S[0]
        while True:
            try:
                return attempt()
            except sa.exc.SQLAlchemyError as error:
                if not _is_passing(error) or time.monotonic() > deadline:
                    self._fail(error)
            except (OSError, OverflowError, UnicodeError) as error:
                self._fail(error)
            time.sleep(random.uniform(pause_s / 2, pause_s))
            pause_s = min(2 * pause_s, _PAUSES_S[1])

    # -- SQLite ----------------------------------------------------------------------------------------

    def _prepare_sqlite(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # this module says when a transaction begins
        connection.execute(f"PRAGMA busy_timeout={_TRY_S * 1000}")
        # The write-ahead log lets readers and a writer work side by side, but needs memory that all its processes
        # share: on a file system of several machines it would damage the file. There the rollback journal is kept.
        wanted = "delete" if self._on_shared_files else "wal"
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != wanted:
            connection.execute(f"PRAGMA journal_mode={wanted}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    # -- errors ----------------------------------------------------------------------------------------

    def explain(self, error: Exception) -> StoreError:
        """The error as the user is told it."""
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        for secret in _secrets(self.url):
            cause = cause.replace(secret, "***")
        return StoreError(
            f"the store {self.where} cannot be used: {cause}. The files of the runs are not affected; "
            + self._remedy(error)
        )

    def _fail(self, error: Exception) -> NoReturn:
        # from None: a driver's error may hold the whole URL
        raise self.explain(error) from None

    def _remedy(self, error: Exception) -> str:
        if not self.is_sqlite:
            return (
                "check that the server answers, and that benchmark_store_url names its user, password and database "
                "(the user must be allowed to create tables there)"
            )
        code = _sqlite_code(error)
        if code in (_CORRUPT, _NO_DATABASE):
            return "remove that file and its -wal and -shm: the next list fills a new one from the run directories"
        if code in (_BUSY, _LOCKED, _PROTOCOL):
            shared = filesystem.kind(self.url.database) if self._on_shared_files else None
            place = f" It lies on {shared}, where locks may not work." if shared else ""
            return (
                f"another process has kept it locked for {WAIT_S:.0f} s.{place} Name a store on a local disk or "
                "PostgreSQL with benchmark_store_url"
            )
        return "check the path's permissions and space, or name another store with benchmark_store_url"


class _Transaction:
    """Commits at its end, rolls back on an error, and gives the connection back in any case."""

    def __init__(self, engine: Any, begin: str) -> None:
        self._engine, self._begin = engine, begin

    def __enter__(self) -> Any:
        self._connection = self._engine.connect().execution_options(begin_statement=self._begin)
        try:
            self._connection.begin()
        except BaseException:
            self._connection.close()
            raise
        return self._connection

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if error is None:
                self._connection.commit()
        finally:
            self._connection.close()  # rolls back what was not committed


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin_statement", "BEGIN"))


def _parse(text: str) -> sa.URL:
    # Errors of the parser repeat what they could not read, be it a part of the password: none of their text is shown.
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(
            f"benchmark_store_url is no URL of a database: {_EXPECTED}. Special characters of a password are written "
            "as in any URL (%40 for @)"
        ) from None
    dialect, _plus, driver = url.drivername.partition("+")
    if (dialect, driver) in (("postgres", ""), ("postgresql", ""), ("postgresql", "psycopg")):
        return url.set(drivername="postgresql+psycopg")
    if (dialect, driver) not in (("sqlite", ""), ("sqlite", "pysqlite")):
        raise StoreError(f"benchmark_store_url: {url.drivername} is not supported: {_EXPECTED}")
    if url.database in (None, "", ":memory:"):
        raise StoreError(f"benchmark_store_url names no file: {_EXPECTED}")
    return url


def _engine_options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {}
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": "aifactory.benchmark",
        "tcp_user_timeout": int(WAIT_S * 1000),  # of a server that is gone without a word
    }
    arguments = {name: value for name, value in options.items() if name not in url.query}
    # poolers such as PgBouncer give each transaction another session: nothing may be prepared in one
    return {"connect_args": {**arguments, "prepare_threshold": None}}


def _secrets(url: sa.URL) -> list[str]:
    """What must not be shown of a URL, as it is and as it is written in one."""
    plain = [str(url.password)] if url.password else []
    plain += [str(value) for name, value in url.query.items() if "pass" in name.lower()]
    return [form for text in plain for form in (text, quote(text, safe="")) if form]


def _on_shared_files(database: str) -> bool:
    return not filesystem.is_local(filesystem.kind(Path(database).parent))


def _sqlite_code(error: Exception) -> int | None:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_passing(error: Exception) -> bool:
    """Whether the same transaction may succeed a moment later."""
    original = getattr(error, "orig", None)
    return (
        _sqlite_code(error) in (_BUSY, _LOCKED, _PROTOCOL)
        or getattr(original, "sqlstate", None) in _PASSING_STATES
        or getattr(error, "connection_invalidated", False)
        or any(text in str(original) for text in _PASSING_TEXTS)
    )
