# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster offers and what one user may do on it. No I/O of its own."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    duration,
    errors,
    states,
    table,
)

_LIMITS = (
    ("max_array_size", "MaxArraySize"),
    ("max_job_count", "MaxJobCount"),
    ("min_job_age_s", "MinJobAge"),
    ("message_timeout_s", "MessageTimeout"),
    ("kill_wait_s", "KillWait"),
)


def limits(config):
    """The controller's limits (dict of int) and whether it refuses jobs beyond a partition's limits at once (bool)."""
    found = {}
    for name, key in _LIMITS:
        found[name] = table.integer(config.get(key, "").split(" ")[0])
    found["enforce_partition_limits"] = config.get("EnforcePartLimits", "NO") in ("ALL", "ANY", "YES")
    return found


def gathering(config):
    """What the cluster gathers of jobs (dict of str): usage, energy, frequency; None where Slurm was not asked by name.

    usage and energy are the plugins without their prefix (`linux`, `cgroup`; `rapl`, `ipmi`), `none` without one.
    slurmrestd tells nothing of it.
    """
    if "JobAcctGatherType" not in config:
        return None
    return {
        "usage": _plugin(config["JobAcctGatherType"]),
        "energy": _plugin(config.get("AcctGatherEnergyType")),
        "frequency": table.value(config.get("JobAcctGatherFrequency")) or "none",
    }


def _plugin(text):
    """`linux` of `jobacct_gather/linux`; of several, which commas separate, each; `none` for nothing."""
    names = [word.strip().rpartition("/")[2] for word in (table.value(text) or "none").split(",")]
    return ",".join(name for name in names if name) or "none"


def _allowed(record, what):
    """(list of names that are admitted or None for all, list of names that are not)."""
    admitted = record.get("Allow" + what, "ALL")
    denied = record.get("Deny" + what, "")
    split = [word for word in admitted.split(",") if word]
    return None if admitted in ("ALL", "(null)", "N/A", "") else split, [word for word in denied.split(",") if word]


def partition(record, groups):
    """A partition (dict) out of its record of scontrol and its groups of nodes of sinfo (list of dict)."""
    accounts, denied_accounts = _allowed(record, "Accounts")
    qos, denied_qos = _allowed(record, "Qos")
    state_counts, nodes, features, gpu_types, cpus = {}, [], [], [], {}
    for group in groups:
        state_counts[group["state"]] = state_counts.get(group["state"], 0) + group["node_count"]
        nodes += [node for node in group["nodes"] if node not in nodes]
        features += [word for word in group["features"] if word not in features]
        gpu_types += [word for word in group["gpu_types"] if word not in gpu_types]
        for name, count in group["cpus"].items():
            cpus[name] = cpus.get(name, 0) + count
    return {
        "name": record["PartitionName"],
        "default": record.get("Default") == "YES",
        "up": record.get("State") == "UP",
        "max_time_s": duration.to_seconds(record.get("MaxTime")),
        "default_time_s": duration.to_seconds(record.get("DefaultTime")),
        "max_nodes": table.integer(record.get("MaxNodes")),
        "min_nodes": table.integer(record.get("MinNodes")),
        "node_count": table.integer(record.get("TotalNodes")),
        "nodes": nodes,
        "node_states": state_counts,
        "cpus": cpus,
        "cpus_per_node": max([group["cpus_per_node"] or 0 for group in groups] or [0]),
        "memory_per_node_bytes": max([group["memory_bytes"] or 0 for group in groups] or [0]),
        "gpus_per_node": max([group["gpus_per_node"] for group in groups] or [0]),
        "gpu_types": gpu_types,
        "gres": next((group["gres"] for group in groups if group["gres"]), None),
        "features": features,
        "qos": table.value(record.get("QoS")),
        "exclusive": record.get("OverSubscribe") == "EXCLUSIVE",
        "admitted_accounts": accounts,
        "denied_accounts": denied_accounts,
        "admitted_qos": qos,
        "denied_qos": denied_qos,
    }


def _admits(name, admitted, denied):
    return name not in denied and (admitted is None or name in admitted)


def _shortest(*times_s):
    told = [time_s for time_s in times_s if time_s is not None]
    return min(told) if told else None


