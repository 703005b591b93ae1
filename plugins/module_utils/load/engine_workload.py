# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The base of the workloads that run on the engine: what they have in common, so that each says only what it sends."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import asyncio
import os
import resource
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import schedule
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine import Engine, Load
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import Samples
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError, WorkloadBase

FILES_BESIDES_CONNECTIONS = 64


class EngineWorkload(WorkloadBase):
    """A workload derives from it and says, for a case, to where and what.

    `connectors(ctx)` -> list of load.pool.Connector, one a service; `operations(ctx, case)` -> a callable that makes
    the next Operation, whose `endpoint` is an index of the connectors; `kinds(settings)` -> names of its kinds of
    operation, [""] when there is but one.
    """

    def connectors(self, ctx):
        """See the class."""
        raise NotImplementedError

    def operations(self, ctx, case):
        """See the class."""
        raise NotImplementedError

    def kinds(self, settings):
        """See the class."""
        return [""]

    def recorder(self, ctx, case):
        """See WorkloadBase."""
        self.records = None
        kinds, clock_offset_s = self.kinds(ctx.settings), time.time() - time.monotonic()
        if case.records:
            from ansible_collections.aifactory.benchmark.plugins.module_utils.load.records import RecordWriter

            path = os.path.join(os.path.dirname(ctx.output_dir), case.file_stem + ".npz")
            self.records = RecordWriter(path, kinds, clock_offset_s)
        return Samples(
            case.measure_start,
            case.measure_end,
            clock_offset_s,
            kinds=kinds,
            scheduled=case.is_open,
            terms=case.slo_terms,
            keep=self.records.add_many if self.records else None,
        )

    def run(self, ctx, case, recorder):
        """See WorkloadBase."""
        self._check_files(case)
        loop = new_loop()
        try:
            load = load_of(case, ctx, recorder.clock_offset_s)
            following, connectors = self.operations(ctx, case), self.connectors(ctx)
            engine = Engine(loop, load, recorder, next_operation=following, connectors=connectors, signs=ctx)
            self.engine = engine
            engine.run()
            return self._facts(case, engine, recorder)
        finally:
            loop.close()
            if self.records:
                self.records.close()

    def in_flight(self):
        """Operations (int) that are under way now."""
        engine = getattr(self, "engine", None)
        return engine.in_flight if engine else 0

    def _facts(self, case, engine, recorder):
        cut_at = engine.cut_at if engine.cut_at is not None else time.monotonic() if engine.stopped else None
        if cut_at is not None:
            end = min(cut_at + recorder.clock_offset_s, case.measure_end or float("inf"))
            recorder.end_at(max(end, case.measure_start))
        elif case.requests is not None:
            recorder.flush()
            recorder.end_at(recorder.last_end or recorder.measure_start)
        recorder.flush()
        facts = {"threads": 1, "max_in_flight": engine.most_in_flight, "cut": engine.cut_at is not None}
        facts["measure_end"] = recorder.pace_end() if case.is_open else recorder.measure_end
        if self.records:
            facts["records"] = os.path.basename(self.records.path)
        return facts

    @staticmethod
    def _check_files(case):
        """Every connection is an open file: raise the limit as far as it goes, and say when that is not enough."""
        wanted = (case.max_in_flight if case.is_open else case.concurrency) + FILES_BESIDES_CONNECTIONS
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard == resource.RLIM_INFINITY or hard >= wanted:
            if soft != resource.RLIM_INFINITY and soft < wanted:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return
        if not case.is_open:
            raise LoadError("%d connections need more open files than this node allows (%d)" % (case.concurrency, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        case.max_in_flight = hard - FILES_BESIDES_CONNECTIONS


def new_loop():
    """An event loop: uvloop's where it can be imported, for the sake of TLS, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def load_of(case, ctx, clock_offset_s):
    """The Load of a Case, by the monotonic clock. Raises LoadError when its trace can't be read."""
    begin = case.warmup_start - clock_offset_s
    return Load(
        begin=begin,
        end=None if case.load_end is None else case.load_end - clock_offset_s,
        arrivals=_arrivals(case, ctx) if case.is_open else None,
        concurrency=case.concurrency,
        think_s=case.think_time_s,
        requests=case.requests,
        max_in_flight=case.max_in_flight,
        timeout_s=case.timeout_s,
        retries=case.retries,
        drain_s=case.drain_s,
        seed=case.seed,
    )


def _arrivals(case, ctx):
    """Seconds from the load's begin (iterator)."""
    arrival = case.arrival
    kind = arrival.get("type", schedule.POISSON)
    warmup_s = case.measure_start - case.warmup_start
    if kind == schedule.RAMP:
        duration_s = case.duration_s or 1.0
        first = float(arrival.get("ramp_from") or 0.0) / case.clients
        return schedule.ramp(first, case.rate, warmup_s, duration_s, case.seed)
    if kind == schedule.TRACE:
        return _traced(case, os.path.join(ctx.run_dir, arrival["trace"]), warmup_s)
    offset = (case.client + 0.5) / case.clients  # in the middle, so that every whole second has its number
    return schedule.arrivals(case.rate, kind, case.seed, offset, float(arrival.get("burstiness") or 1.0))


def _traced(case, path, warmup_s):
    """A trace begins with the measurement; the warm-up before it is random arrivals at its mean rate."""
    try:
        times = schedule.read_trace(path)
    except (OSError, ValueError) as e:
        raise LoadError("the trace of arrivals: %s" % e)
    whole_rate = None if case.rate is None else case.rate * case.clients
    mine = schedule.traced(times, case.client, case.clients, whole_rate)
    if mine and mine[-1] > 0 and warmup_s > 0:
        for t in schedule.arrivals(len(mine) / mine[-1], schedule.POISSON, case.seed):
            if t >= warmup_s:
                break
            yield t
    for t in mine:
        yield warmup_s + t
