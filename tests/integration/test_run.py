# SPDX-License-Identifier: MIT
"""Whole runs on real clusters, over ssh as an ordinary user."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from pathlib import Path

import jsonschema
import pytest

from .conftest import ROOT, assert_measured, assert_nothing_left, environment, playbook_argv, read_json, ssh

pytestmark = pytest.mark.integration

FILES = ["run.json", "recipe.yml", "provenance.json", "service.sbatch", "clients.sbatch", "events.jsonl", "results.csv"]
FILES += ["teardown.json", "report.html", "report.md", "plan.json", "spec.json", "cases.json", "manifest.json"]


def rows(home: Path, run_id: str, **wanted: str) -> list[dict[str, str]]:
    """Rows of results.csv that have these values."""
    with (home / "runs" / run_id / "results.csv").open() as stream:
        return [row for row in csv.DictReader(stream) if all(row[key] == value for key, value in wanted.items())]


def assert_slurm_told(home: Path, run_id: str, record: dict) -> None:
    """What the jobs used is known: from the sacct of the teardown, and from sstat, which was asked twice."""
    for job in record["jobs"]:
        usage = job["usage"]
        assert usage["source"] == "sacct" and usage["reason"] is None and "batch" in {s["step"] for s in usage["steps"]}
        assert usage["cpu_s"] > 0, usage
        if job["role"] != "image":  # which may be over before Slurm has looked
            assert usage["max_rss_bytes"] > 2**20 and usage["disk_read_bytes"] is not None, usage
    assert record["calls"]["sstat"] == 2 and record["calls"]["sacct"] <= 2, record["calls"]
    with (home / "runs" / run_id / "telemetry/slurm.csv").open() as stream:
        sampled = list(csv.DictReader(stream))
    jobs = {job["id"] for job in record["jobs"] if job["role"] != "image"}
    assert {(row["moment"], row["job"]) for row in sampled} == {(m, job) for m in ("before", "after") for job in jobs}
    assert {job["status"] for job in record["energy"]["slurm"]["jobs"]} == {"not configured"}


@pytest.mark.alone
def test_one_play_runs_on_two_versions_of_slurm_at_once(play, recipe, home):
    played = play("run", "-e", f"recipe={recipe()}", limit=None)
    runs = played.run_ids()
    assert len(runs) == 2, played.output
    records = [assert_measured(played, home, run) for run in runs]
    assert {record["cluster"] for record in records} == {"local", "local2411"}
    assert len({record["group"] for record in records}) == 1
    table = [line.split() for line in played.output.splitlines()]
    assert played.rc != 0 or ["case", "metric", "local", "local2411"] in table, "their numbers stand side by side"
    versions = {read_json(home, run, "provenance.json")["cluster"]["slurm"].rpartition(".")[0] for run in runs}
    assert len(versions) == 2, versions
    for run, record in zip(runs, records, strict=True):
        for name in FILES:
            assert (home / "runs" / run / name).stat().st_size > 0, name
        provenance = read_json(home, run, "provenance.json")
        jsonschema.validate(provenance, json.loads((ROOT / "docs/provenance.schema.json").read_text()))
        jsonschema.validate(record, json.loads((ROOT / "docs/run.schema.json").read_text()))
        assert provenance["environment"].keys() == {"service", "clients"} and provenance["clocks"]
        assert [job["state"] for job in provenance["jobs"]][-2:] == ["COMPLETED", "COMPLETED"]
        assert {role for node in provenance["nodes"].values() for role in node["roles"]} == {"service", "clients"}
        for folder in ("histograms", "telemetry", "logs"):
            assert any((home / "runs" / run / folder).iterdir()), folder
        assert read_json(home, run, "teardown.json")["clean"]
        [throughput] = rows(home, run, client="all", metric="throughput")
        [operations] = rows(home, run, client="all", metric="operations")
        assert float(throughput["value"]) == pytest.approx(float(operations["value"]) / 2.0, rel=0.01)
        assert_slurm_told(home, run, record)
        phases = [segment["phase"] for segment in record["timeline"]]
        assert [p for p in phases if p in ("warmup", "measuring")] == ["warmup", "measuring"]
    assert_nothing_left(runs)


@pytest.mark.alone
def test_one_cluster_that_fails_leaves_the_other_to_its_run(play, recipe, home, tmp_path):
    site = tmp_path / "site.yml"
    site.write_text("all: {hosts: {local2411: {benchmark_account: nobody}}}\n")
    played = play("run", "-i", str(site), "-e", f"recipe={recipe()}", limit="local,local2411")
    assert played.rc != 0 and "does not fit the cluster local2411" in played.output, played.output
    [run] = [run for run in played.run_ids() if (home / "runs" / run / "run.json").exists()]
    assert read_json(home, run, "run.json")["state"] == "finished" and read_json(home, run, "cases.json")
    assert_nothing_left([run])


@pytest.mark.parametrize("placement", ["shared", "together"])
def test_clients_on_the_services_nodes_or_started_with_it(play, recipe, home, placement):
    played = play("run", "-e", f"recipe={recipe(placement=placement)}")
    [run] = played.run_ids()
    record = assert_measured(played, home, run)
    assert [job["role"] for job in record["jobs"]] == ["service"]
    assert record["jobs"][0]["nodes"] == (2 if placement == "together" else 1)
    components = 2 if placement == "together" else 1
    assert len({step["job_id"] for step in record["jobs"][0]["usage"]["steps"]}) == components, record["jobs"]
    assert_nothing_left([run])


@pytest.mark.alone
def test_the_original_recipe_character_for_character(play, home, ollama_standin):
    binds = json.dumps({"benchmark_binds": [f"{ollama_standin}:/usr/local/bin/ollama:ro"]})
    dry = play("run", "-e", "recipe=original", "-e", binds, "--check")
    assert dry.rc == 0, dry.output
    assert dry.output.count("#SBATCH --job-name") == 2
    assert dry.output.count("Slurm would accept it") == 2
    assert "aifactory-" not in ssh("local", "squeue -h -o %j")
    played = play("run", "-e", "recipe=original", "-e", binds)
    [run] = played.run_ids()
    assert_measured(played, home, run)
    assert read_json(home, run, "teardown.json")["clean"]
    [operations] = rows(home, run, client="all", metric="operations")
    assert float(operations["value"]) == 4
    assert '"model":"llama2"' in (home / "runs" / run / "logs" / "client-000.log").read_text()
    assert_nothing_left([run])


def test_a_watch_can_be_left_and_entered_again(play, recipe, home):
    left = play("run", "-e", f"recipe={recipe(duration='6s')}", "-e", "watch_timeout=2")
    assert left.rc == 0, left.output
    [run] = left.run_ids()
    assert "still going on" in left.output
    entered = play("watch", "-e", f"run={run[:-2]}")
    assert_measured(entered, home, run)
    assert_nothing_left([run])


def test_a_run_survives_its_controller(recipe, home, play):
    process = subprocess.Popen(
        playbook_argv("run", "-e", f"recipe={recipe(duration='4s')}"),
        env=environment(home),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if "submitted" in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    played = play("watch")
    [run] = played.run_ids()
    assert_measured(played, home, run)
    assert_nothing_left([run])


def test_a_controller_that_died_before_it_knew_the_job_ids(play, recipe, home):
    left = play("run", "-e", f"recipe={recipe(duration='4s')}", "-e", "watch_timeout=1")
    [run] = left.run_ids()
    (home / "runs" / run / "jobs.json").unlink()
    played = play("watch")
    assert len(assert_measured(played, home, run)["jobs"]) == 2
    assert_nothing_left([run])


def test_stop_ends_in_order_and_keeps_what_was_measured(play, recipe, home):
    left = play("run", "-e", f"recipe={recipe(duration='120s')}", "-e", "watch_timeout=8")
    [run] = left.run_ids()
    stopped = play("stop")
    assert stopped.rc == 0, stopped.output
    assert "NOT proven" not in stopped.output
    record = read_json(home, run, "run.json")
    assert record["state"] == "stopped", record
    assert read_json(home, run, "teardown.json")["clean"]
    assert (home / "runs" / run / "logs" / "service.log").stat().st_size > 0
    assert play("stop").rc == 0, "stopping twice does no harm"
    assert_nothing_left([run])


def test_a_service_that_dies_while_starting(play, recipe, home):
    path = Path(recipe())
    path.write_text(path.read_text().replace("{fsync: false}", "{fsync: false, shared_buffers: 900TB}"))
    played = play("run", "-e", f"recipe={path}")
    assert played.rc != 0
    [run] = played.run_ids()
    assert "shared_buffers" in played.output, played.output
    assert read_json(home, run, "run.json")["verdict"] == "INVALID"
    assert read_json(home, run, "teardown.json")["clean"]
    assert "shared_buffers" in (home / "runs" / run / "logs" / "service.log").read_text()
    assert_nothing_left([run])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  account: p200982", "service.account: 'p200982' is none of yours here; did you mean 'p200981'?"),
        ("  qos: defualt", "service.qos: 'defualt' is not yours"),
        ("  partition: cpux", "service.partition: 'cpux' is no partition here; did you mean 'cpu'?"),
        ("  num_gpus: 8\n  partition: gpu", "partition 'gpu' has 4 GPUs a node"),
        ("  qos: test\n  time_limit: '02:00:00'", "is longer than QOS 'test' allows"),
        ("  image: /no/such/image.sif", "image /no/such/image.sif: no such file on local"),
    ],
)
def test_what_the_cluster_would_refuse_is_said_before_anything_is_submitted(play, recipe, home, line, message):
    text = Path(recipe()).read_text()
    if "time_limit" in line:
        text = text.replace('  time_limit: "00:05:00"\n\nclient', "\nclient")
    path = Path(recipe(text.replace("  type: postgresql\n", f"  type: postgresql\n{line}\n")))
    played = play("run", "-e", f"recipe={path}")
    assert played.rc != 0
    assert message in played.output, played.output
    assert "Traceback" not in played.output
    assert not list(home.glob("runs/*"))
    assert "aifactory-" not in ssh("local", "squeue -h -o %j")


def test_slurms_own_words_reach_the_user(play, recipe, home):
    text = Path(recipe()).read_text().replace("  type: postgresql\n", "  type: postgresql\n  constraint: nosuch\n")
    played = play("run", "-e", f"recipe={recipe(text)}")
    assert played.rc != 0
    assert "feature" in played.output.lower(), played.output
    assert "aifactory-" not in ssh("local", "squeue -h -o %j")


def test_a_cluster_that_can_not_be_reached_is_named(play, recipe):
    played = play("run", "-e", f"recipe={recipe()}", "-e", "ansible_port=22999")
    assert played.rc != 0
    assert "cluster 'local' can't be reached at u101@127.0.0.1, port 22999" in played.output
    assert "ansible_port" in played.output


def test_no_secret_leaves_the_job(play, recipe, home):
    left = play("run", "-e", f"recipe={recipe(duration='20s')}", "-e", "watch_timeout=1")
    [run] = left.run_ids()
    folder = f"/var/lib/aifactory/local_cluster/scratch/u101/local/runs/{run}"
    wait = f"for i in $(seq 300); do [ -s {folder}/control/endpoint.json ] && break; sleep 0.1; done"
    password = ssh("local", f"{wait}; cat {folder}/secrets/password").strip()
    assert len(password) >= 20
    assert "-rw-------" in ssh("local", f"ls -l {folder}/secrets/password")
    shown = ssh(
        "local", "scontrol show job -dd; for j in $(squeue -h -o %A); do scontrol write batch_script $j -; done"
    )
    arguments = b"".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    assert password not in shown
    assert password.encode() not in arguments
    assert_measured(play("watch"), home, run)
    kept = [
        path for path in (home / "runs" / run).rglob("*") if path.is_file() and password.encode() in path.read_bytes()
    ]
    assert not kept


@pytest.mark.alone
def test_calls_do_not_grow_with_the_clients(play, recipe, home):
    calls = {}
    for clients in (1, 8, 64):
        played = play("run", "-e", f"recipe={recipe(clients=clients, name=f'c{clients}')}")
        record = read_json(home, played.run_ids()[0], "run.json")
        assert record["state"] == "finished", played.output  # whether this machine is fast enough is not the question
        calls[clients] = record["calls"]
    assert {made["sbatch"] for made in calls.values()} == {2}
    # polling aside, and a few looks more at jobs that take longer to leave and at their steps, the number is the same
    fixed = [made["ssh"] - made["polls"] for made in calls.values()]
    assert max(fixed) <= min(fixed) + 8, calls


def test_rates_and_repetitions_make_cases(play, recipe, home):
    text = recipe(benchmarks='  rate: [max, "50%", 40]\n  repetitions: 2\n  concurrency: 2')
    played = play("run", "-e", f"recipe={text}")
    [run] = played.run_ids()
    cases = read_json(home, run, "cases.json")
    assert len(cases) == 6, played.output
    assert {case["offered_rate_per_s"] for case in cases if case["rate"] == 40} == {40}
    for row in rows(home, run, client="all", metric="throughput"):
        if row["case"] not in ("max",) and "40" in row["case"]:
            assert float(row["value"]) == pytest.approx(40, rel=0.35)
    assert rows(home, run, client="all", metric="schedule_lag", statistic="p50")
