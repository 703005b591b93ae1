# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between runs besides their numbers: recipe, load, service, machine, and the collection itself. Pure.

A comparison answers one question only where everything but one thing is equal. What is under test is the service;
what else differs is warned of, unless the user says that it is varied on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.nested import differences
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import asked_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance.differences import of_provenance

SERVICE, LOAD, MACHINE, INSTRUMENT, OTHER = "service", "load", "machine", "instrument", "other"
KINDS = (SERVICE, LOAD, MACHINE, INSTRUMENT)
WHAT = {
    SERVICE: "what is benchmarked",
    LOAD: "the load that it was under",
    MACHINE: "the cluster and its nodes",
    INSTRUMENT: "the collection that measured",
    OTHER: "of no consequence by itself",
}
_GIB = 2**30
# The kind of a field by the beginning of its name, the longest that fits; what is not named here is OTHER.
_KINDS = {
    "plan.service": SERVICE,
    "plan.companions": SERVICE,
    "provenance.images": SERVICE,
    "provenance.models": SERVICE,
    "plan.clients": LOAD,
    "plan.benchmarks": LOAD,
    "plan.benchmarks.repetitions": OTHER,
    "plan.benchmarks.metrics": OTHER,
    "plan.inputs": LOAD,
    "plan.cluster": MACHINE,
    "plan.cluster.account": OTHER,
    "plan.cluster.qos": OTHER,
    "plan.cluster.scratch": OTHER,
    "plan.cluster.image_cache": OTHER,
    "plan.cluster.prices": OTHER,
    "plan.cluster.budget": OTHER,
    "plan.cluster.image_partition": OTHER,
    "plan.cluster.queue_deadline_s": OTHER,
    "plan.service.job": MACHINE,
    "plan.clients.job": MACHINE,
    "provenance.cluster": MACHINE,
    "provenance.modules": MACHINE,
    "provenance.nodes": MACHINE,
    "provenance.collection": INSTRUMENT,
    "provenance.collection.commit": OTHER,
    "provenance.collection.changed_files": OTHER,
    "provenance.collection.changes_sha256": OTHER,
}
_JOB_OTHER = ("name", "account", "qos", "time_limit_s")
# Variables of a job's environment that change how fast programs are.
_TUNING = ("OMP_", "GOMP_", "MKL_", "OPENBLAS_", "CUDA_", "NCCL_", "UCX_", "LD_", "MALLOC_", "PYTHON")


def facts(plan: dict[str, Any], provenance: dict[str, Any]) -> dict[str, Any]:
    """What of a run may differ from another's: its `plan` and its `provenance`, without ids, times and paths."""
    known = {key: value for key, value in provenance.items() if key != "plan_sha256"}
    for key, left_out in (("recipe", ("path",)), ("images", ("path", "bytes"))):
        if key in known:
            known[key] = _without(known[key], left_out)
    nodes = provenance.get("nodes") or {}
    known["nodes"] = {name: _rounded(node) for name, node in nodes.items()}
    return {"plan": asked_of(plan) if plan else {}, "provenance": known}


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return {key: item for key, item in value.items() if key not in names} if isinstance(value, dict) else value


def _rounded(node: dict[str, Any]) -> dict[str, Any]:
    """Nodes of one kind differ by some KiB in the memory that Linux tells."""
    memory = node.get("memory_bytes")
    rounded = {"memory_bytes": f"{round(memory / _GIB)} GiB"} if isinstance(memory, (int, float)) else {}
    return {**node, **rounded}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def kind_of(name: str) -> str:
    """The kind of a field, by its dotted name."""
    first, _dot, last = name.rpartition(".")
    if ".job." in name and last in _JOB_OTHER:
        return OTHER
    if first.startswith("provenance.environment."):
        return MACHINE if last.startswith(_TUNING) else OTHER
    parts = name.replace("[", ".").split(".")
    for length in range(len(parts), 0, -1):
        kind = _KINDS.get(".".join(parts[:length]))
        if kind is not None:
            return kind
    return OTHER


def between(
    reference: dict[str, Any], other: dict[str, Any], varied: Collection[str] = (SERVICE,)
) -> list[dict[str, Any]]:
    """What differs between two runs' facts: `what`, `kind`, `reference`, `other` (None: not known), `is_warning`.

    Warnings first. `varied`: kinds that differ on purpose. What only one run knows is no warning, unless the plans are
    of one release, which knows everything that it asked for.
    """
    versions = [(each["provenance"].get("collection") or {}).get("version") for each in (reference, other)]
    asked = differences(reference["plan"], other["plan"])
    seen = of_provenance(reference["provenance"], other["provenance"])
    found = []
    for origin, each in (*(("plan", each) for each in asked), *(("provenance", each) for each in seen)):
        kind = kind_of(f"{origin}.{each.field}")
        is_known = (origin == "plan" and versions[0] == versions[1]) or None not in (each.before, each.after)
        found.append(
            {
                "what": each.field,
                "kind": kind,
                "reference": _text(each.before),
                "other": _text(each.after),
                "is_warning": is_known and kind != OTHER and kind not in varied,
            }
        )
    order = [*KINDS, OTHER]
    return sorted(found, key=lambda each: (not each["is_warning"], order.index(each["kind"])))
