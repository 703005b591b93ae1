# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Named baselines: which runs later ones are held against. One small file each, benchmark_home/baselines/NAME.json."""

from __future__ import annotations

import difflib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Run
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError, read_json, write_at_once

SCHEMA = 1
KEPT = 20  # earlier sets of runs of a baseline
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def path_of(home: str | os.PathLike[str], name: str) -> Path:
    """Where a baseline's file is. Raises RunError for what can't be a name."""
    if not _NAME.fullmatch(str(name)):
        raise RunError(f"baseline={name!r}: a name has letters, digits, '.', '_' and '-', at most 64")
    return Path(home) / "baselines" / f"{name}.json"


def names(home: str | os.PathLike[str]) -> list[str]:
    """Names of all baselines."""
    return sorted(path.stem for path in (Path(home) / "baselines").glob("*.json") if _NAME.fullmatch(path.stem))


def read(home: str | os.PathLike[str], name: str) -> dict[str, Any]:
    """A baseline: `name`, `runs`, `threshold`, `thresholds`, `set_at`, `history`. Raises RunError."""
    path = path_of(home, name)
    try:
        baseline = read_json(path.read_text(encoding="utf-8"))
        known = isinstance(baseline["runs"], list) and baseline["runs"] and baseline["schema"] == SCHEMA
    except FileNotFoundError:
        raise RunError(_unknown(home, name)) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{path} is no baseline ({error!r}): set it again, or remove the file") from error
    if not known:
        raise RunError(f"{path} is no baseline of schema {SCHEMA} with runs: set it again, or remove the file")
    return baseline


def _unknown(home: str | os.PathLike[str], name: str) -> str:
    known = names(home)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}." if known else "there is none yet."
    return (
        f"there is no baseline {name!r}; {hint} "
        f"Set it: ansible-playbook aifactory.benchmark.baseline -e baseline={name} -e run=ID"
    )


def changed(
    home: str | os.PathLike[str],
    name: str,
    runs: list[Run],
    *,
    threshold: str | None = None,
    thresholds: dict[str, str] | None = None,
    now: float | None = None,
) -> tuple[dict[str, Any], bool]:
    """(the baseline as it should be, whether it differs from what is there); nothing is written.

    The runs must be VALID and alike in recipe and cluster. Thresholds that are not given stay as they were.
    """
    _check(runs)
    before = read(home, name) if path_of(home, name).exists() else None
    asked = {
        "schema": SCHEMA,
        "name": name,
        "runs": [run.id for run in runs],
        "recipe": runs[0].record.get("recipe"),
        "cluster": runs[0].record.get("cluster"),
        "threshold": threshold or (before or {}).get("threshold"),
        "thresholds": thresholds if thresholds is not None else (before or {}).get("thresholds") or {},
    }
    if before and all(before.get(key) == value for key, value in asked.items()):
        return before, False
    history = (before or {}).get("history") or []
    if before and before["runs"] != asked["runs"]:
        history = [*history, {"runs": before["runs"], "set_at": before.get("set_at")}][-KEPT:]
    return {**asked, "set_at": time.time() if now is None else now, "history": history}, True


def write(home: str | os.PathLike[str], baseline: dict[str, Any]) -> Path:
    """Write a baseline's file, at once."""
    text = json.dumps(baseline, indent=2, ensure_ascii=False) + "\n"
    return write_at_once(path_of(home, baseline["name"]), text.encode())


def _check(runs: list[Run]) -> None:
    for run in runs:
        if run.record.get("verdict") != "VALID":
            raise RunError(
                f"run {run.id} is {run.record.get('verdict') or run.record['state']}: a baseline needs VALID runs. "
                f"ansible-playbook aifactory.benchmark.summary -e run={run.id} says why"
            )
        for key in ("recipe", "cluster"):
            if run.record.get(key) != runs[0].record.get(key):
                raise RunError(
                    f"run {run.id} is of the {key} {run.record.get(key)}, run {runs[0].id} of "
                    f"{runs[0].record.get(key)}: the runs of a baseline are repetitions of the same"
                )
