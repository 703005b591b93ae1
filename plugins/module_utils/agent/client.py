# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One client: makes the load of the cases that the conductor names.

Messages are JSON lines, orders on standard input and answers on standard output. srun cuts longer lines than
1,024 bytes, so answers are short; results are files, clients/NNN/CASE-REPETITION.json.
Orders: {"op": "services", "services"}, {"op": "run", ...} (see Case), {"op": "cut"} (end this case, keep what it has),
{"op": "clock", "n"}, {"op": "stop"}, {"op": "quit", "lost"}.
Answers: {"op": "ready", "node", "prepared_s"}, {"op": "clock", "n", "t", "node"}, {"op": "progress", "operations",
"errors", "in_flight", "lag_ms", "offered", with live metrics "recent"}, {"op": "result", "file"},
{"op": "failed", "reason", "file"} (this case), {"op": "lost", "reason"} (for good); each with its "client".
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import queue
import signal
import sys
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import (
    context,
    node,
    node_dirs,
    node_record,
    process_tree,
    run_dir,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError, explain
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import node_name
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import pressure, registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import Case, LoadError

_LINE_BYTES = 1000
_REASON_CHARACTERS = 400
_QUIT = {"op": "quit"}


class Client:
    """spec: spec.json (dict); container: the argv (list of str) that runs something in the clients' container."""

    def __init__(self, spec, container):
        self.spec = spec
        self.container = container
        self.number = int(os.environ.get("AIFACTORY_CLIENT") or os.environ.get("SLURM_PROCID") or 0)
        self.dir = run_dir.RunDir(spec)
        self.stop = threading.Event()
        self.cut = threading.Event()
        self.orders = queue.Queue()
        self.lock = threading.Lock()
        self.context = self.workload = None

    def run(self):
        """Until told to quit, or until the conductor is gone. Returns 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._keep_output()
        threading.Thread(target=self._read_orders, name="orders", daemon=True).start()
        self.tmp_dir = node_dirs.path(self.spec, node_dirs.client(self.number))
        sampler = self._sampler()
        if sampler:
            node_record.write(self.dir, self.spec, "clients", node.describe())
        try:
            node_dirs.make(self.tmp_dir)
            self._prepare()
            self._obey()
        except (LoadError, AgentError, OSError) as e:
            self._send("lost", reason=explain(e)[:_REASON_CHARACTERS])
            return 1
        finally:
            if self.context:
                self.context.close()
            node_dirs.remove(self.tmp_dir)
            if sampler:
                sampler.stop()
        return 0

    def _on_signal(self, number, frame):
        self.stop.set()
        self.orders.put(_QUIT)

    def _keep_output(self):
        """Standard output speaks the protocol; whatever else is printed goes to the client's log."""
        self.log = context.BoundedLog(self.dir.logs("client-%03d.log" % self.number))
        self.answers = os.dup(1)
        sys.stdout.flush()
        os.dup2(self.log.stream.fileno(), 1)

    def _sampler(self):
        """One client of every node samples its telemetry, and tells what the node is."""
        local = os.environ.get("SLURM_LOCALID") if "AIFACTORY_CLIENT" not in os.environ else str(self.number)
        if local not in (None, "0"):
            return None
        from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.telemetry import Sampler

        sampler = Sampler(self.dir.path("telemetry", "clients-%s.csv" % node_name()))
        sampler.start()
        return sampler

    def _read_orders(self):
        for line in iter(sys.stdin.readline, ""):
            order = json.loads(line)
            if order["op"] == "stop":
                self.stop.set()
            elif order["op"] == "cut":
                self.cut.set()
            elif order["op"] == "clock":
                self._send("clock", n=order["n"], t=time.time(), node=node_name())
            else:
                self.orders.put(order)
        # The conductor is gone: nobody would read what comes.
        self.stop.set()
        self.orders.put(_QUIT)

    def _obey(self):
        while True:
            order = self.orders.get()
            if order["op"] == "quit":
                # Who was killed could not do it, and only a neighbour on its node can.
                for number in order.get("lost", ()):
                    node_dirs.remove(node_dirs.path(self.spec, node_dirs.client(number)))
                return
            if order["op"] == "services":
                self.context.services, self.context.companions = order["services"], order.get("companions") or {}
                begin = time.monotonic()
                self.workload.prepare(self.context)
                self._send("ready", node=node_name(), prepared_s=round(time.monotonic() - begin, 3))
            elif order["op"] == "run":
                self._run_case(order)

    def _prepare(self):
        """Have the container's shells ready before anything is measured."""
        directory = self.dir.path("clients", "%03d" % self.number, "output")
        os.makedirs(directory, exist_ok=True)
        self.workload = context.make_workload(self.spec)
        self.context = context.make_context(
            self.spec,
            self.container,
            stop=self.stop,
            cut=self.cut,
            log=self.log,
            tmp_dir=self.tmp_dir,
            client=self.number,
            output_dir=directory,
        )
        self.settings = self.context.settings
        shells = [self.context.shell(number) for number in range(self.workload.shells(self.spec["benchmarks"]))]
        for shell in shells:
            shell.ready()

    def _run_case(self, order):
        self.cut.clear()
        case = Case(order, self.number, self.context.clients, self.spec["run_id"])
        self.context.settings = registry.located(
            self.spec["clients"]["type"], dict(self.settings, **(order.get("settings") or {})), self.spec["run_dir"]
        )
        recorder = self.workload.recorder(self.context, case)
        over = threading.Event()
        reporter = threading.Thread(target=self._report, args=(recorder, over), name="progress", daemon=True)
        reporter.start()
        begin, used_before_s = max(time.time(), case.warmup_start), _cpu_s()
        strain = pressure.Strain(case.measure_start)
        extra, failure = {"threads": 1}, None
        try:
            extra = self.workload.run(self.context, case, recorder)
        except (LoadError, OSError, ValueError) as e:
            self.log("case %s, repetition %d: %s" % (case.name, case.repetition, e))
            failure = explain(e)[:_REASON_CHARACTERS]
            extra["measure_end"] = recorder.last_end or case.measure_start
        finally:
            over.set()
            reporter.join()
        result = recorder.result()
        result.update(strain.measured())
        result.update(extra)
        elapsed_s = max(1e-6, time.time() - begin)
        own_cpu_s = _cpu_s() - used_before_s - extra.get("service_cpu_s", 0.0)  # of a service within the client
        result.update(
            client=self.number,
            node=node_name(),
            case=case.name,
            repetition=case.repetition,
            cpu_percent=round(100.0 * own_cpu_s / elapsed_s / extra["threads"], 2),
            interrupted=self.stop.is_set() or failure is not None,
        )
        path = self.dir.path("clients", "%03d" % self.number, case.file_stem + ".json")
        run_dir.write_json(path, result)
        if failure is None:
            self._send("result", file=path)
        else:  # what it has measured counts only where the run ends with this case
            self._send("failed", reason=failure, file=path)

    def _report(self, recorder, over):
        """Progress once a second, also before the start: it says that this client lives."""
        while not over.wait(1.0):
            operations, errors = recorder.progress()
            lag_s = recorder.take_lag()
            timed, sum_us = recorder.series.totals()
            self._send(
                "progress",
                operations=operations,
                errors=errors,
                timed=timed,
                response_sum_us=sum_us,
                in_flight=self.workload.in_flight(),
                lag_ms=None if lag_s is None else round(1e3 * lag_s, 3),
                offered=recorder.offered,
                **({"recent": recorder.recent(time.time())} if self.spec.get("live") else {}),
            )

    def _send(self, op, **fields):
        fields.update(op=op, client=self.number)
        line = json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"
        if len(line) > _LINE_BYTES:
            fields["reason"] = fields["reason"][: _REASON_CHARACTERS // 6]  # one character is up to six bytes
            line = json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"
        with self.lock:
            try:
                os.write(self.answers, line)
            except BrokenPipeError:
                self.stop.set()
                self.orders.put(_QUIT)


def _cpu_s():
    """CPU seconds of this process and of all that it has started."""
    return sum(os.times()[:2]) + process_tree.cpu_s()
