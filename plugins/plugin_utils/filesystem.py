# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What kind of file system a path lies on."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = "/proc/self/mountinfo"
# What one kernel keeps to itself, so that its locks and shared memory hold. Whatever is not named here may be shared
# between machines: NFS, Lustre, GPFS, BeeGFS, CIFS, FUSE, …
_LOCAL = {
    "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "reiserfs", "tmpfs", "xfs", "zfs",
}  # fmt: skip


def kind(path: str | os.PathLike[str], mounts: str | None = None) -> str | None:
    """The type of the file system that holds `path`, such as ext4 or lustre; None where it cannot be told.

    `mounts`: the text of Linux' mountinfo, of this process by default.
    """
    if mounts is None:
        try:
            mounts = Path(_MOUNTS).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    real = os.path.realpath(path)
    found, length = None, -1
    for line in mounts.splitlines():
        before, _separator, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= length:  # of two mounts on one point the later one is seen
            found, length = after.split()[0], len(point)
    return found


def is_local(name: str | None) -> bool:
    """Whether a type of file system belongs to one machine alone; an unknown one does not."""
    return name in _LOCAL
