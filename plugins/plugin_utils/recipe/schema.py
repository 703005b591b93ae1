# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of a recipe. docs/recipe.md and docs/recipe.schema.json are made from it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from .fields import (
    Commands,
    Duration,
    Environment,
    EnvironmentName,
    HttpPath,
    Image,
    Memory,
    NodeList,
    SecretFile,
    SlurmName,
    TimeLimit,
    Volume,
    Word,
    Words,
)
from .load_schema import Benchmarks, Count, Section
from .models import BaseModel, Field

HttpStatus = Annotated[int, Field(ge=100, le=599)]


class Configuration(Section):
    """Where the recipe runs."""

    target: Word | None = Field(None, description="host or group of the inventory; `-l` on the command line wins")


class Health(Section):
    """How to tell that the service is ready; what is not given here, the service type knows."""

    type: Literal["tcp", "http", "command", "postgresql", "redis"] | None = Field(
        None, description="how the service is probed"
    )
    path: HttpPath | None = Field(None, description="path that is asked for (http)")
    status: Annotated[list[HttpStatus], Field(min_length=1)] | None = Field(
        None, description="status codes that mean healthy (http)"
    )
    body: str | None = Field(None, description="text that the answer contains (http)")
    command: str | None = Field(
        None, description="command run on the service's node; exit code 0 means healthy (command)"
    )
    interval: Duration | None = Field(None, description="time between two probes")
    deadline: Duration | None = Field(None, description="time after which a service that is not healthy has failed")


class Secret(Section):
    """Where the value of a secret comes from; one of these. The recipe never has the value itself."""

    env: EnvironmentName | None = Field(None, description="environment variable of the controller")
    file: SecretFile | None = Field(None, description="file on the controller, `~/…` or `/…`")
    variable: EnvironmentName | None = Field(
        None, description="Ansible variable of the cluster, such as one from a vault"
    )


class Metrics(Section):
    """How the service tells its own metrics, for the report; what is not given here, the service type knows."""

    type: Literal["prometheus", "nginx", "redis", "postgresql", "chromadb", "ollama", "none"] | None = Field(
        None, description="how the service is asked; `none`: it isn't"
    )
    path: HttpPath | None = Field(None, description="path that is asked for (prometheus, nginx); default: `/metrics`")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="port that is asked; default: the service's own, or the one that its type has for this"
    )
    interval: Duration | None = Field(None, description="time between two questions; default: 1 s")
    show: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None, description="metrics that the report shows, `*` for any letters; all of them are kept"
    )


class JobOptions(Section):
    """What a Slurm job and the container in it may ask for; the service and the clients alike."""

    image: Image | None = Field(
        None,
        description="container image: of a registry, an archive, a definition file, a SIF file or a sandbox directory;"
        " see [Images](#images)",
    )
    command: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="command run by a shell in the container"
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="settings of the type")
    env: Environment = Field(default_factory=dict, description="environment variables in the container")
    secrets: dict[EnvironmentName, Secret] = Field(
        default_factory=dict,
        description="environment variables whose values are secret, such as `HF_TOKEN: {env: HF_TOKEN}`",
    )
    volumes: list[Volume] = Field(default_factory=list, description="bind mounts, `SOURCE:/TARGET[:ro|:rw]`")
    partition: SlurmName | None = Field(
        None,
        description="Slurm partition; the inventory's `benchmark_partitions` translates it; default: `gpu` or `cpu`",
    )
    account: SlurmName | None = Field(None, description="Slurm account; default: the inventory's `benchmark_account`")
    qos: SlurmName | None = Field(None, description="Slurm QOS; default: the inventory's `benchmark_qos`")
    time_limit: TimeLimit | None = Field(
        None, description="time limit of the job, in Slurm's format; default: 30 minutes, or what the measurement needs"
    )
    nodes: Count = Field(1, description="number of nodes")
    num_gpus: Annotated[int, Field(ge=0)] | None = Field(
        None, description="GPUs of the whole job, spread evenly over its nodes"
    )
    gpus_per_node: Annotated[int, Field(ge=0)] | None = Field(None, description="GPUs on each node")
    cpus_per_task: Count | None = Field(None, description="CPU cores of each task")
    memory: Memory | None = Field(None, description="memory on each node")
    constraint: SlurmName | None = Field(None, description="node features, as sbatch's --constraint")
    exclude_nodes: NodeList = Field(default_factory=list, description="nodes that are not used")
    modules: Words = Field(default_factory=list, description="modules loaded after those of the inventory")
    pre_run_commands: Commands = Field(
        default_factory=list, description="shell commands run on the host before the container starts"
    )


class Service(JobOptions):
    """What is benchmarked."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] | None = Field(
        None, description="name of the service; default: its type"
    )
    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}$")] = Field(
        "container", description="service type: a role of this collection, or `namespace.collection.role`"
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="port of the service; default: the type's, or the one that the client's command names"
    )
    replicas: Count = Field(
        1, description="how many of the service there are, spread evenly over its nodes; the clients use all of them"
    )
    prefetch: Commands = Field(
        default_factory=list,
        description="shell commands run in the service's container before its job starts, such as a model's download;"
        " see [Before the service](#before-the-service)",
    )
    health: Health | None = Field(None, description="how to tell that the service is ready")
    metrics: Metrics | None = Field(None, description="how the service tells its own metrics")


class Client(JobOptions):
    """What drives the service."""

    type: Word | None = Field(
        None, description="workload; default: `command` where a command is given, else the service type's own"
    )
    parser: Literal["vllm-bench", "aiperf", "guidellm", "warp", "pgbench"] | None = Field(
        None, description="the tool that the command runs, whose results are read in its place"
    )
    placement: Literal["separate", "shared", "together"] = Field(
        "separate",
        description="`separate`: a job of their own, after the service's; `together`: one heterogeneous job,"
        " both start at once; `shared`: in the service's job, on its nodes",
    )


class RecipeModel(Section):
    """A recipe of aifactory.benchmark: one service, one load."""

    configuration: Configuration = Field(default_factory=Configuration, description="where the recipe runs")
    service: Service = Field(description="what is benchmarked")
    client: Client = Field(default_factory=Client, description="what drives the service")
    benchmarks: Benchmarks = Field(default_factory=Benchmarks, description="what is measured, and how")


SERVICES = "instead of `service` where it needs others: the first is benchmarked, the others start before it"


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a section as people look for them: its own before those that jobs have in common."""
    common = JobOptions.model_fields if issubclass(model, JobOptions) else {}
    own = [field.alias or key for key, field in model.model_fields.items() if key not in common]
    return own + list(common)


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe, for editors."""
    schema = RecipeModel.model_json_schema(mode="validation")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "aifactory.benchmark recipe",
        **_without_null(schema),
    }
    schema["title"] = "aifactory.benchmark recipe"
    # what plan and checks know as `service` and its companions, `companions.split`
    item = {"$ref": "#/$defs/Service"}
    schema["properties"]["services"] = {"type": "array", "minItems": 1, "items": item, "description": SERVICES}
    schema["required"] = [name for name in schema["required"] if name != "service"]
    schema["oneOf"] = [{"required": ["service"]}, {"required": ["services"]}]
    return schema


def _without_null(schema: Any) -> Any:
    """Removes ``null`` and pydantic's generated titles: an absent key is how a recipe says nothing."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _without_null(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}
    options = result.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        result.pop("anyOf")
        result = {**rest[0], **result} if len(rest) == 1 else {"anyOf": rest, **result}
        if result.get("default", "") is None:
            result.pop("default")
    return result
