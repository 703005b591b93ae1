# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading the logs of a run: which files a source has, their last lines, and searching them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.texts import redact
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

SOURCES = {
    "service": ("service.log", "service-*.log", "slurm-service*.out"),
    "clients": ("slurm-clients*.out", "client-*.log"),
    "image": ("slurm-image*.out", "image*.log", "prefetch.log"),
}
LONGEST_LINE = 2000  # characters; a progress bar that was logged is one line of megabytes


def read(
    run: RunDirectory, source: str | None = None, search: str | None = None, tail: int = 0
) -> list[dict[str, Any]]:
    """Lines of a run's logs as `file`, `line` (from 1) and `text`, in the order of files and lines.

    `source`: service, clients, image, or the name of a file in logs/; None means all. `search`: a regular
    expression that the line must contain. `tail`: at most so many lines of each file, the last ones; 0 means
    all. Passwords and control codes are taken out. Raises RunError: no such source, bad expression.
    """
    pattern = _compile(search)
    found: list[dict[str, Any]] = []
    for path in _paths(run, source):
        lines = []
        with path.open(encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, start=1):
                if pattern is None or pattern.search(line):
                    lines.append((number, line))
        for number, line in lines[-tail:] if tail else lines:
            text = redact(line.rstrip("\r\n")[:LONGEST_LINE])
            found.append({"file": f"logs/{path.name}", "line": number, "text": text})
    return found


def _compile(search: str | None) -> re.Pattern[str] | None:
    if not search:
        return None
    try:
        return re.compile(search)
    except re.error as error:
        raise RunError(f"search={search!r} is not a regular expression: {error} (write \\( for a bracket)") from error


def _paths(run: RunDirectory, source: str | None) -> list[Path]:
    every = sorted(path for path in run.path.glob("logs/*") if path.is_file())
    if not every:
        raise RunError(
            f"run {run.id} has no logs in {run.path}/logs: none of its jobs has run, or they were not collected yet "
            f"(ansible-playbook aifactory.benchmark.collect -e run={run.id})"
        )
    if not source:
        return every
    patterns = SOURCES.get(source, (source, f"{source}.log"))
    chosen = [path for pattern in patterns for path in every if path.match(pattern)]
    if not chosen:
        names = ", ".join(path.name for path in every[:12]) + (" …" if len(every) > 12 else "")
        raise RunError(
            f"run {run.id} has no log of source {source!r}: choose service, clients, image or one of {names}"
        )
    return list(dict.fromkeys(chosen))
