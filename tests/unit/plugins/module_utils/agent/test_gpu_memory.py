# SPDX-License-Identifier: MIT
"""Whether GPUs have their memory back, with a stand-in for nvidia-smi: no GPU is needed here."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import gpu_memory


@pytest.fixture
def standin_nvidia_smi(tmp_path, monkeypatch):
    """A program of that name that prints what the function is given."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    monkeypatch.delenv("SLURM_JOB_GPUS", raising=False)

    def says(*used_mib: int) -> None:
        lines = [f"{number}, GPU-{number:04x}, {mib}" for number, mib in enumerate(used_mib)]
        (tmp_path / "answer").write_text("\n".join(lines) + "\n")

    return says


def test_only_the_job_s_own_gpus_count(standin_nvidia_smi):
    standin_nvidia_smi(10, 20, 30)
    assert gpu_memory.used_bytes() == {"GPU-0000": 10 << 20, "GPU-0002": 30 << 20}
    memory = gpu_memory.GpuMemory()
    standin_nvidia_smi(10, 70000, 31)
    assert memory.freed(0) is True


def test_memory_that_is_held_is_found(standin_nvidia_smi):
    standin_nvidia_smi(10, 20, 30)
    memory = gpu_memory.GpuMemory()
    standin_nvidia_smi(10, 20, 40000)
    assert memory.freed(0) is False


def test_gpus_that_the_site_numbers_anew(standin_nvidia_smi, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_GPUS", "3")
    standin_nvidia_smi(7)
    assert gpu_memory.used_bytes() == {"GPU-0000": 7 << 20}


def test_without_a_gpu_or_anybody_to_ask_nobody_can_tell(standin_nvidia_smi, monkeypatch, tmp_path):
    (tmp_path / "answer").write_text("No devices were found\n")
    assert gpu_memory.GpuMemory().freed(0) is None
    standin_nvidia_smi(1)
    memory = gpu_memory.GpuMemory()
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert memory.freed(0) is None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert gpu_memory.used_bytes() is None
