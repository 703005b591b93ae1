# SPDX-License-Identifier: MIT
"""Control within one deployment, with the real agent: order, stop rules, search, clocks.

The service is an HTTP server whose truth is set by the test: it answers so many requests a second and no more.
"""

from __future__ import annotations

import itertools
import json
import os
import signal

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo

from .conftest import PYTHON

# Answers CAPACITY requests a second, one after the other, from `switch` on with ERRORS of them as status 500.
SERVER = """
import asyncio, itertools, os, sys, time

CAPACITY, ERRORS = float(sys.argv[1]), float(sys.argv[2])
SWITCH = sys.argv[3]
free, number = 0.0, itertools.count()

async def serve(reader, writer):
    global free
    try:
        while True:
            await reader.readuntil(b"\\r\\n\\r\\n")
            free = max(time.monotonic(), free) + 1.0 / CAPACITY
            await asyncio.sleep(free - time.monotonic())
            broken = os.path.exists(SWITCH) and next(number) % 100 < 100 * ERRORS
            status = b"500 Broken" if broken else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    address, port = os.environ["SERVICE_ADDRESS"], int(os.environ["SERVICE_PORT"])
    server = await asyncio.start_server(serve, address, port, backlog=1000)
    await asyncio.sleep(3600)

asyncio.new_event_loop().run_until_complete(main())
"""


@pytest.fixture
def http(run):
    """run, with the workload http; its `serve(capacity)` gives the service's command."""
    (run.root / "server.py").write_text(SERVER)
    run.spec["service"].update(
        name="capacity",
        scheme="http",
        secrets=[],
        data=False,
        health={"type": "http", "path": "/", "interval_s": 0.05, "deadline_s": 20},
    )
    run.spec["clients"].update(type="http", command=None, settings={})
    run.spec["benchmarks"].update(arrival={"type": "constant"}, max_in_flight=1000, timeout_s=20.0, drain_s=5.0)

    def serve(capacity, errors=0.0):
        return [PYTHON, str(run.root / "server.py"), str(capacity), str(errors), str(run.path("broken"))]

    run.serve = serve
    return run


def measure(run, command, expected=0):
    service, clients = run.start("service", *command), run.start("clients")
    assert clients.wait(300) == expected, run.output()
    assert service.wait(20) == 0
    return run.json("results/cases.json")


def objective(text):
    return {"text": text, "terms": slo.parse(text)}


def test_repetitions_go_round_by_round_and_the_order_is_recorded(http):
    http.spec["clients"]["count"] = 2
    http.spec["benchmarks"].update(
        duration_s=0.3,
        warmup_s=0.1,
        repetitions=3,
        order="random",
        slo=objective("latency_p90_ms < 5000 and error_rate < 0.01"),
        cases=[
            {"name": "max", "concurrency": 2, "rate": None},
            {"name": "half", "concurrency": 1, "rate": "50%", "settings": {"path": "/half"}},
            {"name": "fixed", "concurrency": 1, "rate": 50.0},
        ],
    )
    cases = measure(http, http.serve(1000))
    assert [case["order"] for case in cases] == list(range(9))
    assert [(case["case"], case["repetition"]) for case in cases[:3]] == [("max", 1), ("max", 2), ("max", 3)]
    for number in range(3):
        one = cases[3 + 2 * number : 5 + 2 * number]
        assert {case["repetition"] for case in one} == {number + 1}
        assert {case["case"] for case in one} == {"half", "fixed"}
    assert all(case["slo"]["met"] and case["cut"] is None for case in cases)
    half = next(case for case in cases if case["case"] == "half")
    assert half["settings"] == {"path": "/half"} and half["offered"] > 0 and half["dropped"] == 0
    offsets = http.event("clients", "clocks")["offsets"]
    (node,) = offsets
    assert abs(offsets[node]["offset_s"]) <= offsets[node]["uncertainty_s"] < 1  # the clock of this machine
    assert len(http.event("clients", "node_described")["boot_id"]) == 36
    nodes = {path.name.partition("-")[0]: json.loads(path.read_text()) for path in http.path("nodes").iterdir()}
    assert sorted(nodes) == ["clients", "service"], "once for each role, whatever the number of clients"
    for record in nodes.values():
        assert record["kernel"] and record["environment"]["PATH"] and record["missing"]["gpus"] == "the job has no GPU"


