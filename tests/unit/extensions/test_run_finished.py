# SPDX-License-Identifier: MIT
"""The event source for Event-Driven Ansible, run as ansible-rulebook runs it: the file alone, its coroutine."""

from __future__ import annotations

import asyncio
import json
import runpy
import time
from pathlib import Path

import pytest
import yaml

EDA = Path(__file__).resolve().parents[3] / "extensions/eda"
PLUGIN = runpy.run_path(str(EDA / "plugins/event_source/run_finished.py"))


def write(home, number, state="finished", verdict="VALID", ago_s=0.0, **fields):
    run_id = time.strftime("%Y%m%d-%H%M%S", time.gmtime(time.time() - ago_s)) + f"-x-{number:04x}"
    folder = home / "runs" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    record = {"id": run_id, "recipe": "redis", "cluster": "a", "state": state, "verdict": verdict, **fields}
    (folder / "run.json").write_text(json.dumps(record))
    return run_id


@pytest.fixture
def events(monkeypatch):
    """What comes while steps are done one after another, two looks after each: events(args, steps)."""
    looks = []

    def look(*arguments):
        found = PLUGIN["ended"](*arguments)
        looks.append(len(found))
        return found

    monkeypatch.setitem(PLUGIN["main"].__globals__, "ended", look)

    async def scene(args, steps):
        queue = asyncio.Queue()
        source = asyncio.create_task(PLUGIN["main"](queue, {"interval_s": 0.001, **args}))
        for step in [*steps, lambda: None]:
            # one look may be under way while something is written
            before = len(looks)
            while len(looks) < before + 3:
                assert not source.done(), source.exception()
                await asyncio.sleep(0.002)
            step()
        source.cancel()
        return [queue.get_nowait()["run"] for _number in range(queue.qsize())]

    return lambda args, steps: asyncio.run(scene(args, steps))


def test_each_run_that_ends_is_told_once(events, tmp_path):
    write(tmp_path, 1)  # before it began
    running = write(tmp_path, 2, "running", None)
    found = events(
        {"benchmark_home": str(tmp_path)},
        [
            lambda: (tmp_path / "runs" / running / "run.json").write_text("{"),  # half of it
            lambda: write(tmp_path, 2, "failed", "INVALID", reasons=[{"code": "errors", "message": "many"}]),
            lambda: write(tmp_path, 3, "stopped", None),
        ],
    )
    assert [(run["state"], run["verdict"]) for run in found] == [("failed", "INVALID"), ("stopped", None)]
    assert found[0]["reasons"][0]["code"] == "errors" and found[0]["recipe"] == "redis"


def test_only_the_recipe_and_cluster_that_are_wanted(events, tmp_path):
    steps = [
        lambda: write(tmp_path, 1),
        lambda: write(tmp_path, 2, recipe="vllm"),
        lambda: write(tmp_path, 3, cluster="b"),
    ]
    found = events({"benchmark_home": str(tmp_path), "recipe": "redis", "cluster": "a"}, steps)
    assert [run["id"][-4:] for run in found] == ["0001"]


def test_with_a_bookmark_nothing_is_missed_and_nothing_told_twice(events, tmp_path):
    args = {"benchmark_home": str(tmp_path), "bookmark": str(tmp_path / "cache/eda.json")}
    assert [run["id"][-4:] for run in events(args, [lambda: write(tmp_path, 1)])] == ["0001"]
    write(tmp_path, 2)  # while nobody looks
    write(tmp_path, 9, ago_s=40 * 86400)
    assert [run["id"][-4:] for run in events(args, [])] == ["0002"]
    assert events(args, []) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "either benchmark_home or store_url"),
        ({"benchmark_home": "a", "store_url": "postgresql://b/c"}, "either"),
        ({"store_url": "sqlite:///x"}, "a database of PostgreSQL"),
        ({"benchmark_home": "a", "intervall_s": 1}, "no option 'intervall_s'"),
        ({"benchmark_home": "a", "interval_s": "5"}, "interval_s is no number"),
        ({"benchmark_home": "a", "interval_s": 0}, "more than 0"),
    ],
)
def test_what_is_wrong_with_its_options_is_said_at_once(args, words):
    with pytest.raises(ValueError, match=words):
        asyncio.run(PLUGIN["main"](asyncio.Queue(), args))


def test_the_rulebook_names_options_and_fields_that_there_are():
    [rulebook] = yaml.safe_load((EDA / "rulebooks/benchmarks.yml").read_text())
    [source] = rulebook["sources"]
    assert set(source["aifactory.benchmark.run_finished"]) <= set(PLUGIN["OPTIONS"])
    assert set(yaml.safe_load(PLUGIN["DOCUMENTATION"])["options"]) == set(PLUGIN["OPTIONS"])
