# SPDX-License-Identifier: MIT
"""Runs a client under observation: what memory and CPU all its processes take, whatever tool it is."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_TICK_S = 0.25
_MEMORY_EVERY = 4  # ticks: reading it costs some ms a process
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Observed:
    """What a client took. memory_bytes: the most that its processes had together, shared pages counted once (PSS);
    max_rss_bytes: of its largest process, by the kernel's own account; cpu: (time.monotonic(), CPU seconds of all).
    """

    returncode: int
    output: str
    wall_s: float
    max_rss_bytes: int
    memory_bytes: int = 0
    cpu: list[tuple[float, float]] = field(default_factory=list)
    others: dict[int, list[tuple[float, float]]] = field(default_factory=dict)  # the same of the pids that were named
    machine: list[tuple[float, float]] = field(default_factory=list)  # the same of everything

    def cpu_percent(self, begin_s: float, end_s: float, pid: int | None = None) -> float | None:
        """Of one core, between two times of time.monotonic(); None when it was not seen in between."""
        return _percent(self.cpu if pid is None else self.others[pid], begin_s, end_s)

    def strangers_percent(self, begin_s: float, end_s: float) -> float | None:
        """Of one core, what neither the client nor the named processes used: by it the figures are disturbed."""
        parts = [_percent(pairs, begin_s, end_s) for pairs in (self.machine, self.cpu, *self.others.values())]
        return None if None in parts else max(0.0, parts[0] - sum(parts[1:]))


QUIET_PERCENT = 15.0  # of one core; what the bench itself takes is a third of it
_TRIES = 3
_WAIT_S = 5.0


def undisturbed(run: Callable[[], T], strangers_percent: Callable[[T], float | None]) -> T:
    """The outcome of `run()` with nothing else running: waits for that, and tries again when it was not so.

    After some tries the least disturbed outcome has to do; by `strangers_percent` a reader sees that it was disturbed.
    """
    best: T | None = None
    for _attempt in range(_TRIES):
        wait_for_quiet()
        outcome = run()
        if best is None or (strangers_percent(outcome) or 0.0) < (strangers_percent(best) or 0.0):
            best = outcome
        if (strangers_percent(best) or 0.0) <= QUIET_PERCENT:
            break
    return best


def note(strangers_percent: float | None) -> str:
    """What is said beside a figure that something else disturbed; empty when nothing did."""
    if (strangers_percent or 0.0) <= QUIET_PERCENT:
        return ""
    return f"; DISTURBED, other processes used {strangers_percent:.0f} % of a core"


def wait_for_quiet() -> None:
    """Wait until nothing else runs on this machine, but not for long."""
    end = time.monotonic() + _WAIT_S
    while time.monotonic() < end:
        before = busy_s()
        time.sleep(0.5)
        if 100 * (busy_s() - before) / 0.5 <= QUIET_PERCENT:
            return


def pinned(core: int | None, argv: list[str]) -> list[str]:
    """The command line that runs on that core alone; None: on any."""
    return argv if core is None else ["taskset", "-c", str(core), *argv]


def observe(
    argv: list[str],
    *,
    timeout_s: float,
    others: tuple[int, ...] = (),
    env: dict[str, str] | None = None,
    cwd: Path | str = "/",
) -> Observed:
    """Run a command to its end; after `timeout_s` it is ended, and its returncode is that of a signal."""
    began = time.monotonic()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=env,
        cwd=cwd,
        start_new_session=True,
    ) as process:
        observed = Observed(0, "", 0.0, 0, others={pid: [] for pid in others})
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, observed, over), daemon=True)
        watcher.start()
        timer = threading.Timer(timeout_s, _end_session, (process.pid,))
        timer.daemon = True
        timer.start()
        try:
            observed.output = process.stdout.read()
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
            over.set()
            watcher.join()
            _end_session(process.pid)  # what it left behind
    observed.returncode = process.returncode
    observed.wall_s = time.monotonic() - began
    observed.max_rss_bytes = usage.ru_maxrss * 1024
    return observed


def _watch(session: int, observed: Observed, over: threading.Event) -> None:
    tick, used = 0, {}
    while not over.wait(_TICK_S):
        pids = _session(session)
        for pid in pids:
            used[pid] = max(used.get(pid, 0.0), cpu_s(pid))  # what ended keeps what it used
        observed.cpu.append((time.monotonic(), sum(used.values())))
        observed.machine.append((time.monotonic(), busy_s()))
        for pid, pairs in observed.others.items():
            pairs.append((time.monotonic(), cpu_s(pid)))
        if tick % _MEMORY_EVERY == 0:
            observed.memory_bytes = max(observed.memory_bytes, sum(map(_pss_bytes, pids)))
        tick += 1


def _percent(pairs: list[tuple[float, float]], begin_s: float, end_s: float) -> float | None:
    inside = [pair for pair in pairs if begin_s <= pair[0] <= end_s]
    if len(inside) < 2:
        return None
    (t0, used0), (t1, used1) = inside[0], inside[-1]
    return 100.0 * (used1 - used0) / (t1 - t0)


def busy_s() -> float:
    """CPU seconds of all cores that were not idle (man proc_stat: the fourth and fifth are idle and iowait)."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS_PER_S


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used; 0 when it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S if fields else 0.0


def _session(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if fields and int(fields[3]) == session:
                found.append(int(name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on, [] when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _pss_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _end_session(session: int) -> None:
    for pid in _session(session):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
