# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, results, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.cost import cost, of_cases

from . import samples

SEGMENTS = [
    {"phase": phase, "start": start, "end": end, "seconds": end - start}
    for phase, start, end in (
        ("queued", 0.0, 100.0), ("starting", 100.0, 200.0), ("ready", 200.0, 220.0), ("warmup", 220.0, 300.0),
        ("measuring", 300.0, 900.0), ("ending", 900.0, 1000.0),
    )
]  # fmt: skip


def _job(**fields):
    return {"role": "service", "state": "COMPLETED", "nodes": 2, "cpus": 256, "gpus": 8, **fields}


def test_hours_by_phase():
    found = cost([_job(start=100, end=1000)], SEGMENTS)
    assert found["node_hours"] == pytest.approx(2 * 900 / 3600)
    assert found["core_hours"] == pytest.approx(256 * 900 / 3600)
    assert found["gpu_hours"] == pytest.approx(8 * 900 / 3600)
    assert found["by_phase"]["measuring"]["gpu_hours"] == pytest.approx(8 * 600 / 3600, abs=1e-5)
    assert "queued" not in found["by_phase"]
    assert sum(each["node_hours"] for each in found["by_phase"].values()) == pytest.approx(
        found["node_hours"], abs=1e-5
    )
    assert found["measured_share"] == pytest.approx(600 / 900, abs=1e-3)
    assert found["wasted_share"] == pytest.approx(120 / 900, abs=1e-3)


def test_what_lies_outside_of_the_timeline_is_not_lost():
    found = cost([_job(start=950, end=1100)], SEGMENTS)
    assert found["by_phase"]["ending"]["node_hours"] == pytest.approx(2 * 150 / 3600, abs=1e-5)


def test_an_image_job_prepares_the_service():
    found = cost([_job(role="image", nodes=1, cpus=None, gpus=None, start=10, end=90)], SEGMENTS)
    assert list(found["by_phase"]) == ["starting"]
    assert found["gpu_hours"] == 0


def test_without_a_measurement_everything_is_wasted():
    found = cost([_job(start=100, end=200)], SEGMENTS[:2])
    assert found["wasted_share"] == 1.0
    assert found["measured_share"] == 0.0


def test_jobs_that_never_ran_cost_nothing():
    jobs = [_job(start=None, end=50), _job(start=50, end=50, state="CANCELLED by 1000")]
    found = cost(jobs, SEGMENTS[:1])
    assert found["node_hours"] == 0
    assert found["wasted_share"] is None


def test_a_job_without_an_end_counts_until_now():
    assert cost([_job(start=100, end=None)], SEGMENTS, now=400.0)["node_hours"] == pytest.approx(
        2 * 300 / 3600, abs=1e-5
    )


def test_a_whole_run(tmp_path):
    run = samples.make(tmp_path, "finished")
    jobs = run.read_json("jobs.json")
    found = cost(jobs, timeline.build(jobs, run.events()))
    assert found["node_hours"] == pytest.approx(sum(job["elapsed_s"] for job in jobs) / 3600, abs=1e-5)


PRICES = {"currency": "EUR", "node_hour": 1.5, "gpu_hour": 2.0}


def test_what_a_million_cost(tmp_path):
    """Two nodes with 8 GPUs for 1,800 s, in which half a million operations and two million tokens were done."""
    counts = {"operations": 250_000.0, "output_tokens": 1e6}
    rows = [
        {"case": "a", "repetition": number, "client": "all", "metric": metric, "unit": "", "statistic": "value",
         "value": value}
        for number in (1, 2) for metric, value in counts.items()
    ]  # fmt: skip
    cases = [{"case": "a", "repetition": number, "measure_start": 0.0, "measure_end": 900.0} for number in (1, 2)]
    jobs = [_job(), _job(role="image", nodes=9)]
    [found] = of_cases(jobs, cases, results.Table(rows), PRICES)
    assert found["per_million"]["operation"] == {
        "node_hours": pytest.approx(2.0), "core_hours": pytest.approx(256.0), "gpu_hours": pytest.approx(8.0),
        "price": pytest.approx(2 * 1.5 + 8 * 2.0)}  # fmt: skip
    assert found["per_million"]["output_token"]["node_hours"] == pytest.approx(0.5)


def test_a_run_tells_its_price_where_the_inventory_has_one(tmp_path):
    run = samples.make(tmp_path, "finished")
    found = finish.preview(run)["cost"]
    assert found["price"] is None and {case["case"] for case in found["cases"]} == {"max", "half"}
    plan = run.read_json("plan.json")
    plan["cluster"]["prices"] = PRICES
    run.write_json("plan.json", plan)
    priced = finish.preview(run)["cost"]
    assert priced["price"] == pytest.approx(1.5 * priced["node_hours"])
    assert priced["cases"][0]["per_million"]["operation"]["price"] > 0
