# SPDX-License-Identifier: MIT
"""The conductor when things go wrong: lost clients, a dead service, a stop, a signal."""

from __future__ import annotations

import csv
import json
import os
import signal
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.launcher import (
    is_unanswered,
    lost_tasks,
    srun_argv,
)


@pytest.fixture
def plain(run):
    """A service without a port, and clients that execute a command on the host."""
    run.spec["service"].update(port=None, health={}, secrets=[], data=False)
    run.spec["clients"].update(count=3, command="sleep 0.05")
    return run


def clients_of(run):
    """Client number -> pid of its process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                line = stream.read()
            with open(f"/proc/{pid}/environ", "rb") as stream:
                env = dict(item.split(b"=", 1) for item in stream.read().split(b"\0") if b"=" in item)
        except OSError:
            continue
        if b"\0client\0" in line and str(run.root).encode() in line:
            found[int(env[b"AIFACTORY_CLIENT"])] = int(pid)
    return found


def wait_measuring(run, case, deadline_s=30):
    """Until the clients have done something in the measurement of a case."""
    end = time.time() + deadline_s
    while not any(
        event["event"] == "progress" and (event["case"], event["phase"]) == (case, "measure") and event["operations"]
        for event in run.events("clients")
    ):
        assert time.time() < end, run.output()
        time.sleep(0.02)


def test_a_killed_client_is_named_and_the_others_go_on(plain):
    plain.spec["benchmarks"].update(duration_s=2, cases=[{"name": "a", "concurrency": 1, "rate": 30}, {"name": "b"}])
    service = plain.start("service", "sleep", "600")
    clients = plain.start("clients")
    plain.wait_event("clients", "measure_started")
    os.kill(clients_of(plain)[1], signal.SIGKILL)
    assert clients.wait(60) == 0, plain.output()
    assert service.wait(20) == 0
    first, second = plain.json("results/cases.json")
    for case in (first, second):
        assert case["clients"] == 2
        assert case["failed_clients"] == [{"client": 1, "reason": "ended with exit code -9"}]
    assert sorted(first["client_cpu_percent"]) == ["0", "2"]
    assert plain.leftovers() == []


def test_a_dead_service_ends_the_run_at_once_with_its_log_and_what_was_measured(plain):
    plain.spec["benchmarks"]["duration_s"] = 60
    # it dies when the clients have measured for a while
    dies = f"while ! [ -e {plain.path('die')} ]; do sleep 0.1; done; echo out of memory; exit 137"
    service = plain.start("service", "sh", "-c", dies)
    clients = plain.start("clients")
    wait_measuring(plain, "max")
    plain.path("die").write_text("")
    assert clients.wait(40) == 1
    assert service.wait(20) == 1
    failed = plain.event("clients", "failed")
    assert "the service failed: the service ended with exit code 137" in failed["reason"]
    assert failed["log_tail"] == ["out of memory"]
    assert plain.json("control/clients.done")["ok"] is False
    (case,) = plain.json("results/cases.json")
    assert (case["cut"], case["clients"], case["failed_clients"]) == ("service failed", 3, [])
    assert 0 < case["measure_end"] - case["measure_start"] < 60
    assert plain.event("clients", "cut")["reason"] == "service failed"
    merged = plain.event("clients", "merged")
    assert merged["operations"] > 0 and merged["t"] <= failed["t"]


def test_a_service_that_is_cancelled_leaves_what_was_measured(run, postgresql):
    """pgbench ends with an error when its server does: its log until then counts all the same."""
    run.spec["benchmarks"]["duration_s"] = 60
    service = run.start("service", *postgresql)
    clients = run.start("clients")
    wait_measuring(run, "max")
    service.send_signal(signal.SIGTERM)
    assert clients.wait(30) == 1 and service.wait(20) == 128 + signal.SIGTERM
    assert "the service" in run.event("clients", "failed")["reason"]
    (case,) = run.json("results/cases.json")
    assert case["cut"] == "service failed"
    assert 0 < case["measure_end"] - case["measure_start"] < 60
    assert run.event("clients", "merged")["operations"] > 0


def test_a_service_that_cannot_start_is_not_waited_for(plain):
    service = plain.start("service", "false")
    clients = plain.start("clients")
    assert clients.wait(30) == 1 and service.wait(20) == 1
    assert "exit code 1 while it was starting" in plain.event("clients", "failed")["reason"]


def test_a_signal_keeps_what_was_measured(plain):
    plain.spec["benchmarks"].update(
        duration_s=4, cases=[{"name": "short", "concurrency": 1}, {"name": "long", "concurrency": 1}]
    )
    service = plain.start("service", "sleep", "600")
    clients = plain.start("clients")
    wait_measuring(plain, "long")
    clients.send_signal(signal.SIGTERM)
    assert clients.wait(30) == 128 + signal.SIGTERM
    assert service.wait(20) == 0
    short, long = plain.json("results/cases.json")
    assert (short["case"], short["cut"], short["order"]) == ("short", None, 0)
    assert (long["case"], long["cut"], long["order"]) == ("long", "stopped", 1)
    assert long["measure_end"] - long["measure_start"] < 4 and long["failed_clients"] == []
    assert plain.event("clients", "cut")["why"].startswith("SIGTERM")
    assert plain.event("clients", "failed")["reason"].startswith("SIGTERM")
    assert plain.json("clients/000/long-1.json")["interrupted"] is True
    assert plain.leftovers() == [] and clients_of(plain) == {}


def test_a_signal_to_every_process_keeps_it_too(plain):
    """As scancel does: the clients are told at the same time as the conductor."""
    plain.spec["benchmarks"].update(duration_s=60, cases=[{"name": "a", "concurrency": 1}])
    service = plain.start("service", "sleep", "600")
    clients = plain.start("clients")
    wait_measuring(plain, "a")
    for pid in clients_of(plain).values():
        os.kill(pid, signal.SIGTERM)
    clients.send_signal(signal.SIGTERM)
    assert clients.wait(30) == 128 + signal.SIGTERM and service.wait(20) == 0
    (case,) = plain.json("results/cases.json")
    assert (case["cut"], case["clients"], case["failed_clients"]) == ("stopped", 3, [])
    assert plain.leftovers() == [] and clients_of(plain) == {}


@pytest.mark.parametrize("after_s", [0.1, 0.9, 1.6, 2.3, 2.9])
def test_a_signal_at_any_moment_leaves_files_that_can_be_read(plain, after_s):
    cases = [{"name": f"case {number}", "concurrency": 1} for number in range(20)]
    plain.spec["benchmarks"].update(duration_s=0.2, warmup_s=0.1, repetitions=3, cases=cases)
    service = plain.start("service", "sleep", "600")
    clients = plain.start("clients")
    plain.wait_event("clients", "job_started")
    time.sleep(after_s)
    clients.send_signal(signal.SIGTERM)
    assert clients.wait(40) == 128 + signal.SIGTERM and service.wait(20) == 0
    for path in plain.path("results").parent.rglob("*.json"):
        json.loads(path.read_text())
    merged = [event for event in plain.events("clients") if event["event"] == "merged"]
    measured = [(event["case"], event["repetition"]) for event in merged]
    found = plain.json("results/cases.json") if measured else []
    assert [(case["case"], case["repetition"]) for case in found] == measured
    assert all(case["cut"] is None for case in found[:-1])
    for case in found:
        assert plain.path(case["series"]).exists() and plain.json(case["histograms"]["response_time"])["count"]
    if found:
        with open(plain.path("results/results.csv"), newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert {(row["case"], int(row["repetition"])) for row in rows} == set(measured)
    assert [path.name for path in plain.path("results").parent.rglob("*.part-*")] == []
    assert plain.leftovers() == []


def test_a_stop_file_ends_both(plain):
    plain.spec["benchmarks"]["duration_s"] = 60
    service = plain.start("service", "sleep", "600")
    clients = plain.start("clients")
    plain.wait_event("clients", "measure_started")
    plain.path("control/stop").write_text("")
    assert clients.wait(30) == 1 and service.wait(30) == 0
    assert plain.event("clients", "failed")["reason"] == "stop was requested"
    assert plain.leftovers() == []


def test_when_every_client_fails_the_first_reason_is_given(run, postgresql):
    run.spec["clients"].update(count=2, settings={"scale": 1, "scripts": [{"sql": "SELECT * FROM nothing;"}]})
    service = run.start("service", *postgresql)
    clients = run.start("clients")
    assert clients.wait(60) == 1 and service.wait(20) == 0
    reason = run.event("clients", "failed")["reason"]
    assert "every client failed in case max, repetition 1: client 0:" in reason and "(and 1 more)" in reason
    assert 'relation "nothing" does not exist' in reason


def test_a_failing_set_up_shows_its_output(run, postgresql):
    run.spec["clients"]["settings"] = {"scale": 1, "setup_sql": "SELECT 1/0;\n"}
    run.start("service", *postgresql)
    clients = run.start("clients")
    assert clients.wait(60) == 1
    assert "the set-up ended with exit code" in run.event("clients", "failed")["reason"]
    assert "division by zero" in run.event("clients", "failed")["reason"]


def test_a_set_up_that_fails_since_the_service_has_died_says_that(run, postgresql):
    run.spec["clients"]["settings"] = {"scale": 1, "setup_sql": "SELECT pg_sleep(60);\n"}
    service = run.start("service", *postgresql)
    clients = run.start("clients")
    run.wait_event("clients", "setup_started")
    os.kill(run.event("service", "container_started")["pid"], signal.SIGKILL)
    assert clients.wait(60) == 1 and service.wait(20) == 1
    assert run.event("clients", "failed")["reason"].startswith("the service failed: the service ended with exit code")


def test_settings_of_pgbench_reach_it(run, postgresql):
    run.spec["clients"].update(
        settings={
            "scale": 1,
            "initialize": False,
            "setup_sql": "CREATE TABLE t (v int);\nINSERT INTO t SELECT generate_series(1, 9);\n",
            "scripts": [{"sql": "SELECT sum(v) FROM t;\n", "weight": 2}, {"sql": "SELECT 1;"}],
            "protocol": "prepared",
            "extra_arguments": ["--max-tries=3"],
        }
    )
    run.spec["benchmarks"].update(duration_s=None, requests=50, cases=[{"name": "c", "concurrency": 2, "rate": None}])
    service = run.start("service", *postgresql)
    clients = run.start("clients")
    assert clients.wait(60) == 0, run.output()
    assert service.wait(20) == 0
    (case,) = run.json("results/cases.json")
    assert run.json(case["histograms"]["response_time"])["count"] == 50
    assert "query mode: prepared" in run.path("logs/client-000.log").read_text()


def test_what_srun_says_about_its_tasks():
    assert lost_tasks("srun: error: mel0001: task 3: Exited with exit code 1") == ([3], "Exited with exit code 1")
    assert lost_tasks("srun: error: mel0001: tasks 0,5-7: Killed") == ([0, 5, 6, 7], "Killed")
    assert lost_tasks("srun: error: mel0002: task 1: Out Of Memory\n") == ([1], "Out Of Memory")
    assert lost_tasks("srun: job 7 queued and waiting for resources") == ([], "")
    assert srun_argv(64)[:2] == ["srun", "--ntasks=64"]


def test_what_srun_says_when_slurmctld_is_away():
    assert is_unanswered(
        [
            "srun: error: Unable to confirm allocation for job 64: Socket timed out on send/recv operation",
            "srun: Check SLURM_JOB_ID environment variable. Expired or invalid job 64",
        ]
    )
    assert is_unanswered(
        ["srun: error: Unable to create step for job 7: Unable to contact slurm controller (connect failure)"]
    )
    assert not is_unanswered(["srun: error: Unable to create step for job 7: Invalid account specified"])
    assert not is_unanswered(["srun: error: mel0001: task 0: Exited with exit code 1"])


STANDIN_SRUN = """\
#!/bin/sh
echo x >> {calls}
if [ $(wc -l < {calls}) -lt {succeeds_at} ]; then
  echo "srun: error: Unable to confirm allocation for job 7: {words}" >&2
  exit 1
