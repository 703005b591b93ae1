# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One repetition of one case: the common start, progress once a second, the results of all clients.

It ends early when a stop rule fires, when the service fails, or when somebody ends the run: what was measured until
then is merged like any other result, and marked.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError, ServiceGone
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.order import MAX
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.progress import Progress
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Merged
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.stop_rules import StopRules
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import schedule, slo

START_AHEAD_S = 0.2  # and a little for each client: the order has to reach them all before the start
START_AHEAD_PER_CLIENT_S = 0.002
SILENT_CLIENT_S = 30.0
RESULT_FILE_DEADLINE_S = 60.0
OVERDUE_S = 30.0  # for what is in flight at the end of a case, besides the recipe's own drain and timeout
PARTIAL_DEADLINE_S = 10.0  # for what the clients have when the run is over: Slurm kills after 30 s
SAMPLE_DEADLINE_S = 5.0  # a second is judged when every client has reported after it, or when that is not to be
_PHASES = {"warmup_started": "warmup", "measure_started": "measuring"}
SERVICE_FAILED, STOPPED = "service failed", "stopped"
_TICK_S = 0.05

# Of the plan's benchmarks, what a client is told as it stands.
_AS_PLANNED = (
    "arrival", "think_time_s", "max_in_flight", "timeout_s", "retries", "drain_s", "records",
)  # fmt: skip


