# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan's schema, and that of the inventory variables that it is made from (docs/interfaces.md)."""

from __future__ import annotations

from typing import Any, Literal

from .fields import ClusterPath, Duration, SlurmName, Word
from .load_schema import ArrivalType
from .models import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Prices(_Part):
    """What an hour costs at this site; 0: nothing is asked for it."""

    currency: str = "EUR"
    node_hour: float = Field(default=0.0, ge=0)
    gpu_hour: float = Field(default=0.0, ge=0)


class Budget(_Part):
    """The most that one run may take; None: no limit."""

    node_hours: float | None = Field(default=None, gt=0)
    gpu_hours: float | None = Field(default=None, gt=0)
    price: float | None = Field(default=None, gt=0)


class ClusterVariables(BaseModel):
    """A cluster's inventory variables, without their prefix ``benchmark_``."""

    model_config = ConfigDict(extra="ignore")

    scratch: ClusterPath = "~/.aifactory-scratch"
    account: SlurmName | None = None
    qos: SlurmName | None = None
    partitions: dict[str, SlurmName] = Field(default_factory=dict)
    modules: list[str] = Field(default_factory=list)
    runtime: Literal["apptainer", "singularity"] = "apptainer"
    binds: list[str] = Field(default_factory=list)
    images: dict[str, str] = Field(default_factory=dict)
    image_cache: ClusterPath | None = None
    image_partition: SlurmName | None = None
    python: Word = "python3"
    node_tmp: ClusterPath = "/tmp"
    service_interface: str | None = None
    live_metrics: bool = False
    gpu_request: Literal["gpus-per-node", "gres"] = "gpus-per-node"
    shell: Word = "/bin/bash -l"
    sbatch_options: list[Word] = Field(default_factory=list)
    queue_deadline: Duration = 7 * 86400.0
    prices: Prices = Field(default_factory=Prices)
    budget: Budget = Field(default_factory=Budget)


class PlanRecipe(_Part):
    """Which recipe it was."""

    name: str
    path: str
    sha256: str


class PlanCluster(_Part):
    """What the job scripts need to know of the cluster."""

    name: str
    scratch: str
    account: str | None
    qos: str | None
    runtime: str
    modules: list[str]
    binds: list[str]
    python: str
    node_tmp: str
    service_interface: str | None
    live_metrics: bool = False
    image_cache: str
    image_partition: str | None
    shell: str
    gpu_request: str
    sbatch_options: list[str]
    queue_deadline_s: int
    prices: Prices
    budget: Budget


class PlanJob(_Part):
    """What sbatch is asked for. ``gpus_per_node`` and ``nodes`` times it are whole numbers."""

    name: str
    partition: str | None
    account: str | None
    qos: str | None
    time_limit_s: int
    nodes: int
    ntasks: int
    cpus_per_task: int | None
    memory_bytes: int | None
    gpus_per_node: int
    constraint: str | None
    exclude_nodes: list[str]


class PlanLayout(_Part):
    """How the members of a service lie on its nodes; one of ``nodes_per_replica``, ``replicas_per_node`` is 1.

    There are ``replicas`` times ``nodes_per_replica`` members. ``gpus``: how many each has.
    """

    replicas: int
    nodes_per_replica: int
    replicas_per_node: int
    gpus: int


class PlanService(_Part):
    """The service. ``image`` is the recipe's, in full form and substituted by the cluster's own; else null."""

    name: str
    type: str
    role: str
    settings: dict[str, Any]
    overrides: dict[str, Any]
    image: str | None
    secrets: dict[str, dict[str, str]] = {}
    layout: PlanLayout = Field(
        default_factory=lambda: PlanLayout(replicas=1, nodes_per_replica=1, replicas_per_node=1, gpus=0)
    )
    job: PlanJob
    modules: list[str]
    pre_run_commands: list[str]


class PlanClients(_Part):
    """The clients. ``image`` is substituted; ``image_as_asked`` is the recipe's own text."""

    type: str
    count: int
    placement: Literal["separate", "shared", "together"]
    settings: dict[str, Any]
    command: str | None
    parser: str | None
    image: str | None
    image_as_asked: str | None
    env: dict[str, str]
    secrets: dict[str, dict[str, str]] = {}
    volumes: list[str]
    job: PlanJob
    modules: list[str]
    pre_run_commands: list[str]


class PlanCase(_Part):
    """One load. ``rate``: operations/s over all clients, ``NN%`` of the case max, or null (closed loop).

    ``settings``: what this case has instead of the clients' settings.
    """

    name: str
    concurrency: int
    rate: float | str | None
    settings: dict[str, Any]


class PlanArrival(_Part):
    """When operations are due. ``trace``: ``inputs/NAME`` in the run's directory, or an absolute path."""

    type: ArrivalType
    burstiness: float
    ramp_from: float
    trace: str | None


class PlanTerm(_Part):
    """A term of the objective, as ``module_utils.load.slo.parse`` gives it; ``value`` in base units."""

    metric: str
    statistic: str
    operator: Literal["<", "<=", ">", ">="]
    value: float
    text: str


class PlanSlo(_Part):
    """The service level objective: all of its terms."""

    text: str
    terms: list[PlanTerm]


class PlanStopOn(_Part):
    """What ends a case early. Shares of 1."""

    error_rate: float | None
    over_saturation: bool
    stable: float | None


class PlanSearch(_Part):
    """The search for the highest load that meets the objective. ``to``: null where there is no limit.

    ``concurrency``: connections or loops of each client in a search over the rate.
    """

    over: Literal["rate", "concurrency"]
    concurrency: int
    from_: float = Field(alias="from")
    to: float | None
    tolerance: float
    repetitions: int
    max_trials: int


class PlanBenchmarks(_Part):
    """What is measured. Exactly one of ``duration_s`` and ``requests`` is set; a search has no cases beforehand."""

    duration_s: float | None
    requests: int | None
    warmup_s: float
    cooldown_s: float
    repetitions: int
    order: Literal["random", "sequential"]
    seed: int
    metrics: list[str]
    arrival: PlanArrival
    think_time_s: float
    max_in_flight: int
    timeout_s: float | None
    retries: int
    drain_s: float
    records: bool
    slo: PlanSlo | None
    stop_on: PlanStopOn
    search: PlanSearch | None
    cases: list[PlanCase]


class PlanInput(_Part):
    """A file that is shipped with the run: where it lies on the controller, and its checksum when it was checked."""

    source: str
    sha256: str


class Plan(_Part):
    """The plan of one run, schema 1. ``extra`` is free: what the caller wants to keep with the run.

    ``inputs``: name in the run's directory (``inputs/NAME``) → the file.
    """

    schema_: Literal[1] = Field(alias="schema")
    run_id: str
    group: str
    created_at: float
    collection_version: str
    recipe: PlanRecipe
    cluster: PlanCluster
    run_dir: str
    service: PlanService
    companions: list[PlanService] = []
    clients: PlanClients
    benchmarks: PlanBenchmarks
    inputs: dict[str, PlanInput]
    extra: dict[str, Any]


def plan_schema() -> dict[str, Any]:
    """JSON Schema of a plan."""
    return Plan.model_json_schema(by_alias=True)
