# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a search came to its capacity: its trials, and each term of the SLO against the load."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, objectives, results
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.sweep import Busy


def gather(
    found: dict[str, Any] | None, plan: dict[str, Any], table: results.Table, busy: Busy | None = None
) -> dict[str, Any] | None:
    """`text`, `terms` (their texts), `trials` as rows of a table, `plots` (a term each); None without a search.

    `utilization`: what `busy` says of each load.
    """
    outcome = objectives.search_outcome(found)
    if found is None or outcome is None:
        return None
    known = {term["text"]: term for term in ((plan.get("benchmarks") or {}).get("slo") or {}).get("terms") or []}
    trials = found.get("trials") or []
    loads = {trial["case"]: trial["value"] for trial in trials}
    texts = list(dict.fromkeys(term["text"] for trial in trials for term in trial.get("terms") or []))
    units = {text: objectives.unit_of(known[text]["metric"], table) if text in known else "" for text in texts}
    return {
        **{key: found.get(key) for key in ("over", "unit", "lower", "upper", "capacity", "reason", "tolerance")},
        "text": objectives.search_text(outcome),
        "terms": texts,
        "trials": [_row(trial, found.get("unit"), units) for trial in trials],
        "plots": [_plot(text, known.get(text), units[text], trials) for text in texts],
        "utilization": busy(lambda case: loads.get(case["case"])) if busy else {},
    }


def _value(trial: dict[str, Any], text: str) -> float | None:
    return next((term["value"] for term in trial.get("terms") or [] if term["text"] == text), None)


def _row(trial: dict[str, Any], unit: str | None, units: dict[str, str]) -> dict[str, Any]:
    return {
        **{key: trial.get(key) for key in ("number", "step", "repetition", "throughput", "met", "why")},
        "valid": trial.get("valid", True),
        "load": objectives.load_text(trial["value"], unit),
        "values": [formatting.quantity(_value(trial, text), units[text]) for text in units],
    }


def _plot(text: str, term: dict[str, Any] | None, unit: str, trials: list[dict[str, Any]]) -> dict[str, Any]:
    """`limit` (a term of the SLO, or None) and `points`: (load, value, what became of the trial)."""
    points = [
        (trial["value"], value, "met" if trial["met"] else "missed" if trial.get("valid", True) else "not delivered")
        for trial in trials
        if (value := _value(trial, text)) is not None
    ]
    return {"title": text, "unit": unit, "limit": term, "points": points}
