# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control groups that slurmd makes for a node: who is in them, and their removal.

cgroup v1 has one tree per controller, ``/sys/fs/cgroup/CONTROLLER/slurm_NODE``; cgroup v2 has
``NODE_slurmstepd.scope`` (several slurmd on one host) in the slice that slurmd belongs to.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import glob
import os

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import processes

PATTERNS = ("{0}/*/slurm_{1}", "{0}/slurm_{1}", "{0}/{1}_slurmstepd.scope", "{0}/*/{1}_slurmstepd.scope")


def folders(nodes, root="/sys/fs/cgroup"):
    """The existing top folders of the nodes' control groups."""
    return [path for node in nodes for pattern in PATTERNS for path in glob.glob(pattern.format(root, node))]


def members(nodes, root="/sys/fs/cgroup"):
    """Records of all processes of jobs in the control groups of the nodes.

    Under version 2 slurmd lives in there too, and a process of its own that keeps the scope: not counted.
    """
    pids = set()
    for top in folders(nodes, root):
        for folder, _folders, _files in os.walk(top):
            if "/job_" in folder[len(top) :]:
                pids.update((processes.read_text(os.path.join(folder, "cgroup.procs")) or "").split())
    records = [processes.record_of(int(pid), "-") for pid in pids]
    return [record for record in records if record]


def keepers(nodes, root="/sys/fs/cgroup"):
    """Records of the processes ``slurmstepd infinity`` that keep the nodes' scopes under version 2."""
    pids = set()
    for top in folders(nodes, root):
        pids.update((processes.read_text(os.path.join(top, "system", "cgroup.procs")) or "").split())
    records = [processes.record_of(int(pid), "-") for pid in pids]
    return [record for record in records if record]


def make_slice(root="/sys/fs/cgroup", systemd="/run/systemd/system"):
    """Make the folder that Slurm makes its scopes in, where version 2 is used and no systemd did it.

    It lies beside the control group of the first process: at the root, or in a container's own part.
    """
    if os.path.exists(systemd) or not os.path.exists(os.path.join(root, "cgroup.controllers")):
        return
    first = (processes.read_text("/proc/1/cgroup") or "0::/").strip().split("::")[-1]
    os.makedirs(os.path.join(root, os.path.dirname(first).lstrip("/"), "system.slice"), exist_ok=True)


def remove(nodes, root="/sys/fs/cgroup"):
    """Remove the nodes' control groups, which are empty by now; one in use stays."""
    for top in folders(nodes, root):
        for folder, _folders, _files in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.ENOENT):
                    raise
