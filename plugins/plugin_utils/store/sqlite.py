# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A store in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import filesystem
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.errors import EXPECTED, WAIT_S, StoreError

_TRY_S = 5.0  # how long SQLite itself waits for a lock before it gives up
# result codes, https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _INPUT_OUTPUT, _CORRUPT, _PROTOCOL, _NO_DATABASE = 5, 6, 10, 11, 15, 26
_SCHEMES = ("sqlite:///", "sqlite+pysqlite:///")


class SQLite:
    """How the file is opened, begun and explained."""

    dialect = "sqlite"
    Error = sqlite3.Error
    placeholder = "?"
    find_table = "SELECT name FROM sqlite_master WHERE name = ?"
    begin_read = "BEGIN"
    # a transaction that reads first and writes later would fail at once, without waiting, when another process wrote
    # in between
    begin_write = "BEGIN IMMEDIATE"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.where = str(self.path)
        self._kind = filesystem.kind(self.path.parent)
        self._is_shared = not filesystem.is_local(self._kind)

    @classmethod
    def of_url(cls, url: str) -> SQLite:
        """The store that an SQLite URL means."""
        path = next((url.removeprefix(scheme) for scheme in _SCHEMES if url.startswith(scheme)), "")
        if path in ("", ":memory:"):
            raise StoreError(f"benchmark_store_url names no file: {EXPECTED}")
        return cls(os.path.expanduser(path))

    def connect(self) -> sqlite3.Connection:
        """A connection; the caller says when a transaction begins."""
        connection = sqlite3.connect(self.path, timeout=_TRY_S, isolation_level=None)
        try:
            # The write-ahead log lets readers and a writer work side by side, but needs memory that all its processes
            # share: on a file system of several machines it would damage the file. There the rollback journal is kept.
            wanted = "delete" if self._is_shared else "wal"
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != wanted:
                connection.execute(f"PRAGMA journal_mode={wanted}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def insert(self, connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[Any]) -> None:
        """Add many rows."""
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    def is_usable(self, connection: sqlite3.Connection) -> bool:
        """A file does not go away."""
        return True

    def is_passing(self, error: BaseException) -> bool:
        """Whether the same transaction may succeed a moment later."""
        return _code(error) in (_BUSY, _LOCKED, _PROTOCOL)

    def redact(self, text: str) -> str:
        """There is no password."""
        return text

    def remedy(self, error: BaseException) -> str:
        """What the user can do about an error."""
        if _code(error) in (_CORRUPT, _NO_DATABASE):
            return "remove that file and its -wal and -shm: the next list fills a new one from the run directories"
        elsewhere = "name a file on a local disk, or PostgreSQL, with benchmark_store_url"
        if self._is_shared and (self.is_passing(error) or _code(error) == _INPUT_OUTPUT):
            kind = self._kind or "an unknown file system"
            return (
                f"check the path's permissions and space. It lies on {kind}, where locks may not work: "
                f"if so, {elsewhere}"
            )
        if self.is_passing(error):
            return f"another process has kept it locked for {WAIT_S:.0f} s: end it, or try again later"
        return f"check the path's permissions and space, or {elsewhere}"


def _code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
