# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.preflight import problems


def partition(name, **fields):
    known = dict(
        name=name, default=name == "cpu", up=True, max_time_s=518400, max_nodes=None, node_count=4, cpus_per_node=128,
        memory_per_node_bytes=512 * 2**30, gpus_per_node=0,
    )  # fmt: skip
    return {**known, **fields}


QOS = [
    {"name": "default", "max_time_s": 172800, "max_nodes": 4, "max_jobs": None},
    {"name": "test", "max_time_s": 1800, "max_nodes": 4, "max_jobs": 1},
]
FACTS = {
    "partitions": [partition("cpu"), partition("gpu", gpus_per_node=4, node_count=2)],
    "associations": [{"account": "p200981"}],
    "may": [{"partition": name, "account": "p200981", "qos": QOS, "default_qos": "default"} for name in ("cpu", "gpu")],
}


def plan(**job):
    known = dict(
        partition="cpu", account="p200981", qos="default", time_limit_s=3600, nodes=1, ntasks=1, cpus_per_task=None,
        memory_bytes=None, gpus_per_node=0,
    )  # fmt: skip
    return {
        "cluster": {"name": "site", "scratch": "/scratch"},
        "service": {"job": {**known, **job}},
        "clients": {"job": known},
    }


def test_a_plan_that_fits_has_no_problems():
    assert problems(plan(), FACTS) == []


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (
            {"partition": "gpus"},
            "service.partition: 'gpus' is no partition here; did you mean 'gpu'? allowed: cpu, gpu",
        ),
        ({"account": "p200982"}, "service.account: 'p200982' is none of yours here; did you mean 'p200981'?"),
        ({"qos": "defualt"}, "service.qos: 'defualt' is not yours with account 'p200981'; did you mean 'default'?"),
        ({"gpus_per_node": 1}, "service.num_gpus: 1 GPUs a node asked for, partition 'cpu' has no GPUs"),
        ({"partition": "gpu", "gpus_per_node": 8}, "8 GPUs a node asked for, partition 'gpu' has 4 GPUs a node"),
        ({"nodes": 9, "ntasks": 9}, "service.nodes: 9 asked for, partition 'cpu' gives at most 4"),
        (
            {"ntasks": 300},
            "300 tasks a node need 300 CPUs, a node of partition 'cpu' has 128; ask for at least 3 nodes",
        ),
        ({"memory_bytes": 2**40}, "service.memory: 1024 GiB asked for, a node of partition 'cpu' has 512 GiB"),
        ({"qos": "test", "time_limit_s": 3600}, "is longer than QOS 'test' allows; use at most"),
        ({"qos": "test", "time_limit_s": 3600}, "or QOS 'default' 2-00:00:00"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(job, text):
    found = problems(plan(**job), FACTS)
    assert any(text in sentence for sentence in found), found


def test_without_accounting_the_partitions_limit_counts():
    facts = {"partitions": [partition("cpu", max_time_s=600)]}
    assert any("partition 'cpu' allows" in text for text in problems(plan(), facts))


def test_every_problem_is_told_at_once():
    facts = {
        **FACTS,
        "missing_images": [
            {"field": "service.image", "asked": "oci-archive:/x.tar", "needs": "/x.tar"},
            {"field": "client.image", "asked": "tools:1", "needs": "/t.sif"},
        ],
        "missing_inputs": [("client.settings.prompts", "/data/p.json")],
        "scratch_error": "not writable for u1",
    }
    found = problems(plan(gpus_per_node=1, qos="nope"), facts)
    assert len(found) == 6
    assert "service.image oci-archive:/x.tar: no such file on site; correct the path, or copy it there" in found
    assert any(
        line.startswith("client.image tools:1: benchmark_images has /t.sif for it, and there is") for line in found
    )
    assert "client.settings.prompts /data/p.json: no such file on site" in found
