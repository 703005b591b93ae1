# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where runs lie on the controller, and how one is found by id, prefix or `latest`.

A run directory is `benchmark_home/runs/ID`. Every file in it is written beside its place and renamed, so
that a reader sees the old file or the new one, never half of one, whenever the controller is killed.
"""

from __future__ import annotations

import csv
import difflib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results_csv

RUN_ID = re.compile(r"^\d{8}-\d{6}-[a-z0-9][a-z0-9-]*-[0-9a-f]{4}$")
_REFERENCE = re.compile(r"^[A-Za-z0-9-]+$")
_OF_AWX = re.compile(r"^awx-(job|workflow)-(\d+)$")  # the run that this job of AWX started, or a job of this workflow
_MISSING = object()


class RunError(Exception):
    """A run, or a file of it, that cannot be found or read; the text is meant for the user."""


def benchmark_home(value: str | None = None, environ: dict[str, str] | None = None) -> Path:
    """The controller's data directory: `value` (the variable), else AIFACTORY_HOME, else ~/.aifactory."""
    environ = os.environ if environ is None else environ
    return Path(os.path.abspath(os.path.expanduser(value or environ.get("AIFACTORY_HOME") or "~/.aifactory")))


def write_at_once(target: Path, data: bytes, mode: int = 0o644) -> Path:
    """Write a file so that a reader sees the old content or the new, also after a power cut; makes its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target


class NoSuchRun(RunError):
    """No run of this controller is meant."""


class RunDirectory:
    """The files of one run on the controller."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @property
    def id(self) -> str:
        """The run's id: the directory's name."""
        return self.path.name

    def file(self, name: str) -> Path:
        """The path of a file of this run.

        Raises RunError when `name` would leave the run directory: names come from files that a cluster wrote.
        """
        relative = os.path.normpath(name)
        if os.path.isabs(name) or relative.split(os.sep)[0] == "..":
            raise RunError(f"{self.path}: {name!r} is not a file of this run")
        return self.path / relative

    def has(self, name: str) -> bool:
        """Whether the run has this file."""
        return self.file(name).is_file()

    # -- writing ---------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make the run's directory, for its owner only: logs may hold what is nobody else's business."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def write_bytes(self, name: str, data: bytes, mode: int = 0o644) -> Path:
        """Write a file at once: a reader sees the old content or the new, also after a power cut."""
        self.make()
        return write_at_once(self.file(name), data, mode)

    def write_text(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a text as UTF-8, at once."""
        return self.write_bytes(name, text.encode("utf-8", "surrogateescape"), mode)

    def write_json(self, name: str, value: Any, mode: int = 0o644) -> Path:
        """Write a value as JSON, at once."""
        return self.write_text(name, json.dumps(value, indent=2, ensure_ascii=False) + "\n", mode)

    # -- reading ---------------------------------------------------------------------------------------

    def read_text(self, name: str, default: Any = _MISSING) -> Any:
        """The text of a file; bytes that are not UTF-8 become U+FFFD. Raises RunError without a default."""
        try:
            return self.file(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            if default is not _MISSING:
                return default
            raise RunError(
                f"run {self.id} has no {name} (looked in {self.path}). Collect the run again: "
                f"ansible-playbook aifactory.benchmark.collect -e run={self.id}"
            ) from None
        except OSError as error:
            raise RunError(f"cannot read {self.file(name)}: {error.strerror}") from error

    def lines(self, name: str) -> Iterator[str]:
        """Lines of a text file with their ends, none of one that is not there. Raises RunError."""
        try:
            with self.file(name).open(encoding="utf-8", errors="replace", newline="") as stream:
                yield from stream
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(f"cannot read {self.file(name)}: {error.strerror}") from error

    def read_json(self, name: str, default: Any = _MISSING) -> Any:
        """The content of a JSON file. Raises RunError: not there and no default, or no valid JSON."""
        text = self.read_text(name, default)
        if text is default:
            return default
        try:
            return read_json(text)
        except (ValueError, RecursionError) as error:
            raise RunError(
                f"{self.file(name)} is not valid JSON ({error}). Collect the run again, or remove the file"
            ) from error

    def events(self) -> list[dict[str, Any]]:
        """Events by time, of all sources in events/ (kept up to date by watch), else those of events.jsonl.

        A line that is cut short (its writer was killed) is left out.
        """
        parts = sorted(self.path.glob("events/*.jsonl"))
        texts = [self.read_text(f"events/{part.name}") for part in parts] or [self.read_text("events.jsonl", "")]
        return read_events("\n".join(texts))

    def results(self, *, merged: bool = False) -> list[dict[str, Any]]:
        """Rows of results.csv; `repetition` is an int and `value` a float.

        `merged`: without what single clients say of metrics that are known of all of them together.
        """
        try:
            return results_csv.read(self.lines("results.csv"), merged=merged)
        except (results_csv.BadRow, csv.Error) as error:
            raise RunError(f"{self.file('results.csv')}, {error}") from None

    def cases(self) -> list[dict[str, Any]]:
        """The cases as the clients left them (cases.json); empty when nothing was measured."""
        return self.read_json("cases.json", [])

    def search(self) -> dict[str, Any] | None:
        """What the search for the capacity did (search.json); None without one."""
        return self.read_json("search.json", None)

    def setup_metrics(self) -> list[dict[str, Any]]:
        """What the workload's set-up measured, such as the insert rate: `metric`, `unit`, `statistic`, `value`."""
        rows = self.read_json("setup-metrics.json", [])
        return [dict(zip(("metric", "unit", "statistic", "value"), row, strict=True)) for row in rows]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of a CSV file of measurements: numbers as float, empty fields as None, other text as it is."""
        reader = csv.reader(self.lines(name))
        names = next(reader, [])
        missing = dict.fromkeys(names)  # of a row that is cut short
        return [missing | dict(zip(names, map(_number, fields), strict=False)) for fields in reader if fields]

    def case_file(self, reference: str | None, folder: str) -> str | None:
        """Where a file that cases.json names lies here: the cluster's `results/x.csv` is `series/x.csv`."""
        if not reference:
            return None
        for name in (f"{folder}/{Path(reference).name}", reference):
            if self.has(name):
                return name
        return None


def _number(text: str) -> float | str | None:
    if not text:
        return None
    try:
        return results_csv.finite(text)
    except ValueError:
        return text


def read_json(text: str) -> Any:
    """What a JSON text says, null in place of NaN and of what is beyond all numbers."""
    return json.loads(text, parse_float=results_csv.finite, parse_constant=lambda _name: None)


def read_events(text: str) -> list[dict[str, Any]]:
    """Events of a JSON Lines text, ordered by `t` (epoch, s); what is not an event with a time is left out."""
    events = []
    for line in text.splitlines():
        try:
            event = read_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("t"), (int, float)) and "event" in event:
            events.append(event)
    return sorted(events, key=lambda event: event["t"])


