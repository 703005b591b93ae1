# SPDX-License-Identifier: MIT
"""The workload around its adapters: set-up, clients, order of the queries, what goes wrong; and in a whole run."""

from __future__ import annotations

import csv
import random
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import loading
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import collection_name
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from tests.integration.standin.qdrant import Qdrant, Unknown

from ...agent.conftest import START_POSTGRESQL, agent, run  # noqa: F401
from .conftest import mean, set_up_metrics
from .truth_of_tests import queries, steps, vectors
from .vector_servers import folder_for_all, postgresql_programs

NAME = collection_name("run")
QDRANT = {"adapter": "qdrant", "index": {"type": "flat"}}


@pytest.fixture
def qdrant():
    with Qdrant() as server:
        yield server


def searched(server):
    return [tuple(body["query"]) for path, body in server.requests if "/points/query" in path]


def test_every_query_goes_once_a_round_in_another_order_for_every_client(qdrant, vector_run):
    with vector_run(qdrant, QDRANT) as one:
        one.made.order["requests"] = 80
        del qdrant.requests[:]
        one.case()
        first = searched(qdrant)
        assert first[:40] == first[40:] and len(set(first)) == 40
        del qdrant.requests[:]
        one.context.client, one.context.clients = 1, 2
        one.case()
        assert searched(qdrant) != first and set(searched(qdrant)) == set(first)
    assert {steps(query) for query in first} == {steps(query) for query in queries(one.data)}


def test_what_the_set_up_measured_is_in_the_first_case_of_the_first_client(qdrant, vector_run):
    with vector_run(qdrant, QDRANT) as one:
        assert set(set_up_metrics(one.case())) == {"vectors", "insert_rate", "time_to_searchable"}
        workload = one.made.workload
        workload.prepare(one.context)
        case, recorder = one.made.case, None
        for expected in (3, 0):  # rows of its first case, and of its second
            recorder = workload.recorder(one.context, case)
            assert len(recorder.statistics) == expected
        one.context.client = 1
        workload.prepare(one.context)
        assert workload.recorder(one.context, case).statistics == []


