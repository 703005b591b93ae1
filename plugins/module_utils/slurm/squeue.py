# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""squeue: the jobs that slurmctld knows, finished ones included for MinJobAge (300 s). Arguments and parser, no I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    duration,
    hostlist,
    states,
    table,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job

# Source of the letters: --format of squeue(1). Free text is never last: it may end in a line feed.
_FORMAT = (
    ("id", "%i"),
    ("raw_id", "%A"),
    ("state", "%T"),
    ("reason", "%r"),
    ("name", "%j"),
    ("comment", "%k"),
    ("work_dir", "%Z"),
    ("user", "%u"),
    ("partition", "%P"),
    ("account", "%a"),
    ("qos", "%q"),
    ("nodes", "%N"),
    ("node_count", "%D"),
    ("cpus", "%C"),
    ("gres", "%b"),
    ("dependency", "%E"),
    ("submit", "%V"),
    ("start", "%S"),
    ("end", "%e"),
    ("elapsed", "%M"),
    ("time_limit", "%l"),
)
FIELDS = tuple(field for field, letter in _FORMAT)


def argv(ids=(), names=(), user=None, mine=False):
    """The command line (list of str) that lists jobs in every state.

    ids: job ids (iterable of str); names: exact job names without commas; user: a user name; mine: only the
    caller's own jobs. Without any of them: all jobs.
    """
    command = [*table.ENVIRONMENT, "squeue", "-h", "-a", "-t", "all"]
    command += ["-o", table.SEPARATOR.join(letter for field, letter in _FORMAT)]
    if ids:
        command += ["-j", ",".join(str(job_id) for job_id in ids)]
    if names:
        command += ["-n", ",".join(names)]
    if user:
        command += ["-u", user]
    elif mine:
        command += ["--me"]
    return command


def parse(stdout):
    """Jobs (list of Job) of what argv's command printed: one per job, running array task or component, and one
    for all pending tasks of an array. Raises ValueError for output that is not squeue's.
    """
    return [_job(row) for row in table.rows(stdout, FIELDS)]


def _seconds(text):
    try:
        return duration.to_seconds(text)
    except ValueError:
        return None  # a negative elapsed time, when the clocks of two hosts differ


def _gpus(gres, node_count):
    """GPUs of the whole job from tres-per-node such as `gres:gpu:4` or `gres/gpu:a100:2` (int), 0 without."""
    total = 0
    for item in str(table.value(gres) or "").replace("gres/", "").replace("gres:", "").split(","):
        parts = item.split("(")[0].split(":")
        if parts[0] == "gpu":
            total += (table.integer(parts[-1]) or 1) * (node_count or 1)
    return total


def _job(row):
    phase = states.phase(row["state"])
    waiting = phase in (states.PENDING, states.HELD)
    node_count = table.integer(row["node_count"])
    nodes = hostlist.expand(row["nodes"])
    # A job that is cancelled while it waits has its end as its start.
    started = not waiting and (nodes or phase != states.FINISHED)
    amounts = {"cpu": table.integer(row["cpus"]) or 0, "node": node_count or 0}
    gpus = _gpus(row["gres"], node_count)
    if gpus:
        amounts["gres/gpu"] = gpus
    return Job(
        id=row["id"],
        raw_id=row["raw_id"],
        name=row["name"],
        user=row["user"],
        state=row["state"],
        reason=table.value(row["reason"]),
        partition=row["partition"],
        account=table.value(row["account"]),
        qos=table.value(row["qos"]),
        nodes=nodes,
        node_count=node_count,
        submit_s=table.epoch(row["submit"]),
        start_s=table.epoch(row["start"]) if started else None,
        expected_start_s=table.epoch(row["start"]) if waiting else None,
        end_s=table.epoch(row["end"]) if phase == states.FINISHED else None,
        elapsed_s=_seconds(row["elapsed"]),
        time_limit_s=_seconds(row["time_limit"]),
        tres=amounts,
        work_dir=table.value(row["work_dir"]),
        comment=table.value(row["comment"]),
        dependency=table.value(row["dependency"]),
        source="squeue",
    )
