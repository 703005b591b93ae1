# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The schema of what run.json says of how sure its numbers are."""

from __future__ import annotations

from typing import Literal

from ..recipe.models import Field
from .part import CASE, Part

_METRIC = "As in results.csv."
_STATISTIC = "mean, value, or a percentile."


class SureRemark(Part):
    """Something that a reader should know of how sure a number is."""

    case: str | None = Field(description="The case it is about; null: the whole run.")
    code: str = Field(description="What kind it is, for programs.")
    message: str = Field(description="What it is, in words.")


class SureLine(Part):
    """How well a number of the headline is known over its repetitions. Shares are of 1."""

    case: str = Field(description=CASE)
    metric: str = Field(description=_METRIC)
    statistic: str = Field(description=_STATISTIC)
    unit: str = Field(description="As in results.csv.")
    repetitions: int = Field(description="Repetitions that have it.")
    mean: float = Field(description="Of the repetitions; of a percentile the geometric mean.")
    low: float | None = Field(description="Lower end of the 95 % interval; null of one repetition.")
    high: float | None = Field(description="Upper end of the 95 % interval; null of one repetition.")
    half_width: float | None = Field(description="Half of the interval.")
    relative: float | None = Field(description="That, as a share of the mean.")
    cv: float | None = Field(description="Coefficient of variation of the repetitions (share).")
    repetitions_for_5_percent: int | None = Field(
        description="How many bring the interval to ±5 %; null: not known, or more than 500."
    )
    repetitions_to_see_10_percent: int | None = Field(
        description="How many a side tell a change of 10 % in a comparison; null: not known, or more than 500."
    )


class WarmUp(Part):
    """A warm-up that was measured."""

    case: str = Field(description=CASE)
    metric: Literal["throughput", "response_time"] = Field(description="Whose seconds tell it.")
    repetitions: list[int] = Field(description="Numbers of the repetitions that have it.")
    seconds: int = Field(description="How long it was, within the measurement (s).")
    bias: float = Field(description="How far it moved the mean (share).")
    is_settled: bool = Field(description="Whether it ended within the first half of the measurement.")
    warmup_s: int = Field(description="What to set benchmarks.warmup to (s).")


class Trend(Part):
    """A number that changed from repetition to repetition."""

    case: str = Field(description=CASE)
    metric: str = Field(description=_METRIC)
    statistic: str = Field(description=_STATISTIC)
    share: float = Field(description="Change with each repetition, as a share of the median.")
    tau: float = Field(description="Kendall's rank correlation with the order of measuring.")
    p_value: float = Field(description="Of that being chance.")


class Outlier(Part):
    """A repetition or a client that is far from the others of its case."""

    case: str = Field(description=CASE)
    metric: str = Field(description=_METRIC)
    statistic: str = Field(description=_STATISTIC)
    unit: str = Field(description="As in results.csv.")
    repetition: int | None = Field(description="Its number; null of a client.")
    client: str | None = Field(description="Its number; null of a repetition.")
    value: float = Field(description="Its value.")
    median: float = Field(description="Of all.")
    score: float = Field(description="Modified z-score.")


class SweepKnee(Part):
    """Where along a sweep the throughput stops growing."""

    over: Literal["rate", "concurrency"] = Field(description="What was swept.")
    cases: list[str] = Field(description="The cases, by their load.")
    status: Literal["found", "grows", "flat", "undecided", "few_points"] = Field(
        description="grows: up to the highest load; flat: from the lowest load on."
    )
    at: float | None = Field(description="The load at which it is; null where none was found.")
    low: float | None = Field(description="Lower end of its 95 % interval.")
    high: float | None = Field(description="Upper end of its 95 % interval.")
    message: str = Field(description="That, in words.")


class Confidence(Part):
    """How sure the numbers are."""

    statement: str = Field(description="In a sentence.")
    remarks: list[SureRemark] = Field(description="What speaks against it, or has to be known.")
    cases: list[SureLine] = Field(description="The statistics of each case and metric.")
    warmups: list[WarmUp] = Field(description="Warm-ups that were measured; they are in the numbers.")
    trends: list[Trend] = Field(description="Numbers that change over the repetitions.")
    outliers: list[Outlier] = Field(description="Repetitions and clients far from the others; they are in the numbers.")
    knees: list[SweepKnee] = Field(description="Of each sweep over rate or concurrency.")
