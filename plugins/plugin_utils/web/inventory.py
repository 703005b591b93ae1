# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clusters that launches may choose among: the hosts of the inventory that the server was given."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

CLUSTERS = "clusters"
READ_S = 60.0
_lock = threading.Lock()
_known: dict[tuple[Any, ...], dict[str, list[str]]] = {}


def groups(here: Settings) -> dict[str, list[str]]:
    """The groups of the inventory and their hosts, by name; empty without an inventory. Raises RunError."""
    if not here.inventory:
        return {}
    with _lock:
        stamp = (here.inventory, _stamp(here.inventory))
        if stamp not in _known:
            _known.clear()
            _known[stamp] = _read(here.inventory)
        return _known[stamp]


def names(here: Settings) -> list[str]:
    """The clusters: the group of this name where there is one, else all hosts."""
    known = groups(here)
    found = known.get(CLUSTERS) or known.get("all") or []
    return [name for name in found if name != "localhost" or len(found) == 1]


def check(here: Settings, limit: str | None) -> str | None:
    """What is chosen, as a limit of Ansible's. Raises RunError for what the inventory does not have."""
    chosen = [name.strip() for name in (limit or "").split(",") if name.strip()]
    known = groups(here)
    hosts = {*known, *(host for members in known.values() for host in members)}
    wrong = [name for name in chosen if name not in hosts]
    if wrong:
        raise RunError(f"the inventory has no cluster or group {', '.join(wrong)}: choose {', '.join(names(here))}")
    return ",".join(chosen) or None


def _stamp(paths: tuple[str, ...]) -> tuple[Any, ...]:
    """What changes when a file of the inventory does."""
    files = [file for path in map(Path, paths) for file in ([*path.rglob("*")] if path.is_dir() else [path])]
    return tuple((str(file), file.stat().st_mtime_ns if file.exists() else None) for file in sorted(files))


def _read(paths: tuple[str, ...]) -> dict[str, list[str]]:
    """In a process of its own: Ansible's loader of plugins takes over how Python imports, for as long as it lives."""
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("groups.py")), *paths],
        capture_output=True, text=True, timeout=READ_S, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise RunError(f"the inventory {', '.join(paths)} cannot be read: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)