# -- finding runs --------------------------------------------------------------------------------------


def runs_root(home: str | os.PathLike[str]) -> Path:
    """Where the run directories lie."""
    return Path(home) / "runs"


def run_ids(home: str | os.PathLike[str]) -> list[str]:
    """Ids of all runs on this controller, oldest first (an id begins with its UTC time)."""
    try:
        with os.scandir(runs_root(home)) as entries:
            return sorted(entry.name for entry in entries if RUN_ID.match(entry.name) and entry.is_dir())
    except FileNotFoundError:
        return []


def run_directory(home: str | os.PathLike[str], run_id: str) -> RunDirectory:
    """The directory of a run by its whole id, whether or not it exists yet."""
    if not RUN_ID.match(run_id):
        raise RunError(f"{run_id!r} is not a run id (YYYYMMDD-HHMMSS-NAME-XXXX)")
    return RunDirectory(runs_root(home) / run_id)


def find_run(home: str | os.PathLike[str], reference: str, clusters: Iterable[str] = ()) -> RunDirectory:
    """The run that `reference` means: a whole id, a unique prefix of one, `latest`, or `awx-job-ID`, `awx-workflow-ID`.

    `clusters`: names of clusters; when given, only their runs count. Raises RunError: unknown (with the
    nearest ids; a NoSuchRun) or ambiguous (with the candidates).
    """
    reference = str(reference or "").strip()
    if not reference:
        raise RunError("no run is given. Name one: -e run=ID, a unique prefix of an id, or latest")
    if not _REFERENCE.match(reference):
        raise RunError(f"{reference!r} is not a run id: expected an id, a prefix of one, or latest")
    wanted = set(clusters)
    identifiers = run_ids(home)
    if reference == "latest":
        for candidate in _on_clusters(home, reversed(identifiers), wanted):
            return candidate
        of_whom = f" of {', '.join(sorted(wanted))}" if wanted else ""
        raise NoSuchRun(
            f"there is no run{of_whom} yet in {runs_root(home)}. Start one with "
            "ansible-playbook aifactory.benchmark.run -e recipe=quickstart"
        )
    of_awx = _OF_AWX.match(reference)
    if of_awx:
        return _started_by_awx(home, identifiers, wanted, of_awx[1], int(of_awx[2]))
    if reference in identifiers:
        return RunDirectory(runs_root(home) / reference)
    found = list(_on_clusters(home, (name for name in identifiers if name.startswith(reference)), wanted))
    if len(found) == 1:
        return found[0]
    if found:
        raise RunError(_ambiguous(reference, [run.id for run in found]))
    raise NoSuchRun(_unknown(home, reference, identifiers))


