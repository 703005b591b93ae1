# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes to the cluster and what comes back: one compressed tar archive each way."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

DIRECTORIES = ("secrets", "control", "events", "logs", "clients", "results", "histograms", "telemetry", "metrics")
MANIFEST = "manifest.sha256"


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
    Raises RunError when a file is missing or its checksum differs.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            contents = {_clean(entry.name): _read(tar, entry) for entry in tar if entry.isfile()}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise RunError(f"run {run.id}: the archive from the cluster is cut short ({error}); collect it again") from None
    wanted = _manifest(contents.pop(MANIFEST, b"").decode("utf-8", "surrogateescape"))
    damaged = [name for name, digest in wanted.items() if hashlib.sha256(contents.get(name, b"")).hexdigest() != digest]
    if damaged or not wanted:
        what = ", ".join(damaged[:5]) or "its manifest"
        raise RunError(f"run {run.id}: {what} did not arrive as it is on the cluster; collect the run again")
    written = {}
    for name, content in contents.items():
        target = local_name(name)
        run.write_bytes(target, content)
        written[target] = {"sha256": wanted.get(name) or hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return written


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


def _read(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(entry)
    return stream.read() if stream else b""


def _clean(name: str) -> str:
    return name.removeprefix("./")


def _manifest(text: str) -> dict[str, str]:
    """Path → digest, as sha256sum prints them."""
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return {_clean(path.lstrip("*")): digest for digest, path in pairs}
