# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json says of energy."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import CASE, Part


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


class OwnEnergy(Part):
    """What this run's own samples give for the nodes and the time that Slurm counted."""

    joules: float | None = Field(description="Of the own samples (J).")
    of_joules: float | None = Field(description="Slurm's, of the same nodes (J).")
    share_of_time: float | None = Field(description="Share of Slurm's time with own samples (0 to 1).")
    ratio: float | None = Field(description="The own by Slurm's; null where too little of the time has samples.")
    reason: str | None = Field(description="Why there is no ratio.")


class SlurmLoad(Part):
    """The energy that Slurm counted while the load ran, by sstat."""

    status: Literal["counted", "not configured", "not told", "not plausible"] = Field(
        description="Whether it is known."
    )
    reason: str | None = Field(description="Why it is not, or is not believed.")
    joules: float | None = Field(description="What Slurm counted (J).")
    seconds: float | None = Field(description="Over how long (s).")
    nodes: int = Field(description="Of how many nodes.")
    own: OwnEnergy | None = Field(description="What own samples say; null where Slurm's is not known.")


class SlurmJob(SlurmLoad):
    """The energy that Slurm counted of a job."""

    role: Literal["image", "service", "clients"] = Field(description="What the job is for.")
    id: str = Field(description="Slurm's job id.")
    step: str | None = Field(description="The step that stands for the job.")
    others: str | None = Field(description="What of other jobs may be in it; null: nothing.")


class SlurmEnergy(Part):
    """The energy that Slurm counted, which is that of whole nodes."""

    plugins: list[str] | None = Field(description="AcctGatherEnergyType; empty: none, null: nobody told.")
    covers: str = Field(description="What these count, in words.")
    own_kinds: list[Literal["gpu", "cpu"]] = Field(description="Own devices that they count as well.")
    jobs: list[SlurmJob] = Field(description="Each job that got nodes.")
    load: SlurmLoad = Field(description="While the load ran.")


class Energy(Part):
    """What energy the service's devices used; memory, fans and power supplies are not in it."""

    status: Literal["measured", "unknown"] = Field(description="Whether any of it is known.")
    reason: str | None = Field(description="Why it is not.")
    devices: list[Device] = Field(description="Those that tell.")
    idle_w: float | None = Field(description="Mean power while the service was ready and nothing was asked of it (W).")
    cases: list[CaseEnergy] = Field(description="Each repetition that was measured.")
    slurm: SlurmEnergy = Field(description="What Slurm counted.")