fi
while [ "${{1#--}}" != "$1" ]; do shift; done
SLURM_PROCID=0 exec "$@"
"""


@pytest.fixture
def clients_by_standin_srun(plain, monkeypatch):
    """Starts the clients' agent with a srun of one task that fails with these words until its n-th call."""
    folder = plain.root / "bin"
    folder.mkdir()
    plain.spec["clients"].update(count=1)
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def start(succeeds_at: int, words: str):
        text = STANDIN_SRUN.format(calls=plain.root / "calls", succeeds_at=succeeds_at, words=words)
        (folder / "srun").write_text(text)
        (folder / "srun").chmod(0o755)
        (plain.root / "calls").touch()
        (plain.root / "calls").chmod(0o666)
        plain.start("service", "sleep", "600")
        return plain.start("clients", SLURM_JOB_ID="7")

    return start


def test_clients_are_started_again_when_slurmctld_did_not_answer(plain, clients_by_standin_srun):
    clients = clients_by_standin_srun(3, "Socket timed out on send/recv operation")
    assert clients.wait(60) == 0, plain.output()
    assert (plain.root / "calls").read_text() == "x\n" * 3
    assert plain.json("results/cases.json")


def test_an_allocation_that_is_refused_is_no_reason_to_try_again(plain, clients_by_standin_srun):
    assert clients_by_standin_srun(2, "Invalid job id specified").wait(60) == 1
    assert (plain.root / "calls").read_text() == "x\n"
    [failed] = [event for event in plain.events("clients") if event["event"] == "failed"]
    assert "no client started" in failed["reason"]
