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
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import arguments, tasks
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.module import run_task


def main():
    run_task(AnsibleModule(supports_check_mode=True, **arguments.JOB_INFO), tasks.job_info)


if __name__ == "__main__":
    main()
