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

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import processes as records

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
    """One daemon of a cluster by the name of its pid file: slurmctld, slurmdbd, slurmd.NODE, sshd."""

    cluster: str
    name: str

    @property
    def pid_file(self) -> Path:
        """Where the local cluster notes it."""
        return DIRECTORIES[self.cluster] / f"run/{self.name}.pid"

    @property
    def pid(self) -> int:
        """Its process id."""
        record = records.parse_record(self.pid_file.read_text())
        assert records.is_running(record), f"{self.name} of {self.cluster} does not run"
        return record.pid

    @contextlib.contextmanager
    def down(self, *others: int) -> Iterator[Callable[[], None]]:
        """Killed by SIGKILL, `others` with it; started again by the function that this gives, or at the end."""
        pid, fingerprint = self.pid, records.parse_record(self.pid_file.read_text()).fingerprint
        # sshd writes more into its title than how it was started
        argv = read(f"/proc/{pid}/cmdline").removeprefix("sshd: ").split(" [listener]")[0].replace("\0", " ").split()
        # of all daemons of a cluster the same; sshd's title lies over its own
        peer = read(f"/proc/{Daemon(self.cluster, 'munged').pid}/environ")
        environment = dict(entry.split("=", 1) for entry in peer.split("\0") if entry)
        again: list[subprocess.Popen] = []
        send(signal.SIGKILL, [pid, *others])

        def start() -> None:
            if not again:
                again.append(
                    subprocess.Popen(
                        within(self.cluster, *argv),
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )
                )
                self.pid_file.write_text(records.record_of(again[0].pid, fingerprint).line())

        try:
            yield start
        finally:
            start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[Callable[[], None]]:
        """Stopped by SIGSTOP, with its connections open; goes on by the function that this gives, or at the end."""
        pid = self.pid
        send(signal.SIGSTOP, [pid])

        def go_on() -> None:
            send(signal.SIGCONT, [pid])

        try:
            yield go_on
        finally:
            go_on()


@contextlib.contextmanager
def without_accounting(cluster: str) -> Iterator[None]:
    """slurmctld started anew without any accounting, and with it again at the end."""
    conf = DIRECTORIES[cluster] / "conf/slurm.conf"
    text = conf.read_text()
    lines = text.splitlines(keepends=True)
    try:
        saved(cluster)  # else it comes back with jobs that are over
        with Daemon(cluster, "slurmctld").down():
            conf.write_text("".join(line for line in lines if not line.startswith("Accounting")))
        yield
    finally:
        saved(cluster)
        with Daemon(cluster, "slurmctld").down():
            conf.write_text(text)


def saved(cluster: str, timeout_s: float = 30) -> None:
    """Wait until slurmctld has written down what it knows now: it does so every few seconds."""
    state, now = DIRECTORIES[cluster] / "state/slurmctld/job_state", time.time()
    end = time.monotonic() + timeout_s
    while state.stat().st_mtime < now and time.monotonic() < end:
        time.sleep(0.05)


def within(cluster: str, *argv: str) -> list[str]:
    """A command line that runs where the cluster's daemons do: a newer Slurm has its own root."""
    return ["nsenter", "-t", str(Daemon(cluster, "munged").pid), "-m", "-r", "-w", *argv]


def of_run(run_id: str, *words: str) -> list[int]:
    """Processes of a run, by their environment or the directory they are in, whose command line has all these words."""
    mark = f"BENCHMARK_ID={run_id}"

    def belongs(pid: int) -> bool:
        if not all(word in read(f"/proc/{pid}/cmdline").replace("\0", " ") for word in words):
            return False
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{pid}/cwd").endswith(run_id) or mark in read(f"/proc/{pid}/environ").split("\0")
        return False

    return processes(belongs)


def job_processes(cluster: str, job_id: str) -> list[int]:
    """All processes of a Slurm job on this machine, and the slurmstepds that look after them.

    Both clusters count from 1: a slurmstepd is told apart by the root of its cluster, the others by its name.
    """
    own = {f"SLURM_JOB_ID={job_id}", f"SLURM_CLUSTER_NAME={DIRECTORIES[cluster].name}"}
    root = root_of(Daemon(cluster, "munged").pid)

    def is_step(pid: int) -> bool:
        return read(f"/proc/{pid}/cmdline").startswith(f"slurmstepd: [{job_id}.") and root_of(pid) == root

    return processes(is_step) + processes(lambda pid: own <= set(read(f"/proc/{pid}/environ").split("\0")))


def root_of(pid: int) -> str:
    """What tells apart the file systems that processes see; empty when this one has just ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return ""
