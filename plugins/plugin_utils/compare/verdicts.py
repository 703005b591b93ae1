# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Better, worse, the same or undecided: what the values of two sides say of a number. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import observations
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import (
    HIGHER,
    RATIO,
    Thresholds,
    direction,
    scale,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.observations import Key, Values

BETTER, WORSE, SAME, UNDECIDED, MISSING = "better", "worse", "same", "undecided", "missing"
ALPHA = 0.05  # the chance of any wrong verdict of a comparison
WIDEST = 20  # logarithm of a ratio


@dataclass
class Line:
    """One number of one side, beside the reference's."""

    key: Key
    unit: str
    better: str | None
    threshold: float  # share of 1
    reference: Values | None
    other: Values | None
    is_judged: bool
    verdict: str | None = None
    why: str | None = None
    needed: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    estimate: stats.Estimate | None = None

    @property
    def scale(self) -> str:
        """`ratio` or `difference`."""
        return scale(self.key.number.metric)

    @property
    def margin(self) -> float:
        """The threshold on the scale on which differences are estimated."""
        return math.log1p(self.threshold) if self.scale == RATIO else self.threshold

    @property
    def effect(self) -> float:
        """Twice the threshold, on the same scale: the change that a comparison should find."""
        return math.log1p(2 * self.threshold) if self.scale == RATIO else 2 * self.threshold

    @property
    def has_logarithms(self) -> bool:
        """Whether the scale suits the values: a ratio needs values above 0."""
        both = [values for values in (self.reference, self.other) if values is not None]
        return self.scale != RATIO or all(value > 0 for values in both for value in values.flat)

    def p_values(self) -> tuple[float, float]:
        """Two-sided p-values of (worse, better) than the threshold: small ones say that it is so."""
        below, above = self.estimate.p_below(-self.margin), self.estimate.p_above(self.margin)
        worse, better = (below, above) if self.better == HIGHER else (above, below)
        return min(1.0, 2 * worse), min(1.0, 2 * better)


def lines(
    reference: dict[Key, Values],
    other: dict[Key, Values],
    judged: Iterable[Any],
    thresholds: Thresholds,
    directions: dict[str, str] | None = None,
) -> list[Line]:
    """Every number of either side, in the reference's order; `judged`: the Numbers that get a verdict."""
    judged, found = set(judged), []
    for key in dict.fromkeys([*reference, *other]):
        first, second = reference.get(key), other.get(key)
        unit = (first or second).unit
        better = direction(key.number.metric, unit, directions)
        is_judged = key.number in judged and better is not None
        found.append(Line(key, unit, better, thresholds.of(key.number), first, second, is_judged))
    return found


def judge(all_lines: list[Line]) -> None:
    """Estimate every line, and give verdicts to those that are judged: all of them together, by Holm's procedure."""
    for line in all_lines:
        _estimate(line)
    tested = [line for line in all_lines if line.is_judged and line.estimate is not None]
    steps = stats.step_down([min(line.p_values()) for line in tested], ALPHA)
    for line, step in zip(tested, steps, strict=True):
        _decide(line, step)
    there = [line for line in all_lines if line.is_judged and line.verdict != MISSING]
    for line in there:
        _propose(line, ALPHA / len(there))


def _estimate(line: Line) -> None:
    line.is_judged = line.is_judged and line.reference is not None  # what is new has nothing to be held against
    if line.reference is None or line.other is None:
        line.verdict, line.why = (MISSING, "only the reference has it") if line.is_judged else (None, None)
        return
    both = (line.reference, line.other)
    if not line.has_logarithms:
        line.verdict, line.why = UNDECIDED if line.is_judged else None, "a ratio needs values above 0"
        return
    of = observations.level(*both)
    first, second = (observations.samples(values, of, line.scale) for values in both)
    alone = next((values for values in both if len(values.by_run) == 1), None)
    inner = observations.inner(alone, line.scale) if of == observations.RUN and alone else None
    line.estimate = stats.difference(first, second, inner)
    line.told = {
        "observation": of,
        "observations": [len(first), len(second)],
        "change": _back(math.fsum(second) / len(second) - math.fsum(first) / len(first), line.scale),
    }
    if line.estimate is None:
        line.verdict = UNDECIDED if line.is_judged else None
        line.why = f"one {of} a side says nothing of the noise"
    elif _is_less_repeated(line):
        line.estimate, line.verdict = None, UNDECIDED if line.is_judged else None
        line.why = "its single run has fewer repetitions than those whose spread it is taken to have"
    else:
        line.told["interval_95"] = [_back(value, line.scale) for value in line.estimate.interval(0.95)]


def _is_less_repeated(line: Line) -> bool:
    """Whether a side's only run has fewer repetitions than the runs of the other side, whose spread it borrows."""
    alone, others = sorted((line.reference.by_run, line.other.by_run), key=len)
    return len(alone) == 1 < len(others) and len(alone[0]) < min(map(len, others))


def _decide(line: Line, step: Any) -> None:
    worse, better = line.p_values()
    low, high = line.estimate.interval(1 - step.level)
    if step.rejected:
        line.verdict = WORSE if worse < better else BETTER
    else:
        line.verdict = SAME if -line.margin < low and high < line.margin else UNDECIDED
    line.told |= {
        "level": 1 - step.level,
        "interval": [_back(low, line.scale), _back(high, line.scale)],
        "p_value": min(worse, better),
    }


def _propose(line: Line, alpha: float) -> None:
    """How many observations a side would tell a change of twice the threshold, by the noise within the sides."""
    of = line.told.get("observation")
    both = [observations.samples(values, of, line.scale) for values in (line.reference, line.other)] if of else []
    line.needed, noise = stats.proposal(both, line.effect - line.margin, alpha)
    line.told["noise"] = noise


def _back(value: float, scale_: str) -> float:
    """What a value of the scale stands for; an interval that is wide beyond all sense ends at a ratio of e²⁰."""
    return math.exp(max(-WIDEST, min(WIDEST, value))) if scale_ == RATIO else value


def overall(some: Iterable[Line]) -> str:
    """The verdict of a side: worse if any number is, else better if any is, the same if all are."""
    verdicts = {line.verdict for line in some if line.verdict is not None}
    for verdict in (WORSE, BETTER):
        if verdict in verdicts:
            return verdict
    return SAME if verdicts == {SAME} else UNDECIDED
