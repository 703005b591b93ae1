# SPDX-License-Identifier: MIT
"""What the agents said about their ends, as checks of the teardown."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

import pytest
from ansible_collections.aifactory.benchmark.plugins.action import run_teardown
from ansible_collections.aifactory.benchmark.plugins.action.run_teardown import (
    ActionModule,
    _agent_checks,
    _client_checks,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import sacct
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Result
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from ..module_utils.slurm.replay import Clock
from ..module_utils.slurm.test_client import EMPTY, Slurm, acct_row, queue_row, rows

AWAY = (1, "", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
STOPPED = {"port_closed": True, "processes_left": 0, "data_removed": True, "node": "n1"}


@pytest.fixture
def run(tmp_path):
    """A run of these events: run(source, event, **fields)."""
    found = RunDirectory(tmp_path / "20261129-101112-quickstart-00ff")

    def write(*events: dict) -> RunDirectory:
        found.write_text("events.jsonl", "".join(json.dumps({"t": 1.0, **event}) + "\n" for event in events))
        return found

    return write


def service(**fields: object) -> list[dict]:
    return [
        {"source": "service", "event": "container_started", "node": "n1"},
        {"source": "service", "event": "stopped", **STOPPED, **fields},
    ]


def test_gpu_memory_is_a_check_only_where_somebody_could_tell(run):
    assert [check["what"] for check in _agent_checks(run(*service(gpu_memory_freed=None)))] == [
        "port",
        "processes",
        "node-local data",
    ]
    freed = _agent_checks(run(*service(gpu_memory_freed=True)))[-1]
    assert (freed["what"], freed["ok"], freed["found"]) == ("GPU memory", True, "as before the service")
    held = _agent_checks(run(*service(gpu_memory_freed=False)))[-1]
    assert not held["ok"] and "more in use" in held["found"] and "nvidia-smi on n1" in held["how"]


@pytest.mark.parametrize("last", ["done", "failed"])
def test_clients_that_ended_by_themselves_left_nothing(run, last):
    assert (
        _client_checks(run({"source": "clients", "event": "job_started"}, {"source": "clients", "event": last})) == []
    )


def test_clients_that_were_killed_may_have_left_something(run):
    [check] = _client_checks(run({"source": "clients", "event": "job_started", "node": "n2"}))
    assert not check["ok"] and check["found"].startswith("unknown: the agent on n2 was killed")
    assert _client_checks(run(*service())) == []


class Asked:
    """Stands for the connection: Slurm's answers to the first look, then those to later questions."""

    def __init__(self, at_once: Slurm, later: Slurm) -> None:
        self.looks, self.later, self.calls = [at_once], later, Counter()

    def prefetched(self, commands):
        return self.looks.pop() if self.looks else self.later


class Teardown(ActionModule):
    """The action, without a play around it."""

    by_rest = False

    def __init__(self) -> None:
        self.options = {"deadline_s": 0.5}
        self.said: list[str] = []

    def say(self, text, **_colour):
        self.said.append(text)

    def slurm(self, remote):
        return SlurmClient(remote.later, Clock())


def ended(run, at_once: Slurm, later: Slurm) -> tuple[list[dict], list[dict]]:
    """(checks, records) of a run whose agents said goodbye."""
    over = run(*service(), {"source": "clients", "event": "done"})
    records = [{"role": "service", "id": "37", "name": f"aifactory-{over.id}-service"}]
    teardown = Teardown()
    teardown.client = SlurmClient(later, Clock())
    return teardown._jobs(Asked(at_once, later), over, records)


def jobs_checked(run, at_once: Slurm, later: Slurm) -> dict[str, dict]:
    return {check["what"]: check for check in ended(run, at_once, later)[0]}


def record(job_id: str, state: str = "COMPLETED", **fields: str) -> str:
    """A row of sacct when it is asked for jobs and their steps."""
    return acct_row(job_id, state, fields=sacct.FULL_FIELDS, **fields)


def test_what_the_steps_used_comes_with_the_answer_about_the_job(run):
    told = rows(record("37"), record("37.batch", TotalCPU="00:07.500", MaxRSS="4096", ConsumedEnergyRaw="900"))
    over = Slurm(squeue=[rows(queue_row("37", "COMPLETED"))], sacct=[told], scontrol=[EMPTY])
    _checks, [job] = ended(run, over, Slurm())
    assert (job["usage"]["cpu_s"], job["usage"]["max_rss_bytes"]) == (7.5, 4096)
    assert [(step["step"], step["energy_j"]) for step in job["usage"]["steps"]] == [("batch", 900)]
    assert sum(words[0] == "sacct" for words in over.argv) == 1


