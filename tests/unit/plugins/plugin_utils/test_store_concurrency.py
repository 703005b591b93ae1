# SPDX-License-Identifier: MIT
"""Many plays on one store at once, each a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import resource
import signal
import sqlite3
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import filesystem
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store, StoreError, errors, sqlite

from .store_places import at_once, record
from .test_results import row

PROCESSES, RUNS, ROWS = 8, 50, 20
EVENTS = [{"t": 1.0, "source": "service", "event": "healthy", "after_s": 2.5}]


def _write_many(number, home, url, runs):
    for run in range(runs):
        with Store(home, url) as store:  # as each play opens it
            store.upsert(record(number * 1000 + run), [row(repetition=n, value=float(n)) for n in range(ROWS)], EVENTS)
            store.upsert(record(0, group="shared"), [row(value=float(number))], EVENTS)
            store.runs(limit=5)


def test_eight_plays_write_fifty_runs_each(place):
    home, url = place
    assert at_once(PROCESSES, _write_many, home, url, RUNS) == [0] * PROCESSES
    with Store(home, url) as store:
        wanted = {record(number * 1000 + run)["id"] for number in range(PROCESSES) for run in range(RUNS)}
        assert store.ids() == wanted
        rows = store.results(wanted - {record(0)["id"]})
        assert len(rows) == (len(wanted) - 1) * ROWS
        assert len(store.results([record(0)["id"]])) == 1, "a run that all write is one writer's, whole"


@pytest.mark.parametrize(("kind", "mode"), [("ext4", "wal"), ("tmpfs", "wal"), ("lustre", "delete"), (None, "delete")])
def test_the_write_ahead_log_is_for_local_disks(tmp_path, monkeypatch, kind, mode):
    def journal():
        with Store(tmp_path) as store:
            store.upsert(record())
        with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            return connection.execute("PRAGMA journal_mode").fetchone()[0]

    monkeypatch.setattr(filesystem, "kind", lambda path: "ext4")
    journal()
    monkeypatch.setattr(filesystem, "kind", lambda path: kind)
    assert journal() == mode, "a store that was copied there changes its journal"


def test_a_lock_that_stays_is_explained(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.upsert(record())
    monkeypatch.setattr(errors, "WAIT_S", 0.2)
    monkeypatch.setattr(sqlite, "_TRY_S", 0)
    monkeypatch.setattr(filesystem, "kind", lambda path: "lustre")
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with Store(tmp_path) as store, pytest.raises(StoreError, match=r"locked.*lies on lustre, .*benchmark_store_url"):
        store.upsert(record())
    monkeypatch.setattr(filesystem, "kind", lambda path: "ext4")
    with Store(tmp_path) as store, pytest.raises(StoreError, match=r"locked.*another process has kept it locked"):
        store.upsert(record())
    holder.execute("ROLLBACK")
    holder.close()
    with Store(tmp_path) as store:
        store.upsert(record(1))
        assert len(store.ids()) == 2


def test_a_lock_that_goes_is_waited_for(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.upsert(record())
        holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite, "_TRY_S", 0)  # SQLite itself does not wait: the retries do
        pauses = []

        def sleep(seconds):
            pauses.append(seconds)
            if len(pauses) == 4:
                holder.execute("COMMIT")

        monkeypatch.setattr(time, "sleep", sleep)
        with Store(tmp_path) as other:
            other.upsert(record(1))
        assert len(pauses) == 4
        holder.close()
        assert len(store.ids()) == 2


def _write_without_end(home, url):
    while True:
        with Store(home, url) as store:
            number = random.randrange(10)
            store.upsert(record(number), [row(repetition=n, value=float(n)) for n in range(ROWS)], EVENTS)


def test_a_killed_play_leaves_whole_runs(place):
    home, url = place
    for _kill in range(5):
        writer = multiprocessing.get_context("fork").Process(target=_write_without_end, args=(home, url))
        writer.start()
        time.sleep(random.uniform(0.2, 0.5))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        with Store(home, url) as store:
            store.upsert(record(99), [row(value=1.0)], [])
            found = {run_id: len(store.results([run_id])) for run_id in store.ids() - {record(99)["id"]}}
            assert set(found.values()) <= {ROWS}
    if url is None:
        with contextlib.closing(sqlite3.connect(home / "store.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _write_on_a_full_disk(_number, home, told):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = (home / "store.db").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with Store(home) as store:
        try:
            store.upsert(record(0), [row(repetition=n, value=2.0) for n in range(20_000)], EVENTS)
        except StoreError as error:
            told.put(str(error))


@pytest.mark.parametrize("kind", ["ext4", "nfs4"])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, kind):
    home = tmp_path
    monkeypatch.setattr(filesystem, "kind", lambda path: kind)
    with Store(home) as store:
        store.upsert(record(0), [row(value=1.0)], EVENTS)
    told = multiprocessing.get_context("fork").SimpleQueue()
    assert at_once(1, _write_on_a_full_disk, home, told) == [0]
    assert "permissions and space" in told.get()
    with Store(home) as store:
        assert [line["value"] for line in store.results([record(0)["id"]])] == [1.0]
        store.upsert(record(1))
    with contextlib.closing(sqlite3.connect(home / "store.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
