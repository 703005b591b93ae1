# SPDX-License-Identifier: MIT
"""The words of `squeue --json` and `sacct --json` of three versions are read like those of the tables.

Why the tables are asked for and not this: with the controller down, squeue --json of 22.05 exits with 0 and prints
an empty list of jobs, and scontrol --json of newer versions does so for an unknown job.
"""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist, jobid, states, table

from .replay import FIXTURES, recording

VERSIONS = sorted(path.parent.name for path in FIXTURES.glob("*/json-output.json"))


@pytest.fixture(params=VERSIONS)
def output(request):
    return recording(request.param, "json-output")


def test_every_version_is_there():
    assert VERSIONS == ["22.05", "24.11", "26.05"]


def test_states_are_known_in_either_form(output):
    found = [job["job_state"] for job in output["squeue"]] + [job["state"]["current"] for job in output["sacct"]]
    assert found
    assert states.UNKNOWN not in [states.normalize(state) for state in found]
    ended = [job["state"]["current"] for job in output["sacct"] if states.is_final(job["state"]["current"])]
    assert {states.is_ok(state) for state in ended} == {True, False}


def test_nodes_and_resources_are_read(output):
    for job in output["squeue"]:
        assert len(hostlist.expand(job["nodes"])) >= (1 if states.phase(job["job_state"]) == states.RUNNING else 0)
        assert table.tres(job["tres_req_str"])["node"] >= 1
        if job["array_task_string"]:
            assert jobid.task_list(job["array_task_string"])[0]


def test_an_empty_list_is_printed_for_silence(output):
    answer = output.get("squeue_controller_down") or output["no_job"]
    assert answer["jobs"] == []
    assert bool(answer["errors"]) == ("squeue_controller_down" in output)
