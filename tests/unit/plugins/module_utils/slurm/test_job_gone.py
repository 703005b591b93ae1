# SPDX-License-Identifier: MIT
"""When a job is gone: the one rule that waiting and the proof of a teardown share."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job


@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({"state": "COMPLETED"}, True),
        ({"state": "RUNNING"}, False),
        ({"state": "UNKNOWN"}, False),
        ({"state": "UNKNOWN", "left_queue": True}, True),
        ({"state": "UNKNOWN", "left_queue": True, "contradicted": True}, False),
        ({"state": "RUNNING", "left_queue": True, "contradicted": True}, False),
    ],
)
def test_gone_needs_a_clear_answer(fields, gone):
    assert Job(id="1", **fields).gone is gone
