# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a run: a recipe on one cluster, as docs/interfaces.md describes it. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol

from .cases import time_limit_of
from .companions import Companion
from .errors import Problem, RecipeError, describe
from .images import ImageMistake, normalise_image, on_cluster, substitute_image
from .layout import gpus_per_node, layout_of
from .load import Recipe, slug_of
from .load_plan import benchmarks_plan, client_settings
from .models import ValidationError
from .plan_models import ClusterVariables, Plan
from .schema import Benchmarks, Client, JobOptions, Service
from .units import UnitError


class _Random(Protocol):
    def getrandbits(self, k: int, /) -> int:
        """A non-negative number of ``k`` random bits, as ``random.Random`` gives it."""


def new_run_id(slug: str, now: float, random: _Random) -> str:
    """``YYYYMMDD-HHMMSS-SLUG-XXXX``, in UTC. ``now`` is epoch seconds, ``slug`` any text (the service's name)."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{stamp}-{slug_of(slug)}-{random.getrandbits(16):04x}"


def resolve(
    recipe: Recipe,
    cluster_name: str,
    cluster_vars: Mapping[str, Any],
    *,
    run_id: str,
    group: str,
    now: float,
    collection_version: str,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The plan of ``recipe`` on a cluster with these inventory variables (``benchmark_*``; others are ignored).

    ``now`` is epoch seconds. Raises ``RecipeError`` when a variable of the inventory has the wrong type.
    """
    site = _cluster(cluster_name, cluster_vars)
    model = recipe.model
    services = [Companion(model.service, recipe.service), *recipe.companions]
    service, *companions = [_service(each, model.benchmarks, site, run_id) for each in services]
    _complete_settings([service, *companions], services)
    plan = {
        "schema": 1,
        "run_id": run_id,
        "group": group,
        "created_at": now,
        "collection_version": collection_version,
        "recipe": {"name": recipe.name, "path": recipe.path, "sha256": recipe.sha256},
        "cluster": {
            "name": cluster_name,
            **site.model_dump(exclude={"partitions", "images", "queue_deadline"}),
            "queue_deadline_s": int(site.queue_deadline),
            "scratch": site.scratch.rstrip("/") or "/",
            "image_cache": site.image_cache or f"{site.scratch.rstrip('/')}/images",
        },
        "run_dir": f"{site.scratch.rstrip('/')}/runs/{run_id}",
        "service": service,
        "companions": companions,
        "clients": _clients(model.client, model.benchmarks, site, run_id, service["job"]),
        "benchmarks": benchmarks_plan(model),
        "inputs": recipe.inputs,
        "extra": dict(extra or {}),
    }
    # through JSON: plain types only, whatever subclasses of str Ansible handed in
    return Plan.model_validate(json.loads(json.dumps(plan))).model_dump(by_alias=True)


def _cluster(name: str, variables: Mapping[str, Any]) -> ClusterVariables:
    prefix = "benchmark_"
    known = {
        key.removeprefix(prefix): variables[key]
        for key in variables
        if key.startswith(prefix) and key.removeprefix(prefix) in ClusterVariables.model_fields
    }
    try:
        site = ClusterVariables.model_validate({key: value for key, value in known.items() if value is not None})
        for asked, used in site.images.items():
            normalise_image(asked), on_cluster(used)
    except ValidationError as error:
        raise RecipeError(
            Problem(
                f"inventory, host {name}", None, None, prefix + ".".join(str(part) for part in detail["loc"]),
                *_mistake(detail),
            )
            for detail in error.errors()
        ) from error  # fmt: skip
    except ImageMistake as error:
        raise RecipeError(
            [Problem(f"inventory, host {name}", None, None, "benchmark_images", str(error), error.remedy)]
        ) from error
    return site


def _mistake(detail: Any) -> tuple[str, str]:
    """Message and remedy of one of pydantic's errors."""
    remedy = "inventory/README.md describes each variable"
    if isinstance(error := detail.get("ctx", {}).get("error"), UnitError):
        return error.message, f"{error.remedy}; {remedy}"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {describe(detail['input'])}", remedy


