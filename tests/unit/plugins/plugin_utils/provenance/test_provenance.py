# SPDX-License-Identifier: MIT
"""provenance.json of a run, as it is composed from what was submitted and what was collected."""

from __future__ import annotations

import hashlib
import json
import subprocess

import jsonschema
import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, provenance
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import code
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import content
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from .. import samples
from .provenance_samples import IMAGES, SHA, collected, full_plan, node_record


@pytest.fixture
def run(tmp_path):
    return collected(tmp_path)


def test_a_collected_run_is_told_whole(run):
    found = provenance.after_collection(run)
    assert found["recipe"]["name"] == "quickstart" and found["modules"]["service"] == ["CUDA/12"]
    [image] = found["images"]
    assert image["parts"] == ["service", "clients"] and image["asked"] == "postgres:17"
    assert (image["sha256"], image["digest"], image["bytes"]) == (SHA, f"sha256:{'ab' * 32}", 123)
    assert image["sif_id"] == "7dd1e905-0f71-4cd5-b218-e13ba36a3eb2 1795957017" and image["missing"] == {}
    node = found["nodes"]["mel0001"]
    assert node["roles"] == ["clients", "service"] and node["gpus"][0]["name"] == "NVIDIA A100-SXM4-40GB"
    assert node["gpu_driver"] == "535.104" and node["modules_loaded"] == ["CUDA/12"] and node["kernel"] == "5.14"
    assert node["cpu_governor"] is None and node["missing"]["cpu_governor"] == "can't be read"
    assert found["environment"]["service"] == {"OMP_NUM_THREADS": "8", "HF_TOKEN": "***"}
    assert found["clocks"] == {"mel0002": {"offset_s": 0.001, "uncertainty_s": 0.0002}}
    assert [job["id"] for job in found["jobs"]] == ["4711", "4712"]
    assert found["models"][0]["revision"] == "0123abcd"
    assert found["missing"] == {"rerun_of": "it was started from a recipe"}


def test_every_null_has_its_reason(tmp_path):
    """Also of a run of which nothing is known but what was submitted."""
    run = RunDirectory(tmp_path / "runs" / samples.RUN_ID.format(9))
    run.write_json("spec.json", {"service": {"name": "v", "models": [{"name": "m", "layout": "file", "path": "/m"}]}})
    submitted = provenance.at_submission(full_plan(run.id), None, "cd" * 32, {"a.sbatch": "x"}, IMAGES)
    run.write_json("provenance.json", submitted)
    for found in (provenance.after_collection(run), provenance.after_collection(collected(tmp_path))):
        for where, part in parts(found):
            nulls = {key for key, value in part.items() if value is None}
            assert nulls <= set(part["missing"]), where
            assert all(part["missing"].values()), where


def parts(found):
    yield "", {key: value for key, value in found.items() if key != "cluster"}
    yield "collection", found["collection"]
    for name in ("images", "models"):
        yield from ((name, part) for part in found[name])
    yield from found["nodes"].items()


