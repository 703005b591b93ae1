# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of provenance.json, published as docs/provenance.schema.json. Needs pydantic."""

from __future__ import annotations

from typing import Any

from ..recipe.models import BaseModel, ConfigDict, Field

Missing = dict[str, str]
_WHY = "Name of a field beside this that is null (or, at the top, a dotted one) → why it is."


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Recipe(_Part):
    """The recipe as it was given; of a rerun that of the first run."""

    name: str
    path: str = Field(description="On the controller that started the run.")
    sha256: str = Field(description="Of the file.")


class Collection(_Part):
    """The code that made and drove the run."""

    version: str
    agent_sha256: str | None = Field(description="Of agent.pyz, which worked in the jobs; built reproducibly.")
    commit: str | None
    changed_files: int | None = Field(description="Files that differ from the commit, new ones included.")
    changes_sha256: str | None = Field(description="Of `git diff HEAD`.")
    missing: Missing = Field(description=_WHY)


class Controller(_Part):
    """The machine that started the run."""

    host: str
    python: str
    ansible_core: str
    system: str


class Gathering(_Part):
    """What Slurm gathers of jobs."""

    usage: str = Field(description="JobAcctGatherType without its prefix, such as linux or cgroup; none.")
    energy: str = Field(description="AcctGatherEnergyType without its prefix, such as rapl or ipmi; none.")
    frequency: str = Field(description="JobAcctGatherFrequency.")


class Cluster(_Part):
    """The cluster of the inventory."""

    name: str
    slurm: str | None = Field(description="Version of Slurm, as slurmctld tells it.")
    gathering: Gathering | None = Field(default=None, description="What Slurm gathers of jobs, by its configuration.")
    modules: list[str] = Field(description="Environment modules that the inventory asks for in every job.")


class Image(_Part):
    """One image file."""

    parts: list[str | None] = Field(description="Who uses it: service, service-NAME, clients.")
    asked: str | None = Field(description="The reference, as the recipe or the service type has it.")
    reference: str | None = Field(description="What stands for it on this cluster, in full form.")
    path: str
    bytes: int | None
    sha256: str | None = Field(description="Of the SIF file.")
    sif_id: str | None = Field(description="UUID of the SIF file and the time of its last change (epoch, s).")
    digest: str | None = Field(
        description="Of the manifest that the reference meant, or of the archive or definition it was built from."
    )
    missing: Missing = Field(description=_WHY)


class Model(_Part):
    """A model of a service, by its files on the cluster."""

    service: str | None
    name: str | None
    layout: str | None = Field(description="huggingface, ollama, file or directory.")
    path: str | None
    revision: str | None
    files: int | None
    bytes: int | None
    weights_sha256: str | None = Field(description="Of several files that of their lines `SHA-256  NAME`, by name.")
    weights_how: str | None = Field(
        description="names, beside or read: the checksum of the files. sampled: of their sizes and pieces of them."
    )
    missing: Missing = Field(description=_WHY)


class Gpu(_Part):
    """A GPU of the job, as nvidia-smi tells it."""

    name: str | None
    uuid: str | None
    memory_bytes: float | None
    power_limit_w: float | None


class Node(_Part):
    """A node, as the agent on it tells it."""

    roles: list[str]
    kernel: str | None
    os: str | None
    architecture: str | None
    boot_id: str | None = Field(description="Nodes with the same one are one machine.")
    cpu_model: str | None
    cpus: float | None
    cpus_allowed: float | None = Field(description="CPUs that the job may use.")
    cpu_governor: str | None
    clocksource: str | None
    memory_bytes: float | None
    python: str | None
    runtime: str | None
    gpu_driver: str | None
    gpus: list[Gpu] | None
    modules_loaded: list[str] | None
    missing: Missing = Field(description=_WHY)


class ClockOffset(_Part):
    """A node's clock less that of the conductor's node (s), and the bound of its error."""

    offset_s: float
    uncertainty_s: float


class Provenance(_Part):
    """provenance.json, schema 2. What follows `images` is there when the run was collected."""

    model_config = ConfigDict(extra="forbid", title="provenance.json of a run")

    schema_: int = Field(alias="schema")
    run: str
    rerun_of: str | None = Field(description="The run that this one was started from again.")
    recipe: Recipe
    plan_sha256: str = Field(description="Of what the plan asks for: the same for two runs that ask for the same.")
    collection: Collection
    controller: Controller
    cluster: Cluster
    modules: dict[str, list[str]] = Field(description="Part → environment modules that the recipe asks for.")
    scripts: dict[str, str] = Field(description="Name → SHA-256, the run's id being RUN_ID in the file.")
    images: list[Image]
    models: list[Model] = []
    nodes: dict[str, Node] = {}
    environment: dict[str, dict[str, str]] = Field(
        default={}, description="Role → environment of its job on the first node, without secrets."
    )
    clocks: dict[str, ClockOffset] | None = None
    jobs: list[dict[str, Any]] = Field(default=[], description="Slurm's records, as in run.json.")
    missing: Missing = Field(description=_WHY)


def provenance_schema() -> dict[str, Any]:
    """JSON Schema of provenance.json."""
    return Provenance.model_json_schema(by_alias=True)
