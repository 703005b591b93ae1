#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: slurm_cluster_info
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Say what a Slurm cluster offers and what a user may do on it
description:
  - Gathers the version of Slurm, partitions with their nodes, limits, GPUs and features, QOS, and the accounts of a
    user, and combines them to what this user may do.
  - Where the cluster keeps no accounting, QOS and accounts are absent from the result, and a warning says so.
extends_documentation_fragment:
  - aifactory.benchmark.attributes
  - aifactory.benchmark.attributes.info_module
  - aifactory.benchmark.attributes.actiongroup_slurm
  - aifactory.benchmark.slurm
options:
  user:
    description: The user whose accounts are meant. The default is the user that the module runs as.
    type: str
  queue:
    description: Whether to return the queue, too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What does this cluster offer?
  aifactory.benchmark.slurm_cluster_info:
  register: offered

- name: Partitions with GPUs that I may use, and the QOS there
  ansible.builtin.debug:
    msg: "{{ item.partition }}, account {{ item.account }}: {{ item.qos | map(attribute='name') | join(', ') }}"
  loop: "{{ offered.may | selectattr('partition', 'in', gpu_partitions) }}"
  vars:
    gpu_partitions: "{{ offered.partitions | selectattr('gpus_per_node') | map(attribute='name') }}"
"""

RETURN = r"""
cluster:
  description: Name of the cluster.
  returned: always
  type: str
  sample: meluxina
version:
  description: Version of Slurm.
  returned: always
  type: str
  sample: 23.11.10
controllers:
  description: Each slurmctld with RV(controllers[].mode), RV(controllers[].host), and whether it answers (C(up)).
  returned: always
  type: list
  elements: dict
  contains:
    mode:
      description: V(primary) or V(backup).
      type: str
    host:
      description: Host name.
      type: str
    up:
      description: Whether it answers.
      type: bool
limits:
  description: Limits of the controller.
  returned: always
  type: dict
  contains:
    max_array_size:
      description: One more than the highest index of a job array.
      type: int
    max_job_count:
      description: Number of jobs that the controller keeps at once.
      type: int
    min_job_age_s:
      description: Seconds that the controller remembers a job that has ended.
      type: int
    message_timeout_s:
      description: Seconds after which a command gives up waiting for the controller.
      type: int
    kill_wait_s:
      description: Seconds between SIGTERM and SIGKILL at the end of a job.
      type: int
    enforce_partition_limits:
      description: Whether a job beyond the limits of its partition is refused; otherwise it waits for ever.
      type: bool
gathering:
  description:
    - What Slurm gathers of jobs, by its configuration.
    - None where slurmrestd is asked, which does not tell.
  returned: always
  type: dict
  contains:
    usage:
      description: C(JobAcctGatherType) without its prefix, or V(none).
      type: str
      sample: cgroup
    energy:
      description: C(AcctGatherEnergyType) without its prefix, or V(none).
      type: str
      sample: ipmi
    frequency:
      description: C(JobAcctGatherFrequency).
      type: str
      sample: task=30
partitions:
  description: The partitions.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    default:
      description: Whether jobs without a partition go here.
      type: bool
    up:
      description: Whether jobs are started.
      type: bool
    max_time_s:
      description: Longest time limit in seconds. None when there is no limit.
      type: int
    default_time_s:
      description: Time limit in seconds of jobs that give none.
      type: int
    max_nodes:
      description: Most nodes of a job. None when there is no limit.
      type: int
    min_nodes:
      description: Fewest nodes of a job.
      type: int
    node_count:
      description: Number of nodes.
      type: int
    nodes:
      description: Names of the nodes.
      type: list
      elements: str
    node_states:
      description: Number of nodes in each state.
      type: dict
      sample: {idle: 4}
    cpus:
      description: Number of CPUs C(allocated), C(idle), C(other) and C(total).
      type: dict
    cpus_per_node:
      description: CPUs of a node, of the largest where they differ.
      type: int
    memory_per_node_bytes:
      description: Memory of a node in bytes, of the largest where they differ.
      type: int
    gpus_per_node:
      description: GPUs of a node, 0 for none.
      type: int
    gpu_types:
      description: Types of the GPUs, where the site names them.
      type: list
      elements: str
    gres:
      description: Generic resources of a node, in Slurm's words.
      type: str
      sample: gpu:4
    features:
      description: Features, for constraints.
      type: list
      elements: str
    qos:
      description: QOS of the partition, whose limits hold for every job.
      type: str
    exclusive:
      description: Whether a job gets whole nodes.
      type: bool
    admitted_accounts:
      description: Accounts that may use it. None for all.
      type: list
      elements: str
    denied_accounts:
      description: Accounts that may not use it.
      type: list
      elements: str
    admitted_qos:
      description: QOS that may be used. None for all.
      type: list
      elements: str
    denied_qos:
      description: QOS that may not be used.
      type: list
      elements: str
accounting:
  description: Whether the cluster keeps accounting.
  returned: always
  type: bool
accounting_enforced:
  description: What is enforced, in Slurm's words.
  returned: always
  type: list
  elements: str
  sample: [associations, limits, qos]
qos:
  description: All QOS with their limits.
  returned: when accounting answers
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    priority:
      description: Priority.
      type: int
    max_time_s:
      description: Longest time limit in seconds. None when there is no limit.
      type: int
    max_tres_per_job:
      description: Most resources of a job.
      type: dict
      sample: {node: 1}
    max_tres_per_user:
      description: Most resources of a user.
      type: dict
    max_tres:
      description: Most resources of all jobs together.
      type: dict
    max_jobs_per_user:
      description: Most jobs of a user that run at once.
      type: int
    max_submit_jobs_per_user:
      description: Most jobs of a user that wait or run at once.
      type: int
    flags:
      description: Flags, in Slurm's words. With V(DenyOnLimit) a job beyond the limits is refused.
      type: list
      elements: str
associations:
  description: The user's accounts on this cluster, with C(partition) (None for all), C(qos), C(default_qos) and limits.
  returned: when accounting answers
  type: list
  elements: dict
user:
  description: The user's C(name), C(default_account) and C(admin_level). None when accounting does not know the user.
  returned: when accounting answers
  type: dict
may:
  description: What the user may do, for every partition that is up and every account.
  returned: when accounting answers
  type: list
  elements: dict
  contains:
    partition:
      description: Name of the partition.
      type: str
    account:
      description: Name of the account.
      type: str
    default_qos:
      description: QOS of jobs that give none.
      type: str
    qos:
      description: QOS that may be used, each with C(max_time_s), C(max_nodes) and C(max_jobs). None for no limit.
      type: list
      elements: dict
queue:
  description: The jobs that wait and run, as far as the user may see them.
  returned: O(queue=true)
  type: dict
  contains:
    partitions:
      description:
        - Each partition that has a job, with the number of jobs that are C(running) and C(waiting), and why they wait
          (C(reasons), the number of jobs by Slurm's word). A job that may start in several counts in each.
        - A job array is one job while it waits.
      type: list
      elements: dict
    own:
      description: The user's jobs, with the keys of M(aifactory.benchmark.slurm_job_info).
      type: list
      elements: dict
calls:
  description: How often each of Slurm's commands was run.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import arguments, tasks
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.module import run_task


def main():
    run_task(AnsibleModule(supports_check_mode=True, **arguments.CLUSTER_INFO), tasks.cluster_info)


if __name__ == "__main__":
    main()
