# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two or more runs, or groups of runs, side by side: what differs between them, and which numbers are worse for it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import (
    differences,
    judged,
    observations,
    remarks,
    verdicts,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.observations import Key, Values
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Run, Side
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.verdicts import Line
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.texts import redact
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.version import collection_version

SCHEMA = 1
PASSED, FAILED = "passed", "failed"


@dataclass
class Options:
    """What a user may say of a comparison."""

    metrics: list[str] = field(default_factory=list)
    thresholds: judged.Thresholds = field(default_factory=judged.Thresholds)
    directions: dict[str, str] = field(default_factory=dict)
    varied: Collection[str] = (differences.SERVICE,)
    strict: bool = False


def compare(
    sides: list[Side], options: Options, baseline: dict[str, Any] | None = None, now: float | None = None
) -> dict[str, Any]:
    """The content of comparison.json; docs/compare.md has its fields. Raises RunError.

    The first of `sides` is the reference of all others. With a `baseline` (its file's content) it is a gate. Of a
    single side only its noise is told, and how many repetitions would carry a claim.
    """
    _check_kinds(options.varied)
    values = [observations.of_side(side) for side in sides]
    known = _common(values)
    options.thresholds.check(known)
    numbers = _numbers(sides[0], values[0], known, options)
    by_side = [
        verdicts.lines(values[0], other, numbers, options.thresholds, options.directions) for other in values[1:]
    ]
    verdicts.judge([line for of_side in by_side for line in of_side])
    moment = time.time() if now is None else now
    comparisons = [
        {"side": side.name, "against": sides[0].name, "verdict": verdicts.overall(lines), "numbers": _told(lines)}
        for side, lines in zip(sides[1:], by_side, strict=True)
    ]
    record = {
        "schema": SCHEMA,
        "id": time.strftime("%Y%m%d-%H%M%S", time.gmtime(moment)) + f"-{secrets.token_hex(2)}",
        "created_at": moment,
        "collection_version": collection_version(),
        "baseline": baseline and {key: baseline.get(key) for key in ("name", "runs", "set_at")},
        "options": _options(options),
        "sides": [_side(side, found, numbers, options) for side, found in zip(sides, values, strict=True)],
        "warnings": remarks.warnings(sides, by_side),
        "differences": _differences(sides, options.varied),
        "comparisons": comparisons,
        "is_regression": any(each["verdict"] == verdicts.WORSE for each in comparisons),
    }
    return {**record, **(_gate(record, sides, options) if baseline else {"gate": None, "gate_reasons": []})}


def _check_kinds(varied: Iterable[str]) -> None:
    for kind in varied:
        if kind not in differences.KINDS:
            raise RunError(f"varied={kind}: what may differ on purpose is {', '.join(differences.KINDS)}")


def _common(values: list[dict[Key, Values]]) -> list[judged.Number]:
    """The numbers that the first side and another one have for some case. Raises RunError when there are none."""
    known = dict.fromkeys(key.number for key in values[0])
    if not known:
        raise RunError("the reference has no results: nothing was measured, or it was not collected")
    if len(values) > 1 and not any(key in values[0] for other in values[1:] for key in other):
        cases = [", ".join(dict.fromkeys(key.case for key in found)) or "none" for found in values]
        raise RunError(f"the sides have no case in common: {' | '.join(cases)}")
    return list(known)


def _numbers(
    reference: Side, values: dict[Key, Values], known: list[judged.Number], options: Options
) -> list[judged.Number]:
    """The numbers that are judged: those that the user names, else those that the summary shows first."""
    if not options.metrics:
        return list(dict.fromkeys(n for run in reference.runs for n in judged.headline(run.record, known)))
    units = {key.number.metric: found.unit for key, found in values.items()}
    numbers = judged.asked(options.metrics, known)
    for number in numbers:
        if judged.direction(number.metric, units[number.metric], options.directions) is None:
            raise RunError(
                f"metrics: nobody knows which way {number.metric} is better; say so: "
                f'-e \'{{"directions": {{"{number.metric}": "higher"}}}}\', or lower'
            )
    return numbers


# -- what is told ------------------------------------------------------------------------------------


def _options(options: Options) -> dict[str, Any]:
    return {
        "metrics": list(options.metrics),
        "threshold": options.thresholds.default,
        "thresholds": options.thresholds.own,
        "directions": options.directions,
        "varied": list(options.varied),
        "strict": options.strict,
        "alpha": verdicts.ALPHA,
        "power": stats.POWER,
    }


