# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes to the cluster and what comes back: one compressed tar archive each way."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.archive import Damaged, Hostile, unpack_files
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

DIRECTORIES = ("secrets", "control", "events", "logs", "clients", "results", "histograms", "telemetry", "metrics")
MANIFEST = "manifest.sha256"
_MOST_MANIFEST_BYTES = 256 << 20


def inputs(plan: Mapping[str, Any]) -> dict[str, bytes]:
    """Name in the run's directory → content of the recipe's local files.

    Raises RunError when one can't be read, or is not any more what was checked with the recipe.
    """
    contents = {}
    for name, file in plan.get("inputs", {}).items():
        source = file["source"]
        try:
            contents[name] = Path(source).read_bytes()
        except OSError as error:
            raise RunError(f"{source} can't be read: {error.strerror}. Nothing was submitted") from None
        if hashlib.sha256(contents[name]).hexdigest() != file["sha256"]:
            raise RunError(f"{source} has changed since the recipe was checked. Nothing was submitted; run it again")
    return contents


def pack(files: Mapping[str, bytes]) -> bytes:
    """A gzip tar archive of `files` (name → content), scripts executable, everything for the owner only."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=3) as archive:
        for directory in DIRECTORIES:
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o700 if name.endswith((".sh", ".sbatch", ".pyz")) else 0o600
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def unpack(archive: bytes, run: RunDirectory, local_name: Callable[[str], str]) -> dict[str, dict[str, str | int]]:
    """Write the files of a collected archive into the run's directory and check them against its manifest.

    `local_name` gives a file's name on the controller. Returns path → {"sha256", "bytes"} of what was written.
    Raises RunError when a file is missing, its checksum differs, or the archive is made to do harm; nothing is
    written then, and what the run has stays.
    """
    try:
        run.make()
        with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=run.path) as folder:
            return _unpack(archive, run, local_name, Path(folder))
    except Hostile as error:
        raise RunError(
            f"run {run.id}: the archive from the cluster is refused: {error}. What was collected before is kept; "
            "look at the run's directory on the cluster before you collect it again"
        ) from None
    except Damaged as error:
        raise RunError(
            f"run {run.id}: the archive from the cluster is cut short or damaged ({error}); collect it again"
        ) from None
    except OSError as error:
        raise RunError(f"run {run.id}: {error.filename or run.path} can't be written: {error.strerror}") from None


def _unpack(
    archive: bytes, run: RunDirectory, local_name: Callable[[str], str], folder: Path
) -> dict[str, dict[str, str | int]]:
    files = unpack_files(archive, folder)
    manifest = files.pop(MANIFEST, None)
    if manifest and manifest.size > _MOST_MANIFEST_BYTES:
        raise Hostile(f"its manifest has {manifest.size} bytes")
    wanted = _manifest(manifest.path.read_text("utf-8", "surrogateescape") if manifest else "")
    damaged = [name for name, digest in wanted.items() if name not in files or files[name].sha256 != digest]
    if damaged or not wanted:
        what = ", ".join(damaged[:5]) or "its manifest"
        raise RunError(f"run {run.id}: {what} did not arrive as it is on the cluster; collect the run again")
    targets: dict[str, Path] = {}
    for name in files:
        target = local_name(name)
        if target in targets:
            raise Hostile(f"two files in it are {target!r} here, one of them {name!r}")
        targets[target] = _place(run, target)
    for path, file in zip(targets.values(), files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file.path, path)
    return {
        target: {"sha256": file.sha256, "bytes": file.size}
        for target, file in zip(targets, files.values(), strict=True)
    }


def _place(run: RunDirectory, name: str) -> Path:
    """Where a file of the run lies, no link on the way there leading out of its directory. Raises Hostile."""
    path = run.file(name)
    root = os.path.realpath(run.path)
    if os.path.commonpath([root, os.path.realpath(path.parent)]) != root:
        raise Hostile(f"{name!r} would be written through a link that leads out of {run.path}")
    if path.is_dir() and not path.is_symlink():
        raise Hostile(f"{name!r} is a folder of the run")
    return path


def merge_events(run: RunDirectory) -> str:
    """The text of events.jsonl: the events of all sources in the order of time; lines cut short are left out."""
    events = []
    for path in sorted(run.file("events").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and "t" in event:
                events.append(event)
    events.sort(key=lambda event: event["t"])
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


def _manifest(text: str) -> dict[str, str]:
    """Path → digest, as sha256sum prints them: a line that begins with a backslash has escapes in its path."""
    found = {}
    for line in text.split("\n"):
        digest, _space, path = line.lstrip("\\").partition(" ")
        path = path[1:]  # a space or, of binary files, *
        if line.startswith("\\"):
            path = re.sub(r"\\(.)", lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), path)
        if path:
            found[path.removeprefix("./")] = digest
    return found
