# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does a plan fit this cluster? Every mistake at once, each with what would be allowed. No I/O."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import estimate
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.plan_parts import parts_of


def problems(plan: dict[str, Any], facts: dict[str, Any]) -> list[str]:
    """Sentences (one per mistake) about what this cluster would refuse; empty when the plan fits.

    `facts`: `partitions` (see module_utils.slurm.cluster.partition), and where accounting tells, `associations` and
    `may`; `missing_images` (`field`, `asked`, `needs`: the path); `missing_inputs` (pairs of field and path);
    `scratch_error` (text or None).
    """
    found = []
    for part in parts_of(plan):
        found += [f"{part.section}.{text}" for text in _job_problems(part.plan["job"], facts)]
    found += estimate.problems(plan)
    found += [_missing_image(image, plan["cluster"]["name"]) for image in facts.get("missing_images", [])]
    found += [
        f"{field} {path}: no such file on {plan['cluster']['name']}" for field, path in facts.get("missing_inputs", [])
    ]
    if facts.get("scratch_error"):
        found.append(f"benchmark_scratch {plan['cluster']['scratch']}: {facts['scratch_error']}")
    return found


def _missing_image(image: dict[str, Any], cluster: str) -> str:
    """`service.image /x.sif: no such file …`, or that the inventory names that path in the image's place."""
    if image["needs"] in image["asked"]:
        return f"{image['field']} {image['asked']}: no such file on {cluster}; correct the path, or copy it there"
    return (
        f"{image['field']} {image['asked']}: benchmark_images has {image['needs']} for it, and there is no such file "
        f"on {cluster}; correct the inventory, or copy it there"
    )


def _job_problems(job: dict[str, Any], facts: dict[str, Any]) -> Iterator[str]:
    partition = _partition(job, facts["partitions"])
    if partition is None:
        names = [entry["name"] for entry in facts["partitions"]]
        yield f"partition: '{job['partition']}' is no partition here{_instead(job['partition'], names)}"
        return
    if not partition["up"]:
        yield f"partition: '{partition['name']}' takes no jobs now"
    yield from _size_problems(job, partition)
    if facts.get("associations"):
        yield from _account_problems(job, partition, facts)
    elif partition["max_time_s"] and job["time_limit_s"] > partition["max_time_s"]:
        yield _too_long(job, f"partition '{partition['name']}'", partition["max_time_s"])


def _partition(job: dict[str, Any], partitions: list[dict[str, Any]]) -> dict[str, Any] | None:
    if job["partition"]:
        return next((entry for entry in partitions if entry["name"] == job["partition"]), None)
    return next((entry for entry in partitions if entry["default"]), partitions[0] if partitions else None)


def _size_problems(job: dict[str, Any], partition: dict[str, Any]) -> Iterator[str]:
    name = f"partition '{partition['name']}'"
    if job["gpus_per_node"] > partition["gpus_per_node"]:
        has = f"has {partition['gpus_per_node']} GPUs a node" if partition["gpus_per_node"] else "has no GPUs"
        yield f"num_gpus: {job['gpus_per_node']} GPUs a node asked for, {name} {has}"
    nodes = partition["max_nodes"] or partition["node_count"]
    if nodes and job["nodes"] > nodes:
        yield f"nodes: {job['nodes']} asked for, {name} gives at most {nodes}"
    tasks_per_node = -(-job["ntasks"] // job["nodes"])
    cpus = tasks_per_node * (job["cpus_per_task"] or 1)
    if partition["cpus_per_node"] and cpus > partition["cpus_per_node"]:
        enough = -(-cpus * job["nodes"] // partition["cpus_per_node"])
        yield (
            f"nodes: {tasks_per_node} tasks a node need {cpus} CPUs, a node of {name} has "
            f"{partition['cpus_per_node']}; ask for at least {enough} nodes"
        )
    memory = job["memory_bytes"]
    if memory and partition["memory_per_node_bytes"] and memory > partition["memory_per_node_bytes"]:
        yield (
            f"memory: {memory / 2**30:.0f} GiB asked for, a node of {name} has "
            f"{partition['memory_per_node_bytes'] / 2**30:.0f} GiB"
        )


def _account_problems(job: dict[str, Any], partition: dict[str, Any], facts: dict[str, Any]) -> Iterator[str]:
    accounts = sorted({entry["account"] for entry in facts["associations"]})
    if job["account"] and job["account"] not in accounts:
        yield f"account: '{job['account']}' is none of yours here{_instead(job['account'], accounts)}"
        return
    may = [
        entry
        for entry in facts["may"]
        if entry["partition"] == partition["name"] and job["account"] in (None, entry["account"])
    ]
    if not may:
        open_to = sorted({entry["partition"] for entry in facts["may"]})
        yield f"partition: account '{job['account']}' may not use '{partition['name']}'{_instead('', open_to)}"
        return
    qos = {entry["name"]: entry for place in may for entry in place["qos"]}
    wanted = job["qos"] or may[0]["default_qos"]
    if wanted and wanted not in qos:
        yield f"qos: '{wanted}' is not yours with account '{job['account']}'{_instead(wanted, sorted(qos))}"
        return
    limits = qos.get(wanted or "", {})
    if limits.get("max_time_s") and job["time_limit_s"] > limits["max_time_s"]:
        longer = [
            f"'{n}' {duration.from_seconds(q['max_time_s'])}" for n, q in qos.items() if _fits(q, job["time_limit_s"])
        ]
        yield _too_long(job, f"QOS '{wanted}'", limits["max_time_s"]) + (
            f", or QOS {', '.join(longer)}" if longer else ""
        )
    if limits.get("max_nodes") and job["nodes"] > limits["max_nodes"]:
        yield f"nodes: {job['nodes']} asked for, QOS '{wanted}' gives at most {limits['max_nodes']}"


def _fits(qos: dict[str, Any], time_limit_s: int) -> bool:
    return bool(qos["max_time_s"]) and qos["max_time_s"] >= time_limit_s


def _too_long(job: dict[str, Any], whose: str, max_time_s: int) -> str:
    asked, most = duration.from_seconds(job["time_limit_s"]), duration.from_seconds(max_time_s)
    return f"time_limit: {asked} is longer than {whose} allows; use at most {most}"


def _instead(wrong: str | None, allowed: Iterable[str]) -> str:
    allowed = list(allowed)
    near = difflib.get_close_matches(str(wrong), allowed, n=1)
    return (f"; did you mean '{near[0]}'?" if near else ";") + f" allowed: {', '.join(allowed) or 'none'}"
