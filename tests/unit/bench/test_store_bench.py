# SPDX-License-Identifier: MIT
"""The runs that the store's bench makes are taken for real ones, in both kinds of store."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index

from ..plugins.plugin_utils import store_places

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_its_runs_fill_the_stores(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    bench = __import__("store_bench")
    sys.modules.pop("store_bench")
    identifiers = bench.fill_home(tmp_path, 60)
    with store_places.postgresql() as server:
        for url in (None, store_places.new_database(server)):
            found, problems = index.runs(tmp_path, url)
            assert ([run["id"] for run in found], problems) == (identifiers[::-1], [])
            assert len(index.runs(tmp_path, url, recipe="recipe7")[0]) == 60 // bench.RECIPES
            assert {run["verdict"] for run in found} == {"VALID", "INVALID"}
            assert all(seconds > 0 for seconds in bench.queries(tmp_path, url, identifiers).values())
