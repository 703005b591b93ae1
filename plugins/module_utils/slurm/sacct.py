# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sacct: what accounting knows of jobs, those that left slurmctld included. Arguments and parsers, no I/O.

sacct lags behind slurmctld: what it shows as running may have ended. An unknown id gives an empty answer and
exit status 0.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    duration,
    hostlist,
    states,
    table,
    usage,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.jobid import JobId

# Free text is never last: it may end in a line feed.
FIELDS = (
    "JobID",
    "JobIDRaw",
    "State",
    "JobName",
    "Comment",
    "WorkDir",
    "Reason",
    "User",
    "Partition",
    "Account",
    "QOS",
    "NodeList",
    "NNodes",
    "Submit",
    "Eligible",
    "Start",
    "End",
    "ElapsedRaw",
    "TimelimitRaw",
    "ExitCode",
    "DerivedExitCode",
    "AllocTRES",
    "ReqTRES",
)
_OF_STEPS = ("TotalCPU", *usage.FIELDS)
STEP_FIELDS = (
    "JobID", "State", "JobName", "NodeList", "Start", "End", "ElapsedRaw", "ExitCode", "AllocTRES", *_OF_STEPS,
)  # fmt: skip
FULL_FIELDS = FIELDS + _OF_STEPS  # of jobs and their steps, in one answer


def _command(fields):
    return [*table.ENVIRONMENT, "sacct", "-n", "-P", "--delimiter=" + table.SEPARATOR, "-o", ",".join(fields)]


def argv(ids=(), names=(), user=None, since=None, steps=False):
    """The command line (list of str) for jobs by id, or by exact name of a user since a time; `steps`: for theirs too.

    since (str) is what sacct -S takes, such as `now-30days`; sacct's own default by name is today's midnight.
    """
    command = [*_command(FULL_FIELDS), "--noconvert"] if steps else [*_command(FIELDS), "-X"]
    if ids:
        command += ["-j", ",".join(str(job_id) for job_id in ids)]
    if names:
        command += ["--name=" + ",".join(names)]
    if user:
        command += ["-u", user]
    if since:
        command += ["-S", since]
    return command


def steps_argv(ids):
    """The command line (list of str) for the steps of jobs."""
    return [*_command(STEP_FIELDS), "--noconvert", "-j", ",".join(str(job_id) for job_id in ids)]


def parse(stdout):
    """Jobs (list of Job) of what argv's command printed. Raises ValueError for output that is not sacct's."""
    return [_job(row) for row in table.rows(stdout, FIELDS)]


def parse_full(stdout):
    """Jobs (list of Job), each with its steps, of what argv's command with `steps` printed.

    A step that can't be read is left out. Raises ValueError for output that is not sacct's.
    """
    rows = table.rows(stdout, FULL_FIELDS)
    found = [_job(row) for row in rows if "." not in row["JobID"]]
    of_job = {}
    for row in rows:
        if "." in row["JobID"]:
            # whether a job has ended must be known even where a number of one of its steps can't be read
            with contextlib.suppress(ValueError):
                step = _step(row)
                of_job.setdefault(step["job_id"], []).append(step)
    for job in found:
        job.steps = of_job.get(job.id, [])
    return found


def parse_steps(stdout, fields=STEP_FIELDS):
    """Steps (list of dict) of what steps_argv's command printed, the jobs themselves left out. Raises ValueError.

    Keys: job_id, step (str: batch, extern, 0, 1 ...), state, name, nodes, start_s, end_s, elapsed_s, exit_code,
    signal, tres, cpu_s (float, system and user, of all tasks), and those of usage.of_row; energy_j is None where the
    hardware does not tell. fields: the table's.
    """
    return [_step(row) for row in table.rows(stdout, fields) if "." in row["JobID"]]


def _step(row):
    job_id, _dot, step = row["JobID"].partition(".")
    code, signal = table.exit_code(row["ExitCode"])
    found = {
        "job_id": job_id,
        "step": step,
        "state": states.normalize(row["State"]),
        "name": row["JobName"],
        "nodes": hostlist.expand(row["NodeList"]),
        "start_s": table.epoch(row["Start"]),
        "end_s": table.epoch(row["End"]),
        "elapsed_s": table.integer(row["ElapsedRaw"]),
        "exit_code": code,
        "signal": signal,
        "cpu_s": usage.seconds(row.get("TotalCPU")),
        "tres": table.tres(row["AllocTRES"]),
    }
    found.update(usage.of_row(row))
    found["energy_j"] = found["energy_j"] or None  # 0 of a step that is over: nothing was counted
    return found


def _minutes(text):
    """Seconds of TimelimitRaw, which is in minutes or a word."""
    return None if table.integer(text) is None else duration.to_seconds(text)


def _job(row):
    phase = states.phase(row["State"])
    start_s = table.epoch(row["Start"])
    nodes = hostlist.expand(row["NodeList"])
    waiting = phase in (states.PENDING, states.HELD)
    code, signal = table.exit_code(row["ExitCode"])
    derived = table.exit_code(row["DerivedExitCode"])[0]
    ended = phase == states.FINISHED
    # A job that is cancelled while it waits has its end as its start.
    started = not waiting and (nodes or not ended)
    # A sum of requested resources stands in for jobs that never got any.
    amounts = table.tres(row["AllocTRES"]) or table.tres(row["ReqTRES"])
    return Job(
        id=row["JobID"],
        raw_id=row["JobIDRaw"].split("+")[0] or JobId(row["JobID"]).base,
        name=row["JobName"],
        user=table.value(row["User"]),
        state=row["State"],
        reason=table.value(row["Reason"]),
        partition=table.value(row["Partition"]),
        account=table.value(row["Account"]),
        qos=table.value(row["QOS"]),
        nodes=nodes,
        node_count=table.integer(row["NNodes"]),
        submit_s=table.epoch(row["Submit"]),
        eligible_s=table.epoch(row["Eligible"]),
        start_s=start_s if started else None,
        expected_start_s=start_s if waiting else None,
        end_s=table.epoch(row["End"]) if ended else None,
        elapsed_s=table.integer(row["ElapsedRaw"]),
        time_limit_s=_minutes(row["TimelimitRaw"]),
        exit_code=code if ended else None,
        signal=signal if ended else None,
        derived_exit_code=derived if ended else None,
        tres=amounts,
        work_dir=table.value(row["WorkDir"]),
        comment=table.value(row["Comment"]),
        cancelled_by_uid=states.cancelled_by(row["State"]),
        source="sacct",
    )
