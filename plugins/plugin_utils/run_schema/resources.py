# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json says of time, jobs, cost, energy, and of what was saturated."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import CASE, Part
from .slurm import SlurmEnergy, Usage

Phase = Literal["queued", "starting", "ready", "warmup", "measuring", "ending"]


class Segment(Part):
    """A part of the time of the run; they follow one another without gap or overlap."""

    phase: Phase = Field(description="What the run was about.")
    start: float = Field(description="When it began.")
    end: float = Field(description="When it ended; of a run that goes on, the last moment that is known.")
    seconds: float = Field(description="How long it took (s).")
    case: str | None = Field(default=None, description="Of warmup and measuring: the case.")
    repetition: int | None = Field(default=None, description="Of warmup and measuring: the repetition, from 1.")


class Job(Part):
    """A Slurm job of the run. What Slurm was not asked for yet is missing or null."""

    role: Literal["image", "service", "clients"] = Field(description="What the job is for.")
    id: str = Field(description="Slurm's job id.")
    name: str = Field(description="Slurm's job name; it carries the run's id.")
    state: str | None = Field(description="Slurm's state, such as COMPLETED; null until Slurm was asked.")
    adopted: bool | None = Field(default=None, description="It was found by its name instead of submitted.")
    reason: str | None = Field(default=None, description="Slurm's reason, such as Priority.")
    partition: str | None = Field(default=None, description="The partition.")
    account: str | None = Field(default=None, description="The account that pays.")
    qos: str | None = Field(default=None, description="The quality of service.")
    exit_code: str | None = Field(default=None, description="CODE:SIGNAL, as sacct has it.")
    node_list: str | None = Field(default=None, description="Its nodes, in Slurm's short form.")
    submit: float | None = Field(default=None, description="When it was submitted.")
    start: float | None = Field(default=None, description="When it got its nodes.")
    end: float | None = Field(default=None, description="When it ended.")
    elapsed_s: float | None = Field(default=None, description="How long it ran (s).")
    nodes: int | None = Field(default=None, description="Nodes of the whole job.")
    cpus: int | None = Field(default=None, description="CPUs of the whole job, as Slurm counts them.")
    gpus: int | None = Field(default=None, description="GPUs of the whole job.")
    usage: Usage | None = Field(default=None, description="What it used, by Slurm.")


class Hours(Part):
    """Allocated time, which is what a site bills."""

    node_hours: float = Field(description="Nodes by hours.")
    core_hours: float = Field(description="CPUs by hours.")
    gpu_hours: float = Field(description="GPUs by hours.")


class Million(Hours):
    """What a million cost, while they were measured."""

    price: float | None = Field(description="In the currency of the cost; null without prices.")


class CaseCost(Part):
    """What a million operations or tokens of a case cost: the nodes of service and clients while they were measured."""

    case: str = Field(description=CASE)
    per_million: dict[Literal["operation", "output_token"], Million] = Field(description="Of what → cost of a million.")


class Cost(Hours):
    """What the run cost, from Slurm's records of its jobs."""

    by_phase: dict[Phase, Hours] = Field(description="The same for each phase that cost anything.")
    measured_share: float | None = Field(description="Share of the node-hours in the phase measuring (0 to 1).")
    wasted_share: float | None = Field(
        description="Share of the node-hours that brought the measurement nothing (0 to 1)."
    )
    price: float | None = Field(description="By benchmark_prices of the inventory; null without them.")
    currency: str | None = Field(description="Of the price.")
    cases: list[CaseCost] = Field(description="What a million cost in each case.")


class Device(Part):
    """A device that told what energy it used."""

    node: str = Field(description="Its node.")
    device: str = Field(description="UUID of the GPU, or processors.")
    kind: Literal["gpu", "cpu"] = Field(description="What it is.")
    source: Literal["counter", "power"] = Field(description="Its own counter, or its power, integrated.")
    joules: float = Field(description="Over all of its samples (J).")
    joules_by_power: float | None = Field(description="The same by its power, where it has a counter, too (J).")


class CaseEnergy(Part):
    """The energy of a repetition of a case."""

    case: str = Field(description=CASE)
    repetition: int = Field(description="From 1.")
    seconds: float = Field(description="How long it was measured (s).")
    joules: float | None = Field(description="Of all devices in that time (J); null where the samples do not reach it.")
    joules_above_idle: float | None = Field(description="Less what they use when idle (J).")
    per: dict[Literal["operation", "output_token", "gigabyte"], float] = Field(description="Of what → joules for one.")


class Energy(Part):
    """What energy the service's devices used; memory, fans and power supplies are not in it."""

    status: Literal["measured", "unknown"] = Field(description="Whether any of it is known.")
    reason: str | None = Field(description="Why it is not.")
    devices: list[Device] = Field(description="Those that tell.")
    idle_w: float | None = Field(description="Mean power while the service was ready and nothing was asked of it (W).")
    cases: list[CaseEnergy] = Field(description="Each repetition that was measured.")
    slurm: SlurmEnergy | None = Field(default=None, description="What Slurm counted; not in older runs.")


class Saturated(Part):
    """What had no room left while a case was measured."""

    what: str = Field(description="client, cpu, memory, disk, gpu, kv_cache, queue, connections, …")
    text: str = Field(description="The evidence, in words.")
    value: float = Field(description="The mean that was beyond the limit; of clients that of the busiest.")
    source: str = Field(description="File of the run that it is from, and the column.")


class CaseSaturated(Part):
    """What was saturated in a case."""

    case: str = Field(description=CASE)
    saturated: list[Saturated] = Field(description="None: nothing that is measured was.")


class Stopped(Part):
    """From which load on more of it brought no more."""

    over: Literal["rate", "concurrency"] = Field(description="What was raised.")
    case: str = Field(description="The first case that brought no more.")
    before: str = Field(description="The one before it.")


class Bottleneck(Part):
    """What likely limits it; that is not proven."""

    cases: list[CaseSaturated] = Field(description="Each case that was measured; of a search that at the capacity.")
    stopped: Stopped | None = Field(description="Where the load stopped growing; null where it did not.")
    sentence: str = Field(description="All of it in a line.")
    not_looked_at: list[str] = Field(description="What nobody measured.")
