# SPDX-License-Identifier: MIT
"""Telemetry of this very node, cgroups of both versions from their files, and the process tree."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import process_tree, telemetry, usage


def test_rows_are_complete_and_a_second_run_adds_to_them(tmp_path):
    path = tmp_path / "service-here.csv"
    for _start in range(2):
        sampler = telemetry.Sampler(str(path), usage.Usage(), interval_s=0.05)
        sampler.start()
        time.sleep(0.3)
        told = sampler.stop()
        assert told["samples"] > 1 and told["seconds"] > 0
    lines = path.read_text().splitlines()
    assert lines[0].split(",") == list(telemetry.COLUMNS) and lines.count(lines[0]) == 1
    rows = list(csv.DictReader(lines))
    assert len(rows) >= 4
    for row in rows:
        busy = sum(float(row[f"cpu_{kind}_percent"]) for kind in ("user", "system", "iowait"))
        assert 0 <= busy <= 100.5
        assert int(row["memory_used_bytes"]) > 0 and int(row["memory_available_bytes"]) > 0
        assert float(row["disk_write_bytes_per_s"]) >= 0 and float(row["network_receive_bytes_per_s"]) >= 0
    assert [float(row["t"]) for row in rows] == sorted(float(row["t"]) for row in rows)


def test_a_kernel_without_a_source_leaves_its_columns_empty(tmp_path, monkeypatch):
    read = telemetry._read
    monkeypatch.setattr(telemetry, "_read", lambda path: "" if "pressure" in path or "meminfo" in path else read(path))
    row = telemetry.Sampler(str(tmp_path / "x.csv")).sample()
    assert "psi_cpu_some_percent" not in row and "memory_used_bytes" not in row
    assert "service_cpu_percent" not in row and "cpu_user_percent" in row


V1 = "4:memory:/slurm/uid_101/job_7/step_batch/task_0\n2:cpuacct:/slurm/uid_101/job_7/step_batch\n0::/\n"
V2 = "0::/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0\n"


def test_cgroups_of_version_1(tmp_path):
    job = "slurm/uid_101/job_7"
    (tmp_path / "memory" / job).mkdir(parents=True)
    (tmp_path / "cpuacct" / job).mkdir(parents=True)
    (tmp_path / "memory" / job / "memory.stat").write_text("cache 9\ntotal_rss 1000\ntotal_shmem 24\n")
    (tmp_path / "cpuacct" / job / "cpuacct.usage").write_text("2500000000\n")
    assert read(tmp_path, V1) == (2.5, 1024)


def test_cgroups_of_version_2(tmp_path):
    job = tmp_path / "system.slice/slurmstepd.scope/job_7"
    job.mkdir(parents=True)
    (job / "memory.stat").write_text("anon 2000\nfile 9\nshmem 48\n")
    (job / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    assert read(tmp_path, V2) == (1.5, 2048)


def read(root, text):
    made = usage.Usage()
    groups = usage.job_cgroups(text, str(root))
    made.memory_path = made._first(groups, ("", "memory.stat"), ("memory", "memory.stat"))
    made.cpu_path = made._first(groups, ("", "cpu.stat"), ("cpuacct", "cpuacct.usage"))
    return made.read()


def test_outside_of_a_job_there_is_no_cgroup(tmp_path):
    assert usage.job_cgroups("0::/user.slice/session-1.scope\n", str(tmp_path)) == {}
    assert usage.job_cgroups(V1, str(tmp_path)) == {}


@pytest.fixture
def child():
    text = "sleep 60 & echo started; while :; do :; done"
    process = subprocess.Popen(["sh", "-c", text], stdout=subprocess.PIPE, start_new_session=True)
    process.stdout.readline()
    end = time.time() + 20
    while "sleep" not in {found.name for found in process_tree.descendants(process.pid)}:  # forked, not yet executed
        assert time.time() < end
        time.sleep(0.01)
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_cpu_of_processes_that_have_ended_is_kept(child, monkeypatch):
    monkeypatch.setattr(usage, "job_cgroups", dict)
    measured = usage.Usage()
    end = time.time() + 20
    while measured.read()[0] < 0.2:
        assert time.time() < end
        time.sleep(0.05)
    before, memory = measured.read()
    assert memory > 100_000
    child.kill()
    child.wait()
    assert measured.read()[0] >= before


def test_a_process_that_ends_between_two_sums_takes_nothing_back(monkeypatch):
    monkeypatch.setattr(usage, "job_cgroups", dict)
    sums = iter([16.17, 9.0, 16.169999999999998, 16.2])
    monkeypatch.setattr(process_tree, "cpu_s", lambda _processes: next(sums))
    measured = usage.Usage()
    assert [measured.read()[0] for _reading in range(4)] == [16.17, 16.17, 16.17, 16.2]


def test_descendants_and_their_end(child):
    names = {process.name for process in process_tree.descendants(child.pid)}
    assert "sleep" in names
    assert child.pid in {process.pid for process in process_tree.running()}
    assert {process.pid for process in process_tree.family()} >= {child.pid}
    assert "sleep" in {process.name for process in process_tree.family(child.pid)}
    assert process_tree.descendants(2**22 + 1) == process_tree.family(2**22 + 1) == []


def test_a_process_name_may_hold_anything():
    text = "12 (a) b (c) R 1 12 12 0 -1 4194560 1 0 0 0 150 50 20 10 20 0 1 0 100 0 0 0 0"
    process = process_tree.Process(12, text)
    assert (process.name, process.state, process.parent) == ("a) b (c", "R", 1)
    assert process.cpu_s == pytest.approx(230 / os.sysconf("SC_CLK_TCK"))


def test_the_energy_of_packages_adds_up_and_survives_a_counter_s_start_anew(tmp_path):
    for number, energy in enumerate((900, 100)):
        package = tmp_path / f"intel-rapl:{number}"
        (package / "intel-rapl:0:0").mkdir(parents=True)
        (package / "max_energy_range_uj").write_text("1000\n")
        (package / "energy_uj").write_text(f"{energy}\n")
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of the first package
    (tmp_path / "intel-rapl:0:0/energy_uj").write_text("7\n")
    energy = telemetry.CpuEnergy(str(tmp_path))
    assert energy.read() == 0
    (tmp_path / "intel-rapl:0/energy_uj").write_text("50\n")
    (tmp_path / "intel-rapl:1/energy_uj").write_text("300\n")
    assert energy.read() == pytest.approx((150 + 200) / 1e6)
    (tmp_path / "intel-rapl:1/energy_uj").unlink()  # as where root alone may read it
    assert energy.read() is None


def test_a_node_that_does_not_tell_its_energy_has_an_empty_column(tmp_path):
    assert telemetry.CpuEnergy(str(tmp_path)).read() is None
    assert "cpu_power_w" in telemetry.COLUMNS
