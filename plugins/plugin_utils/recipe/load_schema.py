# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The section ``benchmarks`` of a recipe: the load, and what is measured under it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from . import units
from .errors import describe
from .fields import Concurrencies, Duration, Rate, Rates, Seed, Share, Word
from .models import BaseModel, BeforeValidator, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
ArrivalType = Literal["poisson", "constant", "gamma", "ramp", "trace"]
MAX_IN_FLIGHT = 4096
DRAIN_S = 60.0


class Section(BaseModel):
    """A mapping of a recipe: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_default=False)


class Arrival(Section):
    """When operations are due where there is a rate."""

    type: ArrivalType = Field(
        "poisson",
        description="`poisson`: independent of one another; `constant`: evenly spaced; `gamma`: in bursts; `ramp`: the"
        " rate grows; `trace`: at the times of a file",
    )
    burstiness: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        1.0, description="gamma: shape of the intervals' distribution; 1 is Poisson, below 1 come bursts"
    )
    from_: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0,
        alias="from",
        description="ramp: rate at the measurement's start, from which it goes in a straight line to the case's own",
    )
    path: Word | None = Field(
        None,
        description="trace: a file of times, one number of seconds a line (of CSV the first column), counted from the"
        " measurement's start; a relative path is a file beside the recipe, an absolute one lies on the cluster",
    )


class StopOn(Section):
    """What ends a case early, so that it costs no more than it tells."""

    error_rate: Share | None = Field(None, description="share of the operations that failed, from which on it ends")
    over_saturation: bool = Field(False, description="ends when the service falls behind the rate more and more")
    stable: Share | None = Field(
        None, description="ends when the throughput's relative uncertainty is below this share: longer tells no more"
    )


class SweepCase(Section):
    """One case of a sweep in the mode list."""

    rate: Rate | None = Field(None, description="as `benchmarks.rate`, one value")
    concurrency: Count | None = Field(None, description="as `benchmarks.concurrency`, one value")
    settings: dict[str, Any] = Field(default_factory=dict, description="settings of the workload, in this case")


class Sweep(Section):
    """Cases made of several parameters."""

    mode: Literal["grid", "zip", "list"] = Field(
        "grid",
        description="`grid`: every combination of the parameters' values; `zip`: the first values of all, the second"
        " ones, and so on; `list`: the cases that `cases` names",
    )
    parameters: dict[str, list[Any]] = Field(
        default_factory=dict,
        description="grid and zip: a list of values each of `rate`, `concurrency`, `settings.NAME` (of the workload)",
    )
    cases: list[SweepCase] = Field(default_factory=list, description="list: the cases, each with what is its own")


class Search(Section):
    """The search for the highest load that meets the SLO."""

    over: Literal["rate", "concurrency"] = Field(description="what is raised until the SLO is not met any more")
    from_: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        1.0, alias="from", description="the first load that is tried; it should meet the SLO"
    )
    to: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="the highest load that is tried; default: as high as it takes"
    )
    tolerance: Share = Field(0.05, description="relative width of the interval that is searched for")
    repetitions: Count = Field(3, description="how often the loads at the edge are tried again")
    max_trials: Annotated[int, Field(ge=1, le=1000)] = Field(24, description="after so many trials the search ends")


class _OrWord:
    """JSON Schema of a mapping in whose place one of ``words`` may stand."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = list(words)

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "enum": self.words}, handler(core_schema)]}


def _word_as_type(value: Any) -> Any:
    """``poisson`` is short for ``{type: poisson}``."""
    if isinstance(value, str):
        return {"type": value}
    if not isinstance(value, (dict, Section)):
        words = ", ".join(get_args(ArrivalType))
        raise units.UnitError(f"expected a word or a mapping, found {describe(value)}", f"write one of {words}")
    return value


class Benchmarks(Section):
    """What is measured, and how."""

    num_clients: Count = Field(1, description="number of clients; each is one task of one Slurm job")
    metrics: Annotated[list[Word], Field(min_length=1)] = Field(
        default_factory=lambda: ["response_time", "throughput"], description="metrics shown first in summaries"
    )
    duration: Duration | None = Field(None, description="measured time of each case and repetition")
    requests: Count | None = Field(
        None, description="operations of each client, instead of a duration; default without a duration: 1"
    )
    warmup: Duration = Field(0.0, description="time under load before each measurement; it is kept apart")
    cooldown: Duration = Field(
        0.0, description="time under load after each measurement, so that its last operations meet the same load"
    )
    rate: Rates | None = Field(
        None,
        description="offered operations per second over all clients, `max` (as fast as it goes), or `50%` of `max`;"
        " a list makes one case of each",
    )
    arrival: Annotated[Arrival, BeforeValidator(_word_as_type), _OrWord(get_args(ArrivalType))] | None = Field(
        None, description="when operations are due where there is a rate: a word, or a mapping; default: `poisson`"
    )
    max_in_flight: Count = Field(
        MAX_IN_FLIGHT,
        description="with a rate: operations of each client that may be under way; what is due beyond is dropped, and"
        " counted",
    )
    concurrency: Concurrencies | None = Field(
        None, description="connections or loops of each client; a list makes one case of each; default: 1"
    )
    think_time: Duration = Field(
        0.0, description="without a rate: mean pause between two operations of a connection (exponential)"
    )
    timeout: Duration | None = Field(None, description="time after which an operation is ended and is an error")
    retries: Annotated[int, Field(ge=0)] = Field(
        0, description="how often a failed operation is tried again; the time counts from the first try"
    )
    drain: Duration = Field(
        DRAIN_S, description="time that operations may go on after the load's end; then they are errors"
    )
    records: bool = Field(False, description="keep a record of every operation, beside the histograms")
    repetitions: Count = Field(1, description="how often each case is measured")
    order: Literal["random", "sequential"] = Field(
        "random",
        description="`random`: every case once, in a new order for each repetition; `sequential`: all repetitions of a"
        " case, then the next",
    )
    seed: Seed = Field(1, description="seed of everything random; each client, case and repetition derives its own")
    slo: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="service level objective, such as `ttft_p95_ms < 500 and error_rate < 0.01`"
    )
    stop_on: StopOn | None = Field(None, description="what ends a case early")
    sweep: Sweep | None = Field(None, description="cases made of several parameters")
    search: Search | None = Field(None, description="search for the highest load that meets the SLO")
