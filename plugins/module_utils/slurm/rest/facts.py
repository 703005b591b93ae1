# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Partitions, nodes, QOS and associations out of slurmrestd's answers, in the words of scontrol, sinfo and sacctmgr.

No I/O. cluster.py makes the facts of both.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import sinfo, table
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.answers import listed, number
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.jobs import amounts

_NO_LIMIT = -1


def pings(answer):
    """Whether each slurmctld answers: list of dict mode, host, up."""
    return [
        {
            "mode": entry.get("mode"),
            "host": entry.get("hostname"),
            "up": (entry.get("pinged") or entry.get("ping")) == "UP",
        }
        for entry in answer.get("pings") or []
    ]


def _pick(entry, *paths):
    """The value of the first of the paths (str with dots) that is there."""
    for path in paths:
        value = entry
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _limit(value):
    """The text of a limit as scontrol writes it."""
    found = number(value)
    return "UNLIMITED" if found in (None, _NO_LIMIT) else str(found)


def _names(value):
    return ",".join(listed(value))


def partitions(answer):
    """Partitions (list of dict of str) with the keys of `scontrol show partition` that cluster.partition reads."""
    found = []
    for entry in answer.get("partitions") or []:
        record = {
            "PartitionName": entry["name"],
            "State": "".join(listed(_pick(entry, "state", "partition.state"))[:1]),
            "MaxTime": _limit(_pick(entry, "max_time_limit", "maximums.time")),
            "DefaultTime": _limit(_pick(entry, "default_time_limit", "defaults.time")),
            "MaxNodes": _limit(_pick(entry, "maximum_nodes_per_job", "maximums.nodes")),
            "MinNodes": _limit(_pick(entry, "min nodes per job", "minimums.nodes")),
            "TotalNodes": _limit(_pick(entry, "total_nodes", "nodes.total")),
            "QoS": str(_pick(entry, "qos.assigned") if isinstance(entry.get("qos"), dict) else entry.get("qos") or ""),
            "AllowAccounts": _names(_pick(entry, "allowed_accounts", "accounts.allowed")) or "ALL",
            "DenyAccounts": _names(_pick(entry, "denied_accounts", "accounts.deny")),
            "AllowQos": _names(_pick(entry, "allowed_qos", "qos.allowed")) or "ALL",
            "DenyQos": _names(_pick(entry, "denied_qos", "qos.deny")),
        }
        if "default" in [str(flag).lower() for flag in listed(_pick(entry, "flags", "partition.flags"))]:
            record["Default"] = "YES"
        found.append(record)
    return found


def groups(answer):
    """Groups of nodes (list of dict) with the keys of sinfo.parse that cluster.partition reads: one per node."""
    found = []
    for entry in answer.get("nodes") or []:
        words = [word.lower() for word in listed(entry.get("state"))]
        flags = words[1:] + [str(flag).lower() for flag in entry.get("state_flags") or []]
        state = "draining" if "drain" in flags and words[0] != "idle" else "drained" if "drain" in flags else words[0]
        total, allocated = number(entry.get("cpus")) or 0, number(entry.get("alloc_cpus")) or 0
        idle = total - allocated if words[0] in ("idle", "mixed", "allocated") and "drain" not in flags else 0
        gpu_count, gpu_types = sinfo.gpus(entry.get("gres"))
        memory_mib = number(entry.get("real_memory"))
        for partition in entry.get("partitions") or []:
            found.append(
                {
                    "partition": partition,
                    "node_count": 1,
                    "nodes": [entry["name"]],
                    "state": state,
                    "cpus_per_node": total,
                    "memory_bytes": None if memory_mib is None else memory_mib * 1024**2,
                    "gres": table.value(entry.get("gres")),
                    "gpus_per_node": gpu_count,
                    "gpu_types": gpu_types,
                    "features": listed(entry.get("features")),
                    "cpus": {
                        "allocated": allocated,
                        "idle": idle,
                        "other": total - allocated - idle,
                        "total": total,
                    },
                }
            )
    return found


# DENY_LIMIT is DenyOnLimit to sacctmgr.
_FLAGS = {"DENY_LIMIT": "DenyOnLimit"}


def _seconds(value):
    minutes = number(value)
    return None if minutes is None else minutes * 60


def qos(answer):
    """QOS (list of dict) as sacctmgr.parse_qos gives them."""
    return [
        {
            "name": entry["name"],
            "priority": number(entry.get("priority")),
            "max_time_s": _seconds(_pick(entry, "limits.max.wall_clock.per.job")),
            "max_tres_per_job": amounts(_pick(entry, "limits.max.tres.per.job")),
            "max_tres_per_user": amounts(_pick(entry, "limits.max.tres.per.user")),
            "max_tres": amounts(_pick(entry, "limits.max.tres.total")),
            "max_jobs_per_user": number(_pick(entry, "limits.max.jobs.active_jobs.per.user")),
            "max_submit_jobs_per_user": number(_pick(entry, "limits.max.jobs.per.user")),
            "flags": [_FLAGS.get(flag, flag) for flag in listed(entry.get("flags"))],
        }
        for entry in answer.get("qos") or answer.get("QOS") or []
    ]


def associations(answer, cluster=None):
    """Associations (list of dict) of one cluster (all without a name) as sacctmgr.parse_associations gives them."""
    return [
        {
            "cluster": entry["cluster"],
            "account": entry["account"],
            "user": entry["user"],
            "partition": entry.get("partition") or None,
            "qos": sorted(listed(entry.get("qos"))),
            "default_qos": _pick(entry, "default.qos") or None,
            "max_jobs": number(_pick(entry, "max.jobs.active")),
            "max_submit_jobs": number(_pick(entry, "max.jobs.total")),
            "max_time_s": _seconds(_pick(entry, "max.jobs.per.wall_clock")),
            "max_tres_per_job": amounts(_pick(entry, "max.tres.per.job")),
        }
        for entry in answer.get("associations") or []
        if cluster in (None, entry["cluster"])
    ]


def user(answer, name, found):
    """The user (dict) as sacctmgr.parse_user gives it, or None. found: its associations, which name the default."""
    for entry in answer.get("users") or []:
        if entry.get("name") == name:
            level = "".join(listed(entry.get("administrator_level"))[:1])
            default = _pick(entry, "default.account") or next((each["account"] for each in found), None)
            return {"name": name, "default_account": default, "admin_level": level or "None"}
    return None
