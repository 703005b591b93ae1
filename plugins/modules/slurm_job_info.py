#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: slurm_job_info
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Say what Slurm knows of jobs
description:
  - Asks for any number of jobs at once, with one C(squeue), and one C(sacct) for the jobs that have left the queue.
  - Works without accounting, for the jobs that the controller still knows.
  - An error is never taken for "no jobs" - when Slurm does not answer, and nothing certain can be said of a job, the
    module fails.
  - An array or heterogeneous job is one job with C(parts).
extends_documentation_fragment:
  - aifactory.benchmark.attributes
  - aifactory.benchmark.attributes.info_module
  - aifactory.benchmark.attributes.actiongroup_slurm
  - aifactory.benchmark.slurm
options:
  ids:
    description:
      - Ids of jobs, of tasks of arrays (V(1234_5)) or of components of heterogeneous jobs (V(1234+1)).
    type: list
    elements: str
    default: []
    aliases: [jobs]
  names:
    description: Names of jobs. All jobs of a name are returned, the newest first.
    type: list
    elements: str
    default: []
  user:
    description: Whose jobs O(names) means. The default is the user that the module runs as.
    type: str
  steps:
    description: Whether to return the steps of the jobs, as accounting knows them.
    type: bool
    default: false
seealso:
  - module: aifactory.benchmark.slurm_job
"""

EXAMPLES = r"""
- name: Ask for three jobs and a task of an array, at once
  aifactory.benchmark.slurm_job_info:
    ids: [1234, 1235, 1240, "1250_7"]
  register: asked

- name: Show their states
  ansible.builtin.debug:
    msg: "{{ item.id }} {{ item.name }}: {{ item.state }} {{ item.reason | default('', true) }}"
  loop: "{{ asked.jobs }}"
  loop_control:
    label: "{{ item.id }}"

- name: All jobs of a name
  aifactory.benchmark.slurm_job_info:
    names: [nightly]

- name: Wait until a job has ended
  aifactory.benchmark.slurm_job_info:
    ids: ["{{ submitted.job_id }}"]
  register: asked
  until: asked.jobs[0].final
  retries: 60
  delay: 10
"""

RETURN = r"""
jobs:
  description:
    - The jobs, in the order of O(ids), then those of O(names).
    - A job that Slurm does not know has the state V(UNKNOWN) and RV(jobs[].known=false).
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id of the job, as Slurm writes it.
      type: str
      sample: "1234"
    asked:
      description: The id or name that was asked for.
      type: str
      sample: "1234"
    known:
      description: Whether the controller or accounting knows the job.
      type: bool
    name:
      description: Name of the job.
      type: str
      sample: nightly
    user:
      description: Owner of the job.
      type: str
    state:
      description: State in Slurm's words, or V(UNKNOWN).
      type: str
      sample: RUNNING
    phase:
      description: What the state means to somebody who waits.
      type: str
      sample: running
    final:
      description: Whether the job has ended and left its nodes.
      type: bool
    ok:
      description: Whether the job has ended by itself with exit code 0.
      type: bool
    reason:
      description: Why the job waits, or what its state does not say.
      type: str
      sample: Priority
    remedy:
      description: What its owner can do, when the job will not start by itself.
      type: str
    partition:
      description: Partition.
      type: str
    account:
      description: Account.
      type: str
    qos:
      description: Quality of service.
      type: str
    nodes:
      description: Names of the nodes that the job has or had.
      type: list
      elements: str
    node_count:
      description: Number of nodes.
      type: int
    submit_s:
      description: Time of submission, seconds since the epoch.
      type: int
    eligible_s:
      description: Time from which the job could have started, seconds since the epoch. Known to accounting only.
      type: int
    start_s:
      description: Start, seconds since the epoch.
      type: int
    expected_start_s:
      description: When the scheduler expects a waiting job to start, seconds since the epoch.
      type: int
    end_s:
      description: End, seconds since the epoch.
      type: int
    elapsed_s:
      description: Seconds that the job has run.
      type: int
    time_limit_s:
      description: Seconds that the job may run. None when there is no limit.
      type: int
    exit_code:
      description: Exit code of the job script.
      type: int
    signal:
      description: Signal that ended the job script, 0 for none.
      type: int
    derived_exit_code:
      description: Highest exit code of the job's steps.
      type: int
    tres:
      description: Trackable resources, counts, and bytes of C(mem).
      type: dict
      sample: {cpu: 128, mem: 515396075520, node: 1, gres/gpu: 4}
    work_dir:
      description: Working directory.
      type: str
    comment:
      description: Comment.
      type: str
    dependency:
      description: What the job still waits for.
      type: str
    cancelled_by_uid:
      description: Numeric id of the user who cancelled the job.
      type: int
    raw_id:
      description: The number that the controller gave the job.
      type: str
    source:
      description: The command that told of the job.
      type: str
      sample: squeue
    left_queue:
      description: Whether the controller answered and does not know the job (any more).
      type: bool
    contradicted:
      description: Whether accounting says that the job lives although the controller does not know it.
      type: bool
    parts:
      description: The tasks of an array, or the components of a heterogeneous job, with the same keys.
      type: list
      elements: dict
    state_counts:
      description: Number of tasks or components in each state.
      type: dict
      sample: {RUNNING: 4, PENDING: 16}
    steps:
      description: Steps of the job.
      returned: O(steps=true)
      type: list
      elements: dict