def test_it_fits_its_schema(run):
    schema = json.loads((provenance.ROOT / "docs" / "provenance.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(provenance.after_collection(run), schema)
    jsonschema.validate(run.read_json("provenance.json"), schema)
    broken = provenance.after_collection(run)
    broken["nodes"]["mel0001"]["cpus"] = "many"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_what_a_cluster_wrote_is_not_trusted(run):
    evil = {"node": "mel0009", "role": "service", "cpus": "many", "kernel": ["x"], "gpus": [1, {"name": "G", "x": 1}]}
    evil |= {"environment": {"A": 1, "API_KEY": "s3cret-value", "B": "http://u:p@h/"}, "missing": "x", "more": 1}
    run.write_json("nodes/service-mel0009.json", evil)
    run.write_text("nodes/a.json", "{")
    run.write_text("nodes/b.json", "[1]")
    found = provenance.after_collection(run)
    node = found["nodes"]["mel0009"]
    assert node["cpus"] is None and node["kernel"] is None and "more" not in node
    assert node["gpus"] == [{"name": "G", "uuid": None, "memory_bytes": None, "power_limit_w": None}]
    assert "nodes/b.json" in found["missing"] and "not valid JSON" in found["missing"]["nodes/a.json"]
    assert "s3cret" not in json.dumps(found)


def test_a_cached_image_tells_its_digest_by_the_file_beside_it(run):
    """No image job runs then, and nothing is pulled."""
    run.write_text("images.tsv", f"/i/a.sif\t123\t{SHA}\t{json.dumps({'digest': 'sha256:1'})}\n/i/b.sif\t\t\t\n")
    one, two = provenance.after_collection(run)["images"]
    assert one["digest"] == "sha256:1"
    assert set(two["missing"]) == {"asked", "reference", "bytes", "sha256", "sif_id", "digest"}


def test_of_a_run_of_an_earlier_release_what_there_is(tmp_path):
    run = samples.make(tmp_path, "finished")
    found = provenance.after_collection(run)
    assert found["collection"] == samples.PROVENANCE["collection"]
    assert found["nodes"] == {} and found["missing"]["nodes"]


def test_the_report_says_why_something_is_unknown(run):
    run.write_json("provenance.json", provenance.after_collection(run))
    finish.finish(run, run.read_json("plan.json"), run.read_json("jobs.json"), None, {}, now=samples.BEGIN + 99)
    found = content.collect(run)
    rows = dict(found["provenance"])
    assert rows["nodes.mel0001.cpu_governor"] == "unknown: can't be read"
    assert rows["nodes.mel0001.gpus[0].name"] == "NVIDIA A100-SXM4-40GB"
    assert dict(found["environment"])["service.OMP_NUM_THREADS"] == "8"
    assert not [name for name in rows if "missing" in name or name.startswith(("environment", "jobs"))]


# -- the plan's checksum ---------------------------------------------------------------------------------


def test_the_plan_s_checksum_is_that_of_what_is_asked_for():
    one, two = full_plan("20260921-141320-x-0001"), full_plan("20260922-141320-x-0002")
    two |= {"created_at": 2.0, "group": "g", "collection_version": "9", "extra": {"rerun_of": "x"}}
    two["recipe"] = {"name": "y", "path": "/elsewhere", "sha256": "0"}
    one["inputs"] = {"inputs/a": {"source": "/here/a", "sha256": "1"}}
    two["inputs"] = {"inputs/a": {"source": "/there/a", "sha256": "1"}}
    assert provenance.plan_sha256(one) == provenance.plan_sha256(two)
    two["inputs"]["inputs/a"]["sha256"] = "2"
    assert provenance.plan_sha256(one) != provenance.plan_sha256(two)
    one["benchmarks"]["seed"] = 2
    assert provenance.plan_sha256(one) != provenance.plan_sha256(full_plan("20260921-141320-x-0001"))


def test_scripts_of_two_runs_can_be_compared():
    ids = ("20260921-141320-x-0001", "20260922-141320-x-0002")
    one, two = (provenance.script_sha256({"a.sbatch": f"cd /runs/{run}\n"}, run) for run in ids)
    assert one == two == {"a.sbatch": hashlib.sha256(b"cd /runs/RUN_ID\n").hexdigest()}


# -- git -------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "t@example.org")
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "a").write_text("1\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    return root


def test_the_state_of_a_checkout(checkout):
    clean = code.git_state(checkout)
    assert len(clean["commit"]) == 40 and clean["changed_files"] == 0
    assert clean["changes_sha256"] is None and "changes_sha256" in clean["missing"]
    (checkout / "a").write_text("2\n")
    (checkout / "new").write_text("2\n")
    changed = code.git_state(checkout)
    assert changed["commit"] == clean["commit"] and changed["changed_files"] == 2
    (checkout / "a").write_text("3\n")
    assert code.git_state(checkout)["changes_sha256"] != changed["changes_sha256"]


def test_without_git_nothing_is_guessed(checkout, tmp_path, monkeypatch):
    assert "installed" in code.git_state(tmp_path)["missing"]["commit"]
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", str(empty)], check=True)
    assert code.git_state(empty)["commit"] is None, "a repository without a commit"
    monkeypatch.setenv("PATH", str(tmp_path))
    found = code.git_state(checkout)
    assert found["changed_files"] is None and "git can't be run" in found["missing"]["commit"]


def test_two_records_of_a_node_are_one(run):
    run.write_json("nodes/service-db-mel0001.json", {**node_record("mel0001", "service-db"), "runtime": None})
    node = provenance.after_collection(run)["nodes"]["mel0001"]
    assert node["roles"] == ["clients", "service", "service-db"] and node["runtime"] == "apptainer version 1.4.5"
