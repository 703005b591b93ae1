# SPDX-License-Identifier: MIT
"""The schema of the store, from the first release on."""

from __future__ import annotations

import contextlib
import math

import pytest
import sqlalchemy as sa
from alembic import autogenerate, config, migration, script
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store, StoreError, migrate
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.database import HEAD, Database
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.migrate import FIRST_RELEASE
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store.schema import METADATA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .store_places import as_release_0_1_0_left_it, at_once, record
from .test_results import row

TABLES = ("runs", "results", "events")


class Opened:
    """The database of an empty store, below what Store offers."""

    def __init__(self, place):
        self.backend = Database(*place).backend
        self.where = self.backend.where

    @contextlib.contextmanager
    def transaction(self):
        engine = migrate.open_engine(self.backend)
        with engine.begin() as connection:
            yield connection
        engine.dispose()


@pytest.fixture
def opened(place):
    return Opened(place)


def scripts():
    settings_ = config.Config()
    settings_.set_main_option("script_location", str(migrate.SCRIPTS))
    settings_.set_main_option("path_separator", "os")
    return script.ScriptDirectory.from_config(settings_)


def contents(database):
    """Every row of every table, as the database has it."""
    with database.transaction() as connection:
        return {name: connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES}


def differences(database):
    """What Alembic would change to make the tables those of schema.py."""
    with database.transaction() as connection:
        return autogenerate.compare_metadata(migration.MigrationContext.configure(connection), METADATA)


def test_the_newest_migration_is_the_one_that_the_code_knows():
    assert scripts().get_heads() == [HEAD]
    assert scripts().get_base() == FIRST_RELEASE


def test_migrations_and_tables_agree(opened):
    migrate.bring_up_to_date(opened.backend)
    assert differences(opened) == []


def test_a_table_that_differs_is_found(opened):
    with opened.transaction() as connection:
        migrate.upgrade(connection, opened.where, FIRST_RELEASE)
    changes = [change for found in differences(opened) for change in (found if isinstance(found, list) else [found])]
    assert {kind for kind, *_what in changes} == {"add_index", "remove_index", "modify_type", "modify_nullable"}
    migrate.bring_up_to_date(opened.backend)
    with opened.transaction() as connection:
        connection.exec_driver_sql("DROP INDEX ix_runs_state_created")
        connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN colour TEXT")
    assert {kind for kind, *_what in differences(opened)} == {"add_index", "remove_column"}


def test_a_store_of_the_first_release_is_upgraded_without_loss(place, opened):
    as_release_0_1_0_left_it(*place)
    before = contents(opened)
    assert [len(before[name]) for name in TABLES] == [3, 6, 3]
    with Store(*place) as store:
        assert [run["id"][-4:] for run in store.runs()] == ["0002", "0001", "0000"]
        assert [run["id"][-4:] for run in store.runs(state="measuring")] == ["0002"]
        store.upsert(record(7, recipe="r" * 1000), [row(unit="u" * 100, value=math.nan)])
    after = contents(opened)
    for name in TABLES:
        assert [line for line in after[name] if not line[0].endswith("0007")] == before[name]
    assert differences(opened) == []
    with opened.transaction() as connection:
        assert not sa.inspect(connection).has_table("schema_version")


def test_a_store_of_each_migration_is_upgraded_without_loss(place, opened):
    with opened.transaction() as connection:
        migrate.upgrade(connection, opened.where, FIRST_RELEASE)
        assert migrate.version(connection) == FIRST_RELEASE
        for name, value in (("a", "1"), ("b", "2")):
            connection.exec_driver_sql(f"INSERT INTO runs (id, created_at, record) VALUES ('{name}', {value}, '{{}}')")
            connection.exec_driver_sql(f"INSERT INTO results VALUES ('{name}', 0, 'c', 1, 'all', 'm', 's', 'p50', 2.5)")
    before = contents(opened)
    with Store(*place) as store:
        assert store.ids() == {"a", "b"}
    assert contents(opened) == before


def _open(number, home, url):
    with Store(home, url) as store:
        store.upsert(record(100 + number), [row(value=1.0)])
        assert len(store.ids()) >= 4


def test_plays_that_start_at_once_upgrade_a_store_once(place, opened):
    as_release_0_1_0_left_it(*place)
    assert at_once(6, _open, *place) == [0] * 6
    with Store(*place) as store:
        assert len(store.ids()) == 9
        assert len(store.results(store.ids())) == 12
    assert differences(opened) == []


def test_plays_that_start_at_once_make_a_store_once(place):
    def start(number, home, url):
        with Store(home, url) as store:
            store.upsert(record(number))

    assert at_once(6, start, *place) == [0] * 6
    with Store(*place) as store:
        assert len(store.ids()) == 6


def test_an_upgrade_that_fails_half_way_changes_nothing(place, opened, monkeypatch):
    as_release_0_1_0_left_it(*place)
    before = contents(opened)
    monkeypatch.setattr("alembic.operations.Operations.create_index", lambda *_a, **_k: 1 / 0)
    with Store(*place) as store, pytest.raises(ZeroDivisionError):
        store.ids()
    monkeypatch.undo()
    assert contents(opened) == before
    with opened.transaction() as connection:
        assert migrate.version(connection) == FIRST_RELEASE
        columns = {column["name"]: str(column["type"]) for column in sa.inspect(connection).get_columns("runs")}
    assert columns["id"] == "VARCHAR(80)"


def test_a_store_of_a_newer_release_is_left_alone(place, opened):
    with Store(*place) as store:
        store.upsert(record())
    with opened.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = contents(opened)
    with Store(*place) as store, pytest.raises(StoreError, match=r"has schema 9999, .* knows up to .* newer release"):
        store.runs()
    assert contents(opened) == before


_TEXTS = st.text(st.characters(exclude_categories=()), max_size=300)  # with halves of surrogate pairs


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_TEXTS, value=st.floats(), detail=_TEXTS, at=st.floats())
def test_whatever_a_cluster_says_is_kept(place, name, value, detail, at):
    with Store(*place) as store:
        told = record(headline=[{"case": name, "value": detail}])
        store.upsert(told, [row(metric=name, case=name, value=value)], [{"t": at, "event": name, "detail": detail}])
        assert store.runs() == [told]
        found = store.results([told["id"]])[0]["value"]
        assert found == value or (math.isnan(found) and math.isnan(value))
