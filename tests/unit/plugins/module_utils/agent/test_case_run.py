# SPDX-License-Identifier: MIT
"""One repetition of a case, with clients that do as the test says: orders, merging, cuts, a run that ends."""

from __future__ import annotations

import csv
import json
import time
from types import SimpleNamespace

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import case_run, conductor, run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.case_run import CaseRun
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError, Ended, ServiceGone
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Results
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.slo import parse
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import WorkloadBase

CASE = {"name": "a", "concurrency": 1, "rate": None}


class Stage:
    """A conductor as CaseRun sees it; `act(op, order)` is what the clients do when they get an order."""

    def __init__(self, path, clients=2, **benchmarks):
        self.dir = run_dir.RunDir({"run_dir": str(path)})
        self.spec = {
            "run_id": "r",
            "benchmarks": {"duration_s": 0.2, "requests": None, "warmup_s": 0.0, "seed": 3, **benchmarks},
        }
        self.events = SimpleNamespace(emit=self._emit)
        self.launcher = SimpleNamespace(send=self._send)
        self.results = Results(self.dir)
        self.live = None
        self.active = list(range(clients))
        self.lost, self.prepared_s = {}, 0.0
        self.messages, self.orders, self.emitted = [], [], []
        self.over = None  # the error that ends the run
        self.act = lambda op, order: None

    await_verdict = conductor.Conductor.await_verdict

    def _emit(self, event, t=None, **fields):
        self.emitted.append({"event": event, "t": t, **fields})

    def _send(self, op, **fields):
        self.orders.append({"op": op, **fields})
        self.act(op, fields)

    def receive(self, timeout_s):
        if self.messages:
            return self.messages.pop(0)
        time.sleep(min(timeout_s, 0.01))
        return None

    def check(self, at_once=False):
        if self.over:
            raise self.over

    def reasons(self, failed):
        return str(failed)

    def say(self, client, op, **fields):
        self.messages.append({"op": op, "client": client, "received": time.time(), **fields})

    def finish(self, client, *, operations=10, errors=0, op="result", **fields):
        """The client leaves a result: operations of 10 ms each, the first tenth of a second after the start."""
        start = self.orders[0]["measure_start"]
        recorder = Recorder(start, self.orders[0]["measure_end"])
        for _n in range(operations):
            recorder.operation(start + 0.1, start + 0.11)
        for _n in range(errors):
            recorder.error(start + 0.1, start + 0.11, "exit 1", "broken")
        result = {**recorder.result(), "client": client, "cpu_percent": 5.0, "interrupted": False, **fields}
        path = self.dir.path("clients", f"{client:03d}", "a-1.json")
        run_dir.write_json(path, result)
        self.say(client, op, file=path, **({"reason": "the service is gone"} if op == "failed" else {}))

    def run(self, case=None, **fields):
        return CaseRun(self, WorkloadBase(), case or CASE, 1, **fields).run()

    def names(self):
        return [event["event"] for event in self.emitted]

    def event(self, name):
        return next(event for event in self.emitted if event["event"] == name)

    def record(self):
        with open(self.dir.path("results", "cases.json")) as stream:
            (record,) = json.load(stream)
        return record

    def value(self, metric, statistic="value", client="all"):
        with open(self.dir.path("results", "results.csv"), newline="") as stream:
            rows = list(csv.DictReader(stream))
        found = [r for r in rows if (r["metric"], r["statistic"], r["client"]) == (metric, statistic, str(client))]
        return float(found[0]["value"]) if found else None


@pytest.fixture
def stage(tmp_path):
    def make(clients=2, **benchmarks):
        return Stage(tmp_path, clients, **benchmarks)

    return make


def finish_all(made, **fields):
    """As soon as the case is ordered, all clients have their results."""

    def act(op, order):
        if op == "run":
            for client in made.active:
                made.finish(client, **fields)

    made.act = act


def test_the_order_says_all_that_the_plan_says(stage):
    planned = {
        "arrival": {"type": "gamma", "burstiness": 0.5},
        "think_time_s": 0.1,
        "max_in_flight": 99,
        "timeout_s": 3.0,
        "retries": 2,
        "drain_s": 7.0,
        "records": True,
    }
    terms = parse("latency_p95_ms < 50 and error_rate < 0.01")
    made = stage(cooldown_s=1.5, slo={"text": "…", "terms": terms}, **planned)
    finish_all(made)
    made.run({**CASE, "rate": 30.0, "settings": {"ef": 20}})
    order = made.orders[0]
    assert order == {**order, **planned, "settings": {"ef": 20}, "rate": 15.0, "slo_terms": terms, "cooldown_s": 1.5}
    assert order["load_end"] == pytest.approx(order["measure_end"] + 1.5)
    assert order["measure_end"] == pytest.approx(order["measure_start"] + 0.2)


