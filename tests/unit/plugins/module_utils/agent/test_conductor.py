# SPDX-License-Identifier: MIT
"""The conductor when things go wrong: lost clients, a dead service, a stop, a signal."""

from __future__ import annotations

import os
import signal

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.launcher import lost_tasks, srun_argv


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


def test_a_dead_service_ends_the_run_at_once_with_its_log(plain):
    plain.spec["benchmarks"]["duration_s"] = 60
    service = plain.start("service", "sh", "-c", "sleep 3; echo out of memory; exit 137")
    clients = plain.start("clients")
    assert clients.wait(40) == 1
    assert service.wait(20) == 1
    failed = plain.event("clients", "failed")
    assert "the service failed: the service ended with exit code 137" in failed["reason"]
    assert failed["log_tail"] == ["out of memory"]
    assert plain.json("control/clients.done")["ok"] is False


def test_a_service_that_is_cancelled_leaves_no_result_of_the_case(run, postgresql):
    run.spec["benchmarks"]["duration_s"] = 60
    service = run.start("service", *postgresql)
    clients = run.start("clients")
    run.wait_event("clients", "measure_started")
    service.send_signal(signal.SIGTERM)
    assert clients.wait(30) == 1 and service.wait(20) == 128 + signal.SIGTERM
    assert "the service" in run.event("clients", "failed")["reason"]
    assert not run.path("results/cases.json").exists()
    assert not any(event["event"] == "measure_ended" for event in run.events("clients"))


def test_a_service_that_cannot_start_is_not_waited_for(plain):
    service = plain.start("service", "false")
    clients = plain.start("clients")
    assert clients.wait(30) == 1 and service.wait(20) == 1
    assert "exit code 1 while it was starting" in plain.event("clients", "failed")["reason"]


def test_a_signal_keeps_the_finished_cases(plain):
    plain.spec["benchmarks"].update(cases=[{"name": "short", "concurrency": 1}, {"name": "long", "concurrency": 1}])
    service = plain.start("service", "sleep", "600")
    clients = plain.start("clients")
    while plain.wait_event("clients", "measure_started")["case"] != "long":
        pass
    clients.send_signal(signal.SIGTERM)
    assert clients.wait(30) == 128 + signal.SIGTERM
    assert service.wait(20) == 0
    assert [case["case"] for case in plain.json("results/cases.json")] == ["short"]
    assert plain.event("clients", "failed")["reason"].startswith("SIGTERM")
    assert plain.json("clients/000/long-1.json")["interrupted"] is True
    assert plain.leftovers() == [] and clients_of(plain) == {}


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
