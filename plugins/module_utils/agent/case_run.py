# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One repetition of one case: the common start, progress once a second, the results of all clients."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Merged

START_AHEAD_S = 0.2  # and a little for each client: the order has to reach them all before the start
START_AHEAD_PER_CLIENT_S = 0.002
SILENT_CLIENT_S = 30.0
RESULT_FILE_DEADLINE_S = 60.0
_TICK_S = 0.05


class CaseRun:
    """conductor: Conductor; workload: WorkloadBase; case: dict of the plan; repetition: int from 1."""

    def __init__(self, conductor, workload, case, repetition):
        self.conductor = conductor
        self.events = conductor.events
        self.case = case
        self.name = case["name"]
        self.repetition = repetition
        self.benchmarks = conductor.spec["benchmarks"]
        self.clients = conductor.active
        self.failed = dict(conductor.lost)
        self.files = {}
        self.progress = {}  # client -> (operations, errors)
        self.heard_at = dict.fromkeys(self.clients, time.monotonic())
        self.rate = self._offered_rate()
        self._plan(workload)
        self.reported = (0, self.warmup_start)
        self.report_at = self.warmup_start + 1.0

    def _offered_rate(self):
        """Operations per second over all clients (float), or None; "50%" is of what case `max` reached."""
        rate = self.case.get("rate")
        if not isinstance(rate, str):
            return rate
        reached = self.conductor.results.throughputs.get("max")
        if not reached:
            raise AgentError("case %s wants %s of case max, which was not measured before it" % (self.name, rate))
        return float(rate.rstrip("% ")) / 100.0 * sum(reached) / len(reached)

    def _plan(self, workload):
        """Epoch times of the start of the load and of the measurement, and of its end (None: so many requests)."""
        ahead_s = START_AHEAD_S + START_AHEAD_PER_CLIENT_S * len(self.clients)
        self.warmup_s = max(
            float(self.benchmarks.get("warmup_s") or 0), workload.minimum_warmup_s(self.conductor.prepared_s)
        )
        self.duration_s = self.benchmarks.get("duration_s")
        self.requests = self.benchmarks.get("requests")
        self.warmup_start = time.time() + ahead_s
        self.measure_start = self.warmup_start + self.warmup_s
        self.measure_end = None if self.requests is not None else self.measure_start + float(self.duration_s)
        self.due = [(self.measure_start, "measure_started")]
        if self.warmup_s:
            self.due.insert(0, (self.warmup_start, "warmup_started"))

    def run(self):
        """Have it measured and merged. Raises AgentError when no client has a result."""
        conductor = self.conductor
        conductor.launcher.send(
            "run",
            case=self.name,
            repetition=self.repetition,
            concurrency=self.case.get("concurrency") or 1,
            rate=None if self.rate is None else self.rate / len(self.clients),
            requests=self.requests,
            duration_s=self.duration_s,
            warmup_s=self.warmup_s,
            warmup_start=self.warmup_start,
            measure_start=self.measure_start,
            measure_end=self.measure_end,
            seed=self.benchmarks.get("seed") or 0,
        )
        while self._missing():
            message = conductor.receive(_TICK_S)
            if message:
                self._take(message)
            conductor.check()
            self._announce(time.time())
            self._find_silent()
        if self.files:
            self._announce(float("inf"))
        self._merge()

    def _missing(self):
        return [number for number in self.clients if number not in self.files and number not in self.failed]

    def _take(self, message):
        number, op = message["client"], message["op"]
        self.heard_at[number] = time.monotonic()
        if op == "progress":
            self.progress[number] = (message["operations"], message["errors"])
        elif op == "result":
            self.files[number] = message["file"]
        elif op in ("failed", "lost") and number not in self.files:
            self.failed.setdefault(number, message["reason"])

    def _find_silent(self):
        now = time.monotonic()
        for number in self._missing():
            if now - self.heard_at[number] > SILENT_CLIENT_S:
                reason = "gave no sign of life for %g s" % SILENT_CLIENT_S
                self.conductor.lost[number] = self.failed[number] = reason

    def _announce(self, now):
        """Events as their time comes; progress of all clients once a second."""
        while self.due and now >= self.due[0][0]:
            t, event = self.due.pop(0)
            self.events.emit(event, t=t, case=self.name, repetition=self.repetition)
        if self.report_at <= now < float("inf"):
            operations = sum(done[0] for done in self.progress.values())
            errors = sum(done[1] for done in self.progress.values())
            before, at = self.reported
            self.events.emit(
                "progress",
                case=self.name,
                repetition=self.repetition,
                phase="warmup" if now < self.measure_start else "measure",
                elapsed_s=round(now - self.warmup_start, 3),
                duration_s=None if self.measure_end is None else round(self.measure_end - self.warmup_start, 3),
                operations=operations,
                errors=errors,
                rate_per_s=round(max(0.0, operations - before) / (now - at), 3),
            )
            self.reported = (operations, now)
            self.report_at = max(self.report_at + 1.0, now + 0.5)

    def _merge(self):
        # What was measured of a service that went away meanwhile is no result.
        self.conductor.check(at_once=True)
        results = []
        for number, path in sorted(self.files.items()):
            result = run_dir.read_json(path, RESULT_FILE_DEADLINE_S)
            if result["interrupted"]:
                self.failed[number] = "was ended before the end of the case"
            else:
                results.append(result)
        if not results:
            raise AgentError(
                "every client failed in case %s, repetition %d: %s"
                % (self.name, self.repetition, self.conductor.reasons(self.failed))
            )
        merged = Merged(results)
        tags = {"case": self.name, "repetition": self.repetition}
        self.events.emit("measure_ended", t=merged.measure_end, **tags)
        facts = {
            "rate": self.case.get("rate"),
            "concurrency": self.case.get("concurrency") or 1,
            "clients": len(results),
            "warmup_start": self.warmup_start,
            "offered_rate_per_s": self.rate,
            "failed_clients": [{"client": n, "reason": self.failed[n]} for n in sorted(self.failed)],
        }
        self.conductor.results.add(self.name, self.repetition, merged, facts)
        errors = sum(kept["count"] for kept in merged.errors.values())
        self.events.emit(
            "merged", operations=merged.operations, errors=errors, throughput_per_s=round(merged.throughput, 3), **tags
        )
