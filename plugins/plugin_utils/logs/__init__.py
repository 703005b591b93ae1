# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading the logs of runs: which files a part has, their last lines, searching them, merging them by time."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import log_lines
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

SOURCES = {
    "service": ("service.log", "service-*.log", "slurm-service*.out"),
    "clients": ("slurm-clients*.out", "client-*.log", "setup.log"),
    "image": ("slurm-image*.out", "image*.log", "prefetch.log"),
    "slurm": ("slurm-*.out",),
}
MOST_LINES = 5000  # that are shown, where nothing else is asked for
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LEVELS = {log_lines.ERROR: {log_lines.ERROR}, log_lines.WARNING: {log_lines.ERROR, log_lines.WARNING}}
_FOREVER = 1e11
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Wanted:
    """Which lines are wanted. Raises RunError: a name that no log has, a bad expression.

    `source`: service, clients, image, slurm, the name of a companion's or a file's in logs/; `client`: its number;
    `search`: a regular expression that the line must contain; `level`: error, or warning for both.
    """

    source: str | None = None
    client: str | None = None
    search: str | None = None
    level: str | None = None

    def __post_init__(self) -> None:
        if self.source and not _NAME.fullmatch(self.source):
            raise RunError(f"source={self.source!r} is no name of a log: choose one of {', '.join(SOURCES)}, or a file")
        if self.client and not self.client.isdecimal():
            raise RunError(f"client={self.client!r} must be the number of a client, from 0")
        self.pattern()

    def patterns(self) -> tuple[str, ...]:
        """Names (with `*`) of the files that are wanted; of a source that is no part, its own names."""
        if self.client:
            return (f"client-{int(self.client):03d}.log",)
        if not self.source:
            return ("*",)
        name = self.source.removeprefix("service-")
        own = (
            self.source,
            f"{self.source}.log",
            f"service-{name}.log",
            f"service-{name}-*.log",
            f"slurm-service-{name}.out",
        )
        return SOURCES.get(self.source, own)

    def pattern(self) -> re.Pattern[str] | None:
        """The compiled expression."""
        if not self.search:
            return None
        try:
            return re.compile(self.search)
        except re.error as error:
            raise RunError(
                f"search={self.search!r} is not a regular expression: {error} (write \\( for a bracket)"
            ) from error

    def filter(self) -> _Filter:
        """What decides line by line."""
        return _Filter(self.pattern(), _LEVELS.get(self.level or ""))


@dataclass(frozen=True)
class _Filter:
    pattern: re.Pattern[str] | None
    levels: set[str] | None

    def takes(self, text: str) -> bool:
        """Whether a line is wanted."""
        if self.pattern is not None and not self.pattern.search(text):
            return False
        return self.levels is None or log_lines.level(text) in self.levels


@dataclass(frozen=True)
class Found:
    """Lines, as log_lines.finished gives them, and how many earlier ones of them were left out."""

    lines: list[dict[str, Any]]
    left_out: int


def read(run: RunDirectory, wanted: Wanted, *, tail: int = 0, merge: bool = False, limit: int = 0) -> Found:
    """The wanted lines of a run's logs, in the order of files and lines, or merged by time.

    `tail`: at most so many lines of each file, merged: of all together, the last ones; 0 means all. `limit`: at most so
    many in all, the last ones. Passwords and control codes are taken out. Raises RunError: no such source.
    """
    paths, (begin, end) = _paths(run, wanted), _lasted(run)
    if merge:
        each = (_with_times(_of_file(path, wanted.filter(), log_lines.Clock(begin, end))) for path in paths)
        lines = _last(heapq.merge(*each, key=lambda line: line["t"] or 0.0), tail)
    else:
        lines = (line for path in paths for line in _last(_of_file(path, wanted.filter()), tail))
    kept: deque[dict[str, Any]] = deque(maxlen=limit or None)
    left_out = -(limit or 0)
    for line in lines:
        kept.append(line)
        left_out += 1
    if not merge:  # to look for the time in every line takes longer than all else
        clocks = {path.name: log_lines.Clock(begin, end) for path in paths}
        for line in kept:
            line["t"] = clocks[line["file"].removeprefix("logs/")].read(line["text"])
    return Found([log_lines.finished(line) for line in kept], max(0, left_out) if limit else 0)


def search(runs: Iterable[RunDirectory], wanted: Wanted, limit: int) -> Iterator[tuple[RunDirectory, Found]]:
    """The wanted lines of runs, one after another, until `limit` lines are found (0: all); of runs that have any."""
    left = limit
    for run in runs:
        try:
            found = read(run, wanted, limit=left if limit else 0)
        except RunError:
            continue  # without logs, or without those of this source
        if found.lines:
            yield run, found
        left -= len(found.lines)
        if limit and left <= 0:
            return


def _lasted(run: RunDirectory) -> tuple[float, float]:
    """From when to when (epoch, s) a run lasted, as far as it is known."""
    record = run.read_json("run.json", None) or {}
    begin = record.get("created_at") or (run.read_json("plan.json", None) or {}).get("created_at") or 0.0
    end = record.get("ended_at") or max((event["t"] for event in run.events()), default=_FOREVER)
    return begin, max(begin, end)


def _of_file(path: Path, chosen: _Filter, clock: log_lines.Clock | None = None) -> Iterator[dict[str, Any]]:
    """The wanted lines of one file as {file, line, text, t}, the text as it is; `t` is None without a clock."""
    for number, text in enumerate(_texts(path), start=1):
        t = clock.read(text) if clock else None
        if chosen.takes(text):
            yield {"file": f"logs/{path.name}", "line": number, "text": text, "t": t}


def _texts(path: Path) -> Iterator[str]:
    """The lines of a file, which is open only while some of them are read: there may be more files than can be open."""
    offset = 0
    while True:
        with path.open("rb") as stream:
            stream.seek(offset)
            block = stream.readlines(_BLOCK_BYTES)
        if not block:
            return
        offset += sum(map(len, block))
        yield from (line.decode("utf-8", "replace") for line in block)


def _with_times(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Lines before the first that has a time have that one's; a log without any comes first."""
    untimed: list[dict[str, Any]] = []
    for line in lines:
        if line["t"] is None and len(untimed) < MOST_LINES:
            untimed.append(line)
            continue
        yield from ({**each, "t": line["t"]} for each in untimed)
        untimed = []
        yield line
    yield from untimed


def _last(lines: Iterable[dict[str, Any]], count: int) -> Iterable[dict[str, Any]]:
    return deque(lines, maxlen=count) if count else lines


def _paths(run: RunDirectory, wanted: Wanted) -> list[Path]:
    every = sorted(path for path in run.path.glob("logs/*") if path.is_file())
    if not every:
        raise RunError(
            f"run {run.id} has no logs in {run.path}/logs: none of its jobs has run, or they were not collected yet "
            f"(ansible-playbook aifactory.benchmark.collect -e run={run.id})"
        )
    patterns = wanted.patterns()
    chosen = [path for pattern in patterns for path in every if fnmatchcase(path.name, pattern)]
    if not chosen:
        names = ", ".join(path.name for path in every[:12]) + (" …" if len(every) > 12 else "")
        what = f"of client {wanted.client}" if wanted.client else f"of source {wanted.source!r}"
        raise RunError(f"run {run.id} has no log {what}: choose {', '.join(SOURCES)} or one of {names}")
    return list(dict.fromkeys(chosen))
