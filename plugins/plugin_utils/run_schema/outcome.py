# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json says of the results: verdict, SLO, search, headline, and how sure they are."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import CASE, Part


class Remark(Part):
    """A reason for INVALID, or a note that leaves the verdict alone."""

    code: str = Field(description="What kind it is, for programs: errors, few_samples, …")
    message: str = Field(description="What it is, in words.")
    case: str | None = Field(description="The case it is about; null: the whole run.")
    metric: str | None = Field(default=None, description="Of few_samples as a reason: the metric that was asked for.")
    percentile: str | None = Field(default=None, description="Of few_samples: the percentile, such as p99.")
    samples: int | None = Field(default=None, description="Of few_samples: how many there are.")
    needed: int | None = Field(default=None, description="Of few_samples: how many the percentile needs.")


class Term(Part):
    """A term of the SLO, and what a case came to."""

    text: str = Field(description="As the recipe has it, such as ttft_p95_ms < 500.")
    unit: str = Field(description="Of the values, as in results.csv; empty: none.")
    met: bool = Field(description="Every repetition met it.")
    values: list[float | None] = Field(description="What each repetition came to; null: not measured.")


class SloCase(Part):
    """Whether a case met the SLO."""

    case: str = Field(description=CASE)
    met: bool = Field(description="Every repetition met every term.")
    repetitions: int = Field(description="Repetitions that were judged.")
    repetitions_met: int = Field(description="Those that met every term.")
    terms: list[Term] = Field(description="Each term of the SLO.")


class Slo(Part):
    """The service level objective of the recipe."""

    text: str = Field(description="All of it, as the recipe has it.")
    cases: list[SloCase] = Field(description="Each case that was judged; trials of a search are in search.json.")


class Search(Part):
    """What a search for the capacity came to; its trials are in search.json."""

    over: Literal["rate", "concurrency"] = Field(description="What was searched.")
    unit: str | None = Field(description="Of lower, upper and capacity: 1/s, or 1 (connections of each client).")
    slo: str = Field(description="What the capacity has to meet.")
    lower: float | None = Field(description="The highest load that met it below all that did not; null: none did.")
    upper: float | None = Field(description="The lowest load that did not; null: all did.")
    capacity: float | None = Field(description="The middle of lower and upper; null where one of them is missing.")
    reason: Literal["converged", "max_trials", "above_to", "below_from", "stopped"] = Field(description="Why it ended.")
    trials: int = Field(description="How many there were.")


class Line(Part):
    """A number that a reader wants first."""

    case: str = Field(description="The case; search for the capacity, set-up for what the set-up measured.")
    metric: str = Field(description="As in results.csv, or capacity.")
    unit: str = Field(description="As in results.csv: s, 1/s, B, …; empty: none.")
    statistic: str = Field(description="mean over the repetitions, value of a single one, a percentile, or max.")
    value: float = Field(description="In that unit. Percentiles are of all repetitions merged.")
    samples: int | None = Field(description="Operations behind it.")
    repetitions: int = Field(description="Repetitions behind it.")
    half_width: float | None = Field(
        description="Of the 95 % interval of a mean over the repetitions (Student's t); null of a percentile."
    )
    lower: float | None = Field(default=None, description="Of the capacity: the load that met the SLO.")
    upper: float | None = Field(default=None, description="Of the capacity: the load that did not.")
