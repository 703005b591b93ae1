# SPDX-License-Identifier: MIT
"""What the conductor asks Slurm before and after the load. In the place of sstat a stand-in that prints what is given:
it has the words of sstat's print.c, for jobs that no cluster is running.
"""

from __future__ import annotations

import csv
import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import slurm_usage
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog

ROWS = (
    "71.extern|mel0001|1|00:00:00|4096|{joules}|fs/disk=10|fs/disk=10|fs/disk=0|fs/disk=0\n"
    "71.batch|mel0001|1|00:00:07|81920|{joules}|fs/disk=99|fs/disk=99|fs/disk=5|fs/disk=5\n"
    "73.0|mel[0002-0003]|8|00:00:02|2048|{joules}|fs/disk=1|fs/disk=1|fs/disk=0|fs/disk=0\n"
)


@pytest.fixture
def standin_sstat(tmp_path, monkeypatch):
    """prints(stdout, stderr, sleeps): what the stand-in for sstat will say; its arguments are in sstat.asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "sstat"
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def prints(stdout="", stderr="", sleeps=0):
        (folder / "out").write_text(stdout)
        (folder / "err").write_text(stderr)
        script.write_text(
            f'#!/bin/sh\necho "$@" >>{folder}/asked\n{f"exec sleep {sleeps}" if sleeps else ":"}\n'
            f"cat {folder}/out; cat {folder}/err >&2\n"
        )
        script.chmod(0o755)
        return folder / "asked"

    return prints


@pytest.fixture
def asker(tmp_path):
    """An Asker for a service's job of two components and the clients' job."""
    events = EventLog(str(tmp_path / "events.jsonl"), "clients")
    return slurm_usage.Asker(str(tmp_path / "slurm.csv"), events, [["71", "72"], ["73"], []])


def told(tmp_path):
    return [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]


def test_two_calls_for_all_jobs(tmp_path, asker, standin_sstat):
    asked = standin_sstat(ROWS.format(joules=0))
    asker.ask(slurm_usage.BEFORE)
    standin_sstat(ROWS.format(joules=5120))
    asker.ask(slurm_usage.AFTER)
    assert [line.split("-j ")[1].split()[0] for line in asked.read_text().splitlines()] == ["71,72,73"] * 2
    with (tmp_path / "slurm.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == slurm_usage.COLUMNS and len(rows) == 6
    assert [(row["moment"], row["job"], row["component"], row["step"]) for row in rows[:3]] == [
        ("before", "71", "71", "extern"), ("before", "71", "71", "batch"), ("before", "73", "73", "0")]  # fmt: skip
    assert rows[0]["energy_j"] == "0" and rows[3]["energy_j"] == "5120" and rows[2]["nodes"] == "mel[0002-0003]"
    assert rows[1]["mean_task_cpu_s"] == "7.0" and rows[1]["max_rss_bytes"] == "81920"
    assert [(event["event"], event["asked"], event["rows"], event["reason"]) for event in told(tmp_path)] == [
        ("slurm_usage", True, 3, None)] * 2  # fmt: skip


def test_why_nothing_was_told(tmp_path, asker, standin_sstat, monkeypatch):
    standin_sstat(stderr="sstat: error: couldn't get steps for JobId=71\n")
    asker.ask(slurm_usage.BEFORE)
    standin_sstat(ROWS.format(joules="7").replace("00:00:07", "soon"))
    asker.ask(slurm_usage.BEFORE)
    monkeypatch.setattr(slurm_usage, "DEADLINE_S", 0.2)
    standin_sstat(sleeps=30)
    asker.ask(slurm_usage.BEFORE)
    monkeypatch.setenv("PATH", str(tmp_path))
    asker.ask(slurm_usage.AFTER)
    events = told(tmp_path)
    assert [event["asked"] for event in events] == [True, True, True, False]
    for event, words in zip(events, ("couldn't get steps", "no CPU time", "did not answer", "no sstat"), strict=True):
        assert words in event["reason"] and event["rows"] == 0
    assert not (tmp_path / "slurm.csv").exists()


def test_outside_of_slurm_nobody_is_asked(tmp_path):
    slurm_usage.Asker(str(tmp_path / "slurm.csv"), None, [[], slurm_usage.job_ids({})]).ask(slurm_usage.BEFORE)


def test_the_components_of_a_heterogeneous_job():
    environ = {"SLURM_JOB_ID": "34", "SLURM_HET_SIZE": "2"}
    environ |= {"SLURM_JOB_ID_HET_GROUP_0": "34", "SLURM_JOB_ID_HET_GROUP_1": "35"}
    assert slurm_usage.job_ids(environ) == ["34", "35"]
    assert slurm_usage.job_ids({"SLURM_JOB_ID": "34"}) == ["34"]
