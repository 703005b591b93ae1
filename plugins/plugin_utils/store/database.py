# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The transactions of a store: each is whole, waits for others, and fails with a text for the user.

They speak to the drivers themselves. SQLAlchemy makes and migrates the tables (schema, migrate) but is loaded only
then: its import alone takes longer than to list the runs.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import errors
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.errors import EXPECTED, StoreError

HEAD = "0002"  # the newest migration; known here, so that a store that is up to date is opened without Alembic
_PAUSES_S = (0.01, 0.5)

Result = TypeVar("Result")


class Database:
    """The SQLite file of a benchmark_home, or the database of `url`."""

    def __init__(self, home: str | os.PathLike[str], url: str | None = None) -> None:
        self.backend = _backend(home, url)
        self._connection: Any = None
        self._is_current = False

    @property
    def where(self) -> str:
        """Which store this is, without a password."""
        return self.backend.where

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with suppress(self.backend.Error):
                self._connection.close()
            self._connection = None

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, in a transaction that only reads."""
        return self._transact(work, self.backend.begin_read)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, in a transaction. It is called again when another play was in the way."""
        return self._transact(work, self.backend.begin_write)

    def _transact(self, work: Callable[[Connection], Result], begin: str | None) -> Result:
        deadline, pause_s = time.monotonic() + errors.WAIT_S, _PAUSES_S[0]
        while True:
            is_new = self._connection is None
            try:
                self._bring_up_to_date()
                with self.transaction(begin) as connection:
                    return work(connection)
            except self.backend.Error as error:
                is_cut = not is_new and self._connection is None  # the server had gone since the last transaction
                is_passing = is_cut or self.backend.is_passing(error)
                if not is_passing or time.monotonic() > deadline:
                    # from None: a driver's error may hold the whole URL
                    raise self.explain(error) from None
            except (OSError, OverflowError, UnicodeError) as error:
                raise self.explain(error) from None
            time.sleep(random.uniform(pause_s / 2, pause_s))
            pause_s = min(2 * pause_s, _PAUSES_S[1])

    def _bring_up_to_date(self) -> None:
        if self._is_current:
            return
        with self.transaction(self.backend.begin_read) as connection:
            found = connection.version()
        if found != HEAD:
            from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import migrate

            migrate.bring_up_to_date(self.backend)
        self._is_current = True

    @contextmanager
    def transaction(self, begin: str | None) -> Iterator[Connection]:
        """Commits at its end; rolls back on an error. A connection that broke is given up."""
        if self._connection is None:
            self._connection = self.backend.connect()
        connection = self._connection
        try:
            if begin:
                connection.execute(begin)
            yield Connection(connection, self.backend)
            connection.commit()
        except BaseException:
            with suppress(self.backend.Error):
                connection.rollback()
            if not self.backend.is_usable(connection):
                self.close()
            raise

    def explain(self, error: Exception) -> StoreError:
        """The error as the user is told it."""
        cause = self.backend.redact(" ".join(str(error).split()))
        return StoreError(
            f"the store {self.where} cannot be used: {cause}. The files of the runs are not affected; "
            + self.backend.remedy(error)
        )


class Connection:
    """Statements in a transaction; a parameter is written ? whatever the driver wants."""

    def __init__(self, connection: Any, backend: Any) -> None:
        self._connection, self._backend = connection, backend

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        """The driver's cursor after a statement."""
        return self._connection.execute(statement.replace("?", self._backend.placeholder), parameters)

    def insert(self, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        """Add many rows to a table."""
        self._backend.insert(self._connection, table, columns, rows)

    def version(self) -> str | None:
        """The newest migration that the database has had; None where Alembic has not been."""
        if (self.execute(self._backend.find_table, ("alembic_version",)).fetchone() or (None,))[0] is None:
            return None
        return (self.execute("SELECT version_num FROM alembic_version").fetchone() or (None,))[0]


def _backend(home: str | os.PathLike[str], url: str | None) -> Any:
    """What knows the kind of database."""
    if not url:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.sqlite import SQLite

        try:
            Path(home).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"benchmark_home {home} cannot be made: {error.strerror}") from None
        return SQLite(Path(home) / "store.db")
    scheme = str(url).partition(":")[0]
    if scheme.partition("+")[0] in ("postgres", "postgresql"):
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.postgresql import PostgreSQL

        return PostgreSQL(str(url))
    if scheme in ("sqlite", "sqlite+pysqlite"):
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.sqlite import SQLite

        return SQLite.of_url(str(url))
    raise StoreError(f"benchmark_store_url is no URL of a database that is supported: {EXPECTED}")
