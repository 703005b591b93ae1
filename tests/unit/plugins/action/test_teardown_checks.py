# SPDX-License-Identifier: MIT
"""What the agents said about their ends, as checks of the teardown."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.action.run_teardown import _agent_checks, _client_checks
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

STOPPED = {"port_closed": True, "processes_left": 0, "data_removed": True, "node": "n1"}


@pytest.fixture
def run(tmp_path):
    """A run of these events: run(source, event, **fields)."""
    found = RunDirectory(tmp_path / "20261129-101112-quickstart-00ff")

    def write(*events: dict) -> RunDirectory:
        found.write_text("events.jsonl", "".join(json.dumps({"t": 1.0, **event}) + "\n" for event in events))
        return found

    return write


def service(**fields: object) -> list[dict]:
    return [
        {"source": "service", "event": "container_started", "node": "n1"},
        {"source": "service", "event": "stopped", **STOPPED, **fields},
    ]


def test_gpu_memory_is_a_check_only_where_somebody_could_tell(run):
    assert [check["what"] for check in _agent_checks(run(*service(gpu_memory_freed=None)))] == [
        "port",
        "processes",
        "node-local data",
    ]
    freed = _agent_checks(run(*service(gpu_memory_freed=True)))[-1]
    assert (freed["what"], freed["ok"], freed["found"]) == ("GPU memory", True, "as before the service")
    held = _agent_checks(run(*service(gpu_memory_freed=False)))[-1]
    assert not held["ok"] and "more in use" in held["found"] and "nvidia-smi on n1" in held["how"]


@pytest.mark.parametrize("last", ["done", "failed"])
def test_clients_that_ended_by_themselves_left_nothing(run, last):
    assert (
        _client_checks(run({"source": "clients", "event": "job_started"}, {"source": "clients", "event": last})) == []
    )


def test_clients_that_were_killed_may_have_left_something(run):
    [check] = _client_checks(run({"source": "clients", "event": "job_started", "node": "n2"}))
    assert not check["ok"] and check["found"].startswith("unknown: the agent on n2 was killed")
    assert _client_checks(run(*service())) == []
