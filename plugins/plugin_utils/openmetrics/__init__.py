# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run that is over as OpenMetrics: every number at the time at which it was true.

`promtool tsdb create-blocks-from openmetrics` makes blocks of Prometheus' database from the text. docs/monitoring.md
names every metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.openmetrics import outcome, series
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.openmetrics.families import Families
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    RunDirectory,
    RunError,
    run_directory,
    run_ids,
    write_at_once,
)


def text(run: RunDirectory) -> str:
    """All of a run: what it resulted in, and its time series second by second.

    Raises RunError: it is not over, or a file of it cannot be read; ImportError without prometheus_client.
    """
    record = final_record(run)
    families = _families(record)
    outcome.add(families, run, record)
    series.add(families, run, record)
    return families.text()


def write(run: RunDirectory, path: Path, really: bool = True) -> bool:
    """Write `text` to a file; whether it is new or changed (`really` False: would be). Raises as `text` does."""
    wanted = text(run).encode()
    try:
        changed = not path.is_file() or path.read_bytes() != wanted
        if changed and really:
            write_at_once(path.absolute(), wanted)
    except OSError as error:
        raise RunError(f"openmetrics={path} cannot be written: {error.strerror}") from error
    return changed


def write_all(
    home: Path, folder: Path, clusters: Iterable[str], really: bool, warn: Callable[[str], Any]
) -> dict[str, bool]:
    """Write every run that is over (`clusters`: of these only) to `folder`/ID.om; id → whether it is new or changed.

    What is wrong with a run is told by `warn`, and the others are written. Raises RunError: there is no run to write.
    """
    wanted, written = set(clusters), {}
    _make(folder, really)
    for run_id in run_ids(home):
        run = run_directory(home, run_id)
        try:
            record = _record(run)
            if record["state"] in timeline.FINAL_STATES and (not wanted or record.get("cluster") in wanted):
                written[run_id] = write(run, folder / f"{run_id}.om", really)
        except RunError as error:
            warn(str(error))
    if not written:
        raise RunError(f"no run in {home} is over{' on ' + ', '.join(sorted(wanted)) if wanted else ''}")
    return written


def _make(folder: Path, really: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise RunError(f"openmetrics={folder} must be a directory, with a file for each run, where run=all")
    try:
        if really:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"openmetrics={folder} cannot be made: {error.strerror}") from error


def results(run: RunDirectory, record: dict[str, Any]) -> Families:
    """What a run resulted in, without its time series; `record` as in run.json. Raises as `text` does."""
    families = _families(record)
    outcome.add(families, run, record)
    return families


def final_record(run: RunDirectory) -> dict[str, Any]:
    """The run.json of a run, made from its files where it is not there. Raises RunError while the run is not over."""
    record = _record(run)
    if record["state"] not in timeline.FINAL_STATES:
        raise RunError(
            f"run {run.id} is not over ({record['state']}): its results are exported when they are final. "
            f"Finish it: ansible-playbook aifactory.benchmark.watch -e run={run.id}"
        )
    return record


def _record(run: RunDirectory) -> dict[str, Any]:
    record = run.read_json("run.json", None)
    if record is None:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish

        record = finish.preview(run)
    return record


def _families(record: dict[str, Any]) -> Families:
    labels = {"run": record["id"], "cluster": record.get("cluster"), "recipe": record.get("recipe")}
    return Families({name: str(value or "") for name, value in labels.items()})