def may(partitions, associations, qos_list):
    """What the user of the associations may do: list of dict partition, account, qos (list of dict name, max_time_s,
    max_nodes, max_jobs: int or None), default_qos. Only partitions that are up.
    """
    qos_by_name = {qos["name"]: qos for qos in qos_list}
    found = []
    for part in partitions:
        for association in associations:
            named = association["partition"] in (None, part["name"])
            account = association["account"]
            if not (part["up"] and named and _admits(account, part["admitted_accounts"], part["denied_accounts"])):
                continue
            usable = []
            for name in association["qos"]:
                if not _admits(name, part["admitted_qos"], part["denied_qos"]):
                    continue
                qos = qos_by_name.get(name, {})
                times_s = (part["max_time_s"], qos.get("max_time_s"), association["max_time_s"])
                nodes = (part["max_nodes"], qos.get("max_tres_per_job", {}).get("node"), part["node_count"])
                jobs = (qos.get("max_jobs_per_user"), association["max_jobs"])
                usable.append(
                    {
                        "name": name,
                        "max_time_s": _shortest(*times_s),
                        "max_nodes": _shortest(*nodes),
                        "max_jobs": _shortest(*jobs),
                    }
                )
            entry = {"partition": part["name"], "account": account, "qos": usable}
            found.append(dict(entry, default_qos=association["default_qos"]))
    return found


def queue(jobs, user):
    """The queue (dict) out of all rows (list of Job) of slurmctld: `partitions` and the jobs of a user, `own`.

    A job that may start in several partitions counts in each while it waits.
    """
    counts = {}
    living = [job for job in jobs if job.phase != states.FINISHED]
    for job in living:
        waits = job.phase in (states.PENDING, states.HELD)
        for name in str(job.partition or "").split(","):
            found = counts.setdefault(name, {"partition": name, "running": 0, "waiting": 0, "reasons": {}})
            found["waiting" if waits else "running"] += 1
            if waits and job.reason:
                found["reasons"][job.reason] = found["reasons"].get(job.reason, 0) + 1
    own = [job.to_dict() for job in living if job.user == user]
    return {"partitions": [counts[name] for name in sorted(counts)], "own": own}


def gather(client, user, deadline_s=0):
    """Facts of a cluster (dict) for a user (str): seven questions through a SlurmClient. See the module
    slurm_cluster_info for the keys; `warnings` (list of str) says what could not be found out.

    Raises SlurmError when slurmctld does not answer within deadline_s.
    """
    slurm = client.slurm
    config = client.patiently(slurm.config, deadline_s)
    records, groups, pings = slurm.partitions(), slurm.groups(), slurm.pings()
    partitions = [
        partition(record, [group for group in groups if group["partition"] == record["PartitionName"]])
        for record in records
        if "PartitionName" in record
    ]
    facts = {
        "cluster": config.get("ClusterName"),
        "version": config.get("SLURM_VERSION"),
        "controllers": pings,
        "limits": limits(config),
        "gathering": gathering(config),
        "partitions": partitions,
        "warnings": [],
    }
    facts["accounting"] = config.get("AccountingStorageType", "").endswith("/slurmdbd")
    facts["accounting_enforced"] = [
        word for word in config.get("AccountingStorageEnforce", "").split(",") if word and word != "none"
    ]
    if not facts["accounting"]:
        facts["warnings"].append("this cluster keeps no accounting: QOS, accounts and their limits are not known")
        return facts
    try:
        facts["qos"] = slurm.qos()
        facts["associations"] = slurm.associations(user, facts["cluster"])
        facts["user"] = slurm.user(user, facts["associations"])
    except errors.SlurmError as error:
        if error.kind not in (errors.ACCOUNTING_OFF, errors.ACCOUNTING_UNREACHABLE, errors.UNREACHABLE):
            raise
        facts["warnings"].append("accounting does not answer: {0}".format(error))
        return facts
    facts["may"] = may(partitions, facts["associations"], facts["qos"])
    if not facts["associations"]:
        facts["warnings"].append("accounting knows no account of the user {0} on {1}".format(user, facts["cluster"]))
    return facts
