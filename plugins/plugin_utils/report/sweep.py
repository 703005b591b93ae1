# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the cases of a run differ, and what that did: a number against the parameter that was swept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, results

# What is plotted and listed, where it was measured: (metric, statistic).
_NUMBERS = (("throughput", None), ("output_tokens_per_s", None), ("recall", None), ("goodput", None))
_LOADS = ("rate", "concurrency")
Busy = Callable[[Callable[[dict[str, Any]], Any]], dict[str, Any]]
_TIMES_FIRST = (("time_to_first_token", "p99"), ("response_time", "p99"))


def gather(
    plan: dict[str, Any],
    cases: list[dict[str, Any]],
    table: results.Table,
    histograms: dict[str, dict[str, Any]],
    shown: Sequence[str],
    *,
    busy: Busy | None = None,
) -> dict[str, Any] | None:
    """What the cases were swept over, or None where they do not differ in a parameter.

    `parameters`: their names; `x`: the one to plot against; `columns`: names of the numbers; `rows`: for each case its
    `values` of the parameters and its `numbers` as texts; `plots`: see `_plot`; `lower`, `upper`: the highest load that
    met the SLO and the next one, where it was the load alone that was swept; `utilization`: what `busy` says of each x.
    """
    choices = {name: _choice([case for case in cases if case["case"] == name]) for name in shown}
    parameters = [
        name
        for name in dict.fromkeys([*_LOADS, *(name for choice in choices.values() for name in choice)])
        if len({_key(choice.get(name)) for choice in choices.values()}) > 1
    ]
    x = _axis_of(parameters, choices) if parameters else ""
    if sum(choice.get(x) is not None for choice in choices.values()) < 2:
        return None  # such as `max` and one rate
    terms = ((plan.get("benchmarks") or {}).get("slo") or {}).get("terms") or []
    wanted = list(dict.fromkeys([*_NUMBERS, *_times(terms, histograms)]))
    lines = {
        what: {case: results.line(table, histograms, case, *what) for case in shown}
        for what in wanted
    }  # fmt: skip
    lines = {what: by_case for what, by_case in lines.items() if any(by_case.values())}
    return {
        "parameters": parameters,
        "x": x,
        "columns": [formatting.metric({"metric": metric, "statistic": stat or "value"}) for metric, stat in lines],
        "rows": [
            {
                "case": case,
                "values": [_text(name, choices[case].get(name)) for name in parameters],
                "numbers": [formatting.with_interval(found[case]) if found[case] else "–" for found in lines.values()],
            }
            for case in shown
        ],
        "plots": [
            _plot(
                what,
                by_case,
                x=x,
                others=[name for name in parameters if name != x],
                choices=choices,
                limit=_limit(what, terms),
            )
            for what, by_case in lines.items()
        ],
        "trade_off": _trade_off(lines, shown),
        **_capacity(cases, choices, parameters, x),
        "utilization": busy(_numbered(choices, x)) if busy and parameters == [x] else {},
    }


def _numbered(choices: dict[str, dict[str, Any]], x: str) -> Callable[[dict[str, Any]], Any]:
    def load(case: dict[str, Any]) -> Any:
        at = choices.get(case["case"], {}).get(x)
        return at if _is_number(at) else None

    return load


def _capacity(
    cases: list[dict[str, Any]], choices: dict[str, dict[str, Any]], parameters: list[str], x: str
) -> dict[str, float | None]:
    """Between which of the loads that were tried the SLO stops being met: in every repetition, and at all below."""
    unknown = {"lower": None, "upper": None}
    if parameters != [x] or x not in _LOADS:
        return unknown
    met: dict[float, bool] = {}
    for case in cases:
        at = choices.get(case["case"], {}).get(x)
        if at is not None and case.get("slo"):
            met[at] = met.get(at, True) and case["slo"]["met"]
    missed = min((at for at, is_met in met.items() if not is_met), default=None)
    below = [at for at in met if missed is not None and at < missed]
    return {"lower": max(below), "upper": missed} if below else unknown


def _trade_off(lines: dict[Any, dict[str, dict[str, Any] | None]], shown: Sequence[str]) -> list[tuple[Any, ...]]:
    """(recall, throughput, case) in the order of recall: what a better answer costs."""
    recall, throughput = lines.get(("recall", None), {}), lines.get(("throughput", None), {})
    pairs = ((recall.get(case), throughput.get(case), case) for case in shown)
    return sorted((one["value"], other["value"], case) for one, other, case in pairs if one and other)


def _choice(repetitions: list[dict[str, Any]]) -> dict[str, Any]:
    """Parameter → value of a case: the offered rate (a share of `max` as what became of it), connections, settings."""
    if not repetitions:
        return {}
    rates = [case["offered_rate_per_s"] for case in repetitions if case.get("offered_rate_per_s")]
    rate = {"rate": sum(rates) / len(rates)} if rates else {}
    return {**rate, "concurrency": repetitions[0].get("concurrency"), **_flat(repetitions[0].get("settings") or {})}


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings that have settings of their own, by their dotted names: search.ef."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return found


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _times(terms: list[dict[str, Any]], histograms: dict[str, Any]) -> list[tuple[str, str]]:
    """The times that the SLO is about; without one, the first token's and the whole answer's."""
    asked = [(term["metric"], term["statistic"]) for term in terms if term["statistic"] in (*results.QUANTILES, "max")]
    return asked or [what for what in _TIMES_FIRST if what[0] in histograms]


def _limit(what: tuple[str, str | None], terms: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((term for term in terms if (term["metric"], term["statistic"]) in (what, (what[0], "value"))), None)


def _axis_of(parameters: list[str], choices: dict[str, dict[str, Any]]) -> str:
    """The parameter with the most different numbers; without numbers the one that most cases have."""

    def spread(name: str) -> tuple[int, int]:
        values = [choice[name] for choice in choices.values() if choice.get(name) is not None]
        return (len(set(values)) if all(map(_is_number, values)) else 0, len(values))

    return max(parameters, key=spread)  # of equals the first


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name == "rate":
        return formatting.quantity(value, "1/s")
    if _is_number(value):
        return formatting.number(value)
    return value if isinstance(value, str) else _key(value)


def _plot(
    what: tuple[str, str | None],
    lines: dict[str, dict[str, Any] | None],
    *,
    x: str,
    others: list[str],
    choices: dict[str, dict[str, Any]],
    limit: dict[str, Any] | None,
) -> dict[str, Any]:
    """`title`, `unit`, `limit` (a term of the SLO or None) and `curves`: name → (x, value, half width) in order."""
    curves: dict[str, list[tuple[Any, float, float | None]]] = {}
    for case, found in lines.items():
        at = choices[case].get(x)
        if found is not None and at is not None:
            name = ", ".join(f"{other} {_text(other, choices[case].get(other))}" for other in others)
            curves.setdefault(name, []).append(
                (at if _is_number(at) else _text(x, at), found["value"], found["half_width"])
            )
    for points in curves.values():
        if all(_is_number(point[0]) for point in points):
            points.sort(key=lambda point: point[0])
    found = next(line for line in lines.values() if line)
    return {
        "title": formatting.metric({"metric": what[0], "statistic": what[1] or "value"}),
        "unit": found["unit"],
        "limit": limit,
        "curves": curves,
    }
