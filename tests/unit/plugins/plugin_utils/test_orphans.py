# SPDX-License-Identifier: MIT
"""Whose jobs and directories are nobody's."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.adoption import Found
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.orphans import (
    CANCEL,
    FINISH,
    LEAVE,
    REMOVE,
    judge,
    run_of,
    stale_targets,
)

RUN = "20261129-101112-quickstart-00ff"
RUNS = f"/scratch/runs/{RUN}"


def job(role: str = "service", state: str = "RUNNING", *, name: str | None = None, **fields) -> Job:
    return Job(id="7", raw_id="7", name=name or f"aifactory-{RUN}-{role}", state=state, **{"work_dir": RUNS, **fields})


@pytest.mark.parametrize(
    "name",
    [
        "aifactory-notes",
        f"aifactory-{RUN}",
        f"aifactory-{RUN}-service2",
        f"my-aifactory-{RUN}-service",
        f"aifactory-{RUN}-service ",
        "aifactory-20261129-quickstart-00ff-service",
        f"aifactory-{RUN}-clients\n",
        "",
        None,
    ],
)
def test_a_similar_name_is_not_the_mark(name):
    assert run_of(name) is None
    assert judge([job(name=name or "x")], [], [], 600) == []


@pytest.mark.parametrize(
    ("jobs", "found", "elsewhere", "verdict", "words"),
    [
        ([job()], Found(RUN, 9999), [], LEAVE, "goes on; job 7 RUNNING"),
        ([job(state="PENDING")], Found(RUN, 9999), [], LEAVE, "goes on"),
        ([job(state="PENDING", reason="DependencyNeverSatisfied")], Found(RUN, 3), [], FINISH, "can never start"),
        (
            [job(), job("clients", "PENDING", reason="DependencyNeverSatisfied")],
            Found(RUN, 3),
            [],
            LEAVE,
            "goes on",
        ),
        ([job()], None, [], CANCEL, "run directory is gone"),
        ([job(state="COMPLETED")], Found(RUN, 601), [], FINISH, "nothing has touched it for 601 s"),
        ([job(state="COMPLETED")], Found(RUN, 599), [], LEAVE, "touched 599 s ago"),
        ([job(work_dir="/other/runs/x")], None, ["/other/runs/x"], LEAVE, "another benchmark_scratch"),
        ([job(work_dir="/other/runs/x")], None, [], CANCEL, "run directory is gone"),
        ([], Found(RUN, 601), [], FINISH, "no job"),
        ([], Found(RUN, 601, has_plan=False), [], REMOVE, "a submission"),
        ([], Found(RUN, 5, has_plan=False), [], LEAVE, "touched"),
        ([], Found(f"{RUN}.gone", 0), [], REMOVE, "a teardown"),
        ([], Found("my-notes", 9999), [], LEAVE, "not a run's"),
        ([], Found("my-notes.gone", 9999), [], LEAVE, "not a run's"),
    ],
)
def test_the_judgement(jobs, found, elsewhere, verdict, words):
    [judged] = judge(jobs, [found] if found else [], elsewhere, 600)
    assert (judged.verdict, words in judged.why) == (verdict, True), judged


def test_what_ended_needs_no_judgement():
    assert judge([job(state="COMPLETED"), job("clients", "CANCELLED")], [], [], 600) == []


def test_targets_of_runs_that_are_gone_are_stale():
    other = "20261129-101112-quickstart-00fe"
    names = [f"{RUN}-service-n1.json", f"{other}-service-redis-001-n1.json", f"{other}-clients-n2.json"]
    theirs = ["site.json", "notes-clients-n2.json", f"{other}.json", f"{other}-clients-n2.json.part-12"]
    assert stale_targets(names + theirs, [RUN]) == names[1:]
    assert stale_targets(names, [RUN, other]) == []
