# SPDX-License-Identifier: MIT
"""Whole runs whose store is a real PostgreSQL, there and away."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store

from tests.unit.plugins.plugin_utils import store_places

from .conftest import assert_measured, assert_nothing_left, ssh

pytestmark = [pytest.mark.integration, pytest.mark.alone]

SECRETS = (store_places.PASSWORD, store_places.WRITTEN_PASSWORD, "hunter2")


@pytest.fixture
def at_store(tmp_path):
    """The arguments of a play that name a store."""

    def arguments(url):
        path = tmp_path / "store.json"
        path.write_text(json.dumps({"benchmark_store_url": url}))
        return ["-e", f"@{path}"]

    return arguments


def assert_no_secret(played, home, runs):
    """No password in what was printed, in the run's files here, or in those on the clusters."""
    texts = {"the output": played.output}
    texts |= {str(path): path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()}
    for cluster in ("local", "local2411"):
        texts[cluster] = ssh(cluster, "cat ~/.aifactory-scratch/runs/*/* 2>/dev/null", check=False)
    for where, text in texts.items():
        assert not [secret for secret in SECRETS if secret in text], where


def test_runs_on_two_clusters_share_a_postgresql(play, recipe, home, at_store):
    with store_places.postgresql() as server:
        url = store_places.new_database(server)
        played = play("run", "-vvv", "-e", f"recipe={recipe()}", *at_store(url), limit=None, timeout_s=300)
        runs = sorted(path.name for path in (home / "runs").iterdir())
        assert len(runs) == 2, played.output
        for run in runs:
            assert_measured(played, home, run)
        with Store(home, url) as store:
            assert store.ids() == set(runs)
            assert {row["run_id"] for row in store.results(runs)} == set(runs)
        assert not (home / "store.db").exists()
        assert_no_secret(played, home, runs)
    assert_nothing_left(runs)


def test_a_run_whose_store_is_away_is_measured_and_kept(play, recipe, home, at_store):
    away = at_store("postgresql://me:hunter2@127.0.0.1:1/x")
    played = play("run", "-vvv", "-e", f"recipe={recipe()}", *away, timeout_s=300)
    [run] = [path.name for path in (home / "runs").iterdir()]
    assert_measured(played, home, run)
    assert "not in the store yet" in " ".join(played.output.split())
    assert (home / "runs" / run / "report.html").stat().st_size > 0
    assert_no_secret(played, home, [run])
    listed = play("list", *away)
    assert listed.rc != 0
    assert "Connection refused" in listed.output
    listed = play("list")
    assert listed.rc == 0, listed.output
    assert run in listed.output
    assert_nothing_left([run])
