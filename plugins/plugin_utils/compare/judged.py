# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which numbers are judged, which way is better, and how much of a change matters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import results
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError

RATIO, DIFFERENCE = "ratio", "difference"
HIGHER, LOWER = "higher", "lower"
STATISTIC, METRIC = "statistic", "metric"  # how much of a number a name names
THRESHOLD = 0.05  # of a ratio
SHARE_THRESHOLD = 0.01  # of a share such as error_rate: one point in a hundred
LEAST = 0.005  # buckets of the histograms are up to 0.4 % wide
CAPACITY, ENERGY = "capacity", "energy_per_"  # energy_per_operation: not of results.csv, but of run.json
_PERCENT = re.compile(r"(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+) *(?P<percent>%?)")
# what the load asks for, or how fit the clients were: no property of the service
_WITHOUT = ("offered", "offered_rate", "dropped", "retries", "operations", "errors", "schedule_lag", *slo.COUNTERS)


class Number(NamedTuple):
    """A metric with its statistic, as results.csv has them."""

    metric: str
    statistic: str


def direction(metric: str, unit: str, own: dict[str, str] | None = None) -> str | None:
    """`higher`, `lower`, or None where neither is better or nobody knows. `own`: what the user says of metrics."""
    said = (own or {}).get(metric)
    if said is not None or metric in _WITHOUT:
        return None if said == "none" else said
    if metric in slo.TIMES or metric == "error_rate" or metric.startswith(("response_time_", ENERGY)) or unit == "s":
        return LOWER
    if metric in ("recall", CAPACITY) or unit.endswith("/s"):
        return HIGHER
    return None


def scale(metric: str) -> str:
    """Shares are often 0 or nearly 1, where a ratio says little: they are compared by their difference."""
    return DIFFERENCE if metric in slo.SHARES else RATIO


def read_directions(value: Any) -> dict[str, str]:
    """What a user says of metrics: `{"my_score": "higher"}`. Raises RunError."""
    if not isinstance(value or {}, dict):
        raise RunError(f"directions={value!r} is not a mapping such as my_score: higher")
    for metric, said in (value or {}).items():
        if said not in (HIGHER, LOWER, "none"):
            raise RunError(f"directions: {metric} is {said!r}; say higher, lower or none")
    return dict(value or {})


class Thresholds:
    """How much of a change matters, by metric."""

    def __init__(self, default: Any = None, own: dict[str, Any] | None = None) -> None:
        """`default` of ratios, `own` by a metric's name (`response_time`, `ttft_p99`). Raises RunError."""
        if not isinstance(own or {}, dict):
            raise RunError(f"thresholds={own!r} is not a mapping such as response_time_p99: 10%")
        self.default = THRESHOLD if default in (None, "") else _share("threshold", default)
        self.own = {str(name): _share(f"thresholds: {name}", value) for name, value in (own or {}).items()}

    def check(self, known: Iterable[Number]) -> None:
        """Raise RunError for a threshold of a number that there is not."""
        known = list(known)
        for name in self.own:
            if not any(_match(name, number) for number in known):
                raise RunError(_no_such("thresholds", name, known))

    def of(self, number: Number) -> float:
        """The threshold of a number, as a share of 1: that of its statistic before that of its metric."""
        by_match = {_match(name, number): value for name, value in self.own.items()}
        usual = SHARE_THRESHOLD if scale(number.metric) == DIFFERENCE else self.default
        return by_match.get(STATISTIC, by_match.get(METRIC, usual))


def _share(where: str, value: Any) -> float:
    """A share of 1 of `5%`, `0.05`. Raises RunError: a bare 5 may be meant as either."""
    found = _PERCENT.fullmatch(str(value).strip())
    share = float(found["number"]) / (100 if found["percent"] else 1) if found else None
    if share is None or not LEAST <= share <= 1 or (share == 1 and not found["percent"]):
        raise RunError(f"{where} is {value!r}: write 5% or 0.05 for five percent, between {100 * LEAST:g}% and 100%")
    return share


def _match(name: str, number: Number) -> str | None:
    """Whether a name such as `ttft_p99` means a number: STATISTIC, METRIC (it names no statistic), or None."""
    [(metric, statistic)] = results.asked([name], [number.metric]) or [(None, None)]
    if metric != number.metric or statistic not in (None, number.statistic):
        return None
    return METRIC if statistic is None else STATISTIC


def headline(record: dict[str, Any], known: Iterable[Number]) -> list[Number]:
    """The numbers that the summary of a run shows first, as results.csv has them."""
    known = dict.fromkeys(known)
    lines = [Number(line["metric"], line["statistic"]) for line in record.get("headline") or []]
    # over repetitions the headline calls a single number's mean `mean`
    lines = [line if line in known else Number(line.metric, "value") for line in lines]
    return [line for line in dict.fromkeys(lines) if line in known]


def asked(names: Iterable[str], known: Iterable[Number]) -> list[Number]:
    """The numbers that a user names: of times without a statistic p50 and p99. Raises RunError for an unknown one."""
    known, found = list(known), []
    for name in names:
        by_match: dict[str | None, list[Number]] = {}
        for number in known:
            by_match.setdefault(_match(name, number), []).append(number)
        if STATISTIC not in by_match and METRIC not in by_match:
            raise RunError(_no_such("metrics", name, known))
        found += by_match.get(STATISTIC) or _usual(by_match[METRIC])
    return list(dict.fromkeys(found))


def _usual(numbers: list[Number]) -> list[Number]:
    """Of a metric's statistics those that are told when nobody says which."""
    metric = numbers[0].metric
    is_time = metric in slo.TIMES or metric.startswith("response_time_")
    for statistics in (("value",), ("p50", "p99") if is_time else (), ("mean",)):
        chosen = [number for number in numbers if number.statistic in statistics]
        if chosen:
            return chosen
    return numbers


def _no_such(where: str, name: str, known: list[Number]) -> str:
    metrics = sorted({number.metric for number in known})
    [(asked_metric, _statistic)] = results.asked([name]) or [(name, None)]
    near = difflib.get_close_matches(asked_metric, metrics, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{where}: there is no {name!r} in the reference; it has {', '.join(metrics) or 'nothing'}{hint}"
