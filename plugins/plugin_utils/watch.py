# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Following a run: news from the cluster in bounded polls, and what a person reads of them."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors, squeue, states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.slurm import RestSlurm
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote, Result
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError, read_events
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shared_queue import SharedQueue

SOURCES = ("image", "service", "clients")

# Waits on the cluster until an event file has news other than progress, at most $2 ticks of 0.25 s, so that one remote
# call sees a change at once instead of many calls seeing none. Then prints what is new of each file, and the queue.
_POLL = r"""
cd "$1" || exit 3
n=$2; oi=$3; os=$4; oc=$5; queue=$6
sizes() { stat -c %s events/image.jsonl events/service.jsonl events/clients.jsonl 2>/dev/null; }
fresh() { [ -e "events/$1.jsonl" ] && tail -c "+$(($2 + 1))" "events/$1.jsonl"; }
news() { { fresh image "$oi"; fresh service "$os"; fresh clients "$oc"; } | grep -v -q '"event": *"progress"'; }
last=; i=0
while [ "$i" -lt "$n" ]; do
  now=$(sizes)
  if [ "$now" != "$last" ]; then news && break; last=$now; fi
  sleep 0.25; i=$((i + 1))
done
for pair in "image $oi" "service $os" "clients $oc"; do
  set -- $pair
  # its size is told before it is read, and it may grow meanwhile; no copy is made: the disk may be full
  size=$(stat -c %s "events/$1.jsonl" 2>/dev/null || echo 0)
  length=$((size > $2 ? size - $2 : 0))
  printf '\n@%s %d\n' "$1" "$length"
  [ "$length" -eq 0 ] || fresh "$1" "$2" | head -c "$length"
done
# a sign for the janitor that somebody watches
touch control/watched 2>/dev/null || :
[ -z "$queue" ] || { printf '\n@queue 0\n'; eval "$queue" 2>&1; }
"""

# What an agent reads when the other part has ended: written for one that could not do it itself.
SIGNS = {"service": "service.failed", "clients": "clients.done"}
_TELL = r"""
cd "$1/control" || exit 3
[ -e "$2" ] || { printf '%s\n' "$3" >"$2.$$" && mv "$2.$$" "$2"; }
"""


