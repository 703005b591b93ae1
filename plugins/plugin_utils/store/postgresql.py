# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A store in a PostgreSQL database, for teams and AWX, with psycopg 3."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.errors import EXPECTED, WAIT_S, StoreError

_missing: str | None = None
try:
    import psycopg
    from psycopg import conninfo
except ImportError as error:
    _missing = error.name or "psycopg"

CONNECT_TIMEOUT_S = 10
# serialization failure, deadlock, too many connections, starting up
_PASSING_STATES = ("40001", "40P01", "53300", "57P03")
_PASSING_TEXTS = ("too many clients already", "too many connections", "the database system is starting up")
# Stricter than libpq: its errors repeat what it took for the host or the port, be it the end of a password.
_HOST = r"(?:[\w.%~-]*|\[[0-9A-Fa-f:.%]*\])(?::[0-9]+)?"
_URL = re.compile(
    r"postgres(?:ql)?(?:\+psycopg)?:"
    rf"(?P<rest>//(?:[^@/?#:]*(?::[^@/?#]*)?@)?{_HOST}(?:,{_HOST})*(?:/[^@?#]*)?(?:\?[^@#]*)?)"
)


class PostgreSQL:
    """How the database is opened, begun and explained."""

    dialect = "postgresql+psycopg"
    placeholder = "%s"
    find_table = "SELECT to_regclass(?)"
    begin_read = begin_write = None  # psycopg begins a transaction by itself

    def __init__(self, url: str) -> None:
        if _missing:
            raise StoreError(
                f"benchmark_store_url needs the Python package {_missing} on the controller: "
                "pip install 'psycopg[binary]'"
            )
        self.Error = psycopg.Error
        self._settings = _parse(url)
        # poolers such as PgBouncer give each transaction another session: nothing may be prepared in one
        self._options = {
            "application_name": "aifactory.benchmark",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": int(WAIT_S * 1000),  # of a server that is gone without a word
            **self._settings,
            "prepare_threshold": None,
        }
        port = f":{self._settings['port']}" if "port" in self._settings else ""
        user = f"{self._settings['user']}@" if "user" in self._settings else ""
        self.where = f"postgresql://{user}{self._settings.get('host', '')}{port}/{self._settings.get('dbname', '')}"

    def connect(self) -> Any:
        """A connection."""
        return psycopg.connect(**self._options)

    def insert(self, connection: Any, table: str, columns: tuple[str, ...], rows: list[Any]) -> None:
        """Add many rows."""
        with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def is_usable(self, connection: Any) -> bool:
        """Whether the connection still holds, as far as one knows here."""
        return not connection.closed

    def is_passing(self, error: BaseException) -> bool:
        """Whether the same transaction may succeed a moment later."""
        return getattr(error, "sqlstate", None) in _PASSING_STATES or any(text in str(error) for text in _PASSING_TEXTS)

    def redact(self, text: str) -> str:
        """The text without what must not be shown, as it is and as it is written in a URL."""
        for name in ("password", "sslpassword"):
            secret = self._settings.get(name)
            for form in (secret, quote(secret, safe="")) if secret else ():
                text = text.replace(form, "***")
        return text

    def remedy(self, error: BaseException) -> str:
        """What the user can do about an error."""
        return (
            "check that the server answers, and that benchmark_store_url names its user, password and database "
            "(the user must be allowed to create tables there)"
        )


def _parse(url: str) -> dict[str, Any]:
    """The URL as libpq understands it. No error shows any of it."""
    match = _URL.fullmatch(url)
    try:
        if match:
            return conninfo.conninfo_to_dict(f"postgresql:{match['rest']}")
    except psycopg.Error:
        pass
    raise StoreError(
        f"benchmark_store_url is no URL of a database: {EXPECTED}. Special characters of a password are written as in "
        "any URL (%40 for @)"
    )
