#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: slurm_job
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Have a Slurm job, once
description:
  - Submits a batch script under a name, unless a job of this name and user is there already. The name is the job's
    identity - choose one that no other job has.
  - Looks for the name in the queue and in accounting before it submits. When C(sbatch) gets no answer, and the job may
    or may not have been accepted, it looks again until it finds the job, and never submits a second time.
  - With O(state=absent), cancels the jobs of the name by their ids, and proves that they are gone.
extends_documentation_fragment:
  - aifactory.benchmark.attributes
  - aifactory.benchmark.attributes.actiongroup_slurm
  - aifactory.benchmark.slurm
attributes:
  check_mode:
    support: full
    details:
      - When the job would be submitted, it is submitted with C(sbatch --test-only), so that a refusal is seen.
      - Slurm uses up a job id for that.
  diff_mode:
    support: full
options:
  name:
    description: Name of the job. It identifies the job, so that it must be unique among the user's jobs.
    type: str
    required: true
  state:
    description:
      - V(present) - a job of this name is there, or has been there (see O(rerun)).
      - V(absent) - no job of this name waits or runs.
    type: str
    choices: [present, absent]
    default: present
  script:
    description: Path of the batch script on the target host.
    type: path
  content:
    description: The batch script itself. Its first line names the interpreter.
    type: str
  script_args:
    description: Arguments of the batch script.
    type: list
    elements: str
    default: []
  args:
    description: Further options of C(sbatch), word by word.
    type: list
    elements: str
    default: []
  account:
    description: Account that pays.
    type: str
  partition:
    description: Partition.
    type: str
  qos:
    description: Quality of service.
    type: str
  reservation:
    description: Reservation.
    type: str
  time_limit:
    description: Time limit, in minutes (V(30)), or as V(01:00:00) or V(2-00:00:00).
    type: str
  nodes:
    description: Number of nodes, or a range such as V(2-4).
    type: str
  ntasks:
    description: Number of tasks.
    type: int
  ntasks_per_node:
    description: Number of tasks on each node.
    type: int
  cpus_per_task:
    description: Number of CPUs of each task.
    type: int
  memory:
    description: Memory per node, such as V(16G).
    type: str
  gres:
    description: Generic resources per node, such as V(gpu:2).
    type: str
  gpus_per_node:
    description: GPUs per node, such as V(4) or V(a100:4).
    type: str
  constraint:
    description: Features that the nodes must have.
    type: str
  exclude_nodes:
    description: Host list of nodes not to be used.
    type: str
  nodelist:
    description: Host list of nodes to be used.
    type: str
  licenses:
    description: Licences.
    type: str
  exclusive:
    description: Whether to get whole nodes.
    type: bool
  dependency:
    description: Jobs to wait for, such as V(afterok:1234).
    type: str
  array:
    description: Indices of a job array, such as V(0-9%4).
    type: str
  comment:
    description: Comment.
    type: str
  export:
    description: Environment variables for the job, such as V(ALL) (Slurm's default) or V(NONE).
    type: str
  chdir:
    description: Working directory of the job. The default is the home directory of the user that the module runs as.
    type: path
  output:
    description: File for the standard output, with Slurm's patterns (V(%j) is the job's id).
    type: str
  error:
    description: File for the standard error. The default is O(output).
    type: str
  signal:
    description: Signal to send before the end of the time limit, such as V(B:TERM@60).
    type: str
  begin:
    description: Time from which the job may start.
    type: str
  requeue:
    description: Whether Slurm may start the job again after the failure of a node. The default is the cluster's.
    type: bool
  hold:
    description: Whether to hold the job until somebody releases it.
    type: bool
  components:
    description:
      - Components of a heterogeneous job, each with its own resources. What a component does not give is taken from
        the module's options for the first component, and O(account), O(qos) and O(time_limit) for the others.
    type: list
    elements: dict
    default: []
    suboptions:
      account:
        description: Account that pays.
        type: str
      partition:
        description: Partition.
        type: str
      qos:
        description: Quality of service.
        type: str
      reservation:
        description: Reservation.
        type: str
      time_limit:
        description: Time limit, in minutes (V(30)), or as V(01:00:00) or V(2-00:00:00).
        type: str
      nodes:
        description: Number of nodes, or a range such as V(2-4).
        type: str
      ntasks:
        description: Number of tasks.
        type: int
      ntasks_per_node:
        description: Number of tasks on each node.
        type: int
      cpus_per_task:
        description: Number of CPUs of each task.
        type: int
      memory:
        description: Memory per node, such as V(16G).
        type: str
      gres:
        description: Generic resources per node, such as V(gpu:2).
        type: str
      gpus_per_node:
        description: GPUs per node, such as V(4) or V(a100:4).
        type: str
      constraint:
        description: Features that the nodes must have.
        type: str
      exclude_nodes:
        description: Host list of nodes not to be used.
        type: str
      nodelist:
        description: Host list of nodes to be used.
        type: str
      licenses:
        description: Licences.
        type: str
      exclusive:
        description: Whether to get whole nodes.
        type: bool
  rerun:
    description:
      - What to do when no job of this name lives, but one has ended.
      - V(never) - nothing; the job has been there.
      - V(failed) - submit again unless the last one ended with success.
      - V(always) - submit again.
    type: str
    choices: [never, failed, always]
    default: never
  wait:
    description:
      - V(no) - return as soon as the job is submitted.
      - V(started) - return when the job runs.
      - V(finished) - return when the job has ended. The module fails unless it ended with success.
    type: str
    choices: ["no", started, finished]
    default: "no"
  timeout_s:
    description: Seconds to wait for O(wait), or for jobs to be gone with O(state=absent).
    type: int
    default: 600
