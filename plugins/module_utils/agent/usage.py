# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CPU and memory of the service: from the job's cgroup where Slurm made one, else from its processes."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import process_tree

_JOB = re.compile(r"^(.*/job_[0-9]+)(?:/|$)")
_ROOT = "/sys/fs/cgroup"


def job_cgroups(text=None, root=_ROOT):
    """Controller -> directory of this job's cgroup ("" is version 2). {} when there is none to be read.

    text: the content of /proc/self/cgroup, lines of `id:controllers:path`.
    """
    if text is None:
        with open("/proc/self/cgroup") as stream:
            text = stream.read()
    found = {}
    for line in text.splitlines():
        controllers, path = line.split(":", 2)[1:]
        job = _JOB.match(path)
        if not job:
            continue
        for controller in controllers.split(","):
            places = [root + job.group(1)] if not controller else []
            places += [os.path.join(root, mount) + job.group(1) for mount in (controllers, controller) if controller]
            for place in places:
                if os.path.isdir(place):
                    found[controller] = place
    return found


class Usage:
    """cpu_s() and memory_bytes() of everything that this job runs (with a cgroup: the agent, too)."""

    def __init__(self):
        groups = job_cgroups()
        self.memory_path = self._first(groups, ("", "memory.stat"), ("memory", "memory.stat"))
        self.cpu_path = self._first(groups, ("", "cpu.stat"), ("cpuacct", "cpuacct.usage"))
        self._most_cpu_s = 0.0

    @staticmethod
    def _first(groups, *wanted):
        for controller, name in wanted:
            path = os.path.join(groups.get(controller, "/nowhere"), name)
            if os.access(path, os.R_OK):
                return path
        return None

    def read(self):
        """(CPU seconds so far, bytes of memory now)."""
        processes = None
        if not (self.memory_path and self.cpu_path):
            processes = process_tree.family()
        memory = self._cgroup_memory() if self.memory_path else process_tree.memory_bytes(processes)
        used_s = self._cgroup_cpu() if self.cpu_path else process_tree.cpu_s(processes)
        # a process that ends while the others are read is in neither sum: the next reading has it, and none falls
        self._most_cpu_s = max(self._most_cpu_s, used_s)
        return self._most_cpu_s, memory

    def _cgroup_memory(self):
        """Anonymous and shared memory: what the page cache holds is not the service's need."""
        fields = _fields(self.memory_path)
        if "anon" in fields:
            return fields["anon"] + fields.get("shmem", 0)
        return fields.get("total_rss", 0) + fields.get("total_shmem", 0)

    def _cgroup_cpu(self):
        if self.cpu_path.endswith("cpu.stat"):
            return _fields(self.cpu_path)["usage_usec"] / 1e6
        with open(self.cpu_path) as stream:
            return int(stream.read()) / 1e9


def _fields(path):
    with open(path) as stream:
        return {name: int(value) for name, value in (line.split()[:2] for line in stream)}
