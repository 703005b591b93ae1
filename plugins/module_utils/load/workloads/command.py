# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Any shell command, executed again and again, each execution timed by itself.

With `client.parser` the command is another load generator: what counts are the operations that it reports, over the
time that it measured; how long an execution took means nothing then.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import foreign
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.metric_files import MetricFiles
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import sleep_until
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import CONSTANT, POISSON, arrivals
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.shell import GONE, quote
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError, WorkloadBase

SETTINGS = {
    "arrival": {
        "type": "str",
        "default": POISSON,
        "choices": [POISSON, CONSTANT],
        "description": "How executions are spaced where there is a rate.",
    },
    "timeout": {
        "type": "float",
        "default": 0.0,
        "min": 0,
        "description": "Seconds after which an execution is ended and counted as an error; 0: never.",
    },
    "drain": {
        "type": "float",
        "default": 60.0,
        "min": 0,
        "description": "Seconds that executions may go on after the measurement's end, where there is a duration.",
    },
    "success_codes": {
        "type": "list",
        "elements": "int",
        "default": [0],
        "description": "Exit codes that mean success.",
    },
}

_GRACE_S = 2.0


class Workload(WorkloadBase):
    """See the module."""

    def shells(self, benchmarks):
        """One for each loop of the widest case."""
        # A search has no cases beforehand; where it raises the concurrency, further shells start when they are needed.
        known = [*benchmarks["cases"], benchmarks.get("search") or {}]
        return max(int(each.get("concurrency") or 1) for each in known)

    def run(self, ctx, case, recorder):
        """`case.concurrency` loops; where there is a rate they take their turns from one schedule."""
        if not ctx.command:
            raise LoadError("the workload `command` needs client.command")
        self.imports = _Imports(ctx, case, recorder) if getattr(ctx, "parser", None) else None
        script = os.path.join(ctx.tmp_dir, "command.sh")
        with open(script, "w") as stream:
            stream.write(ctx.command + "\n")
        self.line = "exec sh " + quote(script)
        self.turns = _Turns(case, ctx.settings["arrival"])
        self.failure = None
        # Times of day for the records, but differences by the clock that nobody sets.
        self.epoch_offset = time.time() - time.monotonic()
        drained = threading.Event()
        loops = [_Loop(self, ctx, case, recorder, number) for number in range(case.concurrency)]
        sleep_until(case.warmup_start, ctx.stop)
        for loop in loops:
            loop.start()
        watch = threading.Thread(target=self._watch, args=(ctx, case, loops, drained))
        watch.daemon = True
        watch.start()
        for loop in loops:
            loop.join()
        drained.set()
        watch.join()
        if self.failure:
            raise LoadError(self.failure)
        facts = {"threads": len(os.sched_getaffinity(0))}
        facts.update(cut=ctx.cut.is_set(), measure_end=self._end(case, recorder, ctx.cut.is_set()))
        if self.imports:
            facts.update(self.imports.facts())
        return facts

    def now(self):
        """The time of day (epoch seconds) by the monotonic clock."""
        return time.monotonic() + self.epoch_offset

    def _watch(self, ctx, case, loops, drained):
        """Ends executions that take too long: their own time-out, the drain after the end, a stop."""
        timeout_s = ctx.settings["timeout"]
        last = None if case.measure_end is None else case.measure_end + ctx.settings["drain"]
        while not drained.wait(0.05):
            now = self.now()
            if ctx.stop.is_set():
                reason = "stopped"
            elif last is not None and now > last:
                reason = "unfinished"
            else:
                reason = None
            if reason or ctx.cut.is_set():
                self.turns.close()
            for loop in loops:
                since = loop.running_since
                if since and (reason or (timeout_s and now - since > timeout_s)):
                    loop.end(reason or "timeout", now)

    def _end(self, case, recorder, cut):
        """Where the time ends over which the operations count (epoch seconds).

        Closed loop: with the last execution. A rate: the executions' ends are spread over the duration when the
        service keeps up, over more when it falls behind.
        """
        last = recorder.last_end
        if last is None:
            return case.measure_end or self.now()
        if case.measure_end is None or cut:
            return last
        if case.rate is None:
            return max(case.measure_end, last)
        return case.measure_start + max(case.measure_end - case.measure_start, last - recorder.first_end)


class _Turns:
    """Hands out when each execution is due (epoch seconds); None: there is nothing more to do."""

    def __init__(self, case, arrival):
        self.case = case
        self.lock = threading.Lock()
        self.closed = False
        self.left = case.requests
        self.schedule = None
        if case.rate is not None:
            offset = (case.client + 1.0) / case.clients
            self.schedule = arrivals(case.rate, arrival, case.seed, offset)

    def next(self, now):
        """The next turn's due time: now in a closed loop, else by the schedule."""
        case = self.case
        with self.lock:
            due = now if self.schedule is None else case.warmup_start + next(self.schedule)
            if self.closed or (case.measure_end is not None and due >= case.measure_end):
                return None
            if self.left is not None and due >= case.measure_start:
                if self.left == 0:
                    return None
                self.left -= 1
            return due

    def close(self):
        """No more turns."""
        self.closed = True