def test_with_requests_nobody_knows_the_end(stage):
    made = stage(duration_s=None, requests=10)
    finish_all(made, measure_end=time.time() + 5)
    made.run()
    assert (made.orders[0]["measure_end"], made.orders[0]["load_end"]) == (None, None)


def test_the_record_has_what_the_clients_counted(stage):
    terms = parse("latency_p95_ms < 50 and latency_p50_ms < 1 and error_rate < 0.2")
    made = stage(slo={"text": "…", "terms": terms})
    counters = {"output_tokens": {"unit": "token", "total": 500}}
    finish_all(
        made, errors=2, offered=14, dropped=2, retries=1, good=9, counters=counters, run_delay_percent=3.5,
        psi_cpu_some_percent=None, records="a-1.npz",
    )  # fmt: skip
    returned = made.run({**CASE, "rate": 100.0, "settings": {"ef": 20}}, trial={"number": 4, "step": "bisect"})
    record = made.record()
    assert record == returned
    assert (record["offered"], record["dropped"], record["retries"], record["good"]) == (28, 4, 2, 18)
    assert record["client_run_delay_percent"] == {"0": 3.5, "1": 3.5}
    assert record["client_psi_cpu_some_percent"] == {}
    assert record["records"] == ["clients/000/a-1.npz", "clients/001/a-1.npz"]
    assert record["settings"] == {"ef": 20} and record["trial"] == {"number": 4, "step": "bisect"}
    assert (record["cut"], record["order"], record["offered_rate_per_s"]) == (None, 0, 100.0)
    assert [term["met"] for term in record["slo"]["terms"]] == [True, False, True] and record["slo"]["met"] is False
    assert record["slo"]["terms"][0]["value"] == pytest.approx(0.01, rel=0.002)
    assert made.value("error_rate") == pytest.approx(4 / 24)
    assert made.value("offered") == 28 and made.value("dropped") == 4 and made.value("retries") == 2
    assert made.value("offered_rate") == 100 and made.value("offered_rate", client=1) == 50
    assert made.value("goodput") == pytest.approx(18 / 0.2) and made.value("goodput", client=0) == pytest.approx(45)
    assert made.value("output_tokens") == 1000
    assert made.value("output_tokens_per_s") == pytest.approx(1000 / 0.2, rel=1e-5)


def test_what_a_client_does_not_know_is_not_in_the_table(stage):
    made = stage()
    finish_all(made)
    made.run()
    assert made.record()["offered"] is None and made.record()["slo"] is None
    assert made.value("offered") is None and made.value("goodput") is None and made.value("offered_rate") is None


def test_a_ramp_has_the_rate_that_it_offered(stage):
    made = stage(arrival={"type": "ramp", "ramp_from": 0.0})
    finish_all(made, offered=11)
    made.run({**CASE, "rate": 200.0})
    assert made.record()["offered_rate_per_s"] == pytest.approx(22 / 0.2, rel=1e-5)


def progressing(made, rate, failing=0.0, **fields):
    """Both clients report five times a second; `cut` ends them."""
    done = {"since": time.time()}

    def receive(timeout_s):
        if made.messages:
            return made.messages.pop(0)
        time.sleep(0.1)
        elapsed_s = time.time() - done["since"]
        for client in made.active:
            operations = int(elapsed_s * rate / 2)
            made.say(client, "progress", operations=operations, errors=int(failing * operations), **fields)
        return made.messages.pop(0)

    def act(op, order):
        if op == "cut":
            done["cut"] = True
            for client in made.active:
                made.finish(client, errors=90, cut=True, measure_end=time.time())

    made.receive, made.act = receive, act
    return done


def test_too_many_errors_cut_the_case_and_keep_it(stage):
    made = stage(duration_s=60.0, stop_on={"error_rate": 0.5})
    progressing(made, 100, failing=2.0)
    record = made.run()
    assert record["cut"] == "error_rate" and record["errors"]["exit 1"]["count"] == 180
    assert record["measure_end"] - record["measure_start"] < 30
    assert made.event("cut")["reason"] == "error_rate" and "% of" in made.event("cut")["why"]
    assert [order["op"] for order in made.orders] == ["run", "cut"]
    assert made.names()[-3:] == ["cut", "measure_ended", "merged"]


def end_in_the_middle(made, error, act=None):
    """The run is over once the measurement has begun; `act(op)` is what the clients do at `stop`."""

    def receive(timeout_s):
        if made.messages:
            return made.messages.pop(0)
        time.sleep(min(timeout_s, 0.01))
        if time.time() > made.orders[0]["measure_start"] + 0.3:
            made.over = error
        return None

    made.receive = receive
    made.act = lambda op, order: act and op == "stop" and act()


