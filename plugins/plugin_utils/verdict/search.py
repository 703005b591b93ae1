# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a search came to: an interval, or nothing; and whether it was the service that set it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.objectives import load_text
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict import clients
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence, Thresholds, item


def reasons(evidence: Evidence, shared: bool, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """A search that found nothing, and one whose limit is the clients'.

    `shared`: see `clients.reasons`.
    """
    asked = evidence.benchmarks.get("search")
    if not asked or not any(case.get("measure_end") for case in evidence.cases):
        return  # nothing was measured: that says it
    found = evidence.search or {}
    if found.get("capacity") is None:
        yield item("search_found_nothing", f"the search found no capacity: {_why_nothing(asked, found)}")
        return
    at_upper = [trial for trial in found.get("trials") or [] if trial["value"] == found["upper"] and not trial["met"]]
    limits = [_limit_of_clients(trial, evidence, shared, thresholds) for trial in at_upper]
    if limits and all(limits):
        load = load_text(found["upper"], found.get("unit"))
        yield item(
            "search_limited_by_clients",
            f"what the search missed at {load} may be the clients' fault, not the service's: {limits[0]}",
        )


def _limit_of_clients(trial: dict[str, Any], evidence: Evidence, shared: bool, thresholds: Thresholds) -> str:
    """What kept the clients from making the load of a trial, or delayed them; empty where nothing did."""
    if not trial.get("valid", True):
        return trial.get("why") or "they did not make the load"
    place = (trial["case"], trial["repetition"])
    records = [case for case in evidence.cases if (case["case"], case["repetition"]) == place]
    return next((reason["message"] for case in records for reason in clients.reasons(case, shared, thresholds)), "")


def notes(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """An interval that is wider than asked, or whose ends were not tried again."""
    found = evidence.search or {}
    if found.get("capacity") is not None and found.get("reason") != "converged":
        why = {"max_trials": f"after {len(found.get('trials') or [])} trials (search.max_trials)"}
        ended = why.get(found.get("reason"), "before its end")
        yield item("search_open", f"the search ended {ended}: its interval may be wider than asked for")


def _why_nothing(asked: dict[str, Any], found: dict[str, Any]) -> str:
    trials = found.get("trials") or []
    if not trials:
        return "no trial was made"
    lowest, highest = (load_text(pick(trial["value"] for trial in trials), found.get("unit")) for pick in (min, max))
    if found.get("reason") == "above_to":
        return f"even the highest load ({highest}) met the SLO; raise search.to"
    if found.get("reason") == "below_from":
        return f"even the lowest load ({lowest}) did not meet the SLO{_first_why(trials)}"
    ended = f"after {len(trials)} trials" if found.get("reason") == "max_trials" else "before its end"
    if found.get("lower") is not None:
        higher = f"begin higher (search.from is {asked['from']:g})" if asked.get("from") else "begin higher"
        return f"it ended {ended}, and no load up to {highest} missed the SLO; {higher}"
    return f"it ended {ended}, and no load down to {lowest} met the SLO{_first_why(trials)}"


def _first_why(trials: list[dict[str, Any]]) -> str:
    """Why the lowest of the loads was not met, where it was not the SLO's terms alone."""
    lowest = min(trials, key=lambda trial: trial["value"])
    missed = [term["text"] for term in lowest.get("terms") or [] if not term["met"]]
    why = lowest.get("why") or (f"missed {', '.join(missed)}" if missed else "")
    return f" ({why})" if why else ""