class _Loop(threading.Thread):
    """One of a client's concurrent loops, with a shell and an output directory of its own."""

    def __init__(self, workload, ctx, case, recorder, number):
        super().__init__()
        self.daemon = True
        self.workload, self.ctx, self.case, self.recorder = workload, ctx, case, recorder
        self.running_since = None  # for the one that ends what takes too long
        self.ended_as = None  # why it was ended from outside
        self.ended_at = None
        directory = ctx.output_dir if case.concurrency == 1 else os.path.join(ctx.output_dir, str(number))
        os.makedirs(directory, exist_ok=True)
        self.metrics = MetricFiles(directory)
        self.shell = ctx.shell(number)
        self.shell.set_variables(ctx.variables({"BENCHMARK_OUTPUT_DIR": directory, "CLIENT_ID": case.client}))

    def run(self):
        """Until there are no more turns."""
        try:
            self._run_turns()
        except (OSError, LoadError) as e:  # no process to be had, no disk: this client cannot go on
            self.workload.failure = "cannot execute the command: %s" % e
            self.workload.turns.close()

    def end(self, reason, now):
        """End the execution under way (called by another thread): SIGTERM, later SIGKILL."""
        if self.ended_as is None:
            self.ended_as, self.ended_at = reason, now
            self.shell.end(signal.SIGTERM)
        elif now - self.ended_at > _GRACE_S:
            self.shell.end(signal.SIGKILL)

    def _run_turns(self):
        turns, now = self.workload.turns, self.workload.now
        while True:
            due = turns.next(now())
            if due is None:
                return
            if self.case.rate is not None and sleep_until(due, self.ctx.stop):
                return
            if self.ctx.cut.is_set():
                return
            if turns.closed:
                self.recorder.error(due, now(), "not started", "its turn came after the drain's end")
                return
            self._execute(due)

    def _execute(self, due):
        now = self.workload.now
        self.ended_as = None
        imports = self.workload.imports
        if imports:
            imports.begin()
        start = self.running_since = now()
        self.shell.execute(self.workload.line)
        code = self.shell.wait()
        end = now()
        self.running_since = None
        tail = self.shell.tail()
        if tail:
            self.ctx.log(tail)
        if self.ended_as == "stopped":
            return
        succeeded = code in self.ctx.settings["success_codes"] and not self.ended_as
        if imports and succeeded:
            imports.take(due, end)
        elif succeeded:
            self.recorder.operation(due, end, None if self.case.rate is None else start - due)
        elif code == GONE and not self.ended_as:
            raise LoadError("its shell has ended: %s" % (tail or "nothing was printed"))
        else:
            self.recorder.error(due, end, self.ended_as or "exit %d" % code, tail)
        self.metrics.collect(self.recorder, keep=self.recorder.measures(due))


class _Imports:
    """Takes in what the tool wrote, execution by execution. Raises LoadError for a case that is not the tool's own."""

    def __init__(self, ctx, case, recorder):
        if case.rate is not None or case.concurrency != 1:
            raise LoadError("with client.parser the tool makes the load: a case has no rate, and concurrency 1")
        self.ctx, self.recorder = ctx, recorder
        self.parser = foreign.load(ctx.parser)
        self.outputs = foreign.Outputs(ctx.output_dir, self.parser.HINT)
        self.taken = None  # facts of the last one
        self.start = None  # of the first one (epoch s)
        self.measured_s = 0.0
        self.runs = 0

    def begin(self):
        """An execution begins: what was written before is none of its."""
        self.outputs.forget()

    def take(self, due, end):
        """The execution that was due at `due` has ended well at `end` (epoch s); one of the warm-up is ignored."""
        if not self.recorder.measures(due):
            return
        try:
            imported = self.parser.read(self.outputs)
            foreign.apply(imported, self.recorder, self.measured_s)
        except LoadError as e:
            self.recorder.problem("import", str(e))
            self.ctx.log("the result of %s could not be read: %s" % (self.ctx.parser, e))
            return
        if self.start is None:
            self.start = end - imported.duration_s if imported.start is None else imported.start
        self.measured_s += imported.duration_s
        self.runs += 1
        self.taken = imported.facts(self.ctx.run_dir)

    def facts(self):
        """For the client's result: the time over which the tool counted, and what was read."""
        if not self.taken:
            return {"imported": None}
        window = {"measure_start": self.start, "measure_end": self.start + self.measured_s}
        return dict(window, imported=dict(self.taken, runs=self.runs))
