# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slurm job states: what each means for somebody who waits for the job.

Source of the names: the STATE CODES of squeue(1) and sacct(1), Slurm 22.05 to 26.05.
Everything here is pure; nothing is known about how the state was obtained.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

# Phases, in the order in which a job passes through them.
PENDING = "pending"  # waits for the scheduler
HELD = "held"  # waits for a person (hold) or for its requeue
STARTING = "starting"  # nodes are allocated but not ready
RUNNING = "running"
SUSPENDED = "suspended"  # has nodes, does not run
ENDING = "ending"  # the script is over, the nodes are not free yet
FINISHED = "finished"  # nothing of the job is left on any node
UNKNOWN_PHASE = "unknown"

UNKNOWN = "UNKNOWN"  # not a Slurm state: Slurm could not be asked, or its answers contradict each other

_PHASES = {
    "PENDING": PENDING,
    "REQUEUED": HELD,
    "REQUEUE_FED": HELD,
    "REQUEUE_HOLD": HELD,
    "RESV_DEL_HOLD": HELD,
    "SPECIAL_EXIT": HELD,
    "CONFIGURING": STARTING,
    "POWER_UP_NODE": STARTING,
    "RUNNING": RUNNING,
    "RESIZING": RUNNING,
    "SIGNALING": RUNNING,
    "EXPEDITING": PENDING,
    "SUSPENDED": SUSPENDED,
    "STOPPED": SUSPENDED,
    "COMPLETING": ENDING,
    "STAGE_OUT": ENDING,
    "UPDATE_DB": ENDING,
    "COMPLETED": FINISHED,
    "FAILED": FINISHED,
    "CANCELLED": FINISHED,
    "TIMEOUT": FINISHED,
    "OUT_OF_MEMORY": FINISHED,
    "NODE_FAIL": FINISHED,
    "BOOT_FAIL": FINISHED,
    "LAUNCH_FAILED": FINISHED,
    "RECONFIG_FAIL": FINISHED,
    "DEADLINE": FINISHED,
    "PREEMPTED": FINISHED,
    "REVOKED": FINISHED,
    UNKNOWN: UNKNOWN_PHASE,
}

# Compact codes of `squeue -o %t`.
_COMPACT = {
    "PD": "PENDING",
    "RQ": "REQUEUED",
    "RF": "REQUEUE_FED",
    "RH": "REQUEUE_HOLD",
    "RD": "RESV_DEL_HOLD",
    "SE": "SPECIAL_EXIT",
    "CF": "CONFIGURING",
    "R": "RUNNING",
    "RS": "RESIZING",
    "SI": "SIGNALING",
    "EX": "EXPEDITING",
    "S": "SUSPENDED",
    "ST": "STOPPED",
    "CG": "COMPLETING",
    "SO": "STAGE_OUT",
    "UP": "UPDATE_DB",
    "CD": "COMPLETED",
    "F": "FAILED",
    "CA": "CANCELLED",
    "TO": "TIMEOUT",
    "OOM": "OUT_OF_MEMORY",
    "NF": "NODE_FAIL",
    "BF": "BOOT_FAIL",
    "LF": "LAUNCH_FAILED",
    "DL": "DEADLINE",
    "PR": "PREEMPTED",
    "RV": "REVOKED",
}

# When the parts of an array or heterogeneous job are summed up, the phase that says most about the whole.
_PHASE_ORDER = (UNKNOWN_PHASE, RUNNING, ENDING, STARTING, SUSPENDED, PENDING, HELD)

