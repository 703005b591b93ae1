# SPDX-License-Identifier: MIT
"""What Slurm says of the jobs beside what was sampled: a node of 100 W, by its own counter and by Slurm's."""

from __future__ import annotations

import csv
import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import slurm_usage
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, jobs, openmetrics, report, screen
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import slurm_energy, slurm_jobs

from .. import samples
from .test_energy import gpu_rows

NODE = "mel2001"  # of gpu_rows


@pytest.fixture
def run(tmp_path):
    found = samples.make(tmp_path, "finished")
    gathers(found)
    return found


def gathers(run, energy="gpu", usage="linux"):
    known = run.read_json("provenance.json")
    gathered = {"usage": usage, "energy": energy, "frequency": "task=30,energy=30"}
    run.write_json("provenance.json", {**known, "cluster": {**known["cluster"], "gathering": gathered}})


def step(name, joules, *, job_id="4711", nodes=(NODE,), start=samples.START, end=samples.START + 60, **fields):
    known = {"job_id": job_id, "step": name, "name": name, "state": "COMPLETED", "nodes": list(nodes), "tasks": 1,
             "start_s": start, "end_s": end, "elapsed_s": end - start, "cpu_s": 12.5, "energy_j": joules,
             "max_rss_bytes": 2**30, "disk_read_bytes": 4096, "disk_write_bytes": None}  # fmt: skip
    return {**known, **fields}


def has_steps(run, *steps, tres=None, cpus=128):
    """The run's service job has these steps in accounting."""
    service, clients = run.read_json("jobs.json")
    job = Job(id="4711", raw_id="4711", state="COMPLETED", tres=tres or {}, steps=list(steps), source="squeue")
    run.write_json("jobs.json", [{**service, "cpus": cpus, "usage": jobs.usage_of(job)}, clients])


def has_events(run, *events):
    text = "".join(json.dumps({"t": samples.HEALTHY, "source": "clients", **event}) + "\n" for event in events)
    run.write_text("events.jsonl", run.read_text("events.jsonl") + text)


def has_samples(run, *rows):
    with run.file(slurm_jobs.FILE).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, slurm_usage.COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def sample(t, moment, joules, name="extern", component="4711"):
    return {"t": t, "moment": moment, "job": "4711", "component": component, "step": name, "nodes": NODE, "tasks": 2,
            "mean_task_cpu_s": 3.0, "energy_j": joules, "max_rss_bytes": 1000, "disk_read_bytes": 7}  # fmt: skip


def of_service(run):
    return finish.preview(run)["energy"]["slurm"]["jobs"][0]


def test_what_the_steps_used_is_summed_or_the_most_of_one(run):
    has_steps(run, step("batch", None, max_rss_bytes=5), step("0", None, disk_read_bytes=4), tres={"energy": 2**64 - 2})
    service, clients = finish.preview(run)["jobs"]
    usage = service["usage"]
    assert (usage["source"], usage["cpu_s"], usage["max_rss_bytes"], usage["disk_read_bytes"]) == (
        "sacct", 25.0, 2**30, 4100)  # fmt: skip
    assert usage["disk_write_bytes"] is None and usage["energy_j"] is None and usage["reason"] is None
    assert [each["node_list"] for each in usage["steps"]] == [NODE, NODE]
    assert clients["usage"]["source"] is None and "told of no step" in clients["usage"]["reason"]


def test_steps_that_accounting_had_not_closed_are_named(run):
    has_steps(run, step("batch", None, state="RUNNING", end_s=None))
    reason = finish.preview(run)["jobs"][0]["usage"]["reason"]
    assert "still had batch running" in reason and f"-e run={run.id}" in reason


def test_a_cluster_that_gathers_nothing_is_said_to(run):
    gathers(run, usage="none")
    reasons = {job["usage"]["reason"] for job in finish.preview(run)["jobs"]}
    assert reasons == {"accounting gathers nothing of jobs: JobAcctGatherType is none on this cluster"}


def test_without_accounting_sstat_tells(run):
    has_samples(run, sample(samples.START, "before", 0), sample(samples.START + 50, "after", 5000))
    usage = finish.preview(run)["jobs"][0]["usage"]
    assert (usage["source"], usage["cpu_s"], usage["max_rss_bytes"]) == ("sstat", 6.0, 1000.0)
    assert "at the end of the load" in usage["reason"]


def test_calls_of_the_jobs_are_counted_with_the_controllers(run):
    run.write_json("calls.json", {"sacct": 1})
    has_events(run, {"event": "slurm_usage", "asked": True}, {"event": "slurm_usage", "asked": False, "reason": "none"})
    assert finish.preview(run)["calls"] == {"sacct": 1, "sstat": 1}


# -- energy --------------------------------------------------------------------------------------------------


def test_slurms_energy_beside_the_own_over_the_same_time(run):
    gpu_rows(run)
    has_steps(run, step("extern", 6300), step("batch", 6200), step("0", 5000, end=samples.START + 50))
    has_events(run, {"event": "node_described", "node": NODE, "cpus": 128})
    found = of_service(run)
    assert (found["status"], found["joules"], found["step"], found["others"]) == ("counted", 6300, "extern", None)
    assert found["own"]["joules"] == pytest.approx(6000.0) and found["own"]["ratio"] == pytest.approx(6000 / 6300)


def test_without_extern_the_longest_step_stands_for_the_job_and_steps_are_never_added(run):
    has_steps(run, step("0", 5000, end=samples.START + 50), step("batch", 6200))
    assert (of_service(run)["joules"], of_service(run)["step"]) == (6200, "batch")


