# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import runs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from hypothesis import given
from hypothesis import strategies as st

IDS = ("20260901-120000-postgresql-00aa", "20260902-120000-postgresql-00bb", "20260902-130000-vllm-00cc")


@pytest.fixture
def home(tmp_path):
    for number, name in enumerate(IDS):
        run = RunDirectory(tmp_path / "runs" / name)
        run.write_json("plan.json", {"cluster": {"name": "first" if number < 2 else "second"}})
    (tmp_path / "runs" / "not-a-run").mkdir()
    return tmp_path


def test_home_is_the_variable_then_the_environment_then_the_default():
    assert str(runs.benchmark_home("/a", {"AIFACTORY_HOME": "/b"})) == "/a"
    assert str(runs.benchmark_home(None, {"AIFACTORY_HOME": "/b"})) == "/b"
    assert str(runs.benchmark_home("", {})).endswith("/.aifactory")
    assert runs.benchmark_home("relative", {}).is_absolute()


@pytest.mark.parametrize(
    ("reference", "found"),
    [(IDS[0], IDS[0]), ("20260901", IDS[0]), ("20260902-13", IDS[2]), ("latest", IDS[2]), (" latest ", IDS[2])],
)
def test_a_run_is_found_by_id_prefix_and_latest(home, reference, found):
    assert runs.find_run(home, reference).id == found


def test_clusters_narrow_what_is_found(home):
    assert runs.find_run(home, "latest", ["first"]).id == IDS[1]
    assert runs.find_run(home, "2026", ["second"]).id == IDS[2]
    assert runs.find_run(home, IDS[0], ["second"]).id == IDS[0], "a whole id says enough"
    with pytest.raises(RunError, match="no run of third"):
        runs.find_run(home, "latest", ["third"])


def test_an_ambiguous_prefix_lists_the_candidates(home):
    with pytest.raises(RunError) as caught:
        runs.find_run(home, "20260902")
    assert IDS[1] in str(caught.value)
    assert IDS[2] in str(caught.value)
    assert IDS[0] not in str(caught.value)


def test_an_unknown_run_names_the_nearest(home):
    with pytest.raises(RunError, match=IDS[2]):
        runs.find_run(home, "20260902-130000-vlm-00cc")
    with pytest.raises(RunError, match=IDS[2]):
        runs.find_run(home, "00cc")


@pytest.mark.parametrize("reference", ["", None, "../..", "a/b", "a b"])
def test_what_is_no_reference_is_refused(home, reference):
    with pytest.raises(RunError):
        runs.find_run(home, reference)


def started_by_awx(home, number, cluster, **ids):
    run = RunDirectory(home / "runs" / f"20260901-12000{number}-x-00a{number}")
    run.write_json("plan.json", {"cluster": {"name": cluster}, "extra": {"awx": ids}})
    return run.id


def test_the_run_of_a_job_of_awx_is_found_by_its_number(tmp_path):
    first = started_by_awx(tmp_path, 1, "a", job_id=7, workflow_job_id=6)
    newest = started_by_awx(tmp_path, 2, "b", job_id=8, workflow_job_id=6)
    assert runs.find_run(tmp_path, "awx-job-7").id == first
    assert runs.find_run(tmp_path, "awx-workflow-6").id == newest
    assert runs.find_run(tmp_path, "awx-workflow-6", ["a"]).id == first
    with pytest.raises(runs.NoSuchRun, match="workflow job 7"):
        runs.find_run(tmp_path, "awx-workflow-7")


def test_without_runs_latest_says_how_to_start_one(tmp_path):
    with pytest.raises(RunError, match=r"aifactory\.benchmark\.run"):
        runs.find_run(tmp_path, "latest")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    run = RunDirectory(tmp_path / "r")
    run.write_json("a.json", {"old": 1})
    with pytest.raises(TypeError):
        run.write_json("a.json", {"new": object()})
    assert run.read_json("a.json") == {"old": 1}
    with pytest.raises(TypeError):
        run.write_bytes("a.json", "not bytes")
    assert [path.name for path in run.path.iterdir()] == ["a.json"], "no temporary file is left"


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
def test_no_name_leads_out_of_the_run(tmp_path, name):
    with pytest.raises(RunError):
        RunDirectory(tmp_path / "r").file(name)


def test_missing_and_broken_files_are_explained(tmp_path):
    run = RunDirectory(tmp_path / "20260901-120000-x-00aa")
    with pytest.raises(RunError, match="collect"):
        run.read_json("run.json")
    run.write_text("run.json", "{")
    with pytest.raises(RunError, match="not valid JSON"):
        run.read_json("run.json")
    run.write_text("results.csv", "case,repetition,client,metric,unit,statistic,value\na,1,all,m,s,p50,x\n")
    with pytest.raises(RunError, match="line 2"):
        run.results()


HEAD = "case,repetition,client,metric,unit,statistic,value\n"


def test_what_is_known_of_all_clients_needs_none_of_them(tmp_path):
    run = RunDirectory(tmp_path / "r")
    kept = ["a,1,all,m,s,value,3", "a,2,0,m,s,value,4", '"b,c",1,all,m,s,value,5', '"b,c",1,1,alone,s,value,6']
    lines = ["a,1,0,m,s,value,1", "a,1,1,m,s,value,2", *kept[:2], '"b,c",1,1,m,s,value,7', *kept[2:]]
    run.write_text("results.csv", HEAD + "\n".join(lines) + "\n")
    assert [row["value"] for row in run.results()] == [1, 2, 3, 4, 7, 5, 6]
    rows = run.results(merged=True)
    assert [row["value"] for row in rows] == [3, 4, 5, 6]
    assert all(row in run.results() for row in rows) and list(rows[0]) == HEAD.strip().split(",")
    run.write_text("results.csv", f"{HEAD}a,1,0\n")
    for merged in (False, True):
        with pytest.raises(RunError, match="line 2"):
            run.results(merged=merged)


def test_events_are_merged_by_time_and_cut_lines_left_out(tmp_path):
    run = RunDirectory(tmp_path / "r")
    run.write_text("events/b.jsonl", json.dumps({"t": 2, "event": "late"}) + "\n" + '{"t": 3, "eve')
    run.write_text("events/a.jsonl", json.dumps({"t": 1, "event": "early"}) + "\n[]\n7\n")
    assert [event["event"] for event in run.events()] == ["early", "late"]


@given(st.text())
def test_events_are_read_from_any_text(text):
    for event in runs.read_events(text):
        assert "event" in event


def test_files_of_a_case_are_found_where_collect_puts_them(tmp_path):
    run = RunDirectory(tmp_path / "r")
    run.write_text("series/series-a-1.csv", "t\n")
    assert run.case_file("results/series-a-1.csv", "series") == "series/series-a-1.csv"
    assert run.case_file("results/series-b-1.csv", "series") is None
    assert run.case_file(None, "series") is None
