# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A job as this collection speaks of it, whichever Slurm command told about it. No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.jobid import JobId

# Every field with its meaning; all are None (or empty) when the asked command did not tell.
FIELDS = (
    "id",  # str, as sbatch prints it: 11, 11_3, 29+0
    "raw_id",  # str, the number that slurmctld gave: differs from id for array tasks and components
    "name",  # str
    "user",  # str
    "state",  # str: a Slurm state, or UNKNOWN
    "reason",  # str: why it is pending, or what the state does not say
    "partition",  # str
    "account",  # str
    "qos",  # str
    "nodes",  # list of str: host names
    "node_count",  # int
    "submit_s",  # int, seconds since the epoch
    "eligible_s",  # int, seconds since the epoch
    "start_s",  # int, seconds since the epoch; of a pending job None
    "expected_start_s",  # int, seconds since the epoch: the scheduler's guess for a pending job
    "end_s",  # int, seconds since the epoch; None before the end
    "elapsed_s",  # int
    "time_limit_s",  # int, None when unlimited
    "exit_code",  # int
    "signal",  # int
    "derived_exit_code",  # int: the highest exit code of its steps
    "tres",  # dict: cpu, node, gres/gpu as counts, mem in bytes
    "work_dir",  # str
    "comment",  # str
    "dependency",  # str
    "cancelled_by_uid",  # int
    "source",  # str: the command that told (squeue, sacct, scontrol)
    "left_queue",  # bool: slurmctld answered without an error and does not know it (any more)
    "contradicted",  # bool: slurmctld does not know it, but accounting says that it lives
)


class Job:
    """A job, array task or component of a heterogeneous job; or the sum of an array's or heterogeneous job's parts.

    `steps` (list of dict, see sacct.parse_steps) are those that accounting told of, where it was asked for them.
    """

    __slots__ = (*FIELDS, "parts", "steps")

    def __init__(self, **fields):
        for field in FIELDS:
            setattr(self, field, fields.pop(field, None))
        self.parts = fields.pop("parts", [])
        self.steps = fields.pop("steps", [])
        if fields:
            raise TypeError("unknown fields of a job: " + ", ".join(sorted(fields)))
        self.nodes = self.nodes or []
        self.tres = self.tres or {}
        self.state = states.normalize(self.state)

    def __repr__(self):
        return "<Job {0} {1!r} {2}>".format(self.id, self.name, self.state)

    @property
    def phase(self):
        """str: see states.py."""
        return states.phase(self.state)

    @property
    def final(self):
        """bool: it ended and left its nodes."""
        return states.is_final(self.state)

    @property
    def ok(self):
        """bool: it ended by itself with exit code 0."""
        return states.is_ok(self.state)

    @property
    def gone(self):
        """bool: Slurm said without an error that it ended, or does not know it and nothing says that it lives."""
        return self.final or bool(self.left_queue and not self.contradicted)

    @property
    def live(self):
        """bool: it waits, runs or is ending."""
        return states.is_live(self.state)

    @property
    def remedy(self):
        """Str or None: what its owner must do when it will never start by itself."""
        if self.phase not in (states.PENDING, states.HELD):
            return None
        told = [self.reason] + [part.reason for part in self.parts if part.phase in (states.PENDING, states.HELD)]
        return next((text for text in map(states.explain_reason, told) if text), None)

    @property
    def refused(self):
        """bool: no job, but the record that some refused submissions leave (of GPUs that no node has, for one)."""
        return self.state == "FAILED" and self.final and not self.nodes and not self.parts and not self.elapsed_s

    def copy(self):
        """A Job of its own with the same fields, parts and steps."""
        return Job(parts=list(self.parts), steps=list(self.steps), **{field: getattr(self, field) for field in FIELDS})

    def fill_from(self, other):
        """Take from another record of the same job what this one does not know. Its state stays."""
        for field in FIELDS:
            if getattr(self, field) in (None, "", [], {}):
                setattr(self, field, getattr(other, field))
        self.tres = dict(other.tres, **self.tres)
        self.steps = self.steps or list(other.steps)

    def to_dict(self):
        """Plain data (dict): FIELDS, phase, final, ok, remedy, parts, and state_counts (tasks by state)."""
        plain = {field: getattr(self, field) for field in FIELDS}
        plain.update(phase=self.phase, final=self.final, ok=self.ok, remedy=self.remedy)
        plain["parts"] = [part.to_dict() for part in self.parts]
        plain["state_counts"] = {}
        for part in self.parts:
            waiting = len(JobId(part.id).tasks) or 1
            plain["state_counts"][part.state] = plain["state_counts"].get(part.state, 0) + waiting
        return plain


def unknown(job_id, reason, name=None):
    """A job of which nothing certain is known, and why (str)."""
    return Job(id=str(job_id), raw_id=JobId(job_id).base, name=name, state=states.UNKNOWN, reason=reason)


def _first(parts, field):
    return next((getattr(part, field) for part in parts if getattr(part, field) not in (None, "", [], {})), None)


def _extreme(choose, parts, field):
    told = [getattr(part, field) for part in parts if getattr(part, field) is not None]
    return choose(told) if told else None


def combine(job_id, parts):
    """The one Job for `job_id` (str) out of the rows (list of Job) that speak for it: itself or the sum of parts."""
    if len(parts) == 1 and (JobId(parts[0].id).is_whole or job_id != JobId(parts[0].id).base):
        one = parts[0]
        if JobId(one.id).tasks:  # a task that is asked for is still part of the row of all pending ones
            one = one.copy()
            one.id = job_id
        return one
    whole = Job(id=str(job_id), raw_id=JobId(job_id).base, parts=sorted(parts, key=_part_order))
    for field in (
        "name",
        "user",
        "partition",
        "account",
        "qos",
        "work_dir",
        "comment",
        "dependency",
        "source",
    ):
        setattr(whole, field, _first(whole.parts, field))
    whole.state = states.combine([part.state for part in parts])
    whole.reason = next((part.reason for part in whole.parts if part.state == whole.state and part.reason), None)
    whole.nodes = sorted({node for part in parts for node in part.nodes})
    whole.node_count = len(whole.nodes) or _extreme(max, parts, "node_count")
    for field in ("submit_s", "eligible_s", "start_s", "expected_start_s"):
        setattr(whole, field, _extreme(min, parts, field))
    for field in ("elapsed_s", "time_limit_s", "derived_exit_code"):
        setattr(whole, field, _extreme(max, parts, field))
    if whole.final:
        whole.end_s = _extreme(max, parts, "end_s")
        worst = next((part for part in whole.parts if part.state == whole.state), whole.parts[0])
        for field in ("exit_code", "signal", "cancelled_by_uid"):
            setattr(whole, field, getattr(worst, field))
    whole.steps = [step for part in whole.parts for step in part.steps]
    for part in parts:
        for name, amount in part.tres.items():
            if isinstance(amount, int):
                whole.tres[name] = whole.tres.get(name, 0) + amount
    return whole


def _part_order(part):
    found = JobId(part.id)
    number = found.component if found.component is not None else found.task
    return (number is None, number or 0)
