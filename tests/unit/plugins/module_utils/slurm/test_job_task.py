# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors, job_task
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job

from .replay import Clock
from .test_client import EMPTY, Slurm, acct_row, queue_row, rows


def job(job_id, state):
    return Job(id=job_id, raw_id=job_id, name="run-1", state=state, nodes=["n1"])


@pytest.mark.parametrize(
    ("states", "rerun", "chosen", "ignored"),
    [
        ([], "never", None, []),
        (["COMPLETED"], "never", "9", []),
        (["FAILED"], "never", "9", []),
        (["COMPLETED"], "failed", "9", []),
        (["FAILED"], "failed", None, ["9"]),
        (["FAILED", "COMPLETED"], "failed", None, ["9", "8"]),
        (["COMPLETED"], "always", None, ["9"]),
        (["RUNNING"], "always", "9", []),
        (["FAILED", "PENDING"], "always", "8", []),
        (["UNKNOWN"], "always", "9", []),
    ],
)
def test_which_job_stands_for_a_name(states, rerun, chosen, ignored):
    found = [job(str(9 - number), state) for number, state in enumerate(states)]
    there, ignore = job_task.choose(found, rerun)
    assert (there.id if there else None, ignore) == (chosen, ignored)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"time_limit": "soon"}, 'time_limit: "soon" is no time'),
        ({"nodes": "0"}, 'nodes: "0" is no number'),
        ({"ntasks": -1}, 'ntasks: "-1" is no number'),
        ({"array": "x"}, "array: 'x' is no list"),
    ],
)
def test_wrong_options_are_named(values, words):
    with pytest.raises(errors.SlurmError, match=words) as caught:
        job_task.arguments(values)
    assert caught.value.remedy
    with pytest.raises(errors.SlurmError, match=r"components\[1\]\."):
        job_task.arguments({}, [{}, values])


@pytest.mark.parametrize(
    "values", [{"nodes": "2-4"}, {"time_limit": "UNLIMITED"}, {"time_limit": ""}, {"array": "1,3"}]
)
def test_right_options(values):
    job_task.arguments(values)


def test_components_share_what_pays_and_limits():
    values = {"account": "p", "time_limit": "5", "partition": "cpu", "array": None, "comment": "c"}
    found = job_task.arguments(values, [{"partition": "gpu", "ntasks": 2}, {"qos": "dev"}], ["-x"])
    assert found == [
        ["--account=p", "--partition=gpu", "--time=5", "--ntasks=2", "--comment=c", "-x"],
        ["--account=p", "--qos=dev", "--time=5"],
    ]


def wait(until, *answers, sacct=(EMPTY,), timeout_s=60):
    client = SlurmClient(Slurm(squeue=[rows(row) for row in answers], sacct=sacct, scontrol=[EMPTY]), Clock())
    return job_task.wait(client, "7", until, timeout_s)


def test_wait_until_it_runs_or_has_ended():
    assert wait("started", queue_row("7", "PENDING"), queue_row("7")).state == "RUNNING"
    ended = wait("finished", queue_row("7"), queue_row("7", "COMPLETING"), queue_row("7", "COMPLETED"))
    assert ended.ok


@pytest.mark.parametrize(
    ("until", "row", "kind", "words"),
    [
        ("finished", queue_row("7", "FAILED"), "job_failed", "ended FAILED"),
        ("started", queue_row("7", "PENDING", reason="DependencyNeverSatisfied"), "never_starts", "will never start"),
        ("started", queue_row("7", "PENDING", reason="Priority"), "timeout", "it is PENDING (Priority)"),
        ("started", queue_row("7", "PENDING", reason="JobHeldUser"), "timeout", "JobHeldUser"),
        ("finished", queue_row("7"), "timeout", "not finished after 60 s: it is RUNNING"),
    ],
)
def test_what_does_not_come_is_said_with_a_remedy(until, row, kind, words):
    with pytest.raises(errors.SlurmError) as caught:
        wait(until, row)
    assert caught.value.kind == kind
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_job_that_is_cancelled_before_its_start_has_not_started():
    with pytest.raises(errors.SlurmError, match="ended CANCELLED"):
        wait(
            "started",
            queue_row("7", "CANCELLED").replace("n[1-2]", ""),
            sacct=[rows(acct_row("7", "CANCELLED").replace("n[1-2]", ""))],
        )


def test_the_end_is_proved_or_an_error():
    answers = {"squeue": [rows(queue_row("7")), rows(queue_row("7", "CANCELLED"))], "sacct": [EMPTY]}
    client = SlurmClient(Slurm(scancel=[EMPTY], scontrol=[EMPTY], **answers), Clock())
    assert job_task.end(client, [job("7", "RUNNING"), job("6", "COMPLETED")], "run-1", 60)["7"]["gone"]
    stays = SlurmClient(Slurm(squeue=[rows(queue_row("7"))], sacct=[EMPTY], scancel=[EMPTY]), Clock())
    with pytest.raises(errors.SlurmError, match="not proven to be gone after 60 s: RUNNING"):
        job_task.end(stays, [job("7", "RUNNING")], "run-1", 60)
    assert job_task.end(stays, [job("7", "COMPLETED")], "run-1", 60) == {}
