# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a recipe's fields must be together: the checks that one field alone can't fail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .cases import START_S, cases_of, measured_s
from .document import FieldPath
from .layout import check_layout
from .load_checks import Finding, check_load
from .load_schema import Benchmarks
from .roles import ServiceType
from .schema import Client, JobOptions, RecipeModel
from .units import format_clock, format_duration
from .workloads import Workload

_LITERAL_PORT = re.compile(r"\$(?:SERVICE_HOSTNAME|\{SERVICE_HOSTNAME\}):(\d{1,5})(?!\d)")
# Options of a job of the clients' own: with `placement: shared` there is no such job.
_OWN_JOB = ("partition", "account", "qos", "time_limit", "nodes", "num_gpus", "gpus_per_node", "memory", "constraint",
            "exclude_nodes")  # fmt: skip

# What the time under load depends on.
_MEASURED_BY = ("duration", "warmup", "cooldown", "repetitions", "rate", "concurrency", "sweep", "search")


def literal_ports(client: Client) -> list[int]:
    """Ports that the client's command names after the service's host, in their order."""
    found = [int(port) for port in _LITERAL_PORT.findall(client.command or "")]
    return list(dict.fromkeys(port for port in found if 1 <= port <= 65535))


def check_together(
    model: RecipeModel, kind: ServiceType | None, workload: Workload | None, settings: Mapping[str, Any] | None
) -> Iterator[Finding]:
    """Every mistake of fields that are right each by itself.

    ``kind`` and ``workload``: None where unknown; ``settings``: the workload's, None where they are wrong.
    """
    if kind is not None:
        yield from _required(model, kind)
    if workload is not None:
        yield from _command(model.client, workload.name)
    yield from _port(model)
    yield from _health(model)
    yield from _secrets("service", model.service)
    yield from _secrets("client", model.client)
    for name, job in (("service", model.service), ("client", model.client)):
        yield from _gpus(name, job)
    yield from check_layout(model.service, kind, workload.name if workload else None)
    yield from check_load(model, workload, settings)
    yield from _nodes(model)
    yield from _placement(model)
    yield from _time_limits(model)


def _required(model: RecipeModel, kind: ServiceType) -> Iterator[Finding]:
    for key, example in (("image", "'nginx:1.27-alpine'"), ("command", "'nginx -g \"daemon off;\"'")):
        if getattr(model.service, key) is None and not kind.definition.get(key):
            message = f"is required for the service type {kind.name}"
            remedy = f"add it, such as {key}: {example}, or name a type that knows it"
            yield Finding((("service", key), ("service", "type")), message, remedy)


def _command(client: Client, workload: str) -> Iterator[Finding]:
    command = ("client", "command")
    if workload == "command" and client.command is None:
        remedy = "add the command that each client runs; $SERVICE_HOSTNAME and $SERVICE_PORT are set for it"
        yield Finding(
            (command, ("client", "type"), ("service", "type")), "is required for the workload command", remedy
        )
    if workload != "command" and client.command is not None:
        remedy = "remove the command, or set client.type to 'command'"
        yield Finding((command, ("client", "type")), f"the workload {workload} has no command", remedy)
    if client.parser is not None and client.command is None:
        remedy = "add the command that runs the tool, or remove the parser"
        yield Finding((("client", "parser"), command), "reads the results of a command, and there is none", remedy)


def _port(model: RecipeModel) -> Iterator[Finding]:
    named = literal_ports(model.client)
    if model.service.port is not None and named and model.service.port not in named:
        message = f"the client's command asks port {named[0]}, the service listens on {model.service.port}"
        remedy = "write $SERVICE_HOSTNAME:$SERVICE_PORT in the command, or give the same port twice"
        yield Finding((("service", "port"), ("client", "command")), message, remedy)


