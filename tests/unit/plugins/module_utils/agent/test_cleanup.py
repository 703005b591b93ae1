# SPDX-License-Identifier: MIT
"""What the set-up of a workload made is undone, whatever became of the measurement."""

from __future__ import annotations

import json
import threading

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import conductor as conductor_module
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import context
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.conductor import Conductor
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError, ServiceGone
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError, WorkloadBase


class Workload(WorkloadBase):
    """Makes something in its set-up; `failure` is what its clean-up ends with, `waits` what it waits for."""

    def __init__(self, failure=None, waits=None):
        self.failure, self.waits = failure, waits
        self.made = None

    def setup(self, ctx):
        self.made = True

    def cleanup(self, ctx):
        if self.waits:
            self.waits.wait()
        if self.failure:
            raise self.failure
        self.made = False


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Run the conductor's part with a workload: measured(workload, error of the measurement) → (error, events)."""
    spec = {"run_id": "r", "run_dir": str(tmp_path), "node_tmp": str(tmp_path), "service": {"name": "s"},
            "clients": {"type": "command", "count": 1, "command": "true"}, "benchmarks": {"cases": []}}  # fmt: skip

    def run(workload, error=None):
        made = Conductor(spec, str(tmp_path / "spec.json"), [])

        def measure(_workload):
            if error:
                raise error

        monkeypatch.setattr(context, "make_workload", lambda _spec: workload)
        for name, replacement in {
            "_endpoints": lambda: ([], {}),
            "_until_ready": lambda: None,
            "_measure_cases": measure,
            "check": lambda at_once: None,
        }.items():
            monkeypatch.setattr(made, name, replacement)
        for name in ("start", "send"):
            monkeypatch.setattr(made.launcher, name, lambda *_a, **_k: None)
        raised = None
        try:
            made._measure_all()
        except (AgentError, LoadError) as e:
            raised = e
        events = [json.loads(line) for line in (tmp_path / "events/clients.jsonl").read_text().splitlines()]
        return raised, {event["event"]: event for event in events}

    return run


@pytest.mark.parametrize("error", [None, AgentError("no client started"), LoadError("no")])
def test_it_is_undone_after_a_measurement_and_after_a_failure(measured, error):
    workload = Workload()
    raised, events = measured(workload, error)
    assert raised is error
    assert workload.made is False and "cleanup_failed" not in events


def test_what_the_service_took_with_it_is_not_undone(measured):
    workload = Workload()
    measured(workload, ServiceGone("the service failed"))
    assert workload.made is True


def test_a_cleanup_that_fails_says_so_and_the_results_stay(measured):
    raised, events = measured(Workload(LoadError("DELETE of bucket: status 409")))
    assert raised is None
    assert events["cleanup_failed"]["reason"] == "DELETE of bucket: status 409"


def test_a_cleanup_that_hangs_does_not_hold_the_nodes(measured, monkeypatch):
    monkeypatch.setattr(conductor_module, "CLEANUP_AFTER_FAILURE_S", 0.05)
    released = threading.Event()
    raised, events = measured(Workload(waits=released), AgentError("x"))
    released.set()
    assert str(raised) == "x" and "not done within" in events["cleanup_failed"]["reason"]
