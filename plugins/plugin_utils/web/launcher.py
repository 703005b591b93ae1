# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays that the web UI starts: each a process of its own, by ansible-runner, which outlives the server.

A play has a folder `benchmark_home/web/plays/ID`: `play.json` (what was asked), `worker.json` (its process),
`runs.json` (the runs that it made), `ended.json` (its exit status), `artifacts/` (ansible-runner's, with the output).
A server that starts later reads them.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.texts import redact
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import run_directory, write_at_once
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import processes
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import NotThere, Refused
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import ansible_runner
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings, make_private

# What a server starts → its playbook.
KINDS = {
    "run": "run", "dry-run": "run", "rerun": "rerun", "watch": "watch", "stop": "stop", "logs": "logs",
    "clusters": "clusters",
}  # fmt: skip
MOST_AT_ONCE = 20
KEPT = 500  # plays whose folders are kept
START_S = 60.0  # within which a worker says that it is there
STARTING, RUNNING, SUCCESSFUL, FAILED, LOST = "starting", "running", "successful", "failed", "lost"
GOING_ON = (STARTING, RUNNING)
_ID = re.compile(r"^\d{8}-\d{6}-[a-z-]+-[0-9a-f]{4}$")
_MOST_OUTPUT_BYTES = 2**20
_children: list[subprocess.Popen[bytes]] = []  # of this server; a child that ended is known only when it is asked for


@dataclass(frozen=True)
class Play:
    """A play as it was asked for. `variables`: its extra variables; `limit`: clusters, all of the recipe's without."""

    id: str
    kind: str
    created_at: float
    variables: dict[str, Any] = field(default_factory=dict)
    limit: str | None = None

    @property
    def check(self) -> bool:
        """Whether it only says what it would do."""
        return self.kind == "dry-run"

    @property
    def subject(self) -> str:
        """What it is about: a recipe's name, or a run."""
        return str(self.variables.get("run") or Path(self.variables.get("recipe") or "").stem or self.limit or "all")


def start(here: Settings, kind: str, variables: dict[str, Any], limit: str | None = None) -> Play:
    """Start a play. Raises Refused when too many go on, and ImportError where ansible-runner is not installed."""
    require(ansible_runner)
    if sum(state(here, play) in GOING_ON for play in plays(here)) >= MOST_AT_ONCE:
        raise Refused(f"{MOST_AT_ONCE} plays go on already: wait until one of them is over")
    now = time.time()
    name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{kind}-{secrets.token_hex(2)}"
    play = Play(name, kind, now, {**variables, "benchmark_home": str(here.home)}, limit or None)
    folder = make_private(_folder(here) / play.id)
    write_at_once(folder / "play.json", json.dumps(asdict(play)).encode(), 0o600)
    with os.fdopen(os.open(folder / "worker.log", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as log:
        _children.append(
            subprocess.Popen(
                [sys.executable, "-P", str(Path(__file__).with_name("worker.py")), str(folder)],
                cwd=here.directory if os.path.isdir(here.directory) else here.home,
                env=processes.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # neither the server's end nor Ctrl-C at it is the play's
            )
        )
    _forget_old(here)
    return play


def _folder(here: Settings) -> Path:
    return here.folder / "plays"


def plays(here: Settings, run: str | None = None) -> list[Play]:
    """The plays of this controller's server, newest first; of one run where it is named."""
    try:
        names = sorted((entry.name for entry in os.scandir(_folder(here)) if _ID.match(entry.name)), reverse=True)
    except FileNotFoundError:
        return []
    found = [play for name in names if (play := _read(here, name))]
    return found if run is None else [play for play in found if run in (play.variables.get("run"), *runs(here, play))]


def find(here: Settings, play_id: str) -> Play:
    """A play by its id. Raises NotThere."""
    found = _read(here, play_id) if _ID.match(play_id) else None
    if found is None:
        raise NotThere(f"there is no play {play_id} in {_folder(here)}: the oldest are removed")
    return found


def _read(here: Settings, play_id: str) -> Play | None:
    content = _json(here, play_id, "play.json")
    return Play(**content) if content else None


def _json(here: Settings, play_id: str, name: str) -> Any:
    try:
        return json.loads((_folder(here) / play_id / name).read_text())
    except (OSError, ValueError):
        return None


def state(here: Settings, play: Play) -> str:
    """STARTING, RUNNING, SUCCESSFUL, FAILED, or LOST when its process was killed before it could say how it ended."""
    ended = _json(here, play.id, "ended.json")
    if ended:
        return SUCCESSFUL if ended.get("rc") == 0 else FAILED
    for child in _children:
        child.poll()
    worker = _json(here, play.id, "worker.json")
    if worker is None:
        return STARTING if time.time() - play.created_at < START_S else LOST
    return RUNNING if processes.is_alive(worker) else LOST


def runs(here: Settings, play: Play) -> list[str]:
    """The ids of the runs that a play made, each once; one that was only planned has no page yet, or never."""
    planned = _json(here, play.id, "runs.json") or []
    return [run for run in planned if run_directory(here.home, run).has("plan.json")]


def results(here: Settings, play: Play) -> dict[str, Any]:
    """What a play of the kind `clusters` found, by cluster."""
    return _json(here, play.id, "results.json") or {}


def output(here: Settings, play: Play, offset: int = 0) -> tuple[str, int]:
    """(What a play printed from a byte on, without secrets and control codes; the byte after it). Whole lines only."""
    folder = _folder(here) / play.id
    path = next((path for path in (folder / "artifacts/play/stdout", folder / "worker.log") if path.exists()), None)
    if path is None:
        return "", 0
    with path.open("rb") as stream:
        stream.seek(offset)
        content = stream.read(_MOST_OUTPUT_BYTES)
    whole = content if state(here, play) not in GOING_ON else content[: content.rfind(b"\n") + 1]
    return redact(whole.decode("utf-8", "replace")), offset + len(whole)


def _forget_old(here: Settings) -> None:
    for play in plays(here)[KEPT:]:
        if state(here, play) not in GOING_ON:
            shutil.rmtree(_folder(here) / play.id, ignore_errors=True)
