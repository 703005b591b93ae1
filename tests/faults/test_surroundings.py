# SPDX-License-Identifier: MIT
"""What is between controller and cluster, and around the run: ssh, the shared disk, the registry."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from ..integration.conftest import assert_nothing_left, eventually, ssh
from ..integration.standin.registry import Registry
from .conftest import PHASES, later
from .injectors import Daemon, parent_of, processes, send, within

pytestmark = pytest.mark.fault
SCRATCH = Path("/var/lib/aifactory/local_cluster/scratch")


def connections(cluster: str) -> list[int]:
    """The processes of sshd that each have a connection."""
    listener = Daemon(cluster, "sshd").pid
    return processes(lambda pid: parent_of(pid) == listener)


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "before submit"])
def test_the_connection_is_dropped(begin, cluster, phase):
    run = begin(phase)
    send(signal.SIGKILL, connections(cluster))
    run.finishes()


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "before submit"])
def test_the_connection_is_refused_for_a_while(begin, cluster, phase):
    run = begin(phase)
    with Daemon(cluster, "sshd").down(*connections(cluster)) as back:
        waiting = later(15, back)
        run.end()
        waiting.join()
        run.finishes()


def test_a_cluster_that_cannot_be_reached_at_all_is_told_at_once(play, recipe, cluster):
    with Daemon(cluster, "sshd").down(*connections(cluster)):
        played = play("run", "-e", f"recipe={recipe()}", limit=cluster)
    assert played.rc != 0 and "can't be reached" in played.output and "ansible_host" in played.output, played.output
    assert eventually(lambda: ssh(cluster, "echo back", check=False)), "sshd has been started, and may need a moment"
    assert_nothing_left(played.run_ids(), [cluster])


class Disk:
    """A scratch directory on a small disk of its own, where the cluster's nodes see it."""

    def __init__(self, cluster: str) -> None:
        self.cluster, self.path = cluster, SCRATCH / f"test-disk-{cluster}"

    def do(self, *argv: str) -> str:
        """The output of a command that sees it; it need not succeed."""
        return subprocess.run(within(self.cluster, *argv), capture_output=True, text=True, check=False).stdout

    def fill(self) -> None:
        """Not a byte is free afterwards."""
        self.do("dd", "if=/dev/zero", f"of={self.path}/filler", "bs=4k", "conv=notrunc", "oflag=append")
        assert self.do("df", "--output=avail", str(self.path)).split()[-1] == "0"

    def runs(self) -> list[str]:
        """What lies in its folder of runs."""
        return self.do("ls", "-A", f"{self.path}/runs").split()


@pytest.fixture
def disk(cluster):
    """See Disk."""
    disk = Disk(cluster)
    disk.path.mkdir(exist_ok=True)
    disk.do("mount", "-t", "tmpfs", "-o", "size=8m,mode=1777", "tmpfs", str(disk.path))
    yield disk
    path = f" {disk.path} "
    assert eventually(lambda: disk.do("umount", str(disk.path)) or path not in disk.do("cat", "/proc/self/mounts"), 30)
    disk.path.rmdir()


@pytest.mark.parametrize("phase", ["starting", "warm-up", "measuring"])
def test_the_disk_of_the_run_directory_is_full(begin, disk, phase):
    run = begin(phase, "-e", f"benchmark_scratch={disk.path}", benchmarks="  repetitions: 2", duration="6s")
    if phase == "measuring":
        run.until("repetition 2")  # the first one is written by then
    disk.fill()
    run.ends("No space left on device", "make room below benchmark_scratch", results=phase == "measuring")
    assert disk.runs() == []


@pytest.mark.parametrize("phase", ["collecting", "teardown"])
def test_a_disk_that_fills_up_late_does_no_harm(begin, disk, phase):
    run = begin(phase, "-e", f"benchmark_scratch={disk.path}")
    disk.fill()
    run.finishes()


def test_a_disk_without_room_is_told_before_anything_is_submitted(play, recipe, disk, cluster):
    disk.do("install", "-d", "-m", "0777", f"{disk.path}/runs")
    disk.fill()
    arguments = ("-e", f"recipe={recipe()}", "-e", f"benchmark_scratch={disk.path}")
    played = play("run", *arguments, limit=cluster)
    assert played.rc != 0 and "No space left on device" in played.output, played.output
    assert "benchmark_scratch" in played.output
    assert disk.runs() == []


def test_a_pull_that_breaks_off_leaves_nothing_and_the_next_one_succeeds(play, home, recipe, cluster, tmp_path):
    text = """
service: {{image: "docker://{name}:1", command: "true", port: 8080, time_limit: "00:05:00"}}
client: {{command: "true"}}
benchmarks: {{duration: 1s}}
"""
    with Registry() as registry:
        accounts = {"benchmark_registries": {registry.name.partition("/")[0]: {"insecure": True}}}
        (tmp_path / "accounts.json").write_text(json.dumps(accounts))
        path, cache = recipe(text.format(name=registry.name)), f"{SCRATCH}/u101/{cluster}/cut-images"
        arguments = ("-e", f"recipe={path}", "-e", f"@{tmp_path}/accounts.json", "-e", f"benchmark_image_cache={cache}")
        registry.cut = True
        played = play("run", *arguments, limit=cluster)
        assert played.rc != 0 and "the image job failed" in played.output, played.output
        assert not ssh(cluster, f"find {cache} -name '*.sif*' -not -name '*.lock'"), "half an image"
        assert_nothing_left(played.run_ids(), [cluster])
        registry.cut = False
        played = play("run", *arguments, limit=cluster)
    assert "image ready" in played.output, played.output
    assert_nothing_left(played.run_ids(), [cluster])
    ssh(cluster, f"rm -rf {cache}")
