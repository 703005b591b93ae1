# SPDX-License-Identifier: MIT
"""Runs as OpenMetrics: the text by the strict parser of the format's authors, the numbers by a real Prometheus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import naming
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, openmetrics
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.openmetrics import families, series
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from .. import samples
from ..telemetry.test_energy import gpu_rows
from ..test_finish import finished
from ..test_optional import BASE, without

ROOT = Path(__file__).resolve().parents[5]
RUN = samples.RUN_ID.format(1)


def of(home, run=RUN):
    return RunDirectory(home / "runs" / run)


# -- against a real Prometheus ---------------------------------------------------------------------------


def test_every_result_is_found_at_its_own_time(home, server):
    run = of(home)
    ends = {(case["case"], case["repetition"]): case["measure_end"] for case in run.cases()}
    rows = [row for row in run.results() if row["client"] == "all" and row["metric"] == "response_time"]
    assert len(rows) == 4 * 11
    for row in rows:
        if row["statistic"] == "count":
            continue
        labels = ",".join(f'{name}="{row[name]}"' for name in ("case", "repetition", "statistic"))
        query = f'aifactory_result_response_time_seconds{{run="{run.id}",{labels}}}'
        at = ends[row["case"], row["repetition"]]
        assert server.value(query, at) == pytest.approx(row["value"], rel=1e-12)
        assert server.value(f"timestamp({query})", at + 60) == pytest.approx(at, abs=0.001)
        assert server.get("query", query=query, time=at - 0.002)["result"] == [], "not before it was measured"


def test_verdict_cost_and_phases(home, server):
    run = of(home)
    record = run.read_json("run.json")
    at, mine = record["ended_at"], f'{{run="{run.id}"}}'
    assert server.value(f"aifactory_run_valid{mine}", at) == 1
    assert server.value(f'aifactory_run_valid{{run="{samples.RUN_ID.format(2)}"}}', at + 60) == 0
    held = server.value(f"sum(aifactory_run_node_seconds{mine})", at)
    assert held == pytest.approx(record["cost"]["node_hours"] * 3600, abs=0.05)
    lasted = server.value(f"sum(aifactory_run_phase_duration_seconds{mine})", at)
    assert lasted == pytest.approx(at - record["timeline"][0]["start"], abs=0.01)
    for segment in record["timeline"]:
        middle = (segment["start"] + segment["end"]) / 2
        [found] = server.get("query", query=f"aifactory_run_phase{mine} == 1", time=middle)["result"]
        assert found["metric"]["phase"] == segment["phase"]
    assert server.value(f"sum(aifactory_run_phase{mine})", at) == 0, "it is over"


def test_telemetry_second_by_second(home, server):
    run = of(home)
    rows = run.table("telemetry/service-mel0001.csv")
    query = f'aifactory_node_cpu_user_ratio{{run="{run.id}",node="mel0001",role="service"}}'
    [found] = server.range(query, rows[0]["t"], rows[-1]["t"], 1)
    assert len(found["values"]) == len(rows) > 40
    for row, (t, value) in zip(rows, found["values"], strict=True):
        assert (t, float(value)) == (row["t"], pytest.approx(row["cpu_user_percent"] / 100))
    assert server.value(
        query.replace("cpu_user_ratio", "memory_used_bytes"), rows[9]["t"]
    ) == pytest.approx(rows[9]["memory_used_bytes"])  # fmt: skip


def test_gpus_energy_and_price(home, server):
    run = of(home, "20260921-141320-sweep-0001")
    record = run.read_json("run.json")
    one = f'run="{run.id}",node="mel0001",gpu="1",uuid="GPU-1"'
    at = samples.START + 13
    for name, value in {
        "utilization_ratio": 0.89, "memory_used_bytes": 80 << 30, "power_watts": 300, "sm_clock_hertz": 1.98e9,
        "temperature_celsius": 61, "energy_joules_total": 5e6 + 300 * 13,
    }.items():  # fmt: skip
        assert server.value(f"aifactory_gpu_{name}{{{one}}}", at) == pytest.approx(value)
    query = f'aifactory_gpu_throttled{{{one},reason="hw_slowdown"}}'
    assert [server.value(query, at + second) for second in (-1, 0, 1)] == [0, 1, 0]
    assert server.value(f'aifactory_node_cpu_power_watts{{run="{run.id}"}}', at) == 180.5
    known = {(case["case"], case["repetition"]): case for case in record["energy"]["cases"]}
    ends = {(case["case"], case["repetition"]): case["measure_end"] for case in run.cases()}
    assert len(known) == 6
    for (case, repetition), found in known.items():
        mine, at = f'{{run="{run.id}",case="{case}",repetition="{repetition}"}}', ends[case, repetition]
        assert server.value(f"aifactory_result_energy_joules{mine}", at) == pytest.approx(found["joules"])
        per_token = server.value(f"aifactory_result_energy_per_output_token_joules{mine}", at)
        assert per_token == pytest.approx(found["per"]["output_token"])
    price = server.value(f'aifactory_run_price{{run="{run.id}",currency="EUR"}}', record["ended_at"])
    assert price == pytest.approx(record["cost"]["price"])
    query = f'aifactory_run_price_per_million{{run="{run.id}",case="rate-100",per="output_token"}}'
    [case] = [case for case in record["cost"]["cases"] if case["case"] == "rate-100"]
    wanted = case["per_million"]["output_token"]["price"]
    assert server.value(query, record["ended_at"]) == pytest.approx(wanted)


def test_what_a_service_told_has_its_own_names(home, server):
    rate = server.value(f'rate(pg_stat_database_xact_commit{{run="{RUN}"}}[30s])', samples.BEGIN + 50)
    assert rate == pytest.approx(50)
    start, end = samples.BEGIN + 20, samples.BEGIN + 50
    [found] = server.range(
        'vllm:num_requests_running{recipe="quickstart",run=~".*-sweep-.*",engine="0"}', start, end, 1
    )
    assert {value for _t, value in found["values"]} == set("0123456"), "a value a second"
    query = f'aifactory_service_up{{run="{RUN}",service="postgresql"}}'
    assert server.value(query, samples.BEGIN + 40) == 1


def test_the_queries_of_the_page_find_something(server):
    text = (ROOT / "docs" / "monitoring.md").read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    [block] = [block for block in blocks if "_over_time" in block]
    queries = [line for line in block.splitlines() if not line.startswith("#")]
    assert len(queries) == 4
    for query in queries:
        assert server.get("query", query=query, time=samples.BEGIN + 3600)["result"], query


# -- the text ----------------------------------------------------------------------------------------------


def test_every_kind_of_run_is_openmetrics_to_the_letter(home):
    seen = set()
    for path in sorted((home / "runs").iterdir()):
        text = openmetrics.text(RunDirectory(path))
        for family in text_string_to_metric_families(text):
            seen.add(family.name)
            assert family.samples, family.name
            labels = {frozenset(sample.labels) - {"statistic"} for sample in family.samples}
            assert len(labels) == 1 or not family.name.startswith("aifactory_"), family.name
    assert {"aifactory_run_capacity_per_second", "aifactory_setup_insert_rate_vector_per_second"} <= seen
    assert {"aifactory_result_recall_ratio", "aifactory_run_reasons", "aifactory_load_offered_per_second"} <= seen


def test_each_gpu_has_series_of_its_own(tmp_path):
    run = samples.make(tmp_path, "finished")
    gpu_rows(run, until_s=3.0)
    run.write_json("run.json", finish.preview(run))
    text = openmetrics.text(run)
    found = {family.name: family.samples for family in text_string_to_metric_families(text)}
    watts = found["aifactory_gpu_power_watts"]
    assert {sample.labels["gpu"] for sample in watts} == {"0"} and {sample.value for sample in watts} == {100.0}
    assert watts[0].labels["node"] == "mel2001" and watts[0].labels["uuid"] == "GPU-1" and len(watts) == 3
    assert found["aifactory_gpu_energy_joules"][0].value == 5e6


def test_the_same_run_gives_the_same_text(home):
    assert openmetrics.text(of(home)) == openmetrics.text(of(home))


@pytest.mark.parametrize(
    ("metric", "unit", "name", "factor"),
    [
        ("response_time", "s", "aifactory_result_response_time_seconds", 1),
        ("latency", "ms", "aifactory_result_latency_seconds", 1e-3),
        ("throughput", "1/s", "aifactory_result_throughput_per_second", 1),
        ("output_tokens", "token", "aifactory_result_output_tokens", 1),
        ("output_tokens_per_s", "token/s", "aifactory_result_output_tokens_per_second", 1),
        ("bytes_received_per_s", "B/s", "aifactory_result_received_bytes_per_second", 1),
        ("bandwidth", "GiB/s", "aifactory_result_bandwidth_bytes_per_second", 2**30),
        ("error_rate", "1", "aifactory_result_error_ratio", 1),
        ("recall", "1", "aifactory_result_recall_ratio", 1),
        ("hit share", "%", "aifactory_result_hit_share_ratio", 0.01),
        ("energy", "Wh", "aifactory_result_energy_joules", 3600),
        ("insert_rate", "vector/s", "aifactory_result_insert_rate_vector_per_second", 1),
        ("Größe", "Möbel", "aifactory_result_gr_e_m_bel", 1),
        ("", "", "aifactory_result_value", 1),
    ],
)
def test_names_and_base_units(metric, unit, name, factor):
    assert naming.of_result(metric, unit) == (name, factor)


def test_columns_say_their_unit_themselves():
    assert naming.of_column("psi_cpu_some_percent", room="node") == ("aifactory_node_psi_cpu_some_ratio", 0.01)
    assert naming.of_column("disk_read_bytes_per_s", room="node") == ("aifactory_node_disk_read_bytes_per_second", 1)
    assert naming.of_column("sm_clock_mhz", room="gpu") == ("aifactory_gpu_sm_clock_hertz", 1e6)
    assert naming.of_column("energy_j", room="gpu") == ("aifactory_gpu_energy_joules", 1)
    assert naming.of_column("temperature_celsius", room="gpu") == ("aifactory_gpu_temperature_celsius", 1)
    assert naming.of_column("response_time_max_s", room="load") == ("aifactory_load_response_time_max_seconds", 1)


@given(st.text(), st.text())
def test_any_metric_has_a_valid_name(metric, unit):
    name, _factor = naming.of_result(metric, unit)
    assert re.fullmatch(r"aifactory_result_[a-z0-9]+(_[a-z0-9]+)*", name)


@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.text(max_size=8), st.floats(allow_nan=False), st.floats(0, 4e9)), min_size=1
    )
)
def test_any_values_are_read_back(found):
    some = families.Families({"run": "r"})
    wanted = {}
    for case, metric, value, t in found:
        name, _factor = naming.of_result(metric, "1")
        some.add(name, "about\nit", value, t, case=case)
        wanted[name, case, round(t * 1000)] = value
    read = {
        (sample.name, sample.labels["case"], round(float(sample.timestamp) * 1000)): sample.value
        for family in text_string_to_metric_families(some.text())
        for sample in family.samples
    }
    assert read == wanted


def test_of_one_moment_the_last_value_stays():
    some = families.Families({})
    for t, value in ((2.0004, 1), (2.00049, 2), (1, 3)):
        some.add("a", "", value, t)
    assert some.text().splitlines()[2:-1] == ["a 3.0 1.0", "a 2.0 2.0"]
    [family] = some.collect(times=False)
    assert [(sample.value, sample.timestamp) for sample in family.samples] == [(2.0, None)]


def test_a_value_that_stays_is_said_again_until_the_next_one(tmp_path):
    run, _record = finished(tmp_path, "cancelled")
    run.write_text(
        "metrics/x.csv", "t,metric,labels,kind,value\n0,a,,gauge,4\n40,a,,gauge,8\n0,up,,gauge,1\n50,up,,gauge,1\n"
    )
    some = families.Families({})
    series.add(some, run, {})
    assert [line.split("}")[1] for line in some.text().splitlines() if line.startswith("a{")] == [
        " 4.0 0.0", " 4.0 15.0", " 4.0 30.0", " 8.0 40.0", " 8.0 50.0"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('1,a,"x=""1\\n2"",run=""mine""",gauge,1', 'a{exported_run="mine",run="r",service="x",x="1\\n2"} 1.0 1.0'),
        ('1,a,"__name__=""b"",x=""{}""",gauge,1', 'a{run="r",service="x",x="{}"} 1.0 1.0'),
        ("1,aifactory_run_valid,,gauge,1", 'exported_aifactory_run_valid{run="r",service="x"} 1.0 1.0'),
        ("1,a_total,,counter,1", 'a_total{run="r",service="x"} 1.0 1.0'),
        ("1,a b,,gauge,1", None),
        ('1,"a\n# EOF",,gauge,1', None),
        ("1,a,,gauge,inf", None),
    ],
)
def test_a_hostile_service_adds_no_more_than_its_own(tmp_path, row, told):
    run, _record = finished(tmp_path, "cancelled")
    run.write_text("metrics/x.csv", f"t,metric,labels,kind,value\n{row}\n")
    some = families.Families({"run": "r"})
    series.add(some, run, {})
    assert some.text().splitlines()[2:-1] == ([told] if told else [])


