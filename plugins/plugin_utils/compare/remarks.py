# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a reader of a comparison has to know besides its numbers."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import differences, observations
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.sides import Side
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.verdicts import Line


def warnings(sides: list[Side], by_side: list[list[Line]]) -> list[dict[str, str]]:
    """Each a `code` and a `message`: runs that are not VALID, pools of unlike runs, what is not in the intervals."""
    return [*_of_runs(sides), *_of_pools(sides), *_of_levels(by_side)]


def _of_runs(sides: list[Side]) -> list[dict[str, str]]:
    found = []
    for side in sides:
        for run in side.runs:
            verdict = run.record.get("verdict")
            if verdict != "VALID":
                codes = ", ".join(dict.fromkeys(reason["code"] for reason in run.record.get("reasons") or []))
                message = (
                    f"run {run.id} ({side.name}) is {verdict or run.record['state']}{f': {codes}' if codes else ''}"
                )
                found.append({"code": "not_valid", "message": message})
            cut = sorted({case["case"] for case in run.cases if case.get("cut")})
            if cut:
                message = f"run {run.id} ({side.name}): the measurement of {', '.join(cut)} ended early"
                found.append({"code": "cut", "message": message})
    return found


def _of_pools(sides: list[Side]) -> list[dict[str, str]]:
    """The runs of one side are to be alike in everything."""
    found = []
    for side in sides:
        first = differences.facts(side.runs[0].plan, side.runs[0].provenance)
        for run in side.runs[1:]:
            differing = differences.between(first, differences.facts(run.plan, run.provenance), ())
            named = [each["what"] for each in differing if each["is_warning"]]
            if named:
                more = f" and {len(named) - 3} more" if named[3:] else ""
                message = f"the runs of {side.name} are not alike: {run.id} differs in {', '.join(named[:3])}{more}"
                found.append({"code": "not_alike", "message": message})
    return found


def _of_levels(by_side: list[list[Line]]) -> list[dict[str, str]]:
    levels = {line.told.get("observation") for lines in by_side for line in lines if line.is_judged}
    if observations.REPETITION not in levels:
        return []
    message = (
        "one run a side: what varies from run to run, such as the hour and the nodes, is not in the intervals; "
        "compare several runs a side before you believe a change"
    )
    return [{"code": "single_runs", "message": message}]