calls:
  description: How often each of Slurm's commands was run.
  returned: always
  type: dict
  sample: {squeue: 1, sacct: 1}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors, sbatch
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.module import (
    COMMON_OPTIONS,
    client_of,
    own_user,
    told_to_user,
)


def steps_of(client, jobs):
    """Steps (list of dict) of jobs, under the id of the job."""
    found = {}
    for step in client.slurm.steps("list the steps of jobs", [job["id"] for job in jobs if job["known"]]):
        for part in (step["job_id"], step["job_id"].split("_")[0].split("+")[0]):
            found.setdefault(part, []).append(step)
    return found


def gather(module, client):
    """The jobs (list of dict) that were asked for."""
    found = list(client.jobs(module.params["ids"]).items())
    user = module.params["user"] or own_user()
    for name, jobs in client.find_many(module.params["names"], user).items():
        found += [(name, job) for job in jobs]
    uncertain = [(asked, job) for asked, job in found if job.phase == "unknown" and not job.left_queue]
    if uncertain:
        asked, job = uncertain[0]
        raise errors.SlurmError(
            errors.UNREACHABLE,
            "nothing certain is known of {0} of {1} jobs; of {2}: {3}".format(
                len(uncertain), len(found), asked, job.reason
            ),
            errors.remedy(errors.UNREACHABLE),
        )
    plain = [dict(job.to_dict(), asked=asked, known=job.name is not None) for asked, job in found]
    if module.params["steps"] and any(job["known"] for job in plain):
        steps = steps_of(client, plain)
        for job in plain:
            job["steps"] = steps.get(job["id"], [])
    return plain


def main():
    options = {
        "ids": {"type": "list", "elements": "str", "default": [], "aliases": ["jobs"]},
        "names": {"type": "list", "elements": "str", "default": []},
        "user": {"type": "str"},
        "steps": {"type": "bool", "default": False},
    }
    module = AnsibleModule(
        argument_spec=dict(COMMON_OPTIONS, **options), required_one_of=[("ids", "names")], supports_check_mode=True
    )
    client = client_of(module)
    for name in module.params["names"]:
        wrong = sbatch.bad_name(name)
        if wrong:
            module.fail_json(msg='names: "{0}" is no name to look for: {1}'.format(name, wrong))
    with told_to_user(module, client):
        try:
            jobs = client.patiently(lambda: gather(module, client), module.params["deadline_s"])
        except ValueError as error:
            module.fail_json(msg="ids: {0}".format(error))
    module.exit_json(jobs=jobs, calls=client.counts)


if __name__ == "__main__":
    main()
