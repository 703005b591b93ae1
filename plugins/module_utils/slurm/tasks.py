# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the Slurm modules do, wherever they run: on the target host, or on the controller for a host without Python.

A host (module.py, plugin_utils/slurm_action.py) gives `params` (dict), `check_mode` (bool), `client` (SlurmClient),
`user()` (str: whose jobs are meant), `script()` (what the client takes as a script), `script_text()` (str) and
`warn(text)`. Every foreseen failure is a SlurmError.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import cluster, errors, job_task, sbatch
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.arguments import RESOURCES, WHOLE_JOB
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError


def job(host):
    """slurm_job: have a job, or have none; the result (dict)."""
    name, deadline_s = host.params["name"], host.params["deadline_s"]
    wrong = sbatch.bad_name(name)
    if wrong:
        raise SlurmError("usage", 'name: "{0}" cannot identify a job: {1}'.format(name, wrong), "choose another")
    found = host.client.patiently(lambda: host.client.find(name, host.user()), deadline_s)
    return (_present if host.params["state"] == "present" else _absent)(host, found)


def _checked_content(content):
    if content is not None and not content.startswith("#!"):
        raise SlurmError("usage", "content: the first line does not name an interpreter", "write such as #!/bin/bash")


def _present(host, found):
    params, client = host.params, host.client
    values = {name: params[name] for name in list(RESOURCES) + list(WHOLE_JOB)}
    args = job_task.arguments(values, params["components"], params["args"])
    _checked_content(params["content"])
    script = host.script()
    command = client.slurm.shown(params["name"], params["script"] or "-", args, params["script_args"])
    result = {"changed": False, "command": command, "adopted": True}
    known, ignore = job_task.choose(found, params["rerun"])
    if known is None:
        result["changed"] = True
        text = " ".join(command) + "\n" + host.script_text().rstrip("\n") + "\n"
        result["diff"] = {"before": "", "after": text}
        if host.check_mode:
            result["adopted"] = False
            test = client.test_only(params["name"], script, args, params["script_args"])
            if test is None:
                host.warn("slurmrestd cannot test a submission: whether Slurm would accept the job is not known")
            else:
                result["test"] = test
            return result
        submitted = client.submit_once(
            params["name"],
            script,
            args,
            host.user(),
            script_args=params["script_args"],
            ignore=ignore,
            look="none",
            deadline_s=params["deadline_s"],
        )
        result["adopted"] = submitted.adopted
        known = submitted.job or client.jobs([submitted.job_id])[submitted.job_id]
    result["job_id"] = known.id
    if params["wait"] != "no" and not host.check_mode:
        known = job_task.wait(client, known.id, params["wait"], params["timeout_s"])
    result["job"] = known.to_dict()
    return result


def _absent(host, found):
    living = [known for known in found if not known.final]
    before = "".join("job {0} {1}: {2}\n".format(known.id, known.name, known.state) for known in living)
    result = {"changed": bool(living), "proof": {}, "diff": {"before": before, "after": ""}}
    if living:
        result["job_id"] = living[0].id
        result["job"] = living[0].to_dict()
    if not host.check_mode:
        result["proof"] = job_task.end(host.client, found, host.params["name"], host.params["timeout_s"])
    return result


def job_info(host):
    """slurm_job_info: what Slurm knows of jobs; the result (dict)."""
    for name in host.params["names"]:
        wrong = sbatch.bad_name(name)
        if wrong:
            raise SlurmError("usage", 'names: "{0}" is no name to look for: {1}'.format(name, wrong), "correct it")
    try:
        jobs = host.client.patiently(lambda: _gather(host), host.params["deadline_s"])
    except ValueError as error:
        raise SlurmError("usage", "ids: {0}".format(error), "correct it")
    return {"jobs": jobs}


def _gather(host):
    client, params = host.client, host.params
    found = list(client.jobs(params["ids"]).items())
    if params["names"]:
        for name, jobs in client.find_many(params["names"], params["user"] or host.user()).items():
            found += [(name, known) for known in jobs]
    uncertain = [(asked, known) for asked, known in found if known.phase == "unknown" and not known.left_queue]
    if uncertain:
        asked, known = uncertain[0]
        cause = client.queue_error
        raise SlurmError(
            cause.kind if cause else errors.UNREACHABLE,
            "nothing certain is known of {0} of {1} jobs; of {2}: {3}".format(
                len(uncertain), len(found), asked, known.reason
            ),
            cause.remedy if cause else errors.remedy(errors.UNREACHABLE),
        )
    plain = [dict(known.to_dict(), asked=asked, known=known.name is not None) for asked, known in found]
    if params["steps"] and any(known["known"] for known in plain):
        steps = _steps_of(client, plain)
        for known in plain:
            known["steps"] = steps.get(known["id"], [])
    return plain


def _steps_of(client, jobs):
    """Steps (list of dict) of jobs, under the id of the job."""
    found = {}
    for step in client.slurm.steps("list the steps of jobs", [known["id"] for known in jobs if known["known"]]):
        for part in (step["job_id"], step["job_id"].split("_")[0].split("+")[0]):
            found.setdefault(part, []).append(step)
    return found


def cluster_info(host):
    """slurm_cluster_info: what the cluster offers and what the user may do; the result (dict)."""
    user = host.params["user"] or host.user()
    facts = cluster.gather(host.client, user, host.params["deadline_s"])
    if host.params["queue"]:
        facts["queue"] = cluster.queue(host.client.slurm.queue_of_all("list the queue"), user)
    for warning in facts.pop("warnings"):
        host.warn(warning)
    return facts
