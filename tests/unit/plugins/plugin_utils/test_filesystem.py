# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import filesystem

# of a login node, a laptop and a container
MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /tmp rw - tmpfs tmpfs rw,size=1g
41 22 0:40 / /home rw,nosuid - nfs4 server:/home rw,vers=4.2
42 22 0:41 / /project/scratch rw - lustre 10.0.0.1@o2ib:/scratch rw,flock
43 22 0:42 / /with\040blank rw master:3 propagate_from:2 - fuse.sshfs me@host: rw
44 22 0:43 / /gpfs rw - gpfs fs1 rw
45 22 0:44 / /home/local rw - xfs /dev/sdb1 rw
46 22 0:45 / /mnt rw - ext4 /dev/sdc1 rw
47 22 0:46 / /mnt rw - cifs //nas/share rw
48 22 0:47 / /var/lib rw - overlay overlay rw,lowerdir=/a,upperdir=/b
half a line
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_local"),
    [
        ("/opt/x", "ext4", True),
        ("/tmp/x/store.db", "tmpfs", True),
        ("/home/me/.aifactory", "nfs4", False),
        ("/homes/me", "ext4", True),
        ("/home/local/me", "xfs", True),
        ("/project/scratch/p1", "lustre", False),
        ("/with blank/x", "fuse.sshfs", False),
        ("/gpfs", "gpfs", False),
        ("/mnt/x", "cifs", False),
        ("/var/lib/x", "overlay", True),
    ],
)
def test_the_file_system_of_a_path(path, kind, is_local):
    assert filesystem.kind(path, MOUNTS) == kind
    assert filesystem.is_local(kind) == is_local


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to("/gpfs/x")
    assert filesystem.kind(tmp_path / "link", MOUNTS) == "gpfs"


def test_what_is_unknown_is_not_local():
    assert filesystem.kind("/x", "") is None
    assert not filesystem.is_local(None)


def test_this_machine_as_its_own_tools_tell_it(tmp_path):
    told = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", tmp_path], capture_output=True, text=True, check=True)
    assert filesystem.kind(tmp_path) == told.stdout.strip()
    assert filesystem.kind(os.devnull) != filesystem.kind("/proc/self")
