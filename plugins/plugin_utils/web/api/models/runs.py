# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models of runs, their results and logs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_schema import State
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.common import (
    ORDER,
    Name,
    RunId,
    Strict,
)


class RunPath(BaseModel):
    """A run in a path."""

    run_id: RunId


class RunQuery(Strict):
    """Which runs are listed."""

    recipe: Name | None = None
    cluster: Name | None = None
    service: Name | None = None
    workload: Name | None = None
    state: State | None = None
    verdict: Literal["VALID", "INVALID"] | None = None
    prefix: Name = Field("", description="beginning of the id")
    order: str = Field("-created_at", pattern=ORDER, description="the field to sort by; after a minus, descending")
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(50, ge=1, le=500, description="runs on a page")


class HeadlineLine(BaseModel):
    """A number of a run, as its summary tells it."""

    case: str
    metric: str
    statistic: str
    unit: str
    value: float
    text: str = Field(description="the number as a person reads it")
    half_width: float | None = Field(None, description="of the 95 % confidence interval")
    lower: float | None = Field(None, description="of a capacity: the highest load that met the SLO")
    upper: float | None = Field(None, description="of a capacity: the lowest load that did not")
    samples: int | None = None
    repetitions: int | None = None


class Run(BaseModel):
    """A run in short."""

    id: str
    recipe: str | None
    cluster: str | None
    service: str | None
    workload: str | None
    state: str
    verdict: str | None
    created_at: float | None
    ended_at: float | None
    headline: list[HeadlineLine]


class Runs(BaseModel):
    """A page of runs."""

    runs: list[Run]
    total: int
    page: int
    problems: list[str] = Field(description="what could not be read")


class RunDetail(Run):
    """A run: what run.json says, and where it stands while it goes on."""

    record: dict[str, Any] = Field(description="the whole of run.json (docs/interfaces.md)")
    live: dict[str, Any] | None = Field(description="while it goes on: phase, progress, jobs with their queue reason")


class ResultQuery(Strict):
    """Which results are wanted."""

    metric: Name | None = None
    case: Name | None = None
    client: Name = Field("all", description="number of a client, or all: the merged values")


class Result(BaseModel):
    """A row of results.csv."""

    case: str
    repetition: int
    client: str
    metric: str
    unit: str
    statistic: str
    value: float


class Results(BaseModel):
    """Rows of results.csv."""

    results: list[Result]


class LogQuery(Strict):
    """Which lines of the logs are wanted."""

    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=200)] | None = None
    client: Annotated[str, Field(pattern=r"^[0-9]{1,6}$")] | None = None
    search: Annotated[str, Field(max_length=500)] | None = Field(None, description="regular expression")
    level: Literal["error", "warning"] | None = None
    tail: int = Field(200, ge=1, le=5000, description="lines of each log, the last ones")
    merge: bool = Field(False, description="by time instead of by file")


class LogLine(BaseModel):
    """A line of a log, without secrets."""

    file: str
    line: int
    t: float | None
    level: str | None
    text: str


class LogLines(BaseModel):
    """Lines of logs."""

    lines: list[LogLine]
    left_out: int


class Stop(Strict):
    """Proof that stopping is meant."""

    confirm: RunId = Field(description="the id of the run, once more")
