# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a store to this release's schema, with Alembic, in one transaction and under a lock.

Plays that start at once find either the old schema or the new one: the first to have the lock migrates, the others
wait for it and then look again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.database import HEAD
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.errors import WAIT_S, StoreError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.schema import METADATA, sa

SCRIPTS = Path(__file__).parent / "migrations"
FIRST_RELEASE = "0001"  # what release 0.1.0 made, before there were migrations
_ADVISORY_LOCK = 0x61696662  # any number that others do not use in the same database


def bring_up_to_date(backend: Any) -> None:
    """Migrate the store. Raises StoreError when a newer release wrote it, ImportError, and the driver's errors."""
    require(sa)
    engine = open_engine(backend)
    try:
        with engine.connect() as connection:
            migrate = _migrate_sqlite if engine.dialect.name == "sqlite" else _migrate_postgresql
            migrate(connection, backend.where)
    except sa.exc.DBAPIError as error:
        raise error.orig from None
    finally:
        engine.dispose()


def open_engine(backend: Any) -> Any:
    """SQLAlchemy's engine, over connections that the store opens as always."""
    engine = sa.create_engine(f"{backend.dialect}://", creator=backend.connect, poolclass=sa.NullPool)
    if backend.begin_write:
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(backend.begin_write))
    return engine


def version(connection: Any) -> str | None:
    """The newest migration that a database has had; None of an empty one."""
    tables = sa.inspect(connection)
    if tables.has_table("alembic_version"):
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return FIRST_RELEASE if tables.has_table("schema_version") else None


def upgrade(connection: Any, where: str, target: str = HEAD) -> None:
    """Run the migrations that are missing, in the transaction of `connection`, which has the lock."""
    try:
        from alembic import command, config, script, util
    except ImportError:
        raise ImportError("the store needs Alembic on the controller: pip install -r requirements.txt") from None
    found = version(connection)
    if found == target:
        return
    settings = config.Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes.update(connection=connection, metadata=METADATA)
    if found is not None:
        try:
            script.ScriptDirectory.from_config(settings).get_revision(found)
        except util.CommandError:
            raise StoreError(
                f"the store {where} has schema {found}, this release knows up to {HEAD}: a newer release wrote it (or "
                "another application's tables are there). Install that release, or name another store with "
                "benchmark_store_url"
            ) from None
        command.stamp(settings, found)
    command.upgrade(settings, target)


def _migrate_sqlite(connection: Any, where: str) -> None:
    # A table that is made anew is dropped first: with foreign keys on, its rows' results and events would go with it.
    # The switch is without effect in a transaction.
    connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        upgrade(connection, where)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise StoreError(
                f"the store {where} holds {len(broken)} rows that belong to no run. Remove that file: the next list "
                "fills a new one from the run directories"
            )


def _migrate_postgresql(connection: Any, where: str) -> None:
    with connection.begin():
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_S:.0f}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        upgrade(connection, where)
