# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The body of a request that submits a job, in the words of each version of slurmrestd's API. No I/O.

Source: /openapi/v3 of Slurm 22.05 (v0.0.38) and 24.11 (v0.0.40 to v0.0.42).
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration, hostlist
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import options as sbatch_options

# sbatch hands on the environment of its user's shell. slurmrestd has none, and refuses a job without.
PATHS = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"}
DICT_API = 38  # the last version whose environment is a dict and whose numbers are bare

_SAME = {
    "account": "account",
    "array": "array",
    "chdir": "current_working_directory",
    "comment": "comment",
    "constraint": "constraints",
    "dependency": "dependency",
    "error": "standard_error",
    "input": "standard_input",
    "job-name": "name",
    "licenses": "licenses",
    "output": "standard_output",
    "partition": "partition",
    "qos": "qos",
    "reservation": "reservation",
    "wckey": "wckey",
}
_COUNTS = {"cpus-per-task": "cpus_per_task", "ntasks": "tasks", "ntasks-per-node": "tasks_per_node"}
_MEMORY = {"mem": "memory_per_node", "mem-per-cpu": "memory_per_cpu"}
_MEBIBYTES = {"K": 1.0 / 1024, "M": 1, "G": 1024, "T": 1024**2}
_RELATIVE = {"": 1, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _wrong(name, value, why):
    return SlurmError("usage", "{0}: {1!r} {2}".format(name, value, why), "correct it")


def _count(name, value):
    if not str(value).isdigit() or not int(value):
        raise _wrong(name, value, "is no number above 0")
    return int(value)


def _minutes(value):
    if str(value).strip().upper() in ("UNLIMITED", "INFINITE"):
        return None
    try:
        seconds = duration.to_seconds(value) or 0
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise _wrong("time", value, "is no time that Slurm takes")
    return (seconds + 59) // 60


def _mebibytes(name, value):
    match = re.match(r"^(\d+)([KMGT]?)B?$", str(value).strip(), re.IGNORECASE)
    if not match:
        raise _wrong(name, value, "is no size (such as 16G)")
    return int(-(-int(match.group(1)) * _MEBIBYTES[match.group(2).upper() or "M"] // 1))


def _seconds_from_now(name, value, now_s):
    """Seconds until `now+1hour`, or until a number of them since the epoch; sbatch's other forms need a time zone."""
    match = re.match(r"^now(?:\+(\d+)(second|minute|hour|day|week|)s?)?$", str(value).strip())
    if match:
        return int(match.group(1) or 0) * _RELATIVE[match.group(2) or ""]
    if str(value).isdigit() and int(value) > 86400:
        return max(0, int(value) - int(now_s))
    raise _wrong(name, value, "cannot be given to slurmrestd: write now+1hour, or seconds since the epoch")


def environment(export, user):
    """The job's environment (dict): a PATH, the user's name, and the `NAME=VALUE` of sbatch's --export."""
    found = dict(PATHS, USER=user, LOGNAME=user)
    for item in str(export or "").split(","):
        name, equals, value = item.strip().partition("=")
        if equals:
            found[name] = value
        elif name not in ("", "ALL", "NONE", "NIL"):
            raise _wrong("export", name, "has no value here: slurmrestd knows no environment to take it from")
    return found


def _no_val(number):
    return {"set": number is not None, "infinite": number is None, "number": number or 0}


def _resources(found, api):
    """Nodes, GPUs and exclusive use, which each version says in its own way."""
    job = {}
    if "nodes" in found:
        low, dash, high = str(found["nodes"]).partition("-")
        counts = [_count("nodes", low), _count("nodes", high if dash else low)]
        if api <= DICT_API:
            job["nodes"] = counts
        else:
            job["minimum_nodes"], job["maximum_nodes"] = counts
    if api <= DICT_API:
        job.update(
            {name: found[key] for key, name in (("gres", "gres"), ("gpus-per-node", "gpus_per_node")) if key in found}
        )
        if found.get("exclusive"):
            job["exclusive"] = "exclusive"  # its documentation says "true", which it refuses
        return job
    # until 23.02 a colon stood there
    tres = [("gres:" if api < 40 else "gres/") + item for item in str(found.get("gres") or "").split(",") if item]
    if "gpus-per-node" in found:
        tres.append(("gres:gpu:" if api < 40 else "gres/gpu:") + str(found["gpus-per-node"]))
    if tres:
        job["tres_per_node"] = ",".join(tres)
    if found.get("exclusive"):
        job.update({"exclusive": ["true"]} if api < 40 else {"shared": ["none"]})
    return job


def _signal(value, api):
    match = re.match(r"^(?:([BR]):)?(\w+)(?:@(\d+))?$", str(value))
    if not match:
        raise _wrong("signal", value, "is no signal such as B:TERM@60")
    if api <= DICT_API:
        if match.group(1):
            raise SlurmError(
                "usage",
                "signal: slurmrestd of Slurm 22.05 refuses {0!r}, it can signal the job's steps only".format(value),
                "leave out {0}:, use a newer slurmrestd, or reach Slurm by its commands "
                "(benchmark_slurm_transport: shell)".format(match.group(1)),
            )
        return {"signal": value}
    job = {"kill_warning_signal": match.group(2), "kill_warning_delay": _no_val(int(match.group(3) or 60))}
    if match.group(1) == "B":
        job["kill_warning_flags"] = ["BATCH_JOB"]
    return job


def _host_names(name, value, api):
    if api <= DICT_API:
        raise SlurmError(
            "usage",
            "{0}: API v0.0.{1} of slurmrestd has no field for it".format(name, api),
            "leave it out, use a slurmrestd of Slurm 23.02 or newer, or reach Slurm by its commands "
            "(benchmark_slurm_transport: shell)",
        )
    try:
        return hostlist.expand(value)
    except ValueError as error:
        raise _wrong(name, value, str(error))


def _argv(script_args, api):
    if api <= DICT_API:
        raise SlurmError(
            "usage",
            "script_args: slurmrestd of Slurm 22.05 crashes on them",
            "give the values in the job's environment (option export), or write them into the script",
        )
    return ["script", *script_args]  # slurmd puts the script's path in the place of the first


def properties(found, api, clock=time):
    """One job or component (dict) out of sbatch's options (dict, see options.parse), for API v0.0.`api` (int)."""
    job = {name: str(found[key]) for key, name in _SAME.items() if key in found}
    job.update({name: _count(key, found[key]) for key, name in _COUNTS.items() if key in found})
    job.update(_resources(found, api))
    for key, name in _MEMORY.items():
        if key in found:
            size = _mebibytes(key, found[key])
            job[name] = size if api <= DICT_API else _no_val(size)
    if "time" in found:
        minutes = _minutes(found["time"])
        job["time_limit"] = (minutes or 0xFFFFFFFF) if api <= DICT_API else _no_val(minutes)
    for key, name in (("begin", "begin_time"), ("deadline", "deadline")):
        if key in found:
            in_s = _seconds_from_now(key, found[key], clock.time())
            at_s = int(clock.time()) + in_s
            job[name] = "now+{0}".format(in_s) if api <= DICT_API else at_s if key == "deadline" else _no_val(at_s)
    if found.get("signal"):
        job.update(_signal(found["signal"], api))
    for key, name in (("exclude", "excluded_nodes"), ("nodelist", "required_nodes")):
        if key in found:
            job[name] = _host_names(key, found[key], api)
    if found.get("kill-on-invalid-dep") == "yes":
        job.update({"kill_on_invalid_dependency": True} if api <= DICT_API else {"flags": ["KILL_INVALID_DEPENDENCY"]})
    if "open-mode" in found:
        job["open_mode"] = found["open-mode"] if api <= DICT_API else [str(found["open-mode"]).upper()]
    if found.get("hold"):
        job["hold"] = True
    if found.get("requeue") or found.get("no-requeue"):
        job["requeue"] = bool(found.get("requeue"))
    return job


def body(name, script, args=(), script_args=(), *, api, user, clock=time):
    """The whole request (dict) for a script (its text) under a job name.

    args: words of sbatch (list of str), or a list of such lists, one per component of a heterogeneous job. They win
    over the script's #SBATCH lines. Raises SlurmError for what cannot be said to slurmrestd.
    """
    components = list(args) if args and isinstance(args[0], (list, tuple)) else [list(args)]
    in_script = sbatch_options.of_script(script)
    jobs = []
    for number in range(max(len(components), len(in_script))):
        given = dict(in_script[number]) if number < len(in_script) else {}
        given.update(sbatch_options.parse(components[number] if number < len(components) else [], "args"))
        given["job-name"] = name
        if number:
            given.setdefault("chdir", jobs[0]["current_working_directory"])
        if not given.get("chdir"):
            raise SlurmError(
                "usage",
                "chdir: slurmrestd knows no home directory for the job to start in",
                "give the directory (option chdir, or #SBATCH --chdir=DIRECTORY)",
            )
        job = properties(given, api, clock)
        variables = environment(given.get("export"), user)
        listed = ["{0}={1}".format(*item) for item in sorted(variables.items())]
        job["environment"] = variables if api <= DICT_API else listed
        if script_args and number == 0:
            job["argv"] = _argv(script_args, api)
        jobs.append(job)
    return {"script": script, "job": jobs[0]} if len(jobs) == 1 else {"script": script, "jobs": jobs}
