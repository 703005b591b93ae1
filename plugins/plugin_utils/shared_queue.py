# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One question to a cluster's queue for all runs that this controller watches there.

Each play that watches says here for which jobs it does. Whoever asks squeue asks for all of them and leaves the answer;
the others take it while it is fresh. However many runs are watched, a cluster is asked as often as for one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import write_at_once

WATCHED_S = 120.0  # a play that has not said for so long that it watches is gone


class SharedQueue:
    """`directory` is of one cluster and one controller; `run_id` with `job_ids` is the run that is watched here."""

    def __init__(self, directory: str | os.PathLike[str], run_id: str, job_ids: Sequence[str]) -> None:
        self._directory = Path(directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._mine = self._directory / f"{run_id}.jobs"
        self._answer = self._directory / "answer.json"
        self._ids = list(job_ids)

    def wanted(self) -> list[str]:
        """Ids of the jobs of all runs that are watched now, this one's first; says that this one is."""
        write_at_once(self._mine, " ".join(self._ids).encode())
        ids = dict.fromkeys(self._ids)
        for path in sorted(self._directory.glob("*.jobs")):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime < WATCHED_S:
                    ids.update(dict.fromkeys(path.read_text().split()))
        return list(ids)

    def answer(self, max_age_s: float) -> str | None:
        """What squeue printed, at most so long ago (s), when it was asked for this run's jobs too; else None."""
        try:
            known = json.loads(self._answer.read_text())
            fresh = 0 <= time.time() - known["at"] <= max_age_s
            return known["listing"] if fresh and set(self._ids) <= set(known["ids"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, ids: Sequence[str], listing: str) -> None:
        """Leave an answer of squeue about these jobs for the other plays."""
        write_at_once(self._answer, json.dumps({"at": time.time(), "ids": list(ids), "listing": listing}).encode())

    @contextlib.contextmanager
    def turn(self) -> Iterator[bool]:
        """Whether it is this play's turn to ask: not while another one does."""
        with (self._directory / "lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def leave(self) -> None:
        """This run is no longer watched here."""
        self._mine.unlink(missing_ok=True)
