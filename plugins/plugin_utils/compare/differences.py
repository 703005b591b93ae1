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
    "provenance.nodes.names": OTHER,
    "provenance.collection": INSTRUMENT,
    "provenance.collection.commit": OTHER,
    "provenance.collection.changed_files": OTHER,
    "provenance.collection.changes_sha256": OTHER,
}
_JOB_OTHER = ("name", "account", "qos", "time_limit_s")
# Of one run alone; what follows from other fields; why something is not known.
_OF_ONE_RUN = ("nodes", "plan_sha256", "schema", "run", "rerun_of", "jobs", "clocks", "missing")
_OF_ONE_NODE = ("boot_id", "roles", "missing")
_PLAN = ("service", "companions", "clients", "benchmarks", "inputs", "cluster")


def facts(plan: dict[str, Any], provenance: dict[str, Any]) -> dict[str, str]:
    """Everything that may differ between two runs: dotted name → text. Ids, times and places of files are left out."""
    text = json.dumps({key: plan[key] for key in _PLAN if key in plan})
    asked = json.loads(text.replace(str(plan.get("run_id")), "RUN_ID"))
    for given in (asked.get("inputs") or {}).values():
        given.pop("source", None)
    known = {key: _without_reasons(value) for key, value in provenance.items() if key not in _OF_ONE_RUN}
    known["recipe"] = {key: value for key, value in (known.get("recipe") or {}).items() if key != "path"}
    known["images"] = [_image(image) for image in known.get("images") or []]
    known["nodes"] = _nodes(provenance.get("nodes") or {})
    return _flat({"plan": asked, "provenance": known})


def _image(image: dict[str, Any]) -> dict[str, Any]:
    """What an image is; its path in the cache and its size follow from that."""
    return {key: value for key, value in image.items() if key not in ("path", "bytes")}


def _without_reasons(value: Any) -> Any:
    """A part of provenance.json without the reasons for what is null in it."""
    if isinstance(value, list):
        return [_without_reasons(item) for item in value]
    return {key: item for key, item in value.items() if key != "missing"} if isinstance(value, dict) else value


def _nodes(nodes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Of each fact the values of all nodes: jobs seldom get the same nodes again, but the same kind of them."""
    found: dict[str, set[str]] = {"names": set(nodes)} if nodes else {}
    for described in nodes.values():
        for key, value in described.items():
            if key == "memory_bytes" and isinstance(value, (int, float)):
                key, value = "memory", f"{round(value / _GIB)} GiB"  # noqa: PLW2901
            if key == "gpus" and isinstance(value, list):
                value = [{name: gpu[name] for name in gpu if name != "uuid"} for gpu in value]  # noqa: PLW2901
            if key not in _OF_ONE_NODE and value is not None:
                text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
                found.setdefault(key, set()).add(text)
    return {key: ", ".join(sorted(values)) for key, values in found.items()}


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        parts = ((str(number), item) for number, item in enumerate(value))
    else:
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return {} if value is None or value == [] else {prefix: text}
    found: dict[str, str] = {}
    for key, item in parts:
        found |= _flat(item, f"{prefix}.{key}" if prefix else str(key))
    return found


def kind_of(name: str) -> str:
    """The kind of a field, by its dotted name."""
    if ".job." in name and name.rpartition(".")[2] in _JOB_OTHER:
        return OTHER
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        kind = _KINDS.get(".".join(parts[:length]))
        if kind is not None:
            return kind
    return OTHER


def between(
    reference: dict[str, str], other: dict[str, str], varied: Collection[str] = (SERVICE,)
) -> list[dict[str, Any]]:
    """What differs between two runs' facts: `what`, `kind`, `reference`, `other` (None: not known), `is_warning`.

    Warnings first. `varied`: kinds that differ on purpose. What only one run knows is no warning, unless the plans are
    of one release, which knows everything that it asked for.
    """
    version = "provenance.collection.version"
    is_one_release, found = reference.get(version) == other.get(version), []
    for name in dict.fromkeys([*reference, *other]):
        first, second = reference.get(name), other.get(name)
        if first != second:
            kind = kind_of(name)
            is_known = (is_one_release and name.startswith("plan.")) or None not in (first, second)
            found.append(
                {
                    "what": name.partition(".")[2],
                    "kind": kind,
                    "reference": first,
                    "other": second,
                    "is_warning": is_known and kind != OTHER and kind not in varied,
                }
            )
    order = [*KINDS, OTHER]
    return sorted(found, key=lambda each: (not each["is_warning"], order.index(each["kind"])))