def _told(lines: list[Line]) -> list[dict[str, Any]]:
    """Every number that both sides have, and those that are judged and missing."""
    return [
        {
            "case": line.key.case,
            "metric": line.key.number.metric,
            "statistic": line.key.number.statistic,
            "unit": line.unit,
            "scale": line.scale,
            "better": line.better,
            "is_judged": line.is_judged,
            "threshold": line.threshold,
            "verdict": line.verdict,
            "why": line.why,
            "needed": line.needed,
            "reference": _summary(line, line.reference),
            "other": _summary(line, line.other),
            **line.told,
        }
        for line in lines
        if line.verdict is not None or None not in (line.reference, line.other)
    ]


def _summary(line: Line, values: Values | None) -> dict[str, Any] | None:
    if values is None:
        return None
    scale = line.scale if line.has_logarithms else judged.DIFFERENCE
    return observations.summary(values, line.told.get("observation") or observations.level(values), scale)


def _side(side: Side, found: dict[Key, Values], numbers: list[judged.Number], options: Options) -> dict[str, Any]:
    """A side's runs, and of each judged number its mean, its noise, and how many repetitions would carry a claim."""
    lines = verdicts.lines(found, {}, numbers, options.thresholds, options.directions)
    lines = [line for line in lines if line.is_judged]
    told = [_noise(line, verdicts.ALPHA / len(lines)) for line in lines]
    return {"name": side.name, "runs": [_run(run) for run in side.runs], "numbers": told}


def _noise(line: Line, alpha: float) -> dict[str, Any]:
    """What a side tells of one number by itself."""
    values = line.reference
    of, needed, noise = observations.level(values), None, None
    if line.has_logarithms:
        sample = observations.samples(values, of, line.scale)
        needed, noise = stats.proposal([sample], line.effect - line.margin, alpha)
    return {
        "case": line.key.case, **line.key.number._asdict(), "unit": line.unit, "threshold": line.threshold,
        **_summary(line, values), "noise": noise, "needed": needed,
    }  # fmt: skip


def _run(run: Run) -> dict[str, Any]:
    record = run.record
    repetitions = [case["repetition"] for case in run.cases]
    told = {key: record.get(key) for key in ("recipe", "cluster", "service", "state", "verdict", "created_at")}
    return {"id": run.id, **told, "repetitions": max(repetitions, default=0)}


def _differences(sides: list[Side], varied: Collection[str]) -> list[dict[str, Any]]:
    """Of each side's first run against the reference's."""
    reference = differences.facts(sides[0].runs[0].plan, sides[0].runs[0].provenance)
    found = []
    for side in sides[1:]:
        other = differences.facts(side.runs[0].plan, side.runs[0].provenance)
        found += [{"side": side.name, **each} for each in differences.between(reference, other, varied)]
    for each in found:
        for key in ("reference", "other"):
            each[key] = each[key] and redact(each[key])
    return found


def _gate(record: dict[str, Any], sides: list[Side], options: Options) -> dict[str, Any]:
    """Whether a run passes: no number is worse or missing, every run is VALID, and there is something to judge."""
    numbers = [number for each in record["comparisons"] for number in each["numbers"] if number["verdict"]]
    reasons = []
    invalid = [run.id for side in sides for run in side.runs if run.record.get("verdict") != "VALID"]
    if invalid:
        reasons.append(f"not VALID: {', '.join(invalid)}")
    refused = [verdicts.WORSE, verdicts.MISSING, *([verdicts.UNDECIDED] if options.strict else [])]
    for verdict in refused:
        found = [name_of(number) for number in numbers if number["verdict"] == verdict]
        reasons += [f"{verdict}: {', '.join(found)}"] if found else []
    if not numbers:
        reasons.append("no number is judged: none of them has a direction")
    return {"gate": FAILED if reasons else PASSED, "gate_reasons": reasons}


def name_of(number: dict[str, Any]) -> str:
    """A number as a person names it: max response_time p99."""
    statistic = "" if number["statistic"] in ("value", "mean") else f" {number['statistic']}"
    return f"{number['case']} {number['metric'].replace('_', ' ')}{statistic}"


def directory(home: str | os.PathLike[str], record: dict[str, Any]) -> RunDirectory:
    """Where a comparison's files lie: benchmark_home/comparisons/ID."""
    return RunDirectory(os.path.join(home, "comparisons", record["id"]))


def library_is_here() -> None:
    """Raise ImportError, with the remedy, where scipy is not installed."""
    stats.library_is_here()
