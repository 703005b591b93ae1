# SPDX-License-Identifier: MIT
"""What breaks the local cluster, for real: its daemons, its nodes, and the processes of a run, by process id only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/var/lib/aifactory/local_cluster")
DIRECTORIES = {"local": ROOT / "meluxina", "local2411": ROOT / "meluxina2411"}


def read(path: str) -> str:
    """A file below /proc; empty when its process has just ended."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def processes(matches: Callable[[int], bool]) -> list[int]:
    """Ids of the processes for which `matches` holds."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if matches(pid)]


def send(number: int, pids: list[int]) -> None:
    """A signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def parent_of(pid: int) -> int:
    """The parent's process id; 0 when the process has ended."""
    words = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(words[1]) if words else 0


def descendants(pid: int) -> list[int]:
    """The process and all that it started."""
    parents = {each: parent_of(each) for each in processes(lambda _pid: True)}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


@dataclass
class Daemon:
    """One daemon of a cluster, such as slurmctld, or `slurmd -D -N mel0001`."""

    cluster: str
    command: str

    def pids(self) -> list[int]:
        """Its processes: one, or none while it is down."""
        conf = f"SLURM_CONF={DIRECTORIES[self.cluster]}/conf/slurm.conf"
        return processes(
            lambda pid: (
                read(f"/proc/{pid}/cmdline").replace("\0", " ").strip() == self.command
                and conf in read(f"/proc/{pid}/environ").split("\0")
            )
        )

    @contextlib.contextmanager
    def down(self) -> Iterator[Callable[[], None]]:
        """Killed by SIGKILL; started again by the function that this gives, or at the end."""
        pids = self.pids()
        assert pids, f"{self.command} of {self.cluster} does not run"
        argv = self.command.split()
        environment = dict(entry.split("=", 1) for entry in read(f"/proc/{pids[0]}/environ").split("\0") if entry)
        peer = Daemon(self.cluster, self._peer()).pids()[0]
        send(signal.SIGKILL, pids)

        def start() -> None:
            if not self.pids():
                # in its own mount namespace, where a newer Slurm has its own root
                subprocess.Popen(
                    ["nsenter", "-t", str(peer), "-m", "-r", "-w", *argv],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                time.sleep(1)

        try:
            yield start
        finally:
            start()

    def _peer(self) -> str:
        node = "mel4001" if self.cluster == "local" else "mfl4001"
        return f"slurmd -D -N {node}"

    @contextlib.contextmanager
    def frozen(self) -> Iterator[Callable[[], None]]:
        """Stopped by SIGSTOP, with its connections open; goes on by the function that this gives, or at the end."""
        pids = self.pids()
        assert pids, f"{self.command} of {self.cluster} does not run"
        send(signal.SIGSTOP, pids)

        def go_on() -> None:
            send(signal.SIGCONT, pids)

        try:
            yield go_on
        finally:
            go_on()


def of_run(run_id: str, *words: str) -> list[int]:
    """Processes of a run whose command line has all these words."""
    mark = f"BENCHMARK_ID={run_id}"
    return processes(
        lambda pid: (
            all(word in read(f"/proc/{pid}/cmdline").replace("\0", " ") for word in words)
            and mark in read(f"/proc/{pid}/environ").split("\0")
        )
    )


def job_processes(job_id: str) -> list[int]:
    """All processes of a Slurm job on this machine, and the slurmstepds that look after them."""
    mark = f"SLURM_JOB_ID={job_id}"
    steps = processes(lambda pid: read(f"/proc/{pid}/cmdline").startswith(f"slurmstepd: [{job_id}."))
    return steps + processes(lambda pid: mark in read(f"/proc/{pid}/environ").split("\0"))