# Reasons with which a pending job will never start by itself, and what its owner can do.
# Source: squeue(1), JOB REASON CODES.
DEAD_END_REASONS = {
    "DependencyNeverSatisfied": "a job that it depends on failed: cancel it and submit it again",
    "JobHeldUser": "its owner holds it: scontrol release JOBID",
    "JobHeldAdmin": "an administrator holds it: ask the site's support",
    "JobHoldMaxRequeue": "it was requeued too often: see why its node failed, then scontrol release JOBID",
    "BadConstraints": "no node can satisfy its constraints: change them and submit it again",
    "PartitionTimeLimit": "its time limit is above the partition's: ask for less time",
    "PartitionNodeLimit": "it wants more nodes than the partition gives: ask for fewer",
    "QOSMaxWallDurationPerJobLimit": "its time limit is above the QOS's: ask for less time or another QOS",
    "QOSMaxNodePerJobLimit": "it wants more nodes than the QOS gives: ask for fewer",
    "QOSMaxCpuPerJobLimit": "it wants more CPUs than the QOS gives: ask for fewer",
    "AssocMaxWallDurationPerJobLimit": "its time limit is above the account's: ask for less time",
    "InvalidAccount": "its account is not valid any more: use another account",
    "InvalidQOS": "its QOS is not valid any more: use another QOS",
    "AccountNotAllowed": "the partition does not admit its account: use another partition or account",
    "QOSNotAllowed": "the partition does not admit its QOS: use another partition or QOS",
    "PartitionDown": "the partition is down: wait for the site, or use another partition",
    "PartitionInactive": "the partition is inactive: wait for the site, or use another partition",
    "ReqNodeNotAvail": "a node that it asks for is not available: see scontrol show node",
    "ReservationDeleted": "its reservation was deleted: submit it without it",
}

# Of these, the ones that a person or the site can end.
_CAN_PASS = ("JobHeldUser", "JobHeldAdmin", "PartitionDown", "PartitionInactive", "ReqNodeNotAvail")


def normalize(text):
    """The bare Slurm state of what a command printed (str), UNKNOWN when it is no state that we know.

    Takes `CANCELLED by 1001`, `COMPLETED+` (truncated columns), compact codes, any case, and the lists of
    the newer JSON (`["RUNNING", "COMPLETING"]`: of several flags the one that says most counts).
    """
    if isinstance(text, (list, tuple)):
        found = [normalize(item) for item in text]
        held_back = [s for s in found if phase(s) in (ENDING, HELD, STARTING)]
        return (held_back or found or [UNKNOWN])[0]
    word = str(text or "").strip().partition(" ")[0].rstrip("+").upper()
    word = _COMPACT.get(word, word)
    return word if word in _PHASES else UNKNOWN


def phase(state):
    """The phase (str, one of this module's constants) of a state as printed by Slurm."""
    return _PHASES[normalize(state)]


def is_final(state):
    """True when the job has ended and has left its nodes. An unknown state is never final."""
    return phase(state) == FINISHED


def is_ok(state):
    """True only for a job that ended by itself with exit code 0. An unknown state is never a success."""
    return normalize(state) == "COMPLETED"


def is_live(state):
    """True when the job waits, runs or is ending: it exists and may still cost something."""
    return phase(state) not in (FINISHED, UNKNOWN_PHASE)


def cancelled_by(text):
    """The numeric user id (int) of `CANCELLED by UID`, or None."""
    words = str(text or "").split()
    if len(words) == 3 and words[0] == "CANCELLED" and words[1] == "by" and words[2].isdigit():
        return int(words[2])
    return None


def combine(found):
    """One state for the whole of an array or heterogeneous job, from the states of its parts (list of str).

    As long as a part lives the whole lives; when all have ended the whole is COMPLETED only if every part is.
    """
    found = [normalize(s) for s in found]
    if not found:
        return UNKNOWN
    for wanted in _PHASE_ORDER:
        for state in found:
            if phase(state) == wanted:
                return state
    bad = [s for s in found if not is_ok(s)]
    return bad[0] if bad else "COMPLETED"


def never_starts(reason):
    """True when a pending job with this reason (str) will never start, whatever happens on the cluster."""
    word = str(reason or "").strip().strip("()").partition(",")[0]
    return word in DEAD_END_REASONS and word not in _CAN_PASS


def explain_reason(reason):
    """What to do about a pending job's reason (str), or None when waiting is all there is to do."""
    word = str(reason or "").strip().strip("()").partition(",")[0]
    return DEAD_END_REASONS.get(word)
