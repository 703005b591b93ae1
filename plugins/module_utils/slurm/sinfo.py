# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sinfo: partitions with their nodes and states. Arguments and parser, no I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration, hostlist, table

# Source of the letters: --format of sinfo(1).
_FORMAT = (
    ("partition", "%P"),
    ("available", "%a"),
    ("max_time", "%l"),
    ("default_time", "%L"),
    ("node_count", "%D"),
    ("nodes", "%N"),
    ("state", "%T"),
    ("cpus_per_node", "%c"),
    ("memory_mib", "%m"),
    ("gres", "%G"),
    ("features", "%f"),
    ("cpus", "%C"),
    ("size", "%s"),
)
FIELDS = tuple(field for field, letter in _FORMAT)
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?\S*")
_GPU = re.compile(r"(?:^|,)gpu(?::(?P<type>[A-Za-z][\w.-]*))?(?::(?P<count>\d+))?(?=[,(]|$)")
# Marks after a node's state: not responding, powered down and the like. Source: NODE STATE CODES of sinfo(1).
_MARKS = "*~#!%$@^-+"


def version_argv():
    """The command line (list of str) for Slurm's version."""
    return [*table.ENVIRONMENT, "sinfo", "-V"]


def parse_version(stdout):
    """Slurm's version (str, such as `22.05.8`). Raises ValueError when there is none."""
    match = _VERSION.search(stdout)
    if not match:
        raise ValueError("no version of Slurm in {0!r}".format(stdout[:100]))
    return match.group(0)


def argv(partition=None):
    """The command line (list of str) for all partitions, or one: a row per partition and kind of node."""
    command = [*table.ENVIRONMENT, "sinfo", "-h", "-a", "-o", table.SEPARATOR.join(letter for field, letter in _FORMAT)]
    return command + (["-p", partition] if partition else [])


def gpus(gres):
    """(number, types) of the GPUs in a gres text such as `gpu:a100:4(S:0-1)`: int, list of str."""
    total, types = 0, []
    for match in _GPU.finditer(str(table.value(gres) or "")):
        total += int(match.group("count") or 1)
        if match.group("type") and match.group("type") not in types:
            types.append(match.group("type"))
    return total, types


def parse(stdout):
    """Groups of alike nodes (list of dict) of what argv's command printed.

    Keys: partition, default (bool), up (bool), max_time_s, default_time_s (int or None), node_count, nodes (list
    of str), state (str, lower case, without marks), responding (bool), cpus_per_node, memory_bytes, gres (str or
    None), gpus_per_node, gpu_types, features (list of str), cpus (dict allocated, idle, other, total).
    """
    return [_group(row) for row in table.rows(stdout, FIELDS)]


def _group(row):
    gpu_count, gpu_types = gpus(row["gres"])
    counts = [table.integer(part) or 0 for part in row["cpus"].split("/")]
    memory_mib = table.integer(row["memory_mib"].rstrip("+"))
    return {
        "partition": row["partition"].rstrip("*"),
        "default": row["partition"].endswith("*"),
        "up": row["available"] == "up",
        "max_time_s": duration.to_seconds(row["max_time"].replace("infinite", "")),
        "default_time_s": duration.to_seconds(row["default_time"].replace("infinite", "")),
        "node_count": table.integer(row["node_count"]) or 0,
        "nodes": hostlist.expand(row["nodes"]),
        "state": row["state"].rstrip(_MARKS),
        "responding": "*" not in row["state"],
        "cpus_per_node": table.integer(row["cpus_per_node"].rstrip("+")),
        "memory_bytes": None if memory_mib is None else memory_mib * 1024**2,
        "gres": table.value(row["gres"]),
        "gpus_per_node": gpu_count,
        "gpu_types": gpu_types,
        "features": [word for word in str(table.value(row["features"]) or "").split(",") if word],
        "cpus": dict(zip(("allocated", "idle", "other", "total"), counts)),
    }
