# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sbatch: arguments and parsers, no I/O.

Its exit status says whether the job was accepted with one exception: after a time-out (errors.UNREACHABLE)
slurmctld may still accept the job later. Whoever submits must then look for the job's name (client.py).
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import table

# Typed options of a job or of a component of a heterogeneous job -> long option of sbatch(1).
OPTIONS = (
    ("account", "--account"),
    ("partition", "--partition"),
    ("qos", "--qos"),
    ("reservation", "--reservation"),
    ("time_limit", "--time"),
    ("nodes", "--nodes"),
    ("ntasks", "--ntasks"),
    ("ntasks_per_node", "--ntasks-per-node"),
    ("cpus_per_task", "--cpus-per-task"),
    ("memory", "--mem"),
    ("gres", "--gres"),
    ("gpus_per_node", "--gpus-per-node"),
    ("constraint", "--constraint"),
    ("exclude_nodes", "--exclude"),
    ("nodelist", "--nodelist"),
    ("dependency", "--dependency"),
    ("array", "--array"),
    ("comment", "--comment"),
    ("export", "--export"),
    ("chdir", "--chdir"),
    ("output", "--output"),
    ("error", "--error"),
    ("signal", "--signal"),
    ("begin", "--begin"),
    ("licenses", "--licenses"),
)
_SUBMITTED = re.compile(r"^(\d+)(?:;(\S+))?$")
_TEST = re.compile(
    r"Job (?P<job_id>\d+) to start at (?P<start>\S+) (?:a )?using (?P<cpus>\d+) processors on nodes? "
    r"(?P<nodes>\S+)(?: in partition (?P<partition>\S+))?"
)


def options(values):
    """Arguments (list of str) for typed options (dict of OPTIONS' names). None and empty text give nothing."""
    unknown = sorted(set(values) - {name for name, option in OPTIONS} - {"exclusive", "requeue", "hold"})
    if unknown:
        raise ValueError("unknown job options: " + ", ".join(unknown))
    found = []
    for name, option in OPTIONS:
        if values.get(name) not in (None, ""):
            found.append("{0}={1}".format(option, values[name]))
    for name in ("exclusive", "hold"):
        if values.get(name):
            found.append("--" + name)
    if values.get("requeue") is not None:
        found.append("--requeue" if values["requeue"] else "--no-requeue")
    return found


def argv(name, script_path, args=(), script_args=(), test_only=False):
    """The command line (list of str) that submits a script under a job name.

    args: further options (list of str), or for a heterogeneous job a list of such lists, one per component.
    The name comes last, so that nothing in args or in the script's #SBATCH lines can replace it.
    """
    components = list(args) if args and isinstance(args[0], (list, tuple)) else [list(args)]
    command = table.ENVIRONMENT + ["sbatch", "--parsable"] + (["--test-only"] if test_only else [])
    for number, component in enumerate(components):
        command += ([":"] if number else []) + list(component) + ["--job-name=" + name]
    return [*command, script_path, *list(script_args)]


def parse(stdout):
    """The job id (str) that `sbatch --parsable` printed. Raises ValueError when there is none."""
    for line in reversed(stdout.splitlines()):
        match = _SUBMITTED.match(line.strip())
        if match:
            return match.group(1)
    raise ValueError("sbatch printed no job id: {0!r}".format(stdout[:200]))


def parse_test(stderr):
    """What `sbatch --test-only` answers (dict): job_id (the test uses one up), start_s, cpus, nodes, partition.

    Empty when it found no place for the job. A heterogeneous job has one such line per component; the last counts.
    """
    found = {}
    for match in _TEST.finditer(stderr):
        found = match.groupdict()
        found["start_s"] = table.epoch(found.pop("start"))
        found["cpus"] = int(found["cpus"])
    return found


def bad_name(name):
    """What is wrong (str) with a job name that is to identify a job, or None."""
    if not name or name != name.strip():
        return "it is empty or begins or ends with a blank"
    if "," in name:
        return "it has a comma, which separates names in squeue -n and sacct --name"
    if len(name) > 200 or any(ord(char) < 32 for char in name):
        return "it is longer than 200 characters or has control characters"
    return None