def test_accounting_that_lags_is_asked_once_more_for_steps(run, monkeypatch):
    monkeypatch.setattr(run_teardown, "ACCOUNTING_LAG_S", 0.0)
    late = rows(record("37"), record("37.batch", "RUNNING"))
    told = rows(record("37"), record("37.batch", TotalCPU="00:07.500"))
    for answers, seconds in (([late, told], 7.5), ([late, late], None)):
        over = Slurm(squeue=[rows(queue_row("37", "COMPLETED"))], sacct=answers, scontrol=[EMPTY])
        checks, [job] = ended(run, over, over)
        assert job["usage"]["cpu_s"] == seconds and checks[0]["ok"]
        assert sum(words[0] == "sacct" for words in over.argv) == 2


def test_a_step_that_can_not_be_read_takes_nothing_from_the_proof(run):
    told = rows(record("37"), record("37.batch", TotalCPU="soon"))
    away = Slurm(squeue=[AWAY, AWAY, rows(queue_row("37", "COMPLETED"))], sacct=[told], scontrol=[AWAY])
    checks, [job] = ended(run, away, away)
    assert checks[0]["ok"] and job["usage"] is None


def test_an_answer_that_still_has_a_job_completing_is_asked_for_again(run):
    """Of questions that are asked side by side, one may be answered before the job is gone."""
    over, completing = queue_row("37", "COMPLETED"), queue_row("37", "COMPLETING")
    at_once = Slurm(squeue=[rows(over), rows(completing)], sacct=[EMPTY], scontrol=[EMPTY])
    later = Slurm(squeue=[rows(over)], sacct=[EMPTY], scontrol=[EMPTY])
    checks = jobs_checked(run, at_once, later)
    assert checks["service job"]["ok"] and checks["jobs by name"]["ok"], checks


def test_a_job_that_stays_is_said(run):
    name = "aifactory-20261129-101112-quickstart-00ff-service"
    completing = queue_row("37", "COMPLETING", name=name)
    stays = Slurm(squeue=[rows(completing)], sacct=[EMPTY], scontrol=[EMPTY], scancel=[EMPTY])
    checks = jobs_checked(run, Slurm(squeue=[rows(completing)], sacct=[EMPTY], scontrol=[EMPTY]), stays)
    assert not checks["service job"]["ok"] and checks["jobs by name"]["found"] == "37 COMPLETING"


def test_a_slurmctld_that_is_away_is_waited_for(run):
    """Accounting knows already that the job is over, and nobody answers for its name yet."""
    over = record("37", name="aifactory-20261129-101112-quickstart-00ff-service")
    at_once = Slurm(squeue=[AWAY, AWAY, rows(queue_row("37", "COMPLETED"))], sacct=[rows(over)], scontrol=[AWAY])
    checks = jobs_checked(run, at_once, at_once)
    assert checks["service job"]["ok"] and checks["jobs by name"]["found"] == "no job in the queue", checks


def test_a_slurmctld_that_stays_away_leaves_it_unknown(run):
    over = record("37", name="aifactory-20261129-101112-quickstart-00ff-service")
    away = Slurm(squeue=[AWAY], sacct=[rows(over)], scontrol=[AWAY])
    checks = jobs_checked(run, away, away)
    assert not checks["jobs by name"]["ok"] and checks["jobs by name"]["found"].startswith("unknown: "), checks


class Shell:
    """Stands for the connection: this machine's own shell."""

    def shell(self, script, *args):
        done = subprocess.run(["sh", "-c", script, "sh", *args], capture_output=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)


def test_what_prometheus_would_look_for_is_removed(tmp_path):
    folder = tmp_path / "monitoring/targets"
    folder.mkdir(parents=True)
    for name in ("id-1-clients-n1.json", "id-1-service-n2.json", "id-2-clients-n1.json", "token"):
        (folder / name).write_text("")
    cluster = {"scratch": str(tmp_path), "live_metrics": True}
    [check] = Teardown()._targets(Shell(), "id-1", cluster)
    assert check["ok"] and check["what"] == "live targets" and check["found"] == "none left"
    assert {path.name for path in folder.iterdir()} == {"id-2-clients-n1.json", "token"}
    (folder / "id-2-x.json").mkdir()
    [check] = Teardown()._targets(Shell(), "id-2", cluster)
    assert not check["ok"] and "id-2-x.json" in check["found"]
    assert Teardown()._targets(None, "id-1", {"scratch": "/s"}) == []
