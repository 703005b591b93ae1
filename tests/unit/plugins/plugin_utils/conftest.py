# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import filesystem

from . import store_places


@pytest.fixture(scope="session")
def postgresql_server():
    with store_places.postgresql() as server:
        yield server


@pytest.fixture(params=["wal", "journal", "postgresql"])
def place(request, tmp_path, monkeypatch):
    """(benchmark_home, benchmark_store_url) of an empty store."""
    if request.param == "postgresql":
        return tmp_path, store_places.new_database(request.getfixturevalue("postgresql_server"))
    if request.param == "journal":
        monkeypatch.setattr(filesystem, "kind", lambda path: "nfs4")
    return tmp_path, None
