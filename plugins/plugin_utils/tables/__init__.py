# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results and telemetry of one run or of many as one table, in a CSV or Parquet file. Needs pandas, Parquet pyarrow.

Each row of results.csv is a row here, with what its run was: columns that tell one run from another come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.formatting import plural
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.tables import files, frames

SUFFIX = ".parquet"


class Wanted(NamedTuple):
    """Which rows: of one `metric`, `case` and `client`; None and `*` mean every one."""

    metric: str | None = None
    case: str | None = None
    client: str | None = None


class Written(NamedTuple):
    """What became of an export: each file's path → whether it is new or changed, its runs, and the rows of results."""

    changed: dict[Path, bool]
    runs: list[str]
    rows: int

    def text(self) -> str:
        """A line for a person."""
        where = ", ".join(str(path.absolute()) for path in self.changed)
        return f"{plural(self.rows, 'row')} of {plural(len(self.runs), 'run')}: {where}"


def write_csv(
    runs: Iterable[RunDirectory], path: Path, wanted: Wanted, *, really: bool, warn: Callable[[str], Any]
) -> Written:
    """Write the results of runs to a CSV file. Parameters and errors as of `write_parquet`."""
    runs, found = list(runs), _Found(wanted, warn)
    return found.written({path: files.csv_file(path, found.of(runs), really)})


def write_parquet(
    runs: Iterable[RunDirectory], path: Path, wanted: Wanted, *, really: bool, warn: Callable[[str], Any]
) -> Written:
    """Write the results of runs to a file `*.parquet`; else `path` is a folder, and their telemetry is written, too.

    The folder gets results.parquet, nodes.parquet and gpus.parquet, the latter two where the runs have such telemetry.
    Each file is written at once, and one with the same content is left alone. `really` False: nothing is written.
    `warn` is told of a run that cannot be read, and the others are written.

    Raises RunError: no run has such results, or a file cannot be written; ImportError without pandas or pyarrow.
    """
    runs, found = list(runs), _Found(wanted, warn)
    if path.suffix == SUFFIX:
        return found.written({path: files.parquet_file(path, frames.RESULTS, found.of(runs), really)})
    if path.exists() and not path.is_dir():
        raise RunError(f"parquet={path} must end in {SUFFIX}, or be a folder")
    target = path / f"results{SUFFIX}"
    changed = {target: files.parquet_file(target, frames.RESULTS, found.of(runs), really)}
    kept = [run for run in runs if run.id in found.runs]
    for name, columns, read in (("nodes", frames.NODES, frames.nodes), ("gpus", frames.GPUS, frames.gpus)):
        parts = (part for run in kept for part in read(run))
        target = path / f"{name}{SUFFIX}"
        is_new = files.parquet_file(target, columns, parts, really)
        changed.update({} if is_new is None else {target: is_new})
    return found.written(changed)


class _Found:
    """The results of the runs one after another, and which runs had some."""

    def __init__(self, wanted: Wanted, warn: Callable[[str], Any]) -> None:
        self.wanted, self.warn = wanted, warn
        self.runs: list[str] = []
        self.rows = 0

    def of(self, runs: list[RunDirectory]) -> Iterator[Any]:
        for run in runs:
            try:
                frame = frames.results(run, *self.wanted)
            except RunError as error:
                self.warn(str(error))
                continue
            if len(frame):
                self.runs.append(run.id)
                self.rows += len(frame)
                yield frame

    def written(self, changed: dict[Path, bool | None]) -> Written:
        if not self.runs:
            asked = ", ".join(
                f"{name} {value}" for name, value in self.wanted._asdict().items() if value not in (None, "*")
            )
            raise RunError(f"no run has such results{f' ({asked})' if asked else ''}; nothing was written")
        return Written({path: bool(is_new) for path, is_new in changed.items()}, self.runs, self.rows)
