# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json says of the Slurm jobs of a run, and of what they used."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import Part


class Used(Part):
    """What Slurm says that tasks used; null where it does not tell. `max_…` is of one task, the others are of all."""

    energy_j: float | None = Field(description="Energy that Slurm counted (J).")
    cpu_s: float | None = Field(description="CPU time (s).")
    max_rss_bytes: float | None = Field(description="Memory of the task that had most.")
    max_disk_read_bytes: float | None = Field(description="Read from disk by the task that read most.")
    max_disk_write_bytes: float | None = Field(description="Written to disk by the task that wrote most.")
    disk_read_bytes: float | None = Field(description="Read from disk.")
    disk_write_bytes: float | None = Field(description="Written to disk.")


class Step(Used):
    """A step of a job, as accounting has it."""

    job_id: str = Field(description="Slurm's id of the job, or of its component.")
    step: str = Field(description="batch, extern, or a number.")
    name: str | None = Field(description="Its name.")
    state: str | None = Field(description="Slurm's state.")
    tasks: int | None = Field(description="How many it had.")
    nodes: int = Field(description="How many it had.")
    node_list: str | None = Field(description="Its nodes, in Slurm's short form.")
    start: float | None = Field(description="When it began.")
    end: float | None = Field(description="When it ended.")
    elapsed_s: float | None = Field(description="How long it ran (s).")
    mean_task_cpu_s: float | None = Field(description="CPU time, the mean over its tasks (s).")


class Usage(Used):
    """What a job used: sums over its steps, and maxima."""

    source: Literal["sacct", "slurmdb", "sstat"] | None = Field(description="Who told; null: nobody.")
    reason: str | None = Field(description="Why something is missing, or too small.")
    steps: list[Step] = Field(description="Its steps.")


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
    usage: Usage = Field(description="What it used, by Slurm.")