def _job(job: JobOptions, benchmarks: Benchmarks, site: ClusterVariables, name: str, *, ntasks: int) -> dict[str, Any]:
    gpus = gpus_per_node(job)
    kind = "gpu" if gpus else "cpu"
    return {
        "name": name,
        "partition": site.partitions.get(job.partition, job.partition) if job.partition else site.partitions.get(kind),
        "account": job.account or site.account,
        "qos": job.qos or site.qos,
        "time_limit_s": time_limit_of(job, benchmarks),
        "nodes": job.nodes,
        "ntasks": ntasks,
        "cpus_per_task": job.cpus_per_task,
        "memory_bytes": job.memory,
        "gpus_per_node": gpus,
        "constraint": job.constraint,
        "exclude_nodes": list(job.exclude_nodes),
    }


def _service(each: Companion, benchmarks: Benchmarks, site: ClusterVariables, run_id: str) -> dict[str, Any]:
    """The plan of one service; companions are components of the benchmarked one's job, whose name the job has."""
    service, layout = each.service, layout_of(each.service)
    members = layout["replicas"] * layout["nodes_per_replica"]
    return {
        "name": service.name,
        "type": each.kind.name,
        "role": each.kind.role,
        "settings": dict(service.settings),
        "overrides": _overrides(service),
        "image": substitute_image(service.image, site.images) if service.image else None,
        "secrets": _secrets(service),
        "layout": layout,
        "job": _job(service, benchmarks, site, f"aifactory-{run_id}-service", ntasks=members),
        "modules": service.modules,
        "pre_run_commands": service.pre_run_commands,
    }


def _complete_settings(plans: list[dict[str, Any]], services: list[Companion]) -> None:
    """Give services of one type all settings that any of them has: they are variables of one role."""
    for plan, each in zip(plans, services, strict=True):
        names = {name for other in plans if other["role"] == plan["role"] for name in other["settings"]}
        for name in sorted(names - set(plan["settings"])):
            plan["settings"][name] = each.kind.options[name].get("default")


def _secrets(job: JobOptions) -> dict[str, dict[str, str]]:
    """Name -> where its value is: `env`, `file` or `variable`."""
    return {name: source.model_dump(exclude_none=True) for name, source in job.secrets.items()}


def _overrides(service: Service) -> dict[str, Any]:
    """What the recipe says of the service besides its settings; only the keys that it gives."""
    keys = {"image", "command", "port", "env", "volumes", "prefetch"}
    overrides = service.model_dump(mode="json", include=keys, exclude_none=True)
    if service.health is not None:
        health = service.health
        names = {"interval": "interval_s", "deadline": "deadline_s"}
        overrides["health"] = {names.get(key, key): value for key, value in health if value is not None}
    if service.metrics is not None:
        names = {"interval": "interval_s"}
        overrides["metrics"] = {names.get(key, key): value for key, value in service.metrics if value is not None}
    return {key: value for key, value in overrides.items() if value not in ({}, [])}


def _clients(
    client: Client, benchmarks: Benchmarks, site: ClusterVariables, run_id: str, service_job: dict[str, Any]
) -> dict[str, Any]:
    count = benchmarks.num_clients
    job = _job(client, benchmarks, site, f"aifactory-{run_id}-clients", ntasks=count)
    if client.placement == "shared":
        own = {key: job[key] for key in ("name", "ntasks", "cpus_per_task")}
        job = {**service_job, **own}
    return {
        "type": client.type,
        "count": count,
        "placement": client.placement,
        "settings": client_settings(client, benchmarks),
        "command": client.command,
        "parser": client.parser,
        "image": substitute_image(client.image, site.images) if client.image else None,
        "image_as_asked": client.image,
        "env": client.env,
        "secrets": _secrets(client),
        "volumes": client.volumes,
        "job": job,
        "modules": client.modules,
        "pre_run_commands": client.pre_run_commands,
    }
