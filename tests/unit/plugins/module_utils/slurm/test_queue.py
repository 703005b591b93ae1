# SPDX-License-Identifier: MIT
from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import cluster
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job


def job(number, state, partition="cpu", reason=None, user="u101"):
    return Job(id=str(number), raw_id=str(number), state=state, partition=partition, reason=reason, user=user)


def test_the_queue_is_counted_by_partition_and_what_has_ended_is_left_out():
    found = cluster.queue(
        [
            job(1, "RUNNING"),
            job(2, "PENDING", "cpu,gpu", "Priority"),
            job(3, "PENDING", reason="Resources", user="u102"),
            job(4, "COMPLETED"),
            job(5, "COMPLETING", user="u102"),
        ],
        "u101",
    )
    assert found["partitions"] == [
        {"partition": "cpu", "running": 2, "waiting": 2, "reasons": {"Priority": 1, "Resources": 1}},
        {"partition": "gpu", "running": 0, "waiting": 1, "reasons": {"Priority": 1}},
    ]
    assert [each["id"] for each in found["own"]] == ["1", "2"]
    assert cluster.queue([], "u101") == {"partitions": [], "own": []}
