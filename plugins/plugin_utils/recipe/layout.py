# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replicas and nodes of a service: how its members are laid out, and what can't be."""

from __future__ import annotations

from collections.abc import Iterator

from .load_checks import Finding
from .roles import ServiceType
from .schema import JobOptions, Service

# Workloads whose data lies in one service, so that several would have to be one in truth.
_ONE_SERVICE = ("vector",)
MULTI_NODE = ("head", "peers")


def gpus_per_node(job: JobOptions) -> int:
    """GPUs on each node of a job, however the recipe says it."""
    return job.gpus_per_node if job.gpus_per_node is not None else (job.num_gpus or 0) // job.nodes


def layout_of(service: Service) -> dict[str, int]:
    """The plan's ``service.layout`` of a service that ``check_layout`` has no objection to."""
    per_node = max(1, service.replicas // service.nodes)
    return {
        "replicas": service.replicas,
        "nodes_per_replica": max(1, service.nodes // service.replicas),
        "replicas_per_node": per_node,
        "gpus": gpus_per_node(service) // per_node,
    }


def check_layout(service: Service, kind: ServiceType | None, workload: str | None) -> Iterator[Finding]:
    """What is wrong with replicas, nodes and GPUs together. ``kind`` and ``workload``: None where unknown."""
    nodes, replicas = service.nodes, service.replicas
    paths = (("service", "replicas"), ("service", "nodes"))
    if nodes % replicas and replicas % nodes:
        message = f"{replicas} replicas can't be spread evenly over {nodes} nodes"
        yield Finding(paths, message, f"set replicas to {nodes} or a multiple of it, or change service.nodes")
        return
    if nodes > replicas and kind is not None and not _spans_nodes(service, kind):
        name = f"one {service.name or kind.name}" if replicas == 1 else f"each of {replicas} replicas"
        message = f"{name} would have {nodes // replicas} nodes, and the service type {kind.name} uses one"
        yield Finding(paths[::-1], message, _remedy(nodes, replicas, kind))
    gpus, per_node = gpus_per_node(service), max(1, replicas // nodes)
    if gpus % per_node:
        message = f"{gpus} GPUs of a node can't be shared evenly by {per_node} replicas"
        where = ("service", "gpus_per_node" if service.gpus_per_node is not None else "num_gpus")
        yield Finding(
            (where, *paths), message, f"take {-(-gpus // per_node) * per_node} GPUs a node, or other replicas"
        )
    if replicas > 1 and workload in _ONE_SERVICE:
        message = f"the workload {workload} has its data in one service, not in {replicas}"
        yield Finding((paths[0], ("client", "type")), message, "remove replicas")


def _spans_nodes(service: Service, kind: ServiceType) -> bool:
    """Whether one service of this type may have several nodes: the type says so, or has the recipe say it."""
    asked = service.settings.get("multi_node") if "multi_node" in kind.options else None
    return (asked or kind.definition.get("multi_node")) in MULTI_NODE


def _remedy(nodes: int, replicas: int, kind: ServiceType) -> str:
    told = f", or say in service.settings.multi_node ({' or '.join(MULTI_NODE)}) how they work together"
    more = told if "multi_node" in kind.options else ""
    return f"set service.replicas to {nodes}, one on each node, or service.nodes to {replicas}{more}"
