# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes in and out of the API. Times are seconds since the epoch unless a name says otherwise."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, ConfigDict, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RUN_ID
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import Problem
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import openapi

PREFIX = "/api/v1"
STATES = Literal[
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
ORDER = r"^-?(created_at|recipe|cluster|service|workload|state|verdict)$"
Name = Annotated[str, Field(max_length=200)]
RunId = Annotated[str, Field(pattern=RUN_ID.pattern.replace(r"\d", "[0-9]"), max_length=100, description="id of a run")]
RECIPE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
TEXT_MOST = 1_000_000

SECURITY = [{"token": []}]
_PROBLEMS = {
    400: "the request can't be read", 401: "without the token", 403: "without proof that a page of this server sent it",
    404: "what is named is not there", 413: "the request is too large", 422: "a field is wrong",
    429: "too many wrong tokens",
    503: "the store does not answer",
}  # fmt: skip


def api(name: str, about: str) -> Any:
    """A part of the API, with its errors."""
    return openapi.APIBlueprint(
        f"api_{name}",
        __name__,
        url_prefix=PREFIX,
        abp_tags=[{"name": name, "description": about}],
        abp_security=SECURITY,
        abp_responses=problems(*_PROBLEMS),
    )


def problems(*statuses: int) -> dict[str, Any]:
    """Errors for the document."""
    words = {**_PROBLEMS, 409: "not now: what is asked for does not fit what is there", 501: "a library is missing"}
    return {
        str(status): {
            "description": words[status], "content": {"application/json": {"schema": {"$ref": _PROBLEM}}},
        }
        for status in statuses
    }  # fmt: skip


_PROBLEM = "#/components/schemas/Problem"
__all__ = ["Problem"]


class Strict(BaseModel):
    """What a program sends: an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid")


class RunPath(BaseModel):
    """A run in a path."""

    run_id: RunId


class RunQuery(Strict):
    """Which runs are listed."""

    recipe: Name | None = None
    cluster: Name | None = None
    service: Name | None = None
    workload: Name | None = None
    state: STATES | None = None
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


class PlayPath(BaseModel):
    """A play in a path."""

    play_id: str = Field(pattern=r"^[0-9]{8}-[0-9]{6}-[a-z-]+-[0-9a-f]{4}$", max_length=100)


class PlayQuery(Strict):
    """What of a play's output is wanted."""

    offset: int = Field(0, ge=0, le=2**40, description="byte from which on")


class Play(BaseModel):
    """A play that was started here: a process of its own that outlives this server."""

    id: str
    kind: str
    subject: str
    limit: str | None
    state: Literal["starting", "running", "successful", "failed", "lost"]
    created_at: float
    runs: list[str]


class Plays(BaseModel):
    """Plays, newest first."""

    plays: list[Play]


class PlayDetail(Play):
    """A play with what it printed."""

    output: str
    offset: int = Field(description="where the output goes on")


class RecipePath(BaseModel):
    """A recipe in a path."""

    origin: Literal["own", "here", "shipped"]
    name: str = Field(pattern=RECIPE)


class Mistake(BaseModel):
    """A mistake in a recipe."""

    line: int | None
    column: int | None
    field: str
    message: str
    remedy: str


class Recipe(BaseModel):
    """A recipe in short."""

    origin: str
    name: str
    path: str
    valid: bool
    description: str | None
    service: str | None
    workload: str | None
    target: str | None
    problems: list[Mistake]


class Recipes(BaseModel):
    """All recipes."""

    recipes: list[Recipe]


class RecipeText(BaseModel):
    """A recipe's text."""

    origin: str
    name: str
    text: str
    digest: str = Field(description="give it back when you save")


class Draft(Strict):
    """A text that is to be checked. Files that it names are looked for beside the recipe of this origin and name."""

    text: str = Field(max_length=TEXT_MOST)
    origin: Literal["own", "here", "shipped"] | None = None
    name: Annotated[str, Field(pattern=RECIPE)] | None = None


class Checked(BaseModel):
    """What is in a text."""

    valid: bool
    sentence: str | None = Field(description="what it would do, of a valid one")
    problems: list[Mistake]
    notes: list[str]


class Save(Strict):
    """A text that is to be saved."""

    text: str = Field(max_length=TEXT_MOST)
    known: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="digest of the text that it was made of; another one that is there is not overwritten"
    )


class OwnPath(BaseModel):
    """A recipe of the user's own in a path."""

    name: str = Field(pattern=RECIPE)


class Launch(Strict):
    """A recipe that is to be run."""

    origin: Literal["own", "here", "shipped"] = "shipped"
    name: str = Field(pattern=RECIPE)
    limit: Name | None = Field(None, description="clusters, with commas; without, those of the recipe")
    check: bool = Field(False, description="a dry run: shows the scripts and submits nothing")


class CompareQuery(Strict):
    """What is compared."""

    runs: Annotated[str, Field(max_length=2000)] = Field("", description="ids with commas, the reference first")
    baseline: Name = Field("", description="in the place of the reference")
    threshold: Annotated[str, Field(max_length=20)] = Field("", description="such as 5%")
    metrics: Annotated[str, Field(max_length=500)] = Field("", description="with commas; without, the usual ones")


class Comparison(BaseModel):
    """The content of comparison.json (docs/compare.md)."""

    comparison: dict[str, Any]


class TrendQuery(Strict):
    """Whose numbers over time."""

    recipe: Name
    cluster: Name | None = None


class TrendPoint(HeadlineLine):
    """A number of one run."""

    id: str
    cluster: str | None
    created_at: float | None
    verdict: str | None


class Trend(BaseModel):
    """A number over time."""

    case: str
    metric: str
    statistic: str
    points: list[TrendPoint]


class Trends(BaseModel):
    """The numbers of a recipe over time, oldest run first."""

    trends: list[Trend]


class Cluster(BaseModel):
    """A cluster of the inventory."""

    name: str
    asked_at: float | None
    found: dict[str, Any] | None = Field(description="as slurm_cluster_info returns it, when it was last asked")


class Clusters(BaseModel):
    """The clusters of the inventory."""

    clusters: list[Cluster]


class Ask(Strict):
    """Which clusters are asked."""

    limit: Name | None = None
