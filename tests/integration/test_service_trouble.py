# SPDX-License-Identifier: MIT
"""What goes wrong with a service, for real: the cause and the remedy are on the screen, and nothing is left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import CLUSTERS, assert_nothing_left

pytestmark = pytest.mark.integration

SCRATCH = Path("/var/lib/aifactory/local_cluster/scratch")
OUT_OF_MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"


def container(command: str, time_limit: str = "00:05:00") -> str:
    """A recipe whose service is this command."""
    return f"""
service:
  image: {SCRATCH.parent}/images/tools.sif
  command: "{command}"
  port: 8080
  time_limit: "{time_limit}"
client: {{command: "true"}}
benchmarks: {{duration: 1s}}
"""


@pytest.mark.parametrize(
    ("command", "cause", "remedy"),
    [
        (f"echo '{OUT_OF_MEMORY}' >&2; exit 1", "the GPU's memory is too small", "service.num_gpus"),
        # the port of the cluster's own sshd
        (f"python3 -m http.server {CLUSTERS['local']}", "a port is taken on this node", "leave service.port out"),
        ("no-such-program", "a program is not in the image", "service.command"),
        ("kill -9 $$", "it was killed", "service.memory"),
    ],
)
def test_the_log_of_the_service_tells_the_cause(play, recipe, command, cause, remedy):
    played = play("run", "-e", f"recipe={recipe(container(command))}")
    text = " ".join(played.output.split())
    assert played.rc != 0
    assert cause in text and remedy in text, played.output
    assert_nothing_left(played.run_ids())


@pytest.fixture
def small_disk():
    """A disk with room for two megabytes."""
    folder = SCRATCH / "test-small-disk"
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=1777", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_disk_that_is_full(play, recipe, small_disk):
    played = play("run", "-e", f"recipe={recipe()}", "-e", f"benchmark_node_tmp={small_disk}")
    text = " ".join(played.output.split())
    assert played.rc != 0
    assert "a disk is full" in text and "more room below benchmark_node_tmp" in text, played.output
    assert_nothing_left(played.run_ids())
    assert not list(small_disk.iterdir())


def test_a_time_limit_shorter_than_the_start(play, recipe):
    played = play("run", "-e", f"recipe={recipe(container('sleep 600', '00:02:00'))}", timeout_s=300)
    text = " ".join(played.output.split())
    assert played.rc != 0
    assert "time limit of 120 s while it was starting, or was cancelled: raise service.time_limit" in text, (
        played.output
    )
    assert_nothing_left(played.run_ids())
