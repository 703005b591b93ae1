# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a run stands right now, as one line: what it waits for and how long, or how far it has measured.

The line is drawn anew on a terminal, and is the heartbeat elsewhere.
"""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, watch
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.parts import Parts

# What goes on after an event, until the next of these.
_AFTER: dict[tuple[Any, str], str] = {
    ("image", "pull_started"): "pulling the image",
    ("image", "prefetch_started"): "prefetching",
    ("service", "job_started"): "service starting",
    ("service", "healthy"): "waiting for the clients",
    ("clients", "job_started"): "clients starting",
    ("clients", "setup_started"): "set-up of the workload",
    ("clients", "clients_ready"): "clients ready",
    ("clients", "measure_ended"): "putting the results together",
    ("clients", "done"): "ending",
    ("service", "stopping"): "service stopping",
}
_MEASURING = ("warmup_started", "measure_started", "progress")


class Standing:
    """`plan`: what is to be measured. `clock` has time(), like the module `time`."""

    def __init__(self, plan: dict[str, Any], parts: Parts, clock: Any = time) -> None:
        self._bench: dict[str, Any] = plan["benchmarks"]
        self._parts, self._clock = parts, clock

    def line(self, *, with_bar: bool = False) -> str:
        """What goes on; with `with_bar` a progress bar in front of a measurement."""
        last = next((event for event in reversed(self._parts.events) if self._tells(event)), None)
        if last is not None and last["event"] in _MEASURING:
            return self._measuring(last, with_bar)
        waiting = [text for role, job in self._parts.waiting() if (text := self._waits(role, job))]
        if waiting:
            return ", ".join(waiting)
        if last is None:
            return "waiting"
        return f"{_AFTER[last['source'], last['event']]}, {self._since(last['t'])}"

    def _tells(self, event: dict[str, Any]) -> bool:
        return (event.get("source"), event["event"]) in _AFTER or event["event"] in _MEASURING

    def _since(self, t: float) -> str:
        # by two clocks, which may differ by a moment
        return formatting.duration(max(0.0, round(self._clock.time() - t)))

    def _waits(self, role: str, job: Job) -> str:
        text = f"{role} job {job.id} {job.state}"
        text += f" ({job.reason})" if job.reason else ""
        text += f" for {self._since(job.submit_s)}" if job.submit_s else ""
        if job.expected_start_s and job.expected_start_s > self._clock.time():
            text += f", Slurm expects it to start at {time.strftime('%H:%M', time.localtime(job.expected_start_s))}"
        return text

    def _measuring(self, event: dict[str, Any], with_bar: bool) -> str:
        progress = event if event["event"] == "progress" else {"elapsed_s": 0, "duration_s": self._length_s() or None}
        parts = [watch.progress_bar(progress) if with_bar else watch.progress_text(progress)]
        number, total = self._number(), self._total()
        if total > 1:
            parts.append(f"measurement {number} of {total}")
        left_s = self._left_s(progress, total - number)
        if left_s is not None and total:
            parts.append(f"{formatting.duration(round(left_s))} left")
        return ", ".join(parts)

    def _number(self) -> int:
        """How many measurements have begun: each is known by its case and repetition."""
        begun = {
            (event.get("case"), event.get("repetition")) for event in self._parts.events if event["event"] in _MEASURING
        }
        return len(begun)

    def _total(self) -> int:
        """How many there will be; 0 where nobody knows, as in a search."""
        return 0 if self._bench.get("search") else len(self._bench["cases"]) * self._bench["repetitions"]

    def _length_s(self) -> float | None:
        """How long one takes; None where it ends after so many requests."""
        if self._bench.get("duration_s") is None:
            return None
        return self._bench["warmup_s"] + self._bench["duration_s"] + self._bench.get("cooldown_s", 0.0)

    def _left_s(self, progress: dict[str, Any], others: int) -> float | None:
        length_s = self._length_s()
        if length_s is None:
            return None
        return max(0.0, length_s - progress["elapsed_s"]) + max(0, others) * length_s