@pytest.mark.parametrize(
    ("error", "cut"),
    [(ServiceGone("the service failed: it is gone"), "service failed"), (Ended("stop was requested"), "stopped")],
)
def test_a_run_that_ends_keeps_what_was_measured(stage, error, cut):
    made = stage(duration_s=60.0)

    def act():
        for client in made.active:
            made.finish(client, interrupted=True)

    end_in_the_middle(made, error, act)
    with pytest.raises(type(error)):
        made.run()
    record = made.record()
    assert record["cut"] == cut and record["failed_clients"] == []
    # a client that had no say in when it ended has measured until it was told to end
    assert 0.2 < record["measure_end"] - record["measure_start"] < 30
    assert made.value("throughput") == pytest.approx(20 / (record["measure_end"] - record["measure_start"]))
    assert made.event("cut") == {**made.event("cut"), "reason": cut, "why": str(error)}
    assert made.names().index("cut") < made.names().index("merged")


def test_a_client_that_knows_when_it_ended_is_believed(stage):
    made = stage(duration_s=60.0)

    def act():
        start = made.orders[0]["measure_start"]
        for client in made.active:
            made.finish(client, interrupted=True, measure_end=start + 0.25)

    end_in_the_middle(made, ServiceGone("gone"), act)
    with pytest.raises(ServiceGone):
        made.run()
    assert made.record()["measure_end"] == pytest.approx(made.record()["measure_start"] + 0.25)


def test_who_does_not_answer_in_time_is_left_out(stage, monkeypatch):
    monkeypatch.setattr(case_run, "PARTIAL_DEADLINE_S", 0.3)
    made = stage(duration_s=60.0)
    end_in_the_middle(made, Ended("stop was requested"), lambda: made.finish(1, interrupted=True))
    with pytest.raises(Ended):
        made.run()
    assert made.record()["clients"] == 1 and list(made.record()["client_cpu_percent"]) == ["1"]


def test_a_part_of_a_client_that_failed_counts_only_when_the_run_ends(stage):
    made = stage(duration_s=60.0)
    end_in_the_middle(made, ServiceGone("gone"), lambda: made.finish(1, interrupted=True))
    made.messages.append(None)
    failing = made.receive

    def receive(timeout_s):
        if made.messages and made.messages[0] is None:
            made.messages.clear()
            made.finish(
                0, op="failed", operations=4, interrupted=True, measure_end=made.orders[0]["measure_start"] + 0.2
            )
        return failing(timeout_s)

    made.receive = receive
    with pytest.raises(ServiceGone):
        made.run()
    record = made.record()
    assert made.value("operations", client=0) == 4 and made.value("operations") == 14
    assert record["failed_clients"] == [{"client": 0, "reason": "the service is gone"}]


def test_a_client_that_fails_alone_has_no_result(stage):
    made = stage()

    def act(op, order):
        if op == "run":
            made.finish(0, op="failed", operations=4)
            made.finish(1)

    made.act = act
    assert made.run()["failed_clients"] == [{"client": 0, "reason": "the service is gone"}]
    assert made.value("operations") == 10


def test_nothing_measured_is_no_case(stage):
    made = stage(warmup_s=60.0)
    made.over = Ended("stop was requested")
    with pytest.raises(Ended):
        made.run()
    assert made.results.cases == [] and "cut" not in made.names()

    made = stage(duration_s=60.0)
    end_in_the_middle(made, Ended("x"), lambda: [made.finish(n, interrupted=True, operations=0) for n in (0, 1)])
    with pytest.raises(Ended):
        made.run()
    assert made.results.cases == [] and "merged" not in made.names()


def test_a_case_that_was_whole_when_the_run_was_stopped_is_whole(stage):
    made = stage()
    finish_all(made)

    def check(at_once=False):
        if at_once:
            time.sleep(max(0.0, made.orders[0]["measure_end"] - time.time()))
            raise Ended("stop was requested")

    made.check = check
    with pytest.raises(Ended):
        made.run()
    assert made.record()["cut"] is None and "cut" not in made.names()


def test_when_all_clients_fail_the_service_is_asked_first(stage, monkeypatch):
    made = stage()

    def act(op, order):
        if op == "run":
            for client in made.active:
                made.say(client, "failed", reason="refused")
            made.ask_until = time.time() + 0.3

    def check(at_once=False):
        if at_once and time.time() > made.ask_until:
            raise ServiceGone("the service failed: exit code 137")

    made.act, made.check = act, check
    with pytest.raises(ServiceGone, match="137"):
        made.run()
    monkeypatch.setattr(conductor, "SERVICE_VERDICT_S", 0.1)
    made.check = lambda at_once=False: None
    with pytest.raises(AgentError, match=r"every client failed in case a, repetition 1: .*refused"):
        made.run()
