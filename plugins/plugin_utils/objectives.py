# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of the objectives: whether each case met the SLO, and what a search for the capacity found."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table

SEARCH = "search"  # what a search is called where cases have their names


def slo_outcome(plan: dict[str, Any], cases: list[dict[str, Any]], table: Table) -> dict[str, Any] | None:
    """`{"text", "cases": [{"case", "met", "repetitions", "repetitions_met", "terms"}]}`, or None without an SLO.

    A case meets it when every one of its repetitions does. Each of its terms: `{"text", "unit", "met", "values"}`,
    a value (None: not measured) of each repetition. Trials of a search are in search.json.
    """
    asked = (plan.get("benchmarks") or {}).get("slo")
    if not asked:
        return None
    units = {term["text"]: unit_of(term["metric"], table) for term in asked.get("terms") or []}
    names = [case["name"] for case in (plan.get("benchmarks") or {}).get("cases") or []]
    judged: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for case in sorted(cases, key=lambda case: case["repetition"]):
        if case.get("slo") and not case.get("trial"):
            judged.setdefault(case["case"], []).append(case["slo"])
    return {"text": asked["text"], "cases": [_of_case(name, found, units) for name, found in judged.items() if found]}


def _of_case(name: str, found: list[dict[str, Any]], units: dict[str, str]) -> dict[str, Any]:
    met = sum(bool(each["met"]) for each in found)
    terms = [
        {
            "text": text,
            "unit": units.get(text, ""),
            "met": all(term["met"] for each in found for term in each["terms"] if term["text"] == text),
            "values": [term["value"] for each in found for term in each["terms"] if term["text"] == text],
        }
        for text in dict.fromkeys(term["text"] for each in found for term in each["terms"])
    ]
    return {
        "case": name,
        "met": met == len(found),
        "repetitions": len(found),
        "repetitions_met": met,
        "terms": terms,
    }


def unit_of(metric: str, table: Table) -> str:
    """The unit of a metric, also of one that was not measured."""
    if metric in slo.TIMES or metric.startswith("response_time_"):
        return "s"
    return table.unit(metric) or ("1" if metric in slo.SHARES else "")


def term_text(term: dict[str, Any]) -> str:
    """A term with what it came to, its worst repetition first: ttft_p95_ms < 500 was 812 ms."""
    known = [value for value in term["values"] if value is not None]
    if not known:
        return f"{term['text']} was not measured"
    worst = max(known) if "<" in term["text"] else min(known)
    return f"{term['text']} was {formatting.quantity(worst, term['unit'])}"


def search_outcome(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """What search.json came to: its fields without the trials, and `trials`, how many there were."""
    if not found:
        return None
    fields = ("over", "unit", "slo", "lower", "upper", "capacity", "reason")
    return {**{name: found.get(name) for name in fields}, "trials": len(found.get("trials") or [])}


def search_line(found: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The capacity as a line of the headline, with `lower` and `upper`; none where none was found."""
    if not found or found.get("capacity") is None:
        return []
    return [
        {
            "case": SEARCH,
            "metric": "capacity",
            "unit": found.get("unit") or "",
            "statistic": "value",
            "value": found["capacity"],
            "lower": found["lower"],
            "upper": found["upper"],
            "samples": None,
            "repetitions": sum(trial["value"] == found["lower"] for trial in found.get("trials") or []),
            "half_width": None,
        }
    ]


def best_case(found: dict[str, Any] | None) -> str | None:
    """The case of the highest load that met the SLO: what can be had at the capacity."""
    found = found or {}
    at_lower = (trial["case"] for trial in found.get("trials") or [] if trial["value"] == found.get("lower"))
    return next(at_lower, None)


def search_text(outcome: dict[str, Any]) -> str:
    """In words, such as: capacity 490/s (480 to 500) meets ttft_p95_ms < 500."""
    if outcome.get("capacity") is None:
        known = [
            f"{load_text(outcome[end], outcome.get('unit'))} {verb}"
            for end, verb in (("lower", "met it"), ("upper", "did not"))
            if outcome.get(end) is not None
        ]
        return f"no capacity found for {outcome.get('slo')}" + (f" ({', '.join(known)})" if known else "")
    ends = f"{formatting.number(outcome['lower'])} to {formatting.number(outcome['upper'])}"
    return f"capacity {load_text(outcome['capacity'], outcome.get('unit'))} ({ends}) meets {outcome.get('slo')}"


def load_text(value: float, unit: str | None) -> str:
    """A load that a search tried: 490/s, 16 connections (of each client)."""
    return formatting.quantity(value, unit) if unit == "1/s" else f"{formatting.number(value)} connections"