def test_too_many_errors_end_the_case_and_its_repetitions_but_not_the_run(http):
    http.spec["benchmarks"].update(
        duration_s=60.0,
        repetitions=2,
        order="sequential",
        stop_on={"error_rate": 0.2},
        cases=[{"name": "a", "concurrency": 1, "rate": 100.0}, {"name": "b", "concurrency": 2, "rate": None}],
    )
    http.path("broken").write_text("")
    cases = measure(http, http.serve(1000, errors=0.5))
    assert [(case["case"], case["repetition"], case["cut"]) for case in cases] == [
        ("a", 1, "error_rate"),
        ("b", 1, "error_rate"),
    ]
    for case in cases:
        assert case["measure_end"] - case["measure_start"] < 50
        assert sum(kept["count"] for kept in case["errors"].values()) >= 10
    assert "% of" in http.event("clients", "cut")["why"]
    assert http.event("clients", "done")["cases"] == 2


def test_a_command_is_cut(run):
    run.spec["service"].update(port=None, health={}, secrets=[], data=False)
    run.spec["clients"].update(count=2, command="exit 3")
    run.spec["benchmarks"].update(duration_s=60.0, stop_on={"error_rate": 0.5})
    (case,) = measure(run, ["sleep", "600"])
    assert case["cut"] == "error_rate" and case["failed_clients"] == []
    assert case["errors"]["exit 3"]["count"] >= 20
    assert case["measure_end"] - case["measure_start"] < 50


def test_pgbench_is_cut(run, postgresql):
    run.spec["benchmarks"].update(duration_s=60.0, stop_on={"stable": 0.9})
    (case,) = measure(run, postgresql)
    assert case["cut"] == "stable" and case["failed_clients"] == [] and case["errors"] == {}
    assert 9 < case["measure_end"] - case["measure_start"] < 50
    assert run.event("clients", "merged")["operations"] > 0


def test_an_over_saturated_load_is_cut_and_the_next_case_goes_on(http):
    http.spec["benchmarks"].update(
        duration_s=60.0,
        stop_on={"over_saturation": True, "stable": 0.2},
        cases=[{"name": "much", "concurrency": 1, "rate": 150.0}, {"name": "little", "concurrency": 1, "rate": 50.0}],
    )
    much, little = measure(http, http.serve(100))
    assert (much["case"], much["cut"]) == ("much", "over_saturation")
    assert (little["case"], little["cut"]) == ("little", "stable")
    assert 9 < little["measure_end"] - little["measure_start"] < 50
    assert [event["reason"] for event in http.events("clients") if event["event"] == "cut"] == [
        "over_saturation",
        "stable",
    ]


