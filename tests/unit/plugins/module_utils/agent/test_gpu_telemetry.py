# SPDX-License-Identifier: MIT
"""Telemetry of GPUs, with a stand-in for NVIDIA's library that is compiled here: no GPU is needed."""

from __future__ import annotations

import csv
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import gpu_telemetry, nvml


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> str:
    """The stand-in for libnvidia-ml.so.1."""
    target = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    source = Path(__file__).with_name("standin_nvml.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", target, source], check=True)
    return str(target)


@pytest.fixture
def standin(library, monkeypatch):
    """Nvml speaks with the stand-in, and the job has both GPUs."""
    monkeypatch.setitem(gpu_telemetry.SOURCES, "nvml", lambda: nvml.Nvml(library))
    monkeypatch.setenv("SLURM_JOB_GPUS", "0,1")


class Events:
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.emitted: list[tuple[str, dict]] = []

    def emit(self, event: str, **fields) -> None:
        self.emitted.append((event, fields))


def test_what_a_gpu_says(library):
    source = nvml.Nvml(library)
    first, second = source.gpus()
    assert (first.index, first.uuid, first.name, source.driver()) == (0, "GPU-0000", "stand-in 0", "570.00-standin")
    assert first.power_limit_w() == 400.0 and first.memory_total_bytes() == 40 << 30
    sample = first.sample()
    assert sample.pop("energy_j") > 0
    assert sample == {
        "utilization_percent": 75, "memory_busy_percent": 40, "memory_used_bytes": 30 << 30, "power_w": 100.0,
        "sm_clock_mhz": 1410, "memory_clock_mhz": 1215, "temperature_celsius": 61, "throttle_reasons": "",
    }  # fmt: skip
    assert second.sample()["energy_j"] is None, "a GPU without a counter says nothing, and not 0"
    assert second.sample()["throttle_reasons"] == "sw_power_cap|sw_thermal_slowdown"
    source.close()


def test_rows_of_each_gpu_and_what_they_are(standin, tmp_path):
    events, path = Events(), tmp_path / "gpu-here.csv"
    sampler = gpu_telemetry.start(str(path), events)
    time.sleep(0.2)
    told = sampler.stop()
    [(event, fields)] = events.emitted
    assert event == "gpu_telemetry_started" and [gpu["uuid"] for gpu in fields["gpus"]] == ["GPU-0000", "GPU-0001"]
    assert fields["driver"] == "570.00-standin" and fields["source"] == "nvml"
    rows = list(csv.DictReader(path.open()))
    assert tuple(rows[0]) == gpu_telemetry.COLUMNS
    assert told["samples"] * 2 == len(rows) >= 4 and told["problem"] is None
    by_uuid = {row["uuid"]: row for row in rows}
    assert by_uuid["GPU-0000"]["power_w"] == "100.0" and by_uuid["GPU-0001"]["energy_j"] == ""


def test_its_counter_grows_by_its_power(library):
    gpu = nvml.Nvml(library).gpus()[0]
    before, began = gpu.sample()["energy_j"], time.time()
    time.sleep(0.3)
    grown, seconds = gpu.sample()["energy_j"] - before, time.time() - began
    assert grown == pytest.approx(100.0 * seconds, rel=0.2)


def test_only_the_job_s_own_gpus_count(library):
    gpus = nvml.Nvml(library).gpus()

    def chosen(**environ: str) -> list[int]:
        return [gpu.index for gpu in gpu_telemetry.of_job(gpus, environ)]

    assert chosen(SLURM_JOB_GPUS="1") == [1] == chosen(CUDA_VISIBLE_DEVICES="GPU-0001")
    assert chosen(SLURM_JOB_GPUS="3") == [0, 1], "numbered anew by the site"


def test_a_job_without_gpus_asks_nobody(standin, monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_JOB_GPUS")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    events = Events()
    assert gpu_telemetry.start(str(tmp_path / "x.csv"), events) is None and events.emitted == []


def test_a_node_without_the_library_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(gpu_telemetry.SOURCES, "nvml", lambda: nvml.Nvml(str(tmp_path / "no.so")))
    monkeypatch.setenv("SLURM_JOB_GPUS", "0")
    events = Events()
    assert gpu_telemetry.start(str(tmp_path / "x.csv"), events) is None
    [(event, fields)] = events.emitted
    assert event == "gpu_telemetry_missing" and "no.so" in fields["reason"]


def test_a_library_that_lacks_a_function_is_no_crash(library):
    source = nvml.Nvml(library)
    assert source.number("nvmlDeviceGetSomethingNew", nvml.ctypes.c_uint) is None
    with pytest.raises(nvml.NvmlError, match="has no nvmlDeviceGetSomethingNew"):
        source.call("nvmlDeviceGetSomethingNew")
    with pytest.raises(nvml.NvmlError, match="Invalid Argument"):
        nvml.Gpu(source, 7)


def test_a_full_disk_ends_it_and_is_said(standin, tmp_path):
    sampler = gpu_telemetry.GpuSampler(str(tmp_path / "gpu.csv"))
    sampler.stream.close()
    sampler.stream = open("/dev/full", "w", buffering=1)  # noqa: SIM115  (stop() closes it)
    sampler.writer = csv.writer(sampler.stream)
    sampler.start()
    sampler.join(10)
    assert "No space left" in sampler.stop()["problem"]


def test_names_of_what_holds_it_back():
    assert nvml.held_back(0) == "" == nvml.held_back(1)
    assert nvml.held_back(0x4 | 0x40) == "sw_power_cap|hw_thermal_slowdown"
