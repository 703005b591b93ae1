# SPDX-License-Identifier: MIT
"""Service, conductor and clients together, with real processes and no Slurm: what a whole run leaves."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest


def rows(run):
    with open(run.path("results/results.csv"), newline="") as stream:
        return list(csv.DictReader(stream))


def value(run, **wanted):
    found = [row for row in rows(run) if all(row[key] == str(want) for key, want in wanted.items())]
    assert len(found) == 1, (wanted, found)
    return float(found[0]["value"])


def test_pgbench_against_postgresql(run, postgresql):
    run.spec["clients"]["count"] = 3
    run.spec["benchmarks"]["cases"] = [
        {"name": "max", "concurrency": 2, "rate": None},
        {"name": "half", "concurrency": 2, "rate": "20%"},
    ]
    service = run.start("service", *postgresql)
    clients = run.start("clients")
    assert clients.wait(60) == 0, run.output()
    assert service.wait(20) == 0, run.output()

    names = [event["event"] for event in run.events("clients")]
    assert names[0] == "job_started" and names[-1] == "done"
    assert [name for name in names if name.startswith(("warmup", "measure", "merged"))] == [
        "warmup_started",
        "measure_started",
        "measure_ended",
        "merged",
    ] * 2
    assert run.event("clients", "clients_ready")["count"] == 3
    progress = [event for event in run.events("clients") if event["event"] == "progress"]
    assert progress and progress[-1]["operations"] > 0
    assert all(event["response_time_mean_s"] is None or event["response_time_mean_s"] > 0 for event in progress)

    cases = run.json("results/cases.json")
    assert [case["case"] for case in cases] == ["max", "half"]
    for case in cases:
        assert case["clients"] == 3 and case["failed_clients"] == [] and case["errors"] == {}
        assert case["measure_end"] - case["measure_start"] == pytest.approx(1.0)
        assert set(case["client_cpu_percent"]) == {"0", "1", "2"}
        assert all(0.5 < percent < 100 for percent in case["client_cpu_percent"].values())
        name = case["case"]
        done = value(run, case=name, client="all", metric="operations")
        assert done == sum(value(run, case=name, client=n, metric="operations") for n in range(3)) > 0
        assert value(run, case=name, client="all", metric="response_time", statistic="count") == done
        assert value(run, case=name, client="all", metric="throughput") == pytest.approx(done)
        assert run.json(case["histograms"]["response_time"])["count"] == done
        series = list(csv.DictReader(run.path(case["series"]).read_text().splitlines()))
        assert {row["phase"] for row in series} == {"warmup", "measure"}
    reached = value(run, case="max", client="all", metric="throughput")
    assert cases[1]["offered_rate_per_s"] == pytest.approx(0.2 * reached)
    assert value(run, case="half", client="all", metric="schedule_lag", statistic="count") > 0

    stopped = run.event("service", "stopped")
    assert (stopped["port_closed"], stopped["processes_left"], stopped["data_removed"]) == (True, 0, True)
    assert stopped["secrets_removed"] and stopped["problems"] == []
    assert not run.path("secrets").exists()
    assert run.leftovers() == []
    telemetry = list(csv.DictReader(next(run.path("telemetry").glob("service-*.csv")).read_text().splitlines()))
    assert float(telemetry[-1]["service_memory_bytes"]) > 10e6


def test_the_password_is_nowhere(run, postgresql):
    run.spec["benchmarks"]["warmup_s"] = 0
    service = run.start("service", *postgresql)
    run.wait_event("service", "healthy")
    password = run.path("secrets/password").read_text().strip()
    assert len(password) >= 24
    assert run.path("secrets").stat().st_mode & 0o777 == 0o700
    assert run.path("secrets/password").stat().st_mode & 0o777 == 0o600
    clients = run.start("clients")
    run.wait_event("clients", "setup_started")
    seen = b""
    while clients.poll() is None:
        seen += b"".join(command_lines())
    assert clients.returncode == 0 and service.wait(20) == 0
    assert b"pgbench" in seen and password.encode() not in seen
    for path in run.root.rglob("*"):
        assert not path.is_file() or password not in path.read_text(errors="replace"), path


def command_lines():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue  # ended meanwhile


def test_a_command_counts_its_failures_and_reports_its_metrics(run):
    run.spec["service"].update(port=None, health={}, secrets=[], data=False)
    run.spec["clients"].update(
        count=2,
        command='echo "out $CLIENT_ID"; echo "{\\"answer\\": {\\"value\\": 42, \\"unit\\": \\"B\\"}}" '
        '> "$BENCHMARK_OUTPUT_DIR/metrics.json"; [ "$CLIENT_ID" = 0 ] || { echo broken >&2; exit 3; }',
    )
    run.spec["benchmarks"].update(duration_s=None, requests=5, warmup_s=0)
    service = run.start("service", "sleep", "60")
    assert run.start("clients").wait(60) == 0, run.output()
    assert service.wait(20) == 0
    (case,) = run.json("results/cases.json")
    assert case["errors"]["exit 3"]["count"] == 5 and "broken" in case["errors"]["exit 3"]["example"]
    assert value(run, client="all", metric="operations") == 5
    assert value(run, client=1, metric="operations") == 0
    assert value(run, client="all", metric="errors") == 5
    assert value(run, client="all", metric="answer", statistic="count") == 10
    assert value(run, client="all", metric="answer", statistic="p99", unit="B") == 42
    assert "out 1" in run.path("logs/client-001.log").read_text()


def test_the_cpu_of_commands_is_the_client_s(run):
    run.spec["service"].update(port=None, health={}, secrets=[], data=False)
    run.spec["clients"]["command"] = "timeout 0.4 sh -c 'while :; do :; done'; true"
    run.spec["benchmarks"].update(duration_s=None, requests=3, warmup_s=0)
    run.start("service", "sleep", "60")
    assert run.start("clients").wait(60) == 0, run.output()
    (case,) = run.json("results/cases.json")
    assert case["client_cpu_percent"]["0"] > 20 / len(os.sched_getaffinity(0))


def test_repetitions_and_an_open_loop(run):
    run.spec["service"].update(port=None, health={}, secrets=[], data=False)
    run.spec["clients"].update(count=2, command="sleep 0.01", settings={"arrival": "constant"})
    run.spec["benchmarks"].update(
        repetitions=2, warmup_s=0, cases=[{"name": "steady pace", "concurrency": 3, "rate": 20}]
    )
    service = run.start("service", "sleep", "60")
    assert run.start("clients").wait(60) == 0, run.output()
    assert service.wait(20) == 0
    cases = run.json("results/cases.json")
    assert [case["repetition"] for case in cases] == [1, 2]
    assert value(run, repetition=2, client="all", metric="operations") == pytest.approx(20, abs=2)
    assert run.path("results/series-steady_pace-2.csv").exists()
    assert run.path("histograms/steady_pace-2-schedule_lag.json").exists()
