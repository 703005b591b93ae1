# SPDX-License-Identifier: MIT
"""Where the store's tests keep it: SQLite with and without a write-ahead log, and a real PostgreSQL."""

from __future__ import annotations

import itertools
import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..module_utils.load.vector import vector_servers

PASSWORD = vector_servers.PASSWORD
WRITTEN_PASSWORD = PASSWORD.replace(" ", "%20")
_numbers = itertools.count()


def record(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A run.json with what the store looks at."""
    return {
        "id": f"20260901-{120000 + number:06d}-x-{number:04x}", "group": "g", "cluster": "first",
        "recipe": "quickstart", "service": "postgresql", "workload": "pgbench", "state": "finished", "verdict": "VALID",
        "created_at": 1000.0 + number, "ended_at": 2000.0, "reasons": [], **fields,
    }  # fmt: skip


def postgresql() -> Any:
    """A context manager: the newest PostgreSQL of this distribution, on the loopback."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    assert programs, "these tests need PostgreSQL: tools/test_packages.sh"
    return vector_servers.postgresql(programs=programs[0].parent)


def new_database(server: vector_servers.Server) -> str:
    """The URL of an empty database."""
    name = f"store{next(_numbers)}"
    vector_servers.sql(server, f"CREATE DATABASE {name}")
    return f"postgresql://postgres:{WRITTEN_PASSWORD}@127.0.0.1:{server.port}/{name}"


def as_release_0_1_0_left_it(home: Path, url: str | None) -> None:
    """Fill an empty store with three runs, in the tables of release 0.1.0."""
    text = (Path(__file__).resolve().parents[2] / "fixtures/store-0.1.0.sql").read_text()
    if url is None:
        with sqlite3.connect(home / "store.db") as connection:
            connection.executescript(text)
        return
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(text)
    engine.dispose()


def at_once(count: int, work: Callable[..., None], *arguments: Any) -> list[int]:
    """The exit codes of processes that all call `work(number, *arguments)` at one moment."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(count)
    processes = [context.Process(target=_start, args=(barrier, work, number, *arguments)) for number in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _start(barrier: Any, work: Callable[..., None], number: int, *arguments: Any) -> None:
    barrier.wait()
    work(number, *arguments)
