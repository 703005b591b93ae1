# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json has of Slurm's own figures: what the jobs used, and the energy that it counted."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import Part


class Used(Part):
    """What a step, or all steps of a job, used. Null is what nobody told."""

    cpu_s: float | None = Field(description="CPU time of all tasks, user and system (s).")
    energy_j: float | None = Field(description="Energy that Slurm wrote down (J), of the whole nodes.")
    max_rss_bytes: float | None = Field(description="Resident memory of the task that had most.")
    max_disk_read_bytes: float | None = Field(description="Read by the task that read most.")
    max_disk_write_bytes: float | None = Field(description="Written by the task that wrote most.")
    disk_read_bytes: float | None = Field(description="Read by all tasks.")
    disk_write_bytes: float | None = Field(description="Written by all tasks.")


class Step(Used):
    """A step of a job, as accounting knows it."""

    job_id: str = Field(description="Its job, or its component of a heterogeneous one, such as 34+1.")
    step: str = Field(description="extern, batch, 0, 1, …")
    name: str | None = Field(description="Its name.")
    state: str = Field(description="Slurm's state, such as COMPLETED.")
    tasks: int | None = Field(description="How many tasks it had.")
    nodes: int = Field(description="How many nodes it had.")
    node_list: str = Field(description="Its nodes, in Slurm's short form.")
    start: float | None = Field(description="When it began.")
    end: float | None = Field(description="When it ended.")
    elapsed_s: float | None = Field(description="How long it ran (s).")
    mean_task_cpu_s: float | None = Field(description="CPU time, mean over its tasks (s).")


class Usage(Used):
    """What a job used, by Slurm."""

    source: Literal["sacct", "slurmdb", "sstat"] | None = Field(
        description="Who told: accounting, or sstat at the end of the load; null: nobody."
    )
    reason: str | None = Field(description="Why it is missing, or not all of it.")
    steps: list[Step] = Field(description="Its steps; only accounting tells of them.")


class Own(Part):
    """What the run's own samples give for the same nodes and time."""

    joules: float | None = Field(description="Of the devices that Slurm counts as well (J).")
    of_joules: float | None = Field(description="What Slurm counted of those nodes (J).")
    share_of_time: float | None = Field(description="Share of Slurm's time that the samples cover (0 to 1).")
    ratio: float | None = Field(description="joules by of_joules; null where the samples cover too little.")
    reason: str | None = Field(description="Why there is no ratio.")


class Counted(Part):
    """Energy that Slurm counted, judged."""

    status: Literal["counted", "not configured", "not told", "not plausible"] = Field(
        description="Whether there is a figure that can be believed."
    )
    reason: str | None = Field(description="Why there is none.")
    joules: float | None = Field(description="As Slurm has it (J), believed or not.")
    seconds: float | None = Field(description="Over so long (s).")
    nodes: int = Field(description="Of so many nodes.")
    own: Own | None = Field(description="Beside it; null without a figure that is believed.")


class JobEnergy(Counted):
    """Of a job, from its start to its end."""

    role: Literal["image", "service", "clients"] = Field(description="What the job is for.")
    id: str = Field(description="Slurm's job id.")
    step: str | None = Field(description="The step that stands for the job: steps hold whole nodes, and overlap.")
    others: str | None = Field(description="What of other jobs may be in it; null: nothing.")


class SlurmEnergy(Part):
    """What Slurm counted."""

    plugins: list[str] | None = Field(
        description="AcctGatherEnergyType, such as rapl; empty: none is configured; null: nobody told."
    )
    covers: str = Field(description="What these count, in words.")
    own_kinds: list[Literal["gpu", "cpu"]] = Field(description="Kinds of own devices that these count as well.")
    jobs: list[JobEnergy] = Field(description="Each job that ran.")
    load: Counted = Field(description="From before the first warm-up to after the last repetition, by sstat.")
