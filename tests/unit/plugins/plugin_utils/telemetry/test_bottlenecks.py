# SPDX-License-Identifier: MIT
"""What was saturated, by telemetry that is written here; where the load stopped growing."""

from __future__ import annotations

import csv

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, report, results
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import bottlenecks

from .. import samples
from .test_energy import gpu_rows


@pytest.fixture
def run(tmp_path):
    return samples.make(tmp_path, "finished")


def outcome(run):
    return finish.preview(run)["bottleneck"]


def rewrite(run, **columns: float) -> None:
    """The telemetry of the service's node, with these columns at these values."""
    [path] = run.path.glob("telemetry/service-*.csv")
    rows = run.table(f"telemetry/{path.name}")
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list({**rows[0], **columns}), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **columns} for row in rows)


def saturated(run) -> set[str]:
    return {found["what"] for case in outcome(run)["cases"] for found in case["saturated"]}


def test_nothing_is_named_where_nothing_is_saturated(run):
    found = outcome(run)
    assert found["sentence"] == "nothing that is measured was saturated" and saturated(run) == set()
    assert any("network" in text for text in found["not_looked_at"])
    assert "what the service says of itself" in found["not_looked_at"]


@pytest.mark.parametrize(
    ("columns", "what", "words"),
    [
        ({"cpu_user_percent": 80.0, "cpu_system_percent": 17.0}, "cpu", "its CPUs were at work 97 % of the time"),
        ({"memory_used_bytes": 99e9, "memory_available_bytes": 1e9}, "memory", "99 % of its memory was in use"),
        ({"psi_io_some_percent": 45.0}, "disk", "some task waited for a disk 45 % of the time"),
    ],
)
def test_a_node_that_has_no_room_is_named_with_its_evidence(run, columns, what, words):
    rewrite(run, **columns)
    found = outcome(run)
    assert saturated(run) == {what}
    [first, *_others] = found["cases"]
    assert words in first["saturated"][0]["text"] and first["saturated"][0]["source"].startswith("telemetry/service-")
    assert words in found["sentence"]


def test_a_gpu_that_is_always_at_work_or_held_back(run):
    gpu_rows(run)
    path = run.path / "telemetry/gpu-mel2001.csv"
    rows = run.table("telemetry/gpu-mel2001.csv")
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "utilization_percent": 99, "throttle_reasons": "sw_power_cap"} for row in rows)
    assert saturated(run) == {"gpu", "gpu_clocks"}
    assert "mel2001 GPU 0: it was at work 99 % of the time" in outcome(run)["sentence"]


def metrics(run, metric: str, value: float, labels: str = "") -> None:
    (run.path / "metrics").mkdir(exist_ok=True)
    text = f"t,metric,labels,kind,value\n{samples.BEGIN},{metric},{labels},gauge,{value}\n"
    (run.path / "metrics/thing.csv").write_text(text)


def test_what_a_service_says_of_itself_is_evidence(run):
    metrics(run, "vllm:kv_cache_usage_perc", 0.97)
    assert saturated(run) == {"kv_cache"} and "thing: its KV cache was 97% full" in outcome(run)["sentence"]
    metrics(run, "vllm:kv_cache_usage_perc", 0.5)
    assert saturated(run) == set()


def test_connections_count_against_the_setting(run):
    metrics(run, "pg_stat_database_numbackends", 19.0, 'datname="x"')
    assert saturated(run) == set()
    plan = run.read_json("plan.json")
    plan["service"]["settings"]["max_connections"] = 20
    run.write_json("plan.json", plan)
    assert saturated(run) == {"connections"}


def sweep(*points: tuple[float, float]) -> tuple[list[dict], results.Table]:
    """Cases of a sweep over concurrency, and their throughput."""
    cases = [{"case": f"c-{load:g}", "repetition": 1, "concurrency": load, "rate": None} for load, _done in points]
    rows = [
        {"case": case["case"], "repetition": 1, "client": "all", "metric": "throughput", "unit": "1/s",
         "statistic": "value", "value": done}
        for case, (_load, done) in zip(cases, points, strict=True)
    ]  # fmt: skip
    return cases, results.Table(rows)


def test_where_more_load_brings_no_more():
    assert bottlenecks._stopped(*sweep((1, 100.0), (2, 198.0), (4, 210.0), (8, 211.0))) == {
        "over": "concurrency", "case": "c-8", "before": "c-4"}  # fmt: skip
    assert bottlenecks._stopped(*sweep((1, 100.0), (2, 198.0), (4, 390.0))) is None
    assert bottlenecks._stopped(*sweep((1, 100.0))) is None
    cases, table = sweep((1, 100.0), (2, 99.0))
    cases[0]["settings"] = {"ef": 1}
    assert bottlenecks._stopped(cases, table) is None, "they differ in more than the load"


def test_the_sentence_names_the_load_and_the_evidence():
    found = [{"case": "a", "saturated": []}, {"case": "b", "saturated": [{"text": "node n: its CPUs …"}]}]
    stopped = {"over": "rate", "case": "b", "before": "a"}
    assert bottlenecks._sentence(found, stopped) == "more rate than in a brought no more: node n: its CPUs …"
    assert "nothing that is measured was saturated" in bottlenecks._sentence([], stopped)


def test_the_report_says_what_limits_it(run):
    rewrite(run, cpu_user_percent=80.0, cpu_system_percent=17.0)
    run.write_json("run.json", finish.preview(run))
    html, markdown = (path.read_text() for path in report.render(run))
    for text in (html, markdown):
        assert "max: node mel0001: its CPUs were at work 97 % of the time" in text.partition("What limits it?")[2]
    assert "What was saturated" in html and "telemetry/service-mel0001.csv" in html