def test_the_search_finds_the_capacity_of_the_service(http):
    """100/s at even intervals: below it no request waits, above it they all do."""
    http.spec["clients"]["count"] = 2
    http.spec["benchmarks"].update(
        duration_s=2.0,
        warmup_s=0.2,
        slo=objective("latency_p90_ms < 60 and error_rate < 0.01"),
        search={"over": "rate", "from": 40.0, "to": 1000.0, "tolerance": 0.05, "repetitions": 1, "max_trials": 24},
        cases=[],
    )
    cases = measure(http, http.serve(100))
    found = http.json("results/search.json")
    assert found["reason"] == "converged" and found["unit"] == "1/s" and found["over"] == "rate"
    assert found["slo"] == "latency_p90_ms < 60 and error_rate < 0.01"
    assert found["upper"] - found["lower"] <= 0.05 * found["upper"]
    assert found["lower"] < 105 and found["upper"] > 95
    assert [trial["number"] for trial in found["trials"]] == list(range(1, len(cases) + 1))
    for trial, case in zip(found["trials"], cases, strict=True):
        assert case["trial"] == {"number": trial["number"], "step": trial["step"]}
        assert (case["case"], case["repetition"]) == (trial["case"], trial["repetition"])
        assert trial["case"].startswith("search-rate-") and trial["terms"] == case["slo"]["terms"]
    assert found["trials"][0]["met"] and found["trials"][0]["throughput"] == pytest.approx(40, rel=0.1)
    assert {trial["step"] for trial in found["trials"]} == {"bracket", "bisect", "edge"}
    done = http.event("clients", "search_done")
    assert (done["capacity"], done["trials"]) == (found["capacity"], len(cases))
    trials = [event for event in http.events("clients") if event["event"] == "search_trial"]
    assert len(trials) == len(cases)


def test_a_search_over_concurrency_after_the_plain_cases(http):
    """Each request takes 20 ms at most with two connections, more with three."""
    http.spec["benchmarks"].update(
        duration_s=1.0,
        warmup_s=0.2,
        slo=objective("latency_p50_ms < 25"),
        search={"over": "concurrency", "from": 1, "to": 64, "tolerance": 0.05, "repetitions": 1, "max_trials": 24},
        cases=[{"name": "plain", "concurrency": 1, "rate": None}],
    )
    cases = measure(http, http.serve(100))
    found = http.json("results/search.json")
    assert cases[0]["case"] == "plain" and cases[0]["trial"] is None
    assert (found["lower"], found["upper"], found["capacity"], found["unit"]) == (2, 3, 2.5, "1")
    assert found["trials"][0]["case"] == "search-concurrency-1"


def test_a_search_that_is_stopped_leaves_its_trials(http):
    http.spec["benchmarks"].update(
        duration_s=1.0,
        warmup_s=0.2,
        slo=objective("latency_p90_ms < 60"),
        search={"over": "rate", "from": 10.0, "to": None, "tolerance": 0.001, "repetitions": 9, "max_trials": 99},
        cases=[],
    )
    service, clients = http.start("service", *http.serve(100)), http.start("clients")
    for _n in itertools.takewhile(lambda n: not n or len(trials(http)) < 2, itertools.count()):
        http.wait_event("clients", "search_trial")
    clients.send_signal(signal.SIGTERM)
    assert clients.wait(30) == 128 + signal.SIGTERM and service.wait(20) == 0
    found = http.json("results/search.json")
    assert found["reason"] == "stopped" and len(found["trials"]) == len(trials(http)) >= 2
    assert found["lower"] == max(trial["value"] for trial in found["trials"] if trial["met"])
    cases = http.json("results/cases.json")
    assert len(cases) in (len(found["trials"]), len(found["trials"]) + 1)


def trials(run):
    return [event for event in run.events("clients") if event["event"] == "search_trial"]


def test_a_server_that_dies_leaves_what_was_measured(http):
    http.spec["benchmarks"].update(duration_s=60.0, cases=[{"name": "a", "concurrency": 1, "rate": 50.0}])
    service, clients = http.start("service", *http.serve(1000)), http.start("clients")
    while http.wait_event("clients", "progress")["phase"] != "measure":
        pass
    os.kill(http.event("service", "container_started")["pid"], signal.SIGKILL)
    assert clients.wait(40) == 1 and service.wait(20) == 1
    assert "the service failed" in http.event("clients", "failed")["reason"]
    (case,) = http.json("results/cases.json")
    assert case["cut"] == "service failed" and case["failed_clients"] == []
    seconds = case["measure_end"] - case["measure_start"]
    assert 0 < seconds < 60
    assert http.event("clients", "merged")["operations"] > 0