def test_components_on_other_nodes_are_added(run):
    gpu_rows(run)
    has_steps(run, step("extern", 6000, job_id="4711+0"), step("extern", 3000, job_id="4711+1", nodes=["mel0002"]))
    found = of_service(run)
    assert (found["joules"], found["nodes"]) == (9000, 2)
    assert found["own"]["of_joules"] == 6000 and found["own"]["ratio"] == pytest.approx(1.0)


def test_own_samples_that_miss_some_of_the_time_give_no_ratio(run):
    gpu_rows(run, from_s=30.0)
    has_steps(run, step("extern", 6000))
    own = of_service(run)["own"]
    assert own["ratio"] is None and "cover 50% of the time" in own["reason"] and own["joules"] == pytest.approx(3000.0)


def test_devices_that_slurm_does_not_count_are_not_held_against_it(run):
    gpu_rows(run)
    gathers(run, energy="rapl")
    has_steps(run, step("extern", 6000))
    own = of_service(run)["own"]
    assert own["ratio"] is None and "sampled nothing" in own["reason"]
    gathers(run, energy="ipmi")
    assert of_service(run)["own"]["ratio"] == pytest.approx(1.0)


def test_a_node_that_was_shared_is_told(run):
    has_steps(run, step("extern", 6000), cpus=16)
    assert "nobody told how many CPUs" in of_service(run)["others"]
    has_events(run, {"event": "node_described", "node": NODE, "cpus": 128})
    assert "16 of 128 CPUs" in of_service(run)["others"]


@pytest.mark.parametrize(
    ("plugin", "joules", "status", "words"),
    [
        ("none", None, "not configured", "AcctGatherEnergyType is none"),
        ("none", 6000, "not plausible", "AcctGatherEnergyType is none"),
        ("ipmi", None, "not told", "although AcctGatherEnergyType is ipmi"),
        ("ipmi", 2**62, "not plausible", "W a node"),
        ("ipmi", 3, "not plausible", "0.05 W a node"),
    ],
)
def test_what_is_not_believed_and_why(run, plugin, joules, status, words):
    gathers(run, energy=plugin)
    has_steps(run, step("extern", joules))
    found = of_service(run)
    assert found["status"] == status and words in found["reason"] and found["own"] is None


def test_where_nobody_told_what_is_gathered(run):
    known = run.read_json("provenance.json")
    run.write_json("provenance.json", {**known, "cluster": {**known["cluster"], "gathering": None}})
    has_steps(run, step("extern", None))
    assert "slurmrestd does not tell" in of_service(run)["reason"]
    run.write_json("jobs.json", [{**job, "usage": None} for job in run.read_json("jobs.json")])
    assert of_service(run)["status"] == "not told" and "told of no step" in of_service(run)["reason"]


def test_the_time_of_the_load_alone(run):
    gpu_rows(run)
    at = [samples.START + 10.0, samples.START + 50.0]
    has_samples(
        run,
        sample(at[0], "before", 1000), sample(at[0], "before", 990, "batch"),
        sample(at[0], "before", 1000, "0", component="4712"),
        sample(at[1], "after", 5200), sample(at[1], "after", 5200, "batch"),
        sample(at[1], "after", 5100, "0", component="4712"),
    )  # fmt: skip
    load = finish.preview(run)["energy"]["slurm"]["load"]
    assert (load["status"], load["joules"], load["nodes"]) == ("counted", 4200.0, 1), "both jobs tell of one node"
    assert load["seconds"] == pytest.approx(40.0) and load["own"]["ratio"] == pytest.approx(4000 / 4200)


def test_a_run_of_which_slurm_told_nothing_has_no_load(run):
    load = finish.preview(run)["energy"]["slurm"]["load"]
    assert load["joules"] is None and load["status"] == "not told"


def test_what_two_plugins_count():
    assert slurm_energy._covers(["rapl", "gpu"]).count(" and ") == 2
    assert slurm_energy._is_of(["rapl", "gpu"], "gpu") and not slurm_energy._is_of(["rapl"], "gpu")


# -- where it is shown ---------------------------------------------------------------------------------------


def test_the_report_the_screen_and_openmetrics_show_it(run):
    gpu_rows(run)
    has_steps(run, step("extern", 6300))
    run.write_json("run.json", finish.preview(run))
    html, markdown = (path.read_text() for path in report.render(run))
    for text in (html, markdown):
        assert "service job 4711" in text and "6.30 kJ" in text and "0.952" in text and "the GPUs (the job" in text
        assert "12.5 s" in text and "Not all that Slurm can tell: clients job 4712" in text
    told = " ".join(str(line) for line in screen._time(run.read_json("run.json")))
    assert "energy by Slurm, start to end of service job 4711 6.30 kJ (own samples: 95% of it)" in told
    metrics = openmetrics.text(run)
    assert "aifactory_job_energy_joules{" in metrics and "aifactory_job_cpu_seconds{" in metrics
    assert "aifactory_slurm" not in metrics


def test_the_report_says_in_a_sentence_that_none_is_measured(run):
    gathers(run, energy="none")
    has_steps(run, step("batch", None))
    run.write_json("run.json", finish.preview(run))
    html, markdown = (path.read_text() for path in report.render(run))
    for text in (html, markdown):
        assert "By Slurm: AcctGatherEnergyType is none on this cluster" in text and "own / Slurm" not in text