class Feed:
    """News of one run: event files mirrored into the run's directory on the controller, and the queue.

    `queue`: what the plays of this controller know together of the cluster's queue. `ask`: asks for the run's jobs
    where squeue can't be run, and gives None without an answer.
    """

    def __init__(
        self,
        run: RunDirectory,
        remote: Remote,
        run_dir: str,
        queue: SharedQueue,
        ask: Callable[[], list[Job] | None] | None = None,
    ) -> None:
        self._run, self._remote, self._run_dir = run, remote, run_dir
        self._queue, self._jobs = queue, ask
        run.file("events").mkdir(parents=True, exist_ok=True)

    def poll(self, wait_s: float, *, queue_age_s: float | None) -> tuple[list[dict[str, Any]], list[Job] | None]:
        """New events, after at most `wait_s` seconds, and the jobs as squeue lists them.

        `queue_age_s`: how old (s) an answer of squeue may be that another play got; None: the queue does not matter
        now. The jobs are then None, and also when Slurm did not answer. Raises ClusterUnreachable, RunError when the
        run's directory is no longer on the cluster, and SlurmError for a token that has expired.
        """
        if self._jobs is not None:
            events, _listing = self._ask(wait_s, [])
            return events, None if queue_age_s is None else self._jobs()
        known = None if queue_age_s is None else self._queue.answer(queue_age_s)
        if queue_age_s is None or known is not None:
            events, _listing = self._ask(wait_s, [])
            return events, None if known is None else squeue.parse(known)
        with self._queue.turn() as my_turn:
            ids = self._queue.wanted() if my_turn else []
            events, listing = self._ask(wait_s, ids)
            if listing is None:
                return events, None
            self._queue.keep(ids, listing)
        return events, squeue.parse(listing)

    def _ask(self, wait_s: float, ids: Sequence[str]) -> tuple[list[dict[str, Any]], str | None]:
        """New events, and what squeue says of these jobs; None without ids and without an answer."""
        # counted apart: a longer run is asked about more often, whatever the number of its clients
        self._remote.calls["polls"] += 1
        offsets = {source: self._size(source) for source in SOURCES}
        answer = self._remote.shell(
            _POLL,
            self._run_dir,
            str(int(wait_s * 4)),
            *map(str, offsets.values()),
            shlex.join(squeue.argv(ids=ids)) if ids else "",
            counts=["squeue"] if ids else [],
        )
        if answer.rc == 3:
            raise RunError(
                f"run {self._run.id} has no directory {self._run_dir} on {self._remote.host} any more: it was torn "
                "down, here or by another controller, which then has its results"
            )
        return self._events(answer, offsets), _listing(answer.stdout) if ids else None

    def tell(self, role: str, reason: str) -> None:
        """Say in the place of `role` that it has ended, where it has not done so."""
        self._remote.shell(_TELL, self._run_dir, SIGNS[role], json.dumps({"ok": False, "reason": reason}))

    def _size(self, source: str) -> int:
        """Bytes of whole lines that are here; a controller that was killed may have left half of one."""
        path = self._run.file(f"events/{source}.jsonl")
        if not path.exists():
            return 0
        with path.open("r+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            content = stream.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                stream.truncate(whole)
            return whole

    def _events(self, answer: Result, offsets: dict[str, int]) -> list[dict[str, Any]]:
        events, position = [], 0
        for source in SOURCES:
            marker = f"\n@{source} ".encode()
            start = answer.stdout.find(marker, position)
            if start < 0:
                continue
            head_end = answer.stdout.index(b"\n", start + 1)
            length = int(answer.stdout[start + len(marker) : head_end])
            text = answer.stdout[head_end + 1 : head_end + 1 + length]
            position = head_end + 1 + length
            whole = text[: text.rfind(b"\n") + 1]  # a line that is being written is read next time
            if whole:
                self._mirror(source, offsets[source], whole)
                events += read_events(whole.decode("utf-8", "replace"))
        return sorted(events, key=lambda event: event["t"])

    def _mirror(self, source: str, offset: int, lines: bytes) -> None:
        """Append what was read from `offset` on, unless another controller of this home has done so meanwhile."""
        with self._run.file(f"events/{source}.jsonl").open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            known = stream.seek(0, os.SEEK_END)
            if offset <= known < offset + len(lines):
                stream.write(lines[known - offset :])


def ask_slurmrestd(rest: RestSlurm, ids: Sequence[str]) -> list[Job] | None:
    """The rows of jobs, or None without an answer. Raises SlurmError for what won't pass, such as an expired token."""
    try:
        return rest.queue_by_id("follow the jobs of the run", list(ids))
    except SlurmError as error:
        if error.kind == errors.INVALID_JOB_ID:
            return []
        if error.transient:
            return None
        raise


def _listing(stdout: bytes) -> str | None:
    """What squeue printed; None where that is no listing."""
    _before, found, listing = stdout.rpartition(b"\n@queue 0\n")
    text = listing.decode("utf-8", "replace")
    try:
        squeue.parse(text)
    except ValueError:
        return None
    return text if found else None


def narrate(event: dict[str, Any]) -> str | None:
    """One line for a person about an event, or None for what needs none."""
    tell = _LINES.get((event.get("source"), event["event"]))
    return None if tell is None else tell(event)


def narrate_job(role: str, job: Job) -> str:
    """One line about the state of a job in the queue."""
    reason = f" ({job.reason})" if job.reason and job.phase in (states.PENDING, states.HELD) else ""
    where = f" on {', '.join(job.nodes)}" if job.nodes and not job.final else ""
    remedy = f": {job.remedy}" if job.remedy else ""
    return f"{role} job {job.id} {job.state}{reason}{where}{remedy}"


def _case(event: dict[str, Any]) -> str:
    return f"case {event.get('case')}, repetition {event.get('repetition')}"


def _ends(event: dict[str, Any]) -> str:
    """Between which loads the capacity lies."""
    ends = [f"{event[end]:g}" if event.get(end) is not None else "?" for end in ("lower", "upper")]
    return f"capacity between {' and '.join(ends)}"


_LINES: dict[tuple[Any, str], Any] = {
    ("image", "pull_started"): lambda e: f"pulling {e.get('reference')}",
    ("image", "pull_done"): lambda e: f"image ready, {e.get('bytes', 0) / 1e6:.0f} MB",
    ("image", "prefetch_started"): lambda e: f"prefetch {e.get('number')} of {e.get('count')}: {e.get('command')}",
    ("image", "prefetch_done"): lambda e: f"prefetch done after {e.get('seconds', 0):.0f} s",
    ("image", "failed"): lambda e: f"image: {e.get('reason')}",
    ("service", "job_started"): lambda e: f"service starting on {e.get('node')}",
    ("service", "healthy"): lambda e: f"service healthy after {e.get('after_s', 0):.1f} s",
    ("service", "service_failed"): lambda e: f"service failed: {e.get('reason')}",
    ("service", "stopping"): lambda e: f"service stopping: {e.get('reason')}",
    ("service", "stopped"): lambda e: "service stopped",
    ("clients", "job_started"): lambda e: f"clients starting on {e.get('node')}",
    ("clients", "setup_started"): lambda e: "set-up of the workload",
    ("clients", "clients_ready"): lambda e: f"{formatting.plural(e.get('count', 0), 'client')} ready",
    ("clients", "warmup_started"): lambda e: f"warming up: {_case(e)}",
    ("clients", "measure_started"): lambda e: f"measuring: {_case(e)}",
    ("clients", "cut"): lambda e: f"ended early: {_case(e)}: {e.get('why')}",
    ("clients", "search_trial"): lambda e: f"{e.get('case')} {'meets' if e.get('met') else 'misses'} the SLO",
    ("clients", "search_done"): lambda e: f"search over after {e.get('trials')} trials: {_ends(e)}",
    ("clients", "cleanup_failed"): lambda e: f"the data was not removed: {e.get('reason')}",
    ("clients", "done"): lambda e: "clients done",
    ("clients", "failed"): lambda e: f"clients failed: {e.get('reason')}",
}


def progress_text(event: dict[str, Any]) -> str:
    """Share, rate and errors of a progress event."""
    duration = event.get("duration_s") or 0
    share = f"{min(100, 100 * event.get('elapsed_s', 0) / duration):3.0f} % " if duration else ""
    return (
        f"{share}{event.get('operations', 0):,} operations, {event.get('rate_per_s', 0):,.0f}/s, "
        f"{event.get('errors', 0)} errors"
    )


def progress_bar(event: dict[str, Any], width: int = 20) -> str:
    """A bar for a terminal, which is drawn anew."""
    duration = event.get("duration_s") or 0
    filled = int(width * min(1.0, event.get("elapsed_s", 0) / duration)) if duration else 0
    return f"[{'#' * filled}{'.' * (width - filled)}] {progress_text(event)}"