def _health(model: RecipeModel) -> Iterator[Finding]:
    health = model.service.health
    here = ("service", "health")
    if health is None or health.type is None:
        return
    for key, owner in (("path", "http"), ("status", "http"), ("body", "http"), ("command", "command")):
        if getattr(health, key) is not None and health.type != owner:
            message = f"belongs to health checks of type {owner}, not {health.type}"
            yield Finding(((*here, key), here), message, f"remove it, or set type: {owner}")
    if health.type == "command" and health.command is None:
        yield Finding((here,), "a health check of type command needs a command", "add service.health.command")


def _secrets(section: str, job: JobOptions) -> Iterator[Finding]:
    for name, secret in job.secrets.items():
        here = (section, "secrets", name)
        if len(secret.model_dump(exclude_none=True)) != 1:
            message = "needs one of env, file and variable"
            yield Finding((here,), message, f"write {name}: {{env: {name}}} to take it from the environment")
        if name in job.env:
            yield Finding((here, (section, "env", name)), f"{name} is in env, too", "keep one of the two")


def _gpus(name: str, job: JobOptions) -> Iterator[Finding]:
    total, each, nodes = job.num_gpus, job.gpus_per_node, job.nodes
    paths = tuple((name, key) for key in ("num_gpus", "gpus_per_node", "nodes"))
    if total is not None and each is not None and total != each * nodes:
        message = f"{total} GPUs are not {each} on each of {nodes} node{'s'[: nodes > 1]}"
        yield Finding(paths, message, "give only one of num_gpus (of the whole job) and gpus_per_node")
    elif total is not None and total % nodes:
        message = f"{total} GPUs can't be spread evenly over {nodes} nodes"
        yield Finding(paths, message, f"take {(total // nodes + 1) * nodes}, or change {name}.nodes")


def _nodes(model: RecipeModel) -> Iterator[Finding]:
    clients, nodes = model.benchmarks.num_clients, model.client.nodes
    if nodes > clients:
        message = f"{clients} client{'s'[: clients > 1]} can't use {nodes} nodes"
        paths = (("client", "nodes"), ("benchmarks", "num_clients"), ("client", "placement"))
        yield Finding(paths, message, f"set client.nodes to at most {clients}, or raise benchmarks.num_clients")


def _placement(model: RecipeModel) -> Iterator[Finding]:
    if model.client.placement != "shared":
        return
    for key in _OWN_JOB:
        mine, services = getattr(model.client, key), getattr(model.service, key)
        if key in model.client.model_fields_set and mine != services:
            message = "has no meaning with placement shared: the clients run in the service's job"
            remedy = f"remove it (service.{key} counts), or set client.placement to 'separate'"
            yield Finding((("client", key), ("client", "placement"), ("service", key)), message, remedy)


def _time_limits(model: RecipeModel) -> Iterator[Finding]:
    measured = measured_s(model.benchmarks)
    if measured is None:
        return
    load: tuple[FieldPath, ...] = tuple(("benchmarks", key) for key in _MEASURED_BY)
    for name, job in (("service", model.service), ("client", model.client)):
        if job.time_limit is None or job.time_limit >= measured + START_S:
            continue
        needed = format_clock(-(-(measured + START_S) // 60) * 60)
        message = (
            f"{format_clock(job.time_limit)} is too short: {_measurements(model.benchmarks)}"
            f" and {START_S:.0f}s to start need {needed}"
        )
        yield Finding(((name, "time_limit"), *load), message, f"set time_limit to '{needed}' or more, or measure less")


def _measurements(bench: Benchmarks) -> str:
    """What makes up the time under load: ``2 case(s) x 3 repetition(s) x (1m warm-up + 10m)``."""
    each = f"({format_duration(bench.warmup)} warm-up + {format_duration(bench.duration or 0)}"
    each += f" + {format_duration(bench.cooldown)} cool-down)" if bench.cooldown else ")"
    if bench.search is not None:
        return f"{bench.search.max_trials} trial(s) x {each}"
    return f"{len(cases_of(bench))} case(s) x {bench.repetitions} repetition(s) x {each}"
