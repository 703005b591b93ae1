# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node is: the part of a result's provenance that only the node itself can tell."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import platform
import subprocess


def describe(runtime=None):
    """Facts of this node (dict of str and int): kernel, boot_id, cpu_model, cpus, memory_bytes, python, runtime.

    runtime (str or None): `apptainer` or `singularity`, of which the version is told. boot_id is the kernel's, of
    this boot: nodes of Slurm that have the same one are one machine. What can't be found out is None.
    """
    return {
        "kernel": platform.release(),
        "boot_id": line("/proc/sys/kernel/random/boot_id"),
        "cpu_model": first_value("/proc/cpuinfo", "model name"),
        "cpus": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "python": platform.python_version(),
        "runtime": _version(runtime) if runtime else None,
    }


def line(path):
    """The first line (str) of a file of the system; None when it is empty or can't be read."""
    try:
        with open(path) as stream:
            return stream.readline().strip() or None
    except (IOError, OSError):
        return None


def first_value(path, key, separator=":"):
    """What follows `key` and the separator (str) in a file of the system; None when it can't be found there."""
    try:
        with open(path) as stream:
            for text in stream:
                name, _separator, value = text.partition(separator)
                if name.strip() == key:
                    return value.strip()
    except (IOError, OSError):
        return None
    return None


def _memory_bytes():
    total = first_value("/proc/meminfo", "MemTotal")
    return int(total.split()[0]) * 1024 if total else None


def _version(runtime):
    """What `apptainer --version` prints, such as `apptainer version 1.4.5`."""
    try:
        # in a job there is no AnsibleModule
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            [runtime, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() or None
