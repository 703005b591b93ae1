#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: the daemons of a Slurm cluster on this machine."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: local_slurm
short_description: Run the daemons of a Slurm cluster on one machine
version_added: 0.1.0
description:
  - Starts, stops and removes a whole Slurm cluster made of processes on one machine (munged, MariaDB,
    slurmdbd, slurmctld, one slurmd per node, sshd, and slurmrestd where it is wanted), from configuration files that
    the caller gives.
  - The role P(aifactory.benchmark.local_cluster#role) installs what is needed, renders the files and calls this module.
  - Daemons are direct children of nobody, found again by process number, start time and boot id. The
    machine's own services and their configuration are never touched.
  - Everything lies in O(directory)/O(name).
author:
  - aifactory.benchmark contributors (@aifactory)
options:
  name:
    description: Name of the cluster, to Slurm and as the name of its folder.
    type: str
    required: true
  directory:
    description: Folder of all local clusters.
    type: path
    required: true
  state:
    description:
      - V(started) brings the cluster to nodes that answer, from whatever state it is in.
      - V(stopped) cancels its jobs and ends its daemons.
      - V(absent) also removes O(directory)/O(name).
    type: str
    choices: [started, stopped, absent]
    default: started
  root:
    description:
      - Root folder of another system, whose Slurm and sshd are to be used. Its daemons live in a mount
        namespace of their own, with that folder as their root.
      - In it, C(/etc/hosts), C(resolv.conf), C(passwd), C(group), C(subuid) and C(subgid) are links into
        C(/run/cluster), and C(/etc/passwd.dist) and C(/etc/group.dist) are its own.
      - When it is not given, this machine's own programs are used.
    type: path
  nodes:
    description: Names of the nodes, in the order of their ports.
    type: list
    elements: str
    required: true
  ports:
    description: The loopback ports that the cluster listens on. They are needed for V(started).
    type: dict
    suboptions:
      slurmctld:
        description: Port of the Slurm controller.
        type: int
        required: true
      slurmdbd:
        description: Port of the accounting daemon.
        type: int
        required: true
      database:
        description: Port of the accounting daemon's MariaDB.
        type: int
        required: true
      sshd:
        description: Port of the ssh server.
        type: int
        required: true
      slurmrestd:
        description: Port of the REST server. Without it there is none.
        type: int
  files:
    description:
      - Name and text of every file in the folder C(conf) of the cluster.
      - C(slurm.conf), C(slurmdbd.conf), C(gres.conf), C(cgroup.conf) and C(sshd_config) must be among them,
        and C(namespace.sh) where O(root) is given. They are needed for V(started).
      - The text C(@DATABASE_PASSWORD@) is replaced by the password that the module made for the database.
    type: dict
  users:
    description: Existing users who may log in and submit jobs.
    type: list
    elements: str
    default: []
  public_keys:
    description: Ssh public keys that all O(users) accept. Keys that they accept already stay.
    type: list
    elements: str
    default: []
  gpus_per_node:
    description: Number of device nodes to make in the folder C(dev), which stand for GPUs.
    type: int
    default: 0
  account:
    description: Account of the users in Slurm's accounting.
    type: str
    default: default
  qos:
    description: Quality-of-service levels of the account.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the level.
        type: str
        required: true
      set:
        description: Its limits, as C(sacctmgr modify qos set) takes them.
        type: list
        elements: str
        default: []
  default_qos:
    description: The level of a job that names none.
    type: str
    default: normal
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - aifactory.benchmark.attributes
"""

EXAMPLES = r"""
- name: Stop a local cluster
  aifactory.benchmark.local_slurm:
    name: meluxina
    directory: /var/lib/aifactory/local_cluster
    nodes: [mel0001, mel0002]
    state: stopped
  become: true
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode. Empty when everything was as it should be.
  returned: always
  type: list
  elements: str
  sample: [start munged, start slurmctld]
host_key:
  description: The public host key of the cluster's ssh server.
  returned: when the cluster has one
  type: str
  sample: ssh-ed25519 AAAAC3Nza
"""

import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import daemons, files, processes
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm.cluster import Cluster

PORTS = ("slurmctld", "slurmdbd", "database", "sshd")


def arguments():
    """The module's argument_spec, as DOCUMENTATION describes it."""
    return {
        "name": {"type": "str", "required": True},
        "directory": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
        "root": {"type": "path"},
        "nodes": {"type": "list", "elements": "str", "required": True},
        "ports": {
            "type": "dict",
            "options": dict({name: {"type": "int", "required": True} for name in PORTS}, slurmrestd={"type": "int"}),
        },
        "files": {"type": "dict"},
        "users": {"type": "list", "elements": "str", "default": []},
        "public_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "gpus_per_node": {"type": "int", "default": 0},
        "account": {"type": "str", "default": "default"},
        "qos": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "set": {"type": "list", "elements": "str", "default": []},
            },
        },
        "default_qos": {"type": "str", "default": "normal"},
    }


def apply(cluster, state, check_mode):
    """Bring the cluster to the state. :returns: what was, or would be, done"""
    if state == "started":
        return cluster.pending() if check_mode else cluster.start()
    there = state == "absent" and os.path.isdir(cluster.dir)
    removal = ["remove " + cluster.dir] if there else []
    if check_mode:
        return cluster.running() + removal
    done = cluster.stop()
    if there:
        shutil.rmtree(cluster.dir)
    return done + removal


def main():
    module = AnsibleModule(
        argument_spec=arguments(),
        required_if=[("state", "started", ("ports", "files"))],
        supports_check_mode=True,
    )
    cluster = Cluster(module.params)
    try:
        done = apply(cluster, module.params["state"], module.check_mode)
    except (daemons.DaemonError, files.FilesError) as error:
        module.fail_json(msg=str(error))
    host_key = processes.read_text(cluster.path("ssh", "host_key.pub"))
    module.exit_json(changed=bool(done), actions=done, host_key=(host_key or "").strip())


if __name__ == "__main__":
    main()
