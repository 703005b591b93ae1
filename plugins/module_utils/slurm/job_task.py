# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A job as a desired state: present once, or absent and proven so. Used by modules; all I/O through the client."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration, errors, jobid, sbatch, waiting
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError

RERUN_NEVER, RERUN_FAILED, RERUN_ALWAYS = "never", "failed", "always"


def check_options(values, where=""):
    """Raises SlurmError (kind usage) naming the option when one of sbatch.OPTIONS (dict) is certainly wrong.

    where (str) comes before the option's name, such as `components[1].`.
    """
    limit = values.get("time_limit")
    if limit not in (None, "") and not duration.is_valid(limit):
        raise SlurmError(
            "usage",
            '{0}time_limit: "{1}" is no time that Slurm takes'.format(where, limit),
            "write minutes (30), HH:MM:SS (01:00:00) or D-HH:MM:SS (2-00:00:00)",
        )
    for name in ("nodes", "ntasks", "ntasks_per_node", "cpus_per_task"):
        count = str(values.get(name) if values.get(name) not in (None, "") else "1")
        if not all(part.isdigit() and int(part) > 0 for part in count.split("-")):
            raise SlurmError("usage", '{0}{1}: "{2}" is no number above 0'.format(where, name, count), "correct it")
    if values.get("array"):
        try:
            jobid.task_list(values["array"])
        except ValueError as error:
            raise SlurmError("usage", "{0}array: {1}".format(where, error), "write such as 0-9%4")


def arguments(values, components=(), args=()):
    """Sbatch's arguments (list of str, or one list per component) out of typed options and further arguments.

    components: options (dict) that replace or complete `values` in each component of a heterogeneous job. Array,
    dependency and the like belong to the whole job, and so to its first component.
    """
    check_options(values)
    if not components:
        return sbatch.options(values) + list(args)
    found = []
    for number, component in enumerate(components):
        own = {name: value for name, value in component.items() if value not in (None, "")}
        check_options(own, "components[{0}].".format(number))
        shared = values if number == 0 else {name: values.get(name) for name in ("account", "qos", "time_limit")}
        found.append(sbatch.options(dict(shared, **own)) + (list(args) if number == 0 else []))
    return found


def choose(found, rerun):
    """(job that stands for the name or None, ids of those that do not count) of the jobs (list of Job) of a name.

    A job that lives, or of which nothing certain is known, always counts; one that ended counts unless rerun says no.
    """
    found = [job for job in found if not job.refused]
    for job in found:
        if not job.final:
            return job, []
    if found and (rerun == RERUN_NEVER or (rerun == RERUN_FAILED and found[0].ok)):
        return found[0], []
    return None, [job.id for job in found]


def wait(client, job_id, until, timeout_s):
    """Wait for a job until it has `started` or `finished`; the Job. SlurmError when it cannot come to that in time,
    or, with `finished`, when it ended with anything but success.
    """
    reached = waiting.over if until == "finished" else lambda job: waiting.started(job) or waiting.over(job)
    job = client.wait_until(job_id, lambda seen: reached(seen) or waiting.stuck(seen), timeout_s)
    label = 'job {0} "{1}"'.format(job_id, job.name)
    if waiting.stuck(job):
        raise SlurmError("never_starts", "{0} will never start: {1}".format(label, job.reason), job.remedy)
    if not reached(job):
        raise SlurmError(
            "timeout",
            "{0} has not {1} after {2} s: it is {3}{4}".format(
                label, until, timeout_s, job.state, " ({0})".format(job.reason) if job.reason else ""
            ),
            job.remedy or "it goes on; wait longer (timeout_s), or run the task again",
        )
    if (until == "finished" or not waiting.started(job)) and not job.ok:
        raise SlurmError(
            "job_failed",
            "{0} ended {1}, exit code {2}, signal {3}".format(label, job.state, job.exit_code, job.signal),
            "see its output file, and sacct -j {0}".format(job_id),
        )
    return job


def end(client, found, name, timeout_s):
    """Cancel the jobs (list of Job) that live and wait until they are gone; dict id → proof (see waiting.wait_gone).

    SlurmError when one is not proven to be gone in time.
    """
    ids = [job.id for job in found if not job.final]
    if not ids:
        return {}
    client.cancel(ids, owner_name_prefix=name, deadline_s=timeout_s)
    proof = client.wait_gone(ids, deadline_s=timeout_s)
    left = [job_id for job_id in ids if not proof[job_id]["gone"]]
    if left:
        state = proof[left[0]]
        raise SlurmError(
            errors.UNREACHABLE if state["source"] is None else "timeout",
            'job {0} "{1}" is not proven to be gone after {2} s: {3}{4}'.format(
                left[0], name, timeout_s, state["state"], " ({0})".format(state["reason"]) if state["reason"] else ""
            ),
            "run the task again, with a longer timeout_s",
        )
    return proof