def test_a_run_that_goes_on_is_not_final(tmp_path):
    run, _record = finished(tmp_path, "running")
    with pytest.raises(RunError, match=r"is not over \(measuring\).*aifactory.benchmark.watch"):
        openmetrics.text(run)


def test_all_runs_but_those_that_go_on_or_are_broken(tmp_path):
    for number, variant in enumerate(("finished", "running", "cancelled", "no_results")):
        finished(tmp_path, variant, number)
    of(tmp_path, samples.RUN_ID.format(3)).write_text(
        "results.csv", "case,repetition,client,metric,unit,statistic,value\na,x"
    )
    warnings, folder = [], tmp_path / "out"
    first = openmetrics.write_all(tmp_path, folder, (), True, warnings.append)
    assert first == {samples.RUN_ID.format(number): True for number in (0, 2)}
    assert {path.stem for path in folder.iterdir()} == set(first)
    [warning] = warnings
    assert "results.csv, line 2: repetition and value must be numbers" in warning
    again = openmetrics.write_all(tmp_path, folder, ("meluxina",), True, warnings.append)
    assert not any(again.values())
    with pytest.raises(RunError, match="is over on other"):
        openmetrics.write_all(tmp_path, folder, ("other",), True, warnings.append)
    with pytest.raises(RunError, match="must be a directory"):
        openmetrics.write_all(tmp_path, folder / f"{samples.RUN_ID.format(0)}.om", (), True, warnings.append)


def test_without_the_library(home):
    statement = f"from {BASE} import openmetrics, runs; openmetrics.text(runs.find_run({str(home)!r}, {RUN!r}))"
    assert "metrics for Prometheus need prometheus_client on the controller" in without("prometheus_client", statement)