def _on_clusters(home: Any, identifiers: Iterable[str], wanted: set[str]) -> Iterator[RunDirectory]:
    for identifier in identifiers:
        run = RunDirectory(runs_root(home) / identifier)
        if not wanted or cluster_of(run) in wanted:
            yield run


def _started_by_awx(home: Any, identifiers: list[str], wanted: set[str], what: str, number: int) -> RunDirectory:
    """The newest run that a job of AWX, or any job of a workflow of AWX, started."""
    key = {"job": "job_id", "workflow": "workflow_job_id"}[what]
    for run in _on_clusters(home, reversed(identifiers), wanted):
        plan = run.read_json("plan.json", None) or {}
        if ((plan.get("extra") or {}).get("awx") or {}).get(key) == number:
            return run
    raise NoSuchRun(
        f"no run in {runs_root(home)} was started by AWX's {'workflow job' if what == 'workflow' else 'job'} {number}."
        " Is benchmark_home a directory that AWX's jobs share (docs/awx.md)? Else name the run: -e run=ID"
    )


def cluster_of(run: RunDirectory) -> str | None:
    """The name of the cluster of a run: from run.json, else from the plan of a run that is under way."""
    record = run.read_json("run.json", None) or {}
    if record.get("cluster"):
        return record["cluster"]
    plan = run.read_json("plan.json", None) or {}
    return (plan.get("cluster") or {}).get("name")


def _ambiguous(reference: str, names: list[str]) -> str:
    shown = "\n".join(f"  {name}" for name in names[-10:])
    more = f"\n  … and {len(names) - 10} older" if len(names) > 10 else ""
    return f"{reference!r} is the beginning of {len(names)} runs; give more of the id:\n{shown}{more}"


def _unknown(home: Any, reference: str, identifiers: list[str]) -> str:
    near = difflib.get_close_matches(reference, identifiers, n=3, cutoff=0.5)
    near = near or [name for name in identifiers if reference in name][-3:]
    hint = "\nNearest:\n" + "\n".join(f"  {name}" for name in near) if near else ""
    return (
        f"there is no run {reference!r} in {runs_root(home)} ({len(identifiers)} runs; "
        f"ansible-playbook aifactory.benchmark.list shows them){hint}"
    )
