# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import watch
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shared_queue import SharedQueue

from .test_remote import ShellConnection


@pytest.fixture
def cluster(tmp_path):
    folder = tmp_path / "scratch"
    (folder / "events").mkdir(parents=True)
    return folder


@pytest.fixture
def feed(tmp_path, cluster):
    run = RunDirectory(tmp_path / "20261123-190212-postgresql-3f9a")
    return watch.Feed(run, Remote(ShellConnection(), "site"), str(cluster), SharedQueue(tmp_path / "queue", "r", ["1"]))


def write(cluster, source, *events, tail=""):
    with (cluster / "events" / f"{source}.jsonl").open("a") as stream:
        stream.write("".join(json.dumps(event) + "\n" for event in events) + tail)


def event(t, name, source="service", **fields):
    return {"t": t, "source": source, "event": name, **fields}


def test_every_event_comes_once_and_in_order(feed, cluster):
    write(cluster, "service", event(2, "job_started"))
    write(cluster, "clients", event(1, "job_started", "clients"))
    events, jobs = feed.poll(0, queue_age_s=None)
    assert [(e["t"], e["source"]) for e in events] == [(1, "clients"), (2, "service")]
    assert jobs is None
    write(cluster, "service", event(3, "healthy", after_s=1.5))
    assert [e["event"] for e in feed.poll(0, queue_age_s=None)[0]] == ["healthy"]
    assert feed.poll(0, queue_age_s=None)[0] == []


def test_a_line_that_is_being_written_is_read_next_time(feed, cluster):
    write(cluster, "service", event(1, "job_started"), tail='{"t": 2, "source": "ser')
    assert [e["t"] for e in feed.poll(0, queue_age_s=None)[0]] == [1]
    write(cluster, "service", tail='vice", "event": "healthy"}\n')
    assert [e["t"] for e in feed.poll(0, queue_age_s=None)[0]] == [2]


def test_events_may_hold_any_text(feed, cluster):
    write(cluster, "service", event(1, "service_failed", reason="@clients 5\n'ü\"\x1b[0m"))
    assert feed.poll(0, queue_age_s=None)[0][0]["reason"] == "@clients 5\n'ü\"\x1b[0m"


def test_a_new_feed_goes_on_where_the_mirror_ends(feed, cluster, tmp_path):
    write(cluster, "service", event(1, "job_started"))
    feed.poll(0, queue_age_s=None)
    write(cluster, "service", event(2, "healthy", after_s=1))
    run = RunDirectory(tmp_path / "20261123-190212-postgresql-3f9a")
    again = watch.Feed(
        run, Remote(ShellConnection(), "site"), str(cluster), SharedQueue(tmp_path / "queue", "r", ["1"])
    )
    assert [e["t"] for e in again.poll(0, queue_age_s=None)[0]] == [2]


def test_a_queue_that_does_not_answer_is_not_an_empty_queue(feed, cluster):
    _events, jobs = feed.poll(0, queue_age_s=0.0)  # there is no squeue here
    assert jobs is None or jobs == []


def test_a_run_that_was_torn_down_says_so(tmp_path):
    run = RunDirectory(tmp_path / "20261123-190212-postgresql-3f9a")
    with pytest.raises(RunError, match="was torn down"):
        watch.Feed(
            run, Remote(ShellConnection(), "site"), str(tmp_path / "gone"), SharedQueue(tmp_path / "queue", "r", ["1"])
        ).poll(0, queue_age_s=None)


def test_lines_for_a_person():
    assert watch.narrate(event(1, "healthy", after_s=2.345)) == "service healthy after 2.3 s"
    assert watch.narrate(event(1, "progress", "clients")) is None
    done = event(1, "search_done", "clients", trials=11, lower=325, upper=338.5)
    assert watch.narrate(done) == "search over after 11 trials: capacity between 325 and 338.5"
    assert watch.narrate({**done, "upper": None}).endswith("between 325 and ?")
    cut = event(1, "cut", "clients", case="a", repetition=2, reason="stable", why="400/s ± 1 % over 12 s")
    assert watch.narrate(cut) == "ended early: case a, repetition 2: 400/s ± 1 % over 12 s"
    report = event(1, "progress", "clients", elapsed_s=5, duration_s=10, operations=1234, rate_per_s=246.8, errors=0)
    assert watch.progress_text(report) == " 50 % 1,234 operations, 247/s, 0 errors"
    assert watch.progress_bar(report).startswith("[##########..........]")
