# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish, preview
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store

from . import samples

CALLS = {"ssh": 6, "sbatch": 2, "squeue": 4}


def finished(home, variant, seed=1):
    """A sample run and its run.json, as run_report leaves them."""
    run = samples.make(home, variant, seed)
    now = samples.BEGIN + 30 if variant == "running" else samples.BEGIN + 90
    return run, finish(run, run.read_json("plan.json"), run.read_json("jobs.json"), None, CALLS, now=now)


@pytest.mark.parametrize(
    ("variant", "state", "judged", "codes"),
    [
        ("finished", "finished", "VALID", []),
        (
            "overloaded", "failed", "INVALID",
            ["clients_failed", "client_failed", "errors", "rate_not_delivered", "client_saturated"],
        ),
        ("service_died", "failed", "INVALID", ["service_failed", "clients_failed", "no_results"]),
        ("cancelled", "stopped", "INVALID", ["service_job", "clients_job", "no_results"]),
        ("no_results", "failed", "INVALID", ["clients_failed", "no_results"]),
        ("running", "measuring", None, []),
    ],
)  # fmt: skip
def test_the_end_of_a_run(tmp_path, variant, state, judged, codes):
    run, record = finished(tmp_path, variant)
    assert (record["state"], record["verdict"]) == (state, judged)
    assert [reason["code"] for reason in record["reasons"]] == codes
    assert run.read_json("run.json") == record
    assert set(record) >= {
        "schema", "id", "group", "recipe", "cluster", "service", "workload", "state", "verdict", "reasons",
        "created_at", "ended_at", "timeline", "jobs", "cost", "calls", "headline",
    }  # fmt: skip
    assert (record["ended_at"] is None) == (variant == "running")
    with Store(tmp_path) as store:
        assert store.runs() == [record]
        assert len(store.results([run.id])) == len(run.results(merged=True))


def test_finishing_again_changes_nothing(tmp_path):
    run, first = finished(tmp_path, "finished")
    before = run.read_text("run.json")
    again = finish(run, run.read_json("plan.json"), run.read_json("jobs.json"), None, CALLS)
    assert again == first
    assert run.read_text("run.json") == before


def test_the_headline_says_how_sure(tmp_path):
    _run, record = finished(tmp_path, "finished")
    lines = {(line["case"], line["metric"], line["statistic"]): line for line in record["headline"]}
    assert set(lines) == {
        (case, metric, statistic)
        for case in ("max", "half")
        for metric, statistic in (("throughput", "mean"), ("response_time", "p50"), ("response_time", "p99"))
    }
    throughput = lines["max", "throughput", "mean"]
    assert throughput["value"] == pytest.approx(1400, rel=0.02)
    assert throughput["half_width"] > 0
    assert throughput["repetitions"] == 2
    assert lines["max", "response_time", "p50"]["samples"] == throughput["samples"]


def test_samples_are_the_same_every_time(tmp_path):
    one, two = samples.make(tmp_path / "a"), samples.make(tmp_path / "b")
    for path in sorted(one.path.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (two.path / path.relative_to(one.path)).read_bytes(), path


def test_a_broken_histogram_says_where(tmp_path):
    run = samples.make(tmp_path)
    run.write_json("histograms/max-1-response_time.json", {"counts": []})
    with pytest.raises(RunError, match="histogram"):
        preview(run)


def test_a_run_that_goes_on_is_told_up_to_its_last_event(tmp_path):
    run = samples.make(tmp_path, "running")
    record = preview(run)
    assert record["state"] == "measuring"
    assert record["timeline"][-1]["end"] == run.events()[-1]["t"]
    assert not run.has("run.json")


def test_run_json_is_json_without_nan(tmp_path):
    for variant in samples.VARIANTS:
        _run, record = finished(tmp_path, variant, samples.VARIANTS.index(variant) + 10)
        json.dumps(record, allow_nan=False)
        assert record["state"] in (*timeline.LIVE_STATES, *timeline.FINAL_STATES)
