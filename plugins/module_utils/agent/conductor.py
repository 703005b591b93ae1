# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client job: waits for the service, starts N clients at once, has them measure, and merges what they found.

The clients start while the service does: when it is healthy and set up, they are waiting for the first case.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import queue
import signal
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import (
    clocks,
    context,
    node,
    node_dirs,
    run_dir,
    slurm_usage,
    time_limit,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.case_run import CaseRun
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import (
    AgentError,
    Ended,
    ServiceGone,
    explain,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.launcher import Launcher
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live.load import LiveLoad
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.order import measured_order
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Results
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.search_run import SearchRun
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.stop_rules import ERROR_RATE
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

READY_DEADLINE_S, READY_PER_CLIENT_S = 120.0, 0.2  # the longer; a thousand interpreters start from one file system
ENDPOINT_MARGIN_S = 120.0
SERVICE_START_S = 300.0  # its job has started; modules and commands of the site come before its agent
QUIT_DEADLINE_S = 10.0
SERVICE_VERDICT_S = 3.0  # until then the service's agent has noticed that its service has ended
CLEANUP_S = 300.0
CLEANUP_AFTER_FAILURE_S = 10.0  # a job that is being ended has 30 s
_TICK_S = 0.1
_SIGNS_EVERY_S = 0.5


class Conductor:
    """spec: spec.json (dict), spec_path: where it lies, container: argv that runs something in an image, or []."""

    def __init__(self, spec, spec_path, container):
        self.spec = spec
        self.container = container
        self.count = int(spec["clients"]["count"])
        self.dir = run_dir.RunDir(spec)
        self.events = EventLog(self.dir.path("events", "clients.jsonl"), "clients")
        self.results = Results(self.dir)
        placement, component = self.spec["clients"].get("placement", "separate"), 1 + len(spec.get("companions") or {})
        self.launcher = Launcher(self.count, spec_path, container, placement, component)
        self.stop = threading.Event()
        self.signal = None
        self.lost = {}  # client -> reason, of those that are gone
        self.ready = set()
        self.nodes = {}  # client -> the name of its node
        self.service_jobs = []  # the ids of its job's components
        self.prepared_s = 0.0  # what getting ready took the slowest client
        self.pulse = run_dir.Pulse(self.dir.control(run_dir.SERVICE_ALIVE))
        self.signs_read_at = 0.0
        self.context = self.live = None
        self.tmp_dir = node_dirs.path(spec, "setup")

    def run(self):
        """From the start of the job to its end. Returns its exit code: 0 when every case was measured."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self.events.emit("job_started", job_id=os.environ.get("SLURM_JOB_ID"))
        self.events.emit("node_described", **node.describe())
        heartbeat = run_dir.Heartbeat(self.dir.control(run_dir.CLIENTS_ALIVE))
        heartbeat.start()
        code, reason = 1, "the conductor failed"
        self._begin_live()
        try:
            run_dir.reserve(self.dir.control("clients.reserve"))
            run_dir.refuse_second_start()
            node_dirs.make(self.tmp_dir)
            self._measure_all()
            self._end_live()
            self.events.emit("done", cases=len(self.results.cases))
            code, reason = 0, None
        except (AgentError, LoadError, OSError) as e:
            reason = explain(e)
            self._end_live()
            code = self._failed(e, reason)
        finally:
            # First of all: the service's nodes are waiting for this.
            run_dir.write_json(self.dir.control(run_dir.CLIENTS_DONE), {"ok": code == 0, "reason": reason})
            if self.context:
                self.context.close()
            self.launcher.stop(QUIT_DEADLINE_S, lost=sorted(self.lost))
            heartbeat.stop()
            for what in ["setup"] + [node_dirs.client(number) for number in sorted(self.lost)]:
                node_dirs.remove(node_dirs.path(self.spec, what))
        return code

    def _begin_live(self):
        found = endpoint.start(self.spec, "clients", "clients", self.events)
        if found:
            benchmarks = self.spec["benchmarks"]
            planned = None if benchmarks.get("search") else len(measured_order(benchmarks, self.spec["run_id"]))
            self.live = LiveLoad(found, self, planned)

    def _end_live(self):
        if self.live:
            live, self.live = self.live, None
            self.events.emit("live_done", **live.endpoint.close())

    def _on_signal(self, number, frame):
        self.signal = number
        self.stop.set()

    def _failed(self, error, reason):
        log_tail = getattr(error, "log_tail", None) or self.launcher.tail
        self.events.emit("failed", reason=reason, log_tail=log_tail)
        # Clients in the middle of a case write what they have; it stays in clients/NNN.
        self.launcher.send("stop")
        return error.exit_code if isinstance(error, Ended) else 1

    def _measure_all(self):
        workload = context.make_workload(self.spec)
        self.launcher.start()
        log = context.BoundedLog(self.dir.logs("setup.log"))
        ctx = self.context = context.make_context(
            self.spec, self.container, stop=self.stop, log=log, tmp_dir=self.tmp_dir
        )
        if workload.setup_uses_shell:
            ctx.shell()
        ctx.services, ctx.companions = self._endpoints()
        if self.live:
            self.live.phase("ready")
        self.launcher.send("services", services=ctx.services, companions=ctx.companions)
        if workload.setup_uses_shell:
            ctx.shell().ready()
        self.events.emit("setup_started")
        try:
            self._interruptible(workload.setup, ctx)
            self.events.emit("setup_done")
            self._until_ready()
            slurm = self._slurm()
            slurm.ask(slurm_usage.BEFORE)
            self._measure_cases(workload)
            if self.spec["benchmarks"].get("search"):
                SearchRun(self, workload).run()
            slurm.ask(slurm_usage.AFTER)
        except ServiceGone:
            raise  # and with it what the set-up made
        except (AgentError, LoadError, OSError):
            self._clean_up(workload, CLEANUP_AFTER_FAILURE_S)
            raise
        self._clean_up(workload, CLEANUP_S)

    def _clean_up(self, workload, deadline_s):
        """Undo the set-up. What was measured stays right when that fails: an event says so."""
        if self.live:
            self.live.phase("ending")
        failures = []

        def undo():
            try:
                workload.cleanup(self.context)
            except (LoadError, OSError) as e:
                failures.append(str(e))

        thread = threading.Thread(target=undo, name="cleanup", daemon=True)
        thread.start()
        thread.join(deadline_s)
        if thread.is_alive():
            failures.append("not done within %g s" % deadline_s)
        for reason in failures:
            self.events.emit("cleanup_failed", reason=reason)

    def _measure_cases(self, workload):
        """All repetitions of all cases; a case in which too much failed is not repeated."""
        hopeless = set()
        for case, repetition in measured_order(self.spec["benchmarks"], self.spec["run_id"]):
            if case["name"] in hopeless:
                continue
            record = CaseRun(self, workload, case, repetition).run()
            if record["cut"] == ERROR_RATE:
                hopeless.add(case["name"])

    def _interruptible(self, step, ctx):
        """Run a step of the workload; when it was stopped, say by whom."""
        try:
            step(ctx)
        except (Ended, ServiceGone):
            raise
        except (AgentError, LoadError, OSError):
            self.await_verdict()  # a step fails as well when the service does, and then that is the reason
            raise
        finally:
            self.check(at_once=True)

    # -- the service -----------------------------------------------------------------------------------

    def _endpoints(self):
        """The services (list of dict) of endpoint.json, and the companions (dict of them), as soon as it is there."""
        health = self.spec["service"].get("health") or {}
        deadline_s = float(health.get("deadline_s") or 120) + ENDPOINT_MARGIN_S
        deadline_s += max((self.spec.get("companions") or {"": 0}).values())  # they are healthy before it starts
        begin = time.monotonic()
        while run_dir.ENDPOINT not in self.check(at_once=True):
            waited_s = time.monotonic() - begin
            if self.pulse.silent_s() is None and waited_s > SERVICE_START_S:
                raise AgentError("the service gave no sign of life in %g s: its job did not start" % SERVICE_START_S)
            if waited_s > deadline_s:
                raise AgentError("no endpoint was published within %g s: see the service's log and events" % deadline_s)
            self.stop.wait(_TICK_S)
        found = run_dir.read_json(self.dir.control(run_dir.ENDPOINT), 10)
        self.service_jobs = found.get("jobs") or []
        self.events.emit("endpoint_found", services=[service["url"] for service in found["services"]])
        return found["services"], found.get("companions") or {}

    def check(self, at_once=False):
        """Raises ServiceGone when the service is gone, Ended when told to end. Returns the control files seen."""
        if self.signal is not None:
            limit_s = (self.spec["clients"].get("job") or {}).get("time_limit_s")
            raise Ended(time_limit.why_ended(self.signal, limit_s, "client"), exit_code=128 + self.signal)
        now = time.monotonic()
        if not at_once and now - self.signs_read_at < _SIGNS_EVERY_S:
            return None
        self.signs_read_at = now
        signs = self.dir.signs()
        if run_dir.SERVICE_FAILED in signs:
            failed = run_dir.read_json(self.dir.control(run_dir.SERVICE_FAILED), 5)
            raise ServiceGone("the service failed: %s" % failed["reason"], failed.get("log_tail"))
        if run_dir.STOP in signs:
            raise Ended("stop was requested", exit_code=1)
        silent_s = self.pulse.silent_s()
        if silent_s is not None and silent_s > run_dir.STALE_S:
            raise ServiceGone("the service job gave no sign of life for %g s" % run_dir.STALE_S)
        return signs

    def await_verdict(self):
        """Raises ServiceGone when the service has gone: its agent says so within SERVICE_VERDICT_S."""
        end = time.monotonic() + SERVICE_VERDICT_S
        while time.monotonic() < end:
            self.check(at_once=True)
            time.sleep(_TICK_S)

    def _slurm(self):
        """Who asks Slurm about the service's job and this one, which may be the same."""
        jobs = [self.service_jobs, slurm_usage.job_ids(os.environ)]
        return slurm_usage.Asker(self.dir.path("telemetry", "slurm.csv"), self.events, jobs)

    # -- the clients -----------------------------------------------------------------------------------

    @property
    def active(self):
        """The clients (sorted list of int) that are there."""
        return sorted(self.ready - set(self.lost))

    def receive(self, timeout_s):
        """The next message (dict) of a client, or None; who is lost, and who came, is noted here."""
        try:
            message = self.launcher.messages.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if message["op"] == "ready":
            self.ready.add(message["client"])
            self.nodes[message["client"]] = message["node"]
            self.prepared_s = max(self.prepared_s, message["prepared_s"])
        elif message["op"] == "lost":
            self.lost.setdefault(message["client"], message["reason"])
        return message

    def _until_ready(self):
        """Wait for all clients; go on without those that do not come, and name them."""
        deadline_s = max(READY_DEADLINE_S, READY_PER_CLIENT_S * self.count)
        end = time.monotonic() + deadline_s
        while len(self.ready | set(self.lost)) < self.count and time.monotonic() < end:
            self.receive(_TICK_S)
            self.check()
        for number in set(range(self.count)) - self.ready:
            self.lost.setdefault(number, "did not start within %g s" % deadline_s)
        if not self.active:
            raise AgentError("no client started: %s" % self.reasons(self.lost), self.launcher.tail)
        self.events.emit(
            "clients_ready", count=len(self.active), missing=sorted(self.lost), launcher=self.launcher.kind
        )
        offsets = clocks.measure(self)
        if offsets:
            self.events.emit("clocks", offsets=offsets)

    @staticmethod
    def reasons(failed):
        """Why clients (dict: number -> reason) failed, as one line: the first of them, and how many there are."""
        first = min(failed)
        more = " (and %d more)" % (len(failed) - 1) if len(failed) > 1 else ""
        return "client %d: %s%s" % (first, failed[first], more)
