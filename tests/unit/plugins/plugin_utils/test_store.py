# SPDX-License-Identifier: MIT
from __future__ import annotations

import sqlite3

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import store as module
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store, StoreError, schema

from . import samples
from .store_places import record
from .test_results import row


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path) as opened:
        yield opened


def test_writing_a_run_again_leaves_what_writing_it_once_leaves(store):
    for value in (1.0, 2.0):
        events = [{"t": 1.0, "source": "service", "event": "healthy", "after_s": value}]
        store.upsert(record(), [row(value=value), row(metric="errors", value=0.0)], events)
    assert store.ids() == {record()["id"]}
    assert [(r["case"], r["metric"], r["value"]) for r in store.results([record()["id"]])] == [
        ("a", "throughput", 2.0), ("a", "errors", 0.0)
    ]  # fmt: skip
    store.upsert(record(verdict="INVALID"))
    assert store.runs()[0]["verdict"] == "INVALID"
    assert len(store.results([record()["id"]])) == 2, "None keeps what is there"
    store.upsert(record(), [], [])
    assert not store.results([record()["id"]])


def test_a_run_is_written_whole_or_not_at_all(store):
    store.upsert(record(), [row(value=1.0)])
    with pytest.raises((StoreError, KeyError)):
        store.upsert(record(state="failed"), [row(value=2.0), {"case": "no metric"}])
    assert store.runs()[0]["state"] == "finished"
    assert store.results([record()["id"]])[0]["value"] == 1.0


def test_runs_are_ordered_counted_and_given_by_pages(store):
    for number, cluster in enumerate(("b", "a", "b")):
        store.upsert(record(number, cluster=cluster, verdict=None if number else "VALID"))
    assert [r["created_at"] for r in store.runs(order="cluster")] == [1001.0, 1002.0, 1000.0]
    assert [r["created_at"] for r in store.runs(order="-cluster", limit=1, offset=1)] == [1000.0]
    assert [r["created_at"] for r in store.runs(order="created_at", limit=2, offset=2)] == [1002.0]
    assert (store.count(), store.count(cluster="b"), store.count(prefix="x")) == (3, 2, 0)
    assert store.choices("cluster", "verdict") == {"cluster": ["a", "b"], "verdict": ["VALID"]}
    with pytest.raises(StoreError, match="created_at, recipe"):
        store.runs(order="record")
    with pytest.raises(StoreError, match="colour"):
        store.choices("colour")


def test_the_latest_run_of_each_recipe_on_each_cluster(store):
    store.upsert(record(1))
    store.upsert(record(2))
    store.upsert(record(3, state="measuring"))
    store.upsert(record(4, cluster="second", state="failed"))
    found = store.latest(("finished", "failed"))
    assert [r["created_at"] for r in found] == [1004.0, 1002.0]


def test_runs_are_filtered_newest_first(store):
    store.upsert(record(1))
    store.upsert(record(2, cluster="second", verdict="INVALID"))
    store.upsert(record(3, state="measuring", verdict=None))
    ids = [found["created_at"] for found in store.runs()]
    assert ids == [1003.0, 1002.0, 1001.0]
    assert len(store.runs(limit=2)) == 2
    assert [r["created_at"] for r in store.runs(cluster="second")] == [1002.0]
    assert [r["created_at"] for r in store.runs(cluster=["first", "second"], verdict="VALID")] == [1001.0]
    assert [r["created_at"] for r in store.runs(since=1002.5)] == [1003.0]
    assert len(store.runs(cluster=[], recipe=None)) == 3, "no value is no filter"
    assert [r["created_at"] for r in store.runs(prefix=record(2)["id"][:-1])] == [1002.0]
    assert store.ids(since="20260902") == set()
    with pytest.raises(StoreError, match="colour"):
        store.runs(colour="red")


def test_ten_thousand_runs_are_listed_by_an_index(tmp_path):
    with Store(tmp_path) as store:
        for number in range(3):
            store.upsert(record(number))
    plan = sqlite3.connect(tmp_path / "store.db").execute(
        "EXPLAIN QUERY PLAN SELECT record FROM runs ORDER BY created_at DESC, id DESC LIMIT 50"
    )
    told = " ".join(str(line) for line in plan)
    assert "ix_runs_created_at" in told


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://x", "sqlite:////nowhere/at/all/store.db"])
def test_a_url_that_does_not_work_is_explained(tmp_path, url):
    with pytest.raises(StoreError), Store(tmp_path, url) as store:
        store.runs()


def test_a_file_that_is_no_database_is_explained(tmp_path):
    (tmp_path / "store.db").write_text("this is not a database, and long enough to be looked at" * 20)
    with Store(tmp_path) as store, pytest.raises(StoreError, match=r"store\.db"):
        store.runs()


def test_the_list_takes_in_what_lies_on_disk(tmp_path):
    done, running = samples.make(tmp_path, "finished"), samples.make(tmp_path, "running", seed=2)
    finish(done, done.read_json("plan.json"), done.read_json("jobs.json"), None, {})
    (tmp_path / "store.db").unlink()
    broken = tmp_path / "runs" / "20260901-120000-broken-00aa"
    broken.mkdir()
    (broken / "plan.json").write_text("{")
    (tmp_path / "runs" / "20260901-120000-empty-00aa").mkdir()
    found, problems = index.runs(tmp_path)
    assert [(each["id"], each["state"]) for each in found] == [(running.id, "measuring"), (done.id, "finished")]
    assert len(problems) == 1
    assert "broken" in problems[0]


def test_a_run_that_the_store_did_not_get_is_taken_in_by_the_next_list(tmp_path):
    run = samples.make(tmp_path, "finished")
    parts = run.read_json("plan.json"), run.read_json("jobs.json")
    finish(run, *parts, None, {"ssh": 1})
    told = []
    record = finish(run, *parts, None, {"ssh": 2}, store_url="sqlite:////nowhere/store.db", warn=told.append)
    assert run.read_json("run.json") == record
    assert "next list takes it in" in told[0] and "/nowhere/store.db" in told[0]
    with pytest.raises(StoreError):
        finish(run, *parts, None, {"ssh": 2}, store_url="sqlite:////nowhere/store.db")
    with Store(tmp_path) as store:
        assert store.runs()[0]["calls"] == {"ssh": 1}
    found, problems = index.runs(tmp_path)
    assert (found[0]["calls"], problems) == ({"ssh": 2}, [])
    assert not list((tmp_path / index.NOTES).iterdir())


def test_a_run_that_is_over_is_not_overwritten_by_what_it_was_before(place):
    # list reads the files of a run that goes on while its play ends it
    with Store(*place) as store:
        store.upsert(record(state="measuring", verdict=None), [row(value=1.0)], [])
        store.upsert(record(), [row(value=1.0), row(value=2.0)], [])
        store.upsert(record(state="measuring", verdict=None), [row(value=1.0)], [])
        assert [run["state"] for run in store.runs()] == ["finished"]
        assert len(store.results([record()["id"]])) == 2
        store.upsert(record(state="failed"), [], [])
        assert [run["state"] for run in store.runs()] == ["failed"]
        assert store.results([]) == store.results([record()["id"]]) == []


def test_the_columns_are_those_of_the_tables():
    for table, columns in (("runs", module._RUN), ("results", module._RESULT), ("events", module._EVENT)):
        assert tuple(schema.METADATA.tables[table].c.keys()) == columns
