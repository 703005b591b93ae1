# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sweeps of a run over rate or concurrency, and the knee of each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import knee, seconds
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.stats.library import numpy
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence

_LOAD = {"rate": "offered_rate_per_s", "concurrency": "concurrency"}


def knees(evidence: Evidence) -> list[dict[str, Any]]:
    """Of each sweep `over` rate or concurrency: its `cases` by load, `status`, `at`, `low`, `high`, `message`.

    A sweep is cases that differ in one load and in nothing else, three or more: two are no curve.
    """
    found = []
    for over, by_case in _sweeps(evidence):
        names = sorted(by_case, key=by_case.__getitem__)
        done = {name: evidence.table.values(name, "throughput", "value") for name in names}
        names = [name for name in names if done[name] and min(done[name]) > 0]
        if len(names) < 3:
            continue
        loads = [by_case[name] for name in names]
        told = knee.find(loads, [done[name] for name in names], _by_seconds(evidence, names))
        found.append(
            {"over": over, "cases": names, **told._asdict(), "message": message(told, over, loads, _times(done))}
        )
    return found


def _times(done: dict[str, list[float]]) -> int:
    return min((len(values) for values in done.values() if values), default=0)


def _sweeps(evidence: Evidence) -> Iterator[tuple[str, dict[str, float]]]:
    """(over, case → its load) of cases whose other load and settings are equal."""
    for over, other in (("rate", "concurrency"), ("concurrency", "rate")):
        groups: dict[str, dict[str, float]] = {}
        for case in evidence.planned:
            load = case.get(_LOAD[over])
            if load:
                rest = json.dumps([case.get(other), case.get("settings") or {}], sort_keys=True, default=str)
                groups.setdefault(rest, {})[case["case"]] = float(load)
        for by_case in groups.values():
            if len(set(by_case.values())) == len(by_case) > 2:
                yield over, by_case


def _by_seconds(evidence: Evidence, names: list[str]) -> knee.Noise | None:
    """The noise of a mean by the seconds within it, of the logarithm: s²/(n·mean²), times (1 + ρ)/(1 − ρ).

    Seconds follow one another: ρ is their autocorrelation. What varies from repetition to repetition is not in it.
    """
    variances, freedom = [], 0.0
    for case in evidence.planned:
        values = numpy.asarray(evidence.rates.get((case["case"], case["repetition"])) or [], dtype=float)
        if case["case"] not in names or len(values) < seconds.FEWEST or not values.mean():
            continue
        again = seconds.autocorrelation([values])
        inflated = (1 + again) / (1 - again)
        variances.append(float(values.var(ddof=1)) / len(values) / float(values.mean()) ** 2 * inflated)
        freedom += (len(values) - 1) / inflated
    return knee.Noise(math.fsum(variances) / len(variances), freedom) if variances and freedom >= 1 else None


def message(found: knee.Knee, over: str, loads: list[float], repetitions: int) -> str:
    """What was found, for a person."""
    last = load_text(loads[-1], over)
    if found.status == knee.FOUND:
        noise = "" if repetitions > 1 else "; by the seconds of one repetition, other repetitions may differ by more"
        between = f"{formatting.number(found.low, 3)} to {formatting.number(found.high, 3)}, 95 %"
        return f"the throughput stops growing at {load_text(found.at, over)} ({between}){noise}"
    if found.status == knee.GROWS:
        return f"no knee within the sweep: the throughput grows up to {last}, its highest load"
    if found.status == knee.FLAT:
        return f"no knee within the sweep: more than {load_text(loads[0], over)}, its lowest load, brings no more"
    if found.status == knee.FEW:
        return f"{len(loads)} loads are too few to tell where the throughput stops growing: it takes {knee.FEWEST}"
    return "whether the throughput stops growing within the sweep is undecided: repeat it, or add higher loads"


def load_text(load: float | None, over: str) -> str:
    """A load as a person writes it: 526/s, 5.7 connections of each client."""
    text = formatting.number(load, 3)
    return f"{text}/s" if over == "rate" else f"{text} connections of each client"
