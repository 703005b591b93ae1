# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""scontrol: show job, show partition, show node, show config, ping. Arguments and parsers, no I/O.

The text form is parsed, not --json: it is there in every version, and has kept its shape.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    duration,
    hostlist,
    states,
    table,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job

# Lines that hold one key whose value is free text.
_FREE = (
    "JobName",
    "WorkDir",
    "Command",
    "Comment",
    "AdminComment",
    "SystemComment",
    "StdErr",
    "StdIn",
    "StdOut",
)
_KEY = re.compile(r"(?:^|\s)([A-Za-z][\w/:.-]*)=")
_PING = re.compile(r"^Slurmctld\((?P<mode>\w+)\)(?: at (?P<host>\S+))? is (?P<state>UP|DOWN)", re.MULTILINE)


def show_job_argv(job_id):
    """The command line (list of str) for everything that slurmctld knows of one job."""
    return [*table.ENVIRONMENT, "scontrol", "-d", "show", "job", str(job_id)]


def show_argv(entity):
    """The command line (list of str) for all of an entity: partition, node, reservation; one line each, or `config`."""
    return table.ENVIRONMENT + ["scontrol"] + ([] if entity == "config" else ["-o"]) + ["show", entity]


def ping_argv():
    """The command line (list of str) that asks whether slurmctld answers. Its exit status says nothing: parse_ping."""
    return [*table.ENVIRONMENT, "scontrol", "ping"]


def parse_ping(stdout):
    """Whether each slurmctld answers: list of dict mode (primary, backup ...), host, up (bool)."""
    return [
        {"mode": match.group("mode"), "host": match.group("host"), "up": match.group("state") == "UP"}
        for match in _PING.finditer(stdout)
    ]


def fields(text):
    """Key to value (dict of str) of scontrol's `Key=value Key=value` text, one record."""
    found = {}
    for line in text.splitlines():
        matches = list(_KEY.finditer(line))
        for number, match in enumerate(matches):
            free = match.group(1) in _FREE
            end = matches[number + 1].start() if number + 1 < len(matches) and not free else len(line)
            found.setdefault(match.group(1), line[match.end() : end].strip())
            if free:
                break
    return found


def records(stdout):
    """Records (list of dict) of `scontrol -o show ...`: one per line."""
    return [fields(line) for line in stdout.splitlines() if "=" in line]


def parse_config(stdout):
    """Key to value (dict of str) of `scontrol show config`."""
    found = {}
    for line in stdout.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() and " " not in key.strip():
            found[key.strip()] = value.strip()
    return found


def parse_jobs(stdout):
    """Jobs (list of Job) of show_job_argv's output: one per array task or component of a heterogeneous job."""
    blocks = [block for block in re.split(r"\n\s*\n", stdout) if "JobId=" in block]
    return [_job(fields(block)) for block in blocks]


def _id(found):
    if "ArrayJobId" in found:
        task = found.get("ArrayTaskId", "")
        return "{0}_{1}".format(found["ArrayJobId"], task if task.isdigit() else "[" + task + "]")
    if found.get("HetJobId"):
        return "{0}+{1}".format(found["HetJobId"], found.get("HetJobOffset", "0"))
    return found["JobId"]


def _seconds(text):
    try:
        return duration.to_seconds(text)
    except ValueError:
        return None


def _job(found):
    phase = states.phase(found.get("JobState"))
    ended = phase == states.FINISHED
    waiting = phase in (states.PENDING, states.HELD)
    code, signal = table.exit_code(found.get("ExitCode"))
    start = table.epoch(found.get("StartTime"))
    nodes = hostlist.expand(found.get("NodeList"))
    # A job that is cancelled while it waits has its end as its start.
    started = not waiting and (nodes or not ended)
    return Job(
        id=_id(found),
        raw_id=found["JobId"],
        name=found.get("JobName"),
        user=found.get("UserId", "").partition("(")[0] or None,
        state=found.get("JobState"),
        reason=table.value(found.get("Reason")),
        partition=table.value(found.get("Partition")),
        account=table.value(found.get("Account")),
        qos=table.value(found.get("QOS")),
        nodes=nodes,
        node_count=table.integer(found.get("NumNodes", "").partition("-")[0]),
        submit_s=table.epoch(found.get("SubmitTime")),
        eligible_s=table.epoch(found.get("EligibleTime")),
        start_s=start if started else None,
        expected_start_s=start if waiting else None,
        end_s=table.epoch(found.get("EndTime")) if ended else None,
        elapsed_s=_seconds(found.get("RunTime")),
        time_limit_s=_seconds(found.get("TimeLimit")),
        exit_code=code if ended else None,
        signal=signal if ended else None,
        derived_exit_code=table.exit_code(found.get("DerivedExitCode"))[0] if ended else None,
        tres=table.tres(found.get("AllocTRES") or found.get("TRES") or found.get("ReqTRES")),
        work_dir=table.value(found.get("WorkDir")),
        comment=table.value(found.get("Comment")),
        dependency=table.value(found.get("Dependency")),
        source="scontrol",
    )