class CaseRun:
    """conductor: Conductor; workload: WorkloadBase; case: dict of the plan; repetition: int from 1.

    trial (dict or None): `number` and `step` where the search asks for it.
    """

    def __init__(self, conductor, workload, case, repetition, trial=None):
        self.conductor = conductor
        self.events = conductor.events
        self.case = case
        self.name = case["name"]
        self.repetition = repetition
        self.tags = {"case": self.name, "repetition": repetition}
        self.trial = trial
        self.benchmarks = conductor.spec["benchmarks"]
        self.clients = conductor.active
        self.failed = dict(conductor.lost)
        self.files = {}  # client -> its result
        self.parts = {}  # client that failed -> what it had measured
        self.heard_at = dict.fromkeys(self.clients, time.monotonic())
        self.rate = self._offered_rate()
        self.cut = None  # why it ended early
        self._plan(workload)
        self._watch()

    def _offered_rate(self):
        """Operations per second over all clients (float), or None; "50%" is of what case `max` reached."""
        rate = self.case.get("rate")
        if not isinstance(rate, str):
            return rate
        reached = self.conductor.results.throughputs.get(MAX)
        if not reached:
            raise AgentError("case %s wants %s of case max, which was not measured before it" % (self.name, rate))
        return float(rate.rstrip("% ")) / 100.0 * sum(reached) / len(reached)

    def _plan(self, workload):
        """Epoch times: start of the load and of the measurement, their ends (None: so many requests)."""
        ahead_s = START_AHEAD_S + START_AHEAD_PER_CLIENT_S * len(self.clients)
        self.warmup_s = max(
            float(self.benchmarks.get("warmup_s") or 0), workload.minimum_warmup_s(self.conductor.prepared_s)
        )
        self.cooldown_s = float(self.benchmarks.get("cooldown_s") or 0)
        self.duration_s = self.benchmarks.get("duration_s")
        self.requests = self.benchmarks.get("requests")
        self.warmup_start = time.time() + ahead_s
        self.measure_start = self.warmup_start + self.warmup_s
        self.measure_end = self.load_end = None
        if self.requests is None:
            self.measure_end = self.measure_start + float(self.duration_s)
            self.load_end = self.measure_end + self.cooldown_s
        self.due = [(self.measure_start, "measure_started")]
        if self.warmup_s:
            self.due.insert(0, (self.warmup_start, "warmup_started"))

    def _watch(self):
        """What looks at the clients' progress: events once a second, and the stop rules."""
        self.progress = Progress(self._offered_at if self._is_even() else None)
        self.reported = (0, self.warmup_start)
        self.timed = (0, 0)
        self.report_at = self.warmup_start + 1.0
        most = self.benchmarks.get("max_in_flight")
        self.rules = StopRules(self.benchmarks.get("stop_on"), most and most * len(self.clients))
        self.sample_at = self.measure_start

    @property
    def _arrival(self):
        return (self.benchmarks.get("arrival") or {}).get("type")

    def _is_even(self):
        """Whether the schedule asks for the same rate at all times."""
        return self.rate is not None and self._arrival not in (schedule.RAMP, schedule.TRACE)

    def _offered_at(self, t):
        return self.rate * max(0.0, t - self.warmup_start)

    # -- the load --------------------------------------------------------------------------------------

    def run(self):
        """Have it measured and merged. Returns its record in cases.json.

        Raises AgentError when no client has a result, and when the run is over; then what was measured is kept.
        """
        self._start()
        try:
            self._until_measured()
            results = self._results()
            if not results:
                self._explain_failure()
            # What a service did that went away meanwhile is no whole result.
            self.conductor.check(at_once=True)
        except AgentError as e:
            self._keep_partial(e)
            raise
        return self._merge(results)

    def _start(self):
        benchmarks = self.benchmarks
        self.conductor.launcher.send(
            "run",
            case=self.name,
            repetition=self.repetition,
            concurrency=self.case.get("concurrency") or 1,
            rate=None if self.rate is None else self.rate / len(self.clients),
            settings=self.case.get("settings") or {},
            requests=self.requests,
            duration_s=self.duration_s,
            warmup_s=self.warmup_s,
            cooldown_s=self.cooldown_s,
            warmup_start=self.warmup_start,
            measure_start=self.measure_start,
            measure_end=self.measure_end,
            load_end=self.load_end,
            seed=benchmarks.get("seed") or 0,
            slo_terms=self._terms(),
            **{name: benchmarks[name] for name in _AS_PLANNED if name in benchmarks},
        )

    def _terms(self):
        return (self.benchmarks.get("slo") or {}).get("terms") or []

    def _until_measured(self):
        while self._missing():
            self._receive()
            self.conductor.check()
            now = time.time()
            self._announce(now)
            self._apply_rules(now)
            self._find_silent()
            self._find_overdue(now)
        if self.files:
            self._announce(float("inf"))

    def _missing(self):
        return [number for number in self.clients if number not in self.files and number not in self.failed]

    def _receive(self):
        message = self.conductor.receive(_TICK_S)
        if not message:
            return
        number, op = message["client"], message["op"]
        self.heard_at[number] = time.monotonic()
        if op == "progress":
            self.progress.take(message)
        elif op == "result":
            self.files[number] = message["file"]
        elif op in ("failed", "lost") and number not in self.files:
            self.failed.setdefault(number, message["reason"])
            if message.get("file"):
                self.parts[number] = message["file"]

    def _find_silent(self):
        now = time.monotonic()
        for number in self._missing():
            if now - self.heard_at[number] > SILENT_CLIENT_S:
                reason = "gave no sign of life for %g s" % SILENT_CLIENT_S
                self.conductor.lost[number] = self.failed[number] = reason

    def _find_overdue(self, now):
        """Raises AgentError when clients do not come to an end: what they wait for does not answer."""
        end = self.load_end or self.measure_end
        if end is None:
            return
        patience_s = OVERDUE_S + sum(float(self.benchmarks.get(name) or 0) for name in ("drain_s", "timeout_s"))
        if now > end + patience_s:
            raise AgentError(
                "%d client(s) did not end within %g s after case %s, repetition %d: the service does not answer"
                % (len(self._missing()), patience_s, self.name, self.repetition)
            )

    def _announce(self, now):
        """Events as their time comes; progress of all clients once a second."""
        while self.due and now >= self.due[0][0]:
            t, event = self.due.pop(0)
            self.events.emit(event, t=t, **self.tags)
            if self.conductor.live:
                self.conductor.live.phase(_PHASES[event])
        if self.report_at <= now < float("inf"):
            operations, errors = self.progress.totals()
            before, at = self.reported
            phase = "warmup" if now < self.measure_start else "measure"
            elapsed_s = round(now - self.warmup_start, 3)
            duration_s = None if self.measure_end is None else round(self.measure_end - self.warmup_start, 3)
            if self.conductor.live:
                self.conductor.live.tell(self.progress, now, dict(self.tags, phase=phase), elapsed_s, duration_s)
            self.events.emit(
                "progress",
                phase=phase,
                elapsed_s=elapsed_s,
                duration_s=duration_s,
                operations=operations,
                errors=errors,
                rate_per_s=round(max(0.0, operations - before) / (now - at), 3),
                response_time_mean_s=self._mean_response_time(),
                **self.tags,
            )
            self.reported = (operations, now)
            self.report_at = max(self.report_at + 1.0, now + 0.5)

    def _mean_response_time(self):
        """Seconds (float) over the operations that ended since it was asked last; None where nobody knows."""
        (before, before_us), self.timed = self.timed, self.progress.response_times()
        count = self.timed[0] - before
        return round((self.timed[1] - before_us) / count / 1e6, 6) if count > 0 else None

    def _apply_rules(self, now):
        """Judge the seconds of the measurement that all clients have reported about."""
        while self.rules.rules and self.cut is None and self.sample_at < now:
            if self.measure_end is not None and self.sample_at > self.measure_end:
                return
            late = now > self.sample_at + SAMPLE_DEADLINE_S
            if not late and not self.progress.heard_since(self.sample_at, self._missing()):
                return
            found = self.rules.take(self.progress.at(self.sample_at))
            self.sample_at += 1.0
            if found:
                self.cut, why = found
                self.conductor.launcher.send("cut")
                self.events.emit("cut", reason=self.cut, why=why, **self.tags)

    # -- its end ---------------------------------------------------------------------------------------

    def _results(self):
        """The results (list of dict) of the clients that measured the whole case."""
        results = []
        for number, path in sorted(self.files.items()):
            result = run_dir.read_json(path, RESULT_FILE_DEADLINE_S)
            if result["interrupted"]:
                self.failed[number] = "was ended before the end of the case"
            else:
                results.append(result)
        return results

    def _explain_failure(self):
        """Raise AgentError: no client has a result. All at once they fail when the service does, so ask it first."""
        self.conductor.await_verdict()
        raise AgentError(
            "every client failed in case %s, repetition %d: %s"
            % (self.name, self.repetition, self.conductor.reasons(self.failed))
        )

    def _keep_partial(self, error):
        """The run is over in the middle of the case: keep what the clients have, within PARTIAL_DEADLINE_S."""
        now = time.time()
        if now <= self.measure_start:
            return
        missing = self._missing()
        self.conductor.launcher.send("stop")
        end = time.monotonic() + PARTIAL_DEADLINE_S
        while self._missing() and time.monotonic() < end:
            self._receive()
        results = self._partial_results(now, end)
        if not any(result["operations"] or result["errors"] for result in results):
            return
        if isinstance(error, ServiceGone) or missing or any(result["interrupted"] for result in results):
            self.cut = SERVICE_FAILED if isinstance(error, ServiceGone) else STOPPED
            self.events.emit("cut", reason=self.cut, why=str(error), **self.tags)
        self._merge(results)

    def _partial_results(self, t, deadline):
        """What the clients measured until they ended, or were told to at `t` (epoch s); deadline: monotonic s."""
        results = []
        for number, path in sorted({**self.parts, **self.files}.items()):
            try:
                result = run_dir.read_json(path, max(0.0, deadline - time.monotonic()))
            except AgentError as e:
                self.failed[number] = str(e)
                continue
            end = result["measure_end"]
            if result["interrupted"] and (end is None or (self.measure_end is not None and end >= self.measure_end)):
                result["measure_end"] = end = t  # its workload does not say when it ended
            if end > result["measure_start"]:
                results.append(result)
                if number in self.files:
                    self.failed.pop(number, None)
        return results

    def _merge(self, results):
        merged = Merged(results, self._rate_asked(results), len(self.clients))
        # Where the service fell behind, operations count over more time than the load was made.
        if self.conductor.live:
            self.conductor.live.phase("ready")
        self.events.emit("measure_ended", t=min(merged.measure_end, time.time()), **self.tags)
        terms = self._terms()
        facts = {
            "rate": self.case.get("rate"),
            "concurrency": self.case.get("concurrency") or 1,
            "settings": self.case.get("settings") or {},
            "clients": len(results),
            "warmup_start": self.warmup_start,
            "cooldown_s": self.cooldown_s,
            "offered_rate_per_s": merged.rate,
            "failed_clients": [{"client": n, "reason": self.failed[n]} for n in sorted(self.failed)],
            "cut": self.cut,
            "slo": slo.evaluate(terms, merged.value) if terms else None,
            "trial": self.trial,
        }
        record = self.conductor.results.add(self.name, self.repetition, merged, facts)
        self.events.emit(
            "merged",
            operations=merged.operations,
            errors=merged.error_count,
            throughput_per_s=round(merged.throughput, 3),
            **self.tags,
        )
        return record

    def _rate_asked(self, results):
        """Operations per second that the schedule asked for (float), None in a closed loop.

        A ramp and a trace have no one rate: there it is what they offered, on average.
        """
        offered = [result.get("offered") for result in results]
        if self._is_even() or None in offered:
            return self.rate
        start = min(result["measure_start"] for result in results)
        end = max(result["measure_end"] for result in results)
        if self.measure_end is not None:
            end = min(end, self.measure_end)  # later ends are those of what was due before
        return sum(offered) / (end - start) if end > start else self.rate