seealso:
  - module: aifactory.benchmark.slurm_job_info
  - name: sbatch
    description: The manual page of sbatch.
    link: https://slurm.schedmd.com/sbatch.html
"""

EXAMPLES = r"""
- name: Submit a script once, however often this task runs
  aifactory.benchmark.slurm_job:
    name: nightly-2026-11-23
    script: /project/scratch/p200981/nightly.sh
    account: p200981
    qos: default
    partition: cpu
    time_limit: "01:00:00"
  register: nightly

- name: A job that waits for it, given inline
  aifactory.benchmark.slurm_job:
    name: nightly-2026-11-23-report
    content: |
      #!/bin/bash
      srun ./report
    account: p200981
    dependency: "afterok:{{ nightly.job_id }}"
    wait: finished
    timeout_s: 7200

- name: An array of 100 tasks, at most 10 at once
  aifactory.benchmark.slurm_job:
    name: sweep-7
    script: /project/scratch/p200981/sweep.sh
    account: p200981
    array: 0-99%10

- name: A server on a GPU node and its clients on CPU nodes, in one job
  aifactory.benchmark.slurm_job:
    name: pair-3
    script: /project/scratch/p200981/pair.sh
    account: p200981
    time_limit: "00:30:00"
    components:
      - {partition: gpu, nodes: "1", gpus_per_node: "4"}
      - {partition: cpu, nodes: "2", ntasks: 16}

- name: No job of this name waits or runs
  aifactory.benchmark.slurm_job:
    name: sweep-7
    state: absent
"""

RETURN = r"""
job_id:
  description: Id of the job.
  returned: when there is a job
  type: str
  sample: "1234"
adopted:
  description:
    - Whether a job was found that an earlier, unanswered C(sbatch) of this task had submitted, or that was there
      already.
  returned: O(state=present)
  type: bool
job:
  description: The job, with the keys of RV(aifactory.benchmark.slurm_job_info#module:jobs).
  returned: when there is a job
  type: dict
command:
  description: The C(sbatch) command line.
  returned: O(state=present)
  type: list
  elements: str
test:
  description: What C(sbatch --test-only) answers, with C(partition), C(nodes), C(cpus) and C(start_s).
  returned: in check mode, when the job would be submitted
  type: dict
proof:
  description: For every job that was cancelled, that it is gone, and who says so.
  returned: O(state=absent)
  type: dict
  sample:
    "1234": {gone: true, state: CANCELLED, source: squeue, checked_at: 1795460163, command: "squeue ... -j 1234"}
slurm_error:
  description: Kind, message in Slurm's words, and remedy of an error.
  returned: failure
  type: dict
calls:
  description: How often each of Slurm's commands was run.
  returned: always
  type: dict
  sample: {squeue: 1, sacct: 1, sbatch: 1}
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import arguments, tasks
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.module import run_task


def main():
    run_task(AnsibleModule(supports_check_mode=True, **arguments.JOB), tasks.job)


if __name__ == "__main__":
    main()
