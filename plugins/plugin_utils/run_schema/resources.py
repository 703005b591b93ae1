# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json says of time, cost, and of what was saturated."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import CASE, Part

Phase = Literal["queued", "starting", "ready", "warmup", "measuring", "ending"]


class Segment(Part):
    """A part of the time of the run; they follow one another without gap or overlap."""

    phase: Phase = Field(description="What the run was about.")
    start: float = Field(description="When it began.")
    end: float = Field(description="When it ended; of a run that goes on, the last moment that is known.")
    seconds: float = Field(description="How long it took (s).")
    case: str | None = Field(default=None, description="Of warmup and measuring: the case.")
    repetition: int | None = Field(default=None, description="Of warmup and measuring: the repetition, from 1.")


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
