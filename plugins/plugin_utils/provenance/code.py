# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which state of a git checkout the collection runs from."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

_DEADLINE_S = 20.0
FACTS = ("commit", "changed_files", "changes_sha256")


class _NoAnswer(Exception):
    """git did not say; the text tells why."""


def git_state(root: Path) -> dict[str, Any]:
    """`commit`, `changed_files` (how many, new ones included), `changes_sha256` (of `git diff HEAD`), and `missing`.

    All are null for an installed collection, and where git does not answer; `missing` says why.
    """
    if not (root / ".git").exists():
        return _unknown("it is no git checkout: an installed collection")
    try:
        changes = _git(root, "diff", "--binary", "HEAD") if (files := _git(root, "status", "--porcelain")) else b""
        return {
            "commit": _git(root, "rev-parse", "HEAD").decode().strip(),
            "changed_files": len(files.splitlines()),
            "changes_sha256": hashlib.sha256(changes).hexdigest() if changes else None,
            "missing": {} if changes else {"changes_sha256": "no file that git knows is changed"},
        }
    except _NoAnswer as error:
        return _unknown(str(error))


def _unknown(reason: str) -> dict[str, Any]:
    return {**dict.fromkeys(FACTS), "missing": dict.fromkeys(FACTS, reason)}


def _git(root: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, timeout=_DEADLINE_S, check=False)
    except OSError as error:
        raise _NoAnswer(f"git can't be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise _NoAnswer(f"git {words[0]} gave no answer in {_DEADLINE_S:g} s") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _NoAnswer(f"git {words[0]}: {said[0] if said else f'exit code {done.returncode}'}")
    return done.stdout
