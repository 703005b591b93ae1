# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states

ENDS = (
    *("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE"),
    *("PREEMPTED", "REVOKED"),
)
ON_THE_WAY = (
    *("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD", "RESIZING"),
    *("STAGE_OUT", "SIGNALING", "STOPPED", "SPECIAL_EXIT"),
)


@pytest.mark.parametrize("state", ENDS)
def test_a_state_that_a_job_ends_in_is_final_and_only_completed_is_a_success(state):
    assert states.is_final(state)
    assert not states.is_live(state)
    assert states.is_ok(state) == (state == "COMPLETED")


@pytest.mark.parametrize("state", ON_THE_WAY)
def test_a_state_on_the_way_is_live_and_no_success(state):
    assert states.is_live(state)
    assert not states.is_final(state)
    assert not states.is_ok(state)


@pytest.mark.parametrize(
    ("printed", "state"),
    [
        ("CANCELLED by 1001", "CANCELLED"),
        ("CANCELLED+", "CANCELLED"),
        ("running", "RUNNING"),
        (" PD ", "PENDING"),
        ("CG", "COMPLETING"),
        ("OOM", "OUT_OF_MEMORY"),
        (["COMPLETED"], "COMPLETED"),
        (["COMPLETED", "COMPLETING"], "COMPLETING"),
        (["RUNNING", "CONFIGURING"], "CONFIGURING"),
        (["PENDING", "REQUEUED"], "REQUEUED"),
        ([], "UNKNOWN"),
        ("", "UNKNOWN"),
        (None, "UNKNOWN"),
        ("A_STATE_OF_2030", "UNKNOWN"),
    ],
)
def test_what_slurm_prints_is_read(printed, state):
    assert states.normalize(printed) == state


@pytest.mark.parametrize("printed", ["", "A_STATE_OF_2030", None, "UNKNOWN"])
def test_an_unknown_state_is_neither_an_end_nor_a_success_nor_alive(printed):
    assert states.phase(printed) == states.UNKNOWN_PHASE
    assert not states.is_final(printed)
    assert not states.is_ok(printed)
    assert not states.is_live(printed)


def test_who_cancelled():
    assert states.cancelled_by("CANCELLED by 1001") == 1001
    assert states.cancelled_by("CANCELLED") is None
    assert states.cancelled_by(None) is None


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["COMPLETED", "COMPLETED"], "COMPLETED"),
        (["COMPLETED", "FAILED"], "FAILED"),
        (["FAILED", "RUNNING"], "RUNNING"),
        (["PENDING", "COMPLETED"], "PENDING"),
        (["PENDING", "RUNNING"], "RUNNING"),
        (["COMPLETED", "COMPLETING"], "COMPLETING"),
        (["COMPLETED", "UNKNOWN"], "UNKNOWN"),
        ([], "UNKNOWN"),
    ],
)
def test_the_whole_of_an_array(parts, whole):
    assert states.combine(parts) == whole


@pytest.mark.parametrize(
    "reason", ["DependencyNeverSatisfied", "(JobHeldUser)", "PartitionTimeLimit", "BadConstraints"]
)
def test_a_reason_that_waiting_does_not_cure_has_a_remedy(reason):
    assert states.explain_reason(reason)


@pytest.mark.parametrize("reason", ["Priority", "Resources", "Dependency", None, ""])
def test_a_reason_that_passes_has_none(reason):
    assert states.explain_reason(reason) is None
