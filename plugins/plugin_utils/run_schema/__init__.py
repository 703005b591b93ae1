# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of run.json, published as docs/run.schema.json. Needs pydantic.

Times are seconds since the epoch (UTC) unless a field says otherwise; null is what nobody knows, or what is not there
yet.
"""

from __future__ import annotations

from typing import Any, Literal

from ..recipe.models import ConfigDict, Field
from .outcome import Line, Remark, Search, Slo
from .part import Part
from .resources import Bottleneck, Cost, Energy, Job, Segment
from .sure import Confidence

State = Literal[
    "planned",
    "queued",
    "starting",
    "ready",
    "warmup",
    "measuring",
    "ending",
    "finished",
    "failed",
    "stopped",
    "unknown",
]


class Run(Part):
    """run.json, schema 1: a run in short."""

    model_config = ConfigDict(extra="forbid", title="run.json of a run")

    schema_: Literal[1] = Field(alias="schema", description="Version of this form.")
    id: str = Field(
        pattern=r"^\d{8}-\d{6}-[a-z0-9][a-z0-9-]*-[0-9a-f]{4}$", description="The run's id, its directory's name."
    )
    group: str = Field(description="The same for all runs of one play.")
    rerun_of: str | None = Field(description="The run that this one was started from again.")
    recipe: str | None = Field(description="Name of the recipe.")
    cluster: str | None = Field(description="Name of the cluster in the inventory.")
    service: str | None = Field(description="Type of the benchmarked service.")
    workload: str | None = Field(description="Type of the clients.")
    state: State = Field(description="Where the run stands; finished, failed and stopped are final.")
    verdict: Literal["VALID", "INVALID"] | None = Field(
        description="Whether its numbers may be quoted; null before its end."
    )
    reasons: list[Remark] = Field(description="Why it is INVALID.")
    notes: list[Remark] = Field(description="What leaves the verdict alone.")
    created_at: float | None = Field(description="When it was planned.")
    ended_at: float | None = Field(description="When its last job ended; null before.")
    timeline: list[Segment] = Field(description="Its time in phases.")
    jobs: list[Job] = Field(description="Its Slurm jobs, in the order in which they start.")
    cost: Cost = Field(description="What it cost.")
    calls: dict[str, int] = Field(description="Kind of call to the cluster → how many, from the submission on.")
    slo: Slo | None = Field(description="Whether each case met the SLO; null without one.")
    search: Search | None = Field(description="What the search for the capacity found; null without one.")
    headline: list[Line] = Field(description="The numbers that a reader wants first.")
    energy: Energy = Field(description="What energy it took.")
    bottleneck: Bottleneck = Field(description="What was saturated.")
    confidence: Confidence | None = Field(default=None, description="How sure the numbers are; not in every run.")


def run_schema() -> dict[str, Any]:
    """JSON Schema of run.json."""
    return Run.model_json_schema(by_alias=True)
