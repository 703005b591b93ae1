# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a reader asks first: how fast is it, is it valid, how sure is that, what limits it, what did it cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, formatting, objectives
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import words

CASES = 4  # of a run with more, those that were fastest
LINES = 4  # of a case
REMARKS = 3  # reasons, and remarks on how sure it is
ROWS = 200  # of any table of report.html; what is beyond is in the run's files


def gather(record: dict[str, Any]) -> dict[str, Any]:
    """The five answers from run.json: `fast`, `valid`, `sure`, `limits`, `cost`; each is for a template to lay out."""
    by_case = by_name(record.get("headline") or [])
    return {
        "fast": _fast(record, by_case),
        "valid": _valid(record),
        "sure": _sure(record, by_case),
        "limits": _limits(record.get("bottleneck") or {}),
        "cost": _cost(record),
    }


def by_name(headline: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The lines of the headline by case, in their order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in headline:
        found.setdefault(line["case"], []).append(line)
    return found


def every_case(by_case: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The headline as a table: `columns` (titles), `rows` (case and a text or a dash of each column), `more` cases."""
    measured = {case: lines for case, lines in by_case.items() if case not in (finish.SETUP, objectives.SEARCH)}
    wanted = dict.fromkeys(_key(line) for lines in measured.values() for line in lines)
    rows = []
    for case, lines in list(measured.items())[:ROWS]:
        told = {_key(line): formatting.with_interval(line) for line in lines}
        repetitions, samples = lines[0].get("repetitions"), lines[0].get("samples")
        cells = [told.get(key, formatting.NOTHING) for key in wanted]
        rows.append({"case": case, "repetitions": repetitions, "samples": samples, "cells": cells})
    columns = [formatting.metric({"metric": metric, "statistic": statistic}) for metric, statistic in wanted]
    return {"columns": columns, "rows": rows, "more": max(0, len(measured) - ROWS)}


def _key(line: dict[str, Any]) -> tuple[str, str]:
    """Of one case a mean over its repetitions, of another with a single one its value: the same column."""
    return line["metric"], "value" if line["statistic"] == "mean" else line["statistic"]


def _fast(record: dict[str, Any], by_case: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """`cases`: the first lines of each; `chosen`: which ones they are, where they are not all."""
    slo = record.get("slo") or {}
    met = {outcome["case"]: outcome["met"] for outcome in slo.get("cases") or []}
    names = [case for case in by_case if case != finish.SETUP] or list(by_case)
    chosen = ""
    if len(names) > CASES:
        ranked = sorted(names, key=lambda case: (met.get(case) is False, -_throughput(by_case[case])))
        kept = {*ranked[:CASES], *(case for case in names if case == objectives.SEARCH)}
        chosen = f"{len(kept)} of {len(names)} cases: those with the most throughput"
        chosen += " that meet the SLO" if any(met.get(case) for case in kept) else ""
        names = [case for case in names if case in kept]
    tiles = [
        {"case": case, "lines": by_case[case][:LINES], "met": met.get(case), "about": _about(record, by_case[case][0])}
        for case in names
    ]
    return {"cases": tiles, "chosen": chosen}


def _throughput(lines: list[dict[str, Any]]) -> float:
    found = next((line["value"] for line in lines if line["metric"] == "throughput"), None)
    return -1.0 if found is None else found


def _about(record: dict[str, Any], line: dict[str, Any]) -> str:
    """What the first number of a case is of."""
    search = record.get("search")
    if search and line.get("lower") is not None:
        load = "rate" if search["over"] == "rate" else "concurrency"
        return f"the highest {load} that meets {search['slo']}; {formatting.plural(search['trials'], 'trial')}"
    if not isinstance(line.get("samples"), int) or not isinstance(line.get("repetitions"), int):
        return ""
    repetitions = formatting.plural(line["repetitions"], "repetition")
    return f"{formatting.plural(line['samples'], 'operation')}, {repetitions}"


def _valid(record: dict[str, Any]) -> dict[str, Any]:
    """`word` of the badge, `sentence`, the first `reasons`, and how many `more` there are."""
    verdict, state = record.get("verdict"), record.get("state") or "unknown"
    reasons = record.get("reasons") or []
    if verdict == "VALID":
        sentence = "Every check passed: these numbers may be quoted."
    elif verdict == "INVALID":
        why = {"finished": "", "stopped": "; the run was stopped"}.get(state, "; the run failed")
        sentence = f"Do not quote these numbers{why}:"
    else:
        sentence = f"The run is {state}; this is what was collected of it so far."
    return {
        "word": verdict or "not judged yet",
        "sentence": sentence,
        "reasons": reasons[:REMARKS],
        "more": max(0, len(reasons) - REMARKS),
    }


def _sure(record: dict[str, Any], by_case: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """`sentence`, the first `remarks` (`case`, `message`), and how many `more` there are."""
    told = record.get("confidence") or {}
    remarks = words.beside_statement(told)
    known = {(remark.get("code"), remark.get("case")) for remark in remarks}
    notes = [note for note in record.get("notes") or [] if (note.get("code"), note.get("case")) not in known]
    remarks = [*remarks, *notes]
    return {
        "sentence": told.get("statement") or " ".join(_from_intervals(by_case)),
        "remarks": remarks[:REMARKS],
        "more": max(0, len(remarks) - REMARKS),
    }


def _from_intervals(by_case: dict[str, list[dict[str, Any]]]) -> Iterable[str]:
    """What the headline by itself says of how sure it is."""
    lines = [line for lines in by_case.values() for line in lines]
    if not lines:
        yield "Nothing was measured."
        return
    for line in lines:
        if line.get("lower") is not None and line.get("upper") is not None:
            lower, upper = formatting.number(line["lower"]), formatting.number(line["upper"])
            yield f"The capacity lies between {lower} and {upper}."
    known = [line for line in lines if line.get("half_width") is not None and line["value"]]
    if known:
        widest = max(known, key=lambda line: abs(line["half_width"] / line["value"]))
        times = formatting.plural(widest["repetitions"], "repetition")
        share = formatting.share(abs(widest["half_width"] / widest["value"]))
        yield (
            f"Means are known to ± {share} or better: the 95 % interval over {times}; the widest is that of "
            f"{formatting.metric(widest)} in {widest['case']}."
        )
    elif all(line.get("repetitions") == 1 for line in lines if line.get("samples") is not None):
        yield "One repetition: no interval. With benchmarks.repetitions of 3 or more there is one."


def _limits(bottleneck: dict[str, Any]) -> dict[str, Any]:
    """`sentence`, and what was `not_looked_at`."""
    sentence = bottleneck.get("sentence") or "not known yet"
    begins_with_case = sentence.partition(" ")[0].endswith(":")
    return {
        "sentence": f"{sentence if begins_with_case else sentence[0].upper() + sentence[1:]}.",
        "not_looked_at": bottleneck.get("not_looked_at") or [],
    }


def _cost(record: dict[str, Any]) -> dict[str, Any]:
    """`amounts`: (text, of what), node-hours first; `sentence`: what part of it measured; `energy` in words."""
    cost = record.get("cost") or {}
    amounts = [(formatting.number(cost.get("node_hours") or 0.0, 3), "node-hours")]
    for kind in ("gpu", "core"):
        hours = cost.get(f"{kind}_hours")
        if hours:
            amounts.append((formatting.number(hours, 3), f"{'GPU' if kind == 'gpu' else kind}-hours"))
    if isinstance(cost.get("price"), (int, float)):
        amounts.append((f"{cost['price']:,.2f}", cost.get("currency") or ""))
    shares = [cost.get("measured_share"), cost.get("wasted_share")]
    measured, wasted = map(formatting.share, shares)
    sentence = (
        "" if None in shares else f"{measured} of the node-hours measured, {wasted} brought the measurement nothing."
    )
    return {"amounts": amounts, "sentence": sentence, "energy": _energy(record.get("energy") or {})}


def _energy(energy: dict[str, Any]) -> str:
    if energy.get("status") != "measured":
        return f"Energy: unknown, {energy['reason']}." if energy.get("reason") else "Energy: unknown."
    joules = [case["joules"] for case in energy.get("cases") or [] if case.get("joules") is not None]
    kinds = " and ".join(sorted({"GPUs" if each["kind"] == "gpu" else "processors" for each in energy["devices"]}))
    return f"Energy: {formatting.energy(sum(joules))} while it measured ({kinds})."
