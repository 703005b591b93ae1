# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import provenance
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import differences
from hypothesis import given
from hypothesis import strategies as st

from .. import samples
from ..provenance import provenance_samples

NODE = {
    "kernel": "6.1",
    "boot_id": "x",
    "roles": ["service"],
    "cpu_model": "AMD EPYC 7H12",
    "cpus": 256,
    "memory_bytes": 512 * 2**30 + 4096,
}
PROVENANCE = {
    "recipe": {"name": "quickstart", "path": "/a/quickstart.yml", "sha256": "5f" * 32},
    "plan_sha256": "aa" * 32,
    "collection": {"version": "0.1.0", "agent_sha256": "cd" * 32, "commit": "abc", "changed_files": 0},
    "controller": {"host": "laptop", "python": "3.11.7"},
    "cluster": {"name": "meluxina", "slurm": "24.11.5", "modules": ["env/2024.1"]},
    "images": [{"parts": ["service", "clients"], "path": "/cache/a.sif", "bytes": 1, "digest": "sha256:22"}],
    "models": [{"service": "vllm", "name": "tiny", "weights_sha256": "11" * 32}],
    "nodes": {"mel0001": NODE, "mel0002": NODE},
    "environment": {"service": {"OMP_NUM_THREADS": "8", "EDITOR": "vi"}},
}
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def changed(*path, to, run_id="20260921-141320-postgresql-0001"):
    """The facts of a run of which one field is another; a path begins with `plan` or `provenance`."""
    whole = json.loads(json.dumps({"plan": samples.plan_of(run_id), "provenance": PROVENANCE}))
    *parents, last = path
    place = whole
    for key in parents:
        place = place[key]
    place[last] = to
    return differences.facts(**whole)


SAME = changed("plan", "schema", to=1)


def test_reruns_do_not_differ():
    again = changed("plan", "created_at", to=1.0, run_id="20260922-000000-postgresql-0002")
    assert differences.between(SAME, again) == []


def of_collected(home, number, gpu="NVIDIA A100-SXM4-40GB", threads="8"):
    """The facts of a run as the code that records provenance leaves them."""
    run = provenance_samples.collected(home, number)
    node = provenance_samples.node_record("mel0001", "service")
    node["gpus"][0] |= {"name": gpu, "uuid": f"GPU-{number}"}
    node["environment"]["OMP_NUM_THREADS"] = threads
    run.write_json("nodes/service-mel0001.json", node)
    return differences.facts(run.read_json("plan.json"), provenance.after_collection(run))


def test_what_is_recorded_of_real_runs(tmp_path):
    first, again = of_collected(tmp_path, 1), of_collected(tmp_path, 2)
    assert differences.between(first, again) == []
    other = of_collected(tmp_path, 3, gpu="NVIDIA H100", threads="1")
    assert [(each["what"], each["is_warning"]) for each in differences.between(first, other)] == [
        ("nodes.gpus[0].name", True), ("environment.service.OMP_NUM_THREADS", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "to", "what", "kind", "is_warning"),
    [
        (("plan", "clients", "settings", "scale"), 20, "clients.settings.scale", "load", True),
        (("plan", "clients", "count"), 8, "clients.count", "load", True),
        (("plan", "benchmarks", "warmup_s"), 0.0, "benchmarks.warmup_s", "load", True),
        (("plan", "benchmarks", "repetitions"), 9, "benchmarks.repetitions", "other", False),
        (("plan", "service", "settings", "shared_buffers"), "1GB", "service.settings.shared_buffers", "service", False),
        (("plan", "service", "job", "partition"), "gpu", "service.job.partition", "machine", True),
        (("plan", "service", "job", "account"), "p2", "service.job.account", "other", False),
        (("plan", "cluster", "name"), "other", "cluster.name", "machine", True),
        (("provenance", "cluster", "slurm"), "22.05", "cluster.slurm", "machine", True),
        (("provenance", "collection", "agent_sha256"), "00", "collection.agent_sha256", "instrument", True),
        (("provenance", "collection", "commit"), "def", "collection.commit", "other", False),
        (("provenance", "controller", "host"), "desk", "controller.host", "other", False),
        (("provenance", "images", 0, "digest"), "sha256:33", "images.service, clients.digest", "service", False),
        (("provenance", "models", 0, "weights_sha256"), "00", "models.vllm.weights_sha256", "service", False),
        (("provenance", "environment", "service", "OMP_NUM_THREADS"), "1", "environment.service.OMP_NUM_THREADS",
         "machine", True),
        (("provenance", "environment", "service", "EDITOR"), "ed", "environment.service.EDITOR", "other", False),
        (("provenance", "nodes", "mel0002", "cpu_model"), "Xeon", "nodes.cpu_model", "machine", True),
        (("provenance", "recipe", "sha256"), "00", "recipe.sha256", "other", False),
    ],
)  # fmt: skip
def test_one_difference(path, to, what, kind, is_warning):
    [found] = differences.between(SAME, changed(*path, to=to))
    assert (found["what"], found["kind"], found["is_warning"]) == (what, kind, is_warning)
    assert str(to).lower() in found["other"].lower()
    [silent] = differences.between(SAME, changed(*path, to=to), differences.KINDS)
    assert not silent["is_warning"]
    [loud] = differences.between(SAME, changed(*path, to=to), ())
    assert loud["is_warning"] == (kind != "other")