def test_a_client_waits_for_the_set_up(qdrant, vector_run, load):
    made = load("vector", qdrant, settings={**QDRANT, "size": 200, "queries": 5, "dimensions": 4})
    client = registry.load("vector").Workload()
    waiting = threading.Thread(target=client.prepare, args=(made.context,), daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    set_up = registry.load("vector").Workload()
    set_up.setup(made.context)
    waiting.join(10)
    assert not waiting.is_alive() and client.truth.depth == 100
    set_up.cleanup(made.context)
    made.context.stop.set()
    with pytest.raises(LoadError, match="stopped"):
        client.prepare(made.context)


def test_a_set_up_that_is_stopped_leaves_nothing(qdrant, load):
    made = load("vector", qdrant, settings={**QDRANT, "size": 5000, "dimensions": 8, "queries": 5, "batch_size": 1})

    def stop_when_filled():
        while not qdrant.collections or not qdrant.collections[NAME].points:
            time.sleep(0.001)
        made.context.stop.set()

    threading.Thread(target=stop_when_filled, daemon=True).start()
    with pytest.raises(LoadError, match="stopped"):
        registry.load("vector").Workload().setup(made.context)
    assert any("/points?" in path for path, _body in qdrant.requests) and qdrant.collections == {}
    assert not (Path(made.context.run_dir) / "vector").exists()


def test_several_services_are_refused(qdrant, vector_run):
    with vector_run(qdrant, QDRANT) as one:
        one.context.services *= 2
        with pytest.raises(LoadError, match="lies in one service, not in 2"):
            one.set_up()


def test_a_sweep_over_what_the_set_up_fixes_is_refused_before_anything_is_made(qdrant, vector_run):
    cases = [{"index": {"type": "hnsw"}}, {}]
    with (
        pytest.raises(LoadError, match=r"benchmarks\.sweep changes client\.settings\.index"),
        vector_run(qdrant, QDRANT, overrides=cases),
    ):
        pass
    assert not any(path.startswith("PUT") for path, _body in qdrant.requests)


def test_a_sweep_over_k_keeps_as_many_neighbours_as_its_largest(qdrant, vector_run):
    with vector_run(qdrant, {**QDRANT, "queries": 10}, overrides=[{"k": 1}, {"k": 120}]) as one:
        one.made.order["requests"] = 10
        for k in (1, 120):
            result = one.case(k=k)
            assert result["errors"] == {} and mean(result, "recall") == 1.0


@pytest.mark.parametrize("clients", [1, 3])
def test_all_vectors_are_inserted_in_rounds_too(qdrant, vector_run, monkeypatch, clients):
    monkeypatch.setattr(loading, "ROUND_BYTES", 50000)
    with vector_run(qdrant, {**QDRANT, "insert_clients": clients, "batch_size": 130}) as one:
        points = qdrant.collections[NAME].points
        assert sorted(points) == list(range(2000))
        assert points[1999] == pytest.approx(vectors(one.data)[1999])
        sizes = [len(body["batch"]["ids"]) for path, body in qdrant.requests if "/points?" in path]
        assert sorted(sizes) == [2000 % 130] + [130] * (2000 // 130)


@pytest.mark.parametrize("clients", [1, 3])
def test_an_insert_that_is_refused_ends_the_set_up(qdrant, vector_run, monkeypatch, clients):
    original = qdrant._insert

    def refuse(collection, body):
        if random.random() < 0.5:
            raise Unknown(400, "Wrong input: no more room")
        return original(collection, body)

    monkeypatch.setattr(qdrant, "_insert", refuse)
    with (
        pytest.raises(LoadError, match=r"points\?wait=true: status 400: .*no more room"),
        vector_run(qdrant, {**QDRANT, "insert_clients": clients, "batch_size": 50}),
    ):
        pass
    assert qdrant.collections == {}


def test_a_service_that_is_not_there_is_said(qdrant, vector_run):
    qdrant.service["port"] = 1
    with (
        pytest.raises(LoadError, match=r"DELETE /collections/aifactory_run of 127\.0\.0\.1:1: .*refused"),
        vector_run(qdrant, QDRANT),
    ):
        pass


def test_recall_at_a_rate(qdrant, vector_run):
    with vector_run(qdrant, {**QDRANT, "size": 300}) as one:
        one.made.order.update(requests=None, duration_s=1.0, rate=20.0, arrival={"type": "constant"})
        result = one.case()
    assert result["operations"] == result["offered"] == 20
    assert result["histograms"]["recall"]["count"] == 20 and mean(result, "recall") == 1.0


def test_a_collection_name_fits_every_server():
    name = collection_name("20261125-180000-some-very-long-service-ab12")
    assert name == "aifactory_20261125_180000_some_very_long_service_ab12"
    long = collection_name("2026" * 20 + "-ab12")
    assert len(long + "_idx") <= 63 and long.startswith("aifactory_2") and long.endswith("_ab12")
    assert collection_name("Run") == NAME


def test_a_whole_run_against_postgresql(run):  # noqa: F811
    """Conductor and two clients as an ordinary user without numpy, a sweep over the candidates of a search."""
    with folder_for_all() as folder:
        programs = postgresql_programs(folder)
        run.spec["service"].update(
            name="postgresql", port=25433, scheme="postgresql", stop_signal="INT",
            health={"type": "postgresql", "interval_s": 0.05, "deadline_s": 30},
        )  # fmt: skip
        settings = {"size": 1500, "dimensions": 16, "queries": 30, "clusters": 10}
        settings |= {"index": {"type": "hnsw", "m": 3, "ef_construction": 8}}
        run.spec["clients"].update(type="vector", count=2, settings=settings)
        cases = [
            {"name": f"ef-{ef}", "concurrency": 2, "rate": None, "settings": {"search": {"ef": ef}}} for ef in (10, 200)
        ]
        run.spec["benchmarks"].update(duration_s=1.0, warmup_s=0.2, cases=cases)
        path = f"{programs}:/usr/bin:/bin"
        service = run.start("service", "sh", "-c", START_POSTGRESQL, PATH=path)
        clients = run.start("clients", PATH=path)
        assert clients.wait(120) == 0, run.output()
        assert service.wait(30) == 0, run.output()
    with open(run.path("results/results.csv"), newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {(row["case"], row["client"], row["metric"], row["statistic"]): float(row["value"]) for row in rows}
    few, many = (found[case, "all", "recall", "mean"] for case in ("ef-10", "ef-200"))
    assert few < many <= 1.0
    assert found["ef-10", "all", "operations", "value"] == found["ef-10", "all", "recall", "count"] > 100
    assert found["ef-10", "all", "errors", "value"] == 0
    first = min(run.json("results/cases.json"), key=lambda case: case["order"])["case"]
    assert found[first, "0", "vectors", "value"] == 1500
    assert found[first, "0", "insert_rate", "value"] > 0
    assert found[first, "0", "time_to_searchable", "value"] > found[first, "0", "index_build_time", "value"] > 0
    assert sum(row["metric"] == "vectors" for row in rows) == 1
    assert not Path(run.path("vector")).exists() and run.leftovers() == []