@pytest.mark.parametrize(
    "path",
    [
        ("of_a_later_release",),
        ("images", 0, "path"),
        ("recipe", "path"),
        ("plan_sha256",),
        ("nodes", "mel0001", "boot_id"),
    ],
)
def test_places_of_files_and_boots_are_no_difference(path):
    assert differences.between(SAME, changed("provenance", *path, to="other")) == []


def test_other_nodes_of_the_same_kind_do_not_differ():
    nodes = {"mel0777": {**NODE, "memory_bytes": NODE["memory_bytes"] - 8192}}
    assert differences.between(SAME, changed("provenance", "nodes", to=nodes)) == []


def test_what_one_run_does_not_know_is_no_warning_but_what_it_was_asked_is():
    assert not any(each["is_warning"] for each in differences.between(SAME, changed("provenance", "cluster", to={})))
    added = changed("plan", "clients", "settings", "mode", to="simple")
    assert differences.between(SAME, added)[0]["is_warning"]
    assert differences.between(added, SAME)[0]["other"] is None
    newer = {**added, "provenance": changed("provenance", "collection", "version", to="0.2.0")["provenance"]}
    assert [each["what"] for each in differences.between(SAME, newer) if each["is_warning"]] == ["collection.version"]


def test_warnings_come_first():
    other = changed("plan", "clients", "count", to=8)
    other["plan"]["service"]["settings"]["shared_buffers"] = "1GB"
    other["provenance"]["controller"]["host"] = "desk"
    assert [each["kind"] for each in differences.between(SAME, other)] == ["load", "service", "other"]


@given(JSON, JSON)
def test_whatever_a_plan_says_it_does_not_differ_from_itself(value, other):
    plan = {"service": value, "clients": {"settings": other}, "run_id": "RUN"}
    known = differences.facts(plan, {"of_a_later_release": value, "nodes": {"n": {"gpus": [{"name": value}]}}})
    assert differences.between(known, json.loads(json.dumps(known))) == []
    found = differences.between(known, differences.facts({"run_id": "OTHER"}, {}))
    assert all(isinstance(each[side], str) or each[side] is None for each in found for side in ("reference", "other"))


def test_the_same_again_on_other_nodes_differs_in_nothing_that_matters(tmp_path):
    """Ids, jobs, clocks, the numbers of GPUs, and why something is not known are of one run."""
    found = []
    for seed in (1, 2):
        run = provenance_samples.collected(tmp_path, seed)
        record = provenance_samples.node_record(f"mel000{seed}", "service")
        record["gpus"][0]["uuid"], record["boot_id"] = f"GPU-{seed}", f"boot-{seed}"
        run.write_json("nodes/service-mel0001.json", record)
        found.append((run.read_json("plan.json"), provenance.after_collection(run)))
    found[1][1]["clocks"] = None
    one, two = (differences.facts(*each) for each in found)
    assert [each for each in differences.between(one, two, varied=()) if each["is_warning"]] == []
    found[1][1]["nodes"]["mel0002"]["gpu_driver"] = "550.1"
    found[1][1]["models"][0]["weights_sha256"] = "0"
    varied = differences.between(one, differences.facts(*found[1]), varied=())
    assert len([each for each in varied if each["is_warning"]]) == 2, varied
