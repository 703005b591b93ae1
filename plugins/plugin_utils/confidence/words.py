# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How sure the numbers are, in a sentence, and what keeps them from carrying a claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import (
    intervals,
    knee,
    observed,
    seconds,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence, item

CORRELATED = 0.3  # from here on half of the seconds, or more, only repeat what the others say: (1 − ρ)/(1 + ρ)
_ONCE = "one_repetition"


def statement(found: dict[str, Any], evidence: Evidence) -> str:
    """One sentence: how well the first number of each case is known, or why that can't be told."""
    first = main_lines(found["cases"], evidence)
    known = [line for line in first if line["relative"] is not None]
    if not known:
        few = "One repetition" if first else "No number that was repeated"
        return f"{few}: how much a number varies is not known; benchmarks.repetitions: {stats.PILOT} would tell."
    bounds = (pick(line["relative"] for line in known) for pick in (min, max))
    within = " to ".join(dict.fromkeys(map(formatting.share, bounds)))
    names = dict.fromkeys(formatting.metric(line) for line in known)
    counts = sorted({line["repetitions"] for line in known})
    times = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    where = f" in {len(known)} of {len(first)} cases" if len(first) > 1 else ""
    sentence = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} known within ±{within}{where}"
    sentence += f" (95 %, {times} repetitions){'; a warm-up is still in it' if found['warmups'] else ''}."
    return sentence[0].upper() + sentence[1:]


def main_lines(lines: list[dict[str, Any]], evidence: Evidence) -> list[dict[str, Any]]:
    """Of each case its first number; where a rate is offered, the first that the rate does not set."""
    found: dict[str, dict[str, Any]] = {}
    offered = {case["case"] for case in evidence.planned if case.get("offered_rate_per_s")}
    for line in lines:
        is_set = line["case"] in offered and line["unit"].endswith("/s")
        known = found.get(line["case"])
        if known is None or (line["case"] in offered and known["unit"].endswith("/s") and not is_set):
            found[line["case"]] = line
    return list(found.values())


def remarks(found: dict[str, Any], evidence: Evidence) -> list[dict[str, Any]]:
    """Each `case` (None: the whole run), `code`, `message`; what matters most comes first."""
    first = main_lines(found["cases"], evidence)
    return [
        *map(_warm_up, found["warmups"]),
        *map(_trend, found["trends"]),
        *_outliers(found["outliers"]),
        *_repetitions(first, evidence),
        *map(_wide, filter(_is_wide, first)),
        *(item(f"knee_{each['status']}", each["message"]) for each in found["knees"] if each["status"] != knee.FOUND),
        *_seconds(evidence),
    ]


def beside_statement(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The remarks of a record's `confidence` without the one that its statement is about already."""
    return [each for each in found.get("remarks") or [] if (each.get("code"), each.get("case")) != (_ONCE, None)]


def _named(line: dict[str, Any]) -> str:
    return formatting.metric({"metric": line["metric"], "statistic": line.get("statistic", "value")})


def _warm_up(found: dict[str, Any]) -> dict[str, Any]:
    name = _named(found)
    which = formatting.plural(len(found["repetitions"]), "repetition")
    off = f"its mean is {formatting.share(abs(found['bias']))} too {'high' if found['bias'] > 0 else 'low'}"
    if not found["is_settled"]:
        text = f"the {name} still changed after half of the measurement ({which}): it has no steady state to quote. "
        text += f"Measure longer, with benchmarks.warmup: {found['warmup_s']}s or more"
        return item("not_settled", text, found["case"])
    text = f"the first {found['seconds']} s that were measured were warm-up still ({which}, by the {name}; {off}); "
    return item("warm_up", f"{text}they are in the numbers. Set benchmarks.warmup: {found['warmup_s']}s", found["case"])


def _trend(found: dict[str, Any]) -> dict[str, Any]:
    verb = "rose" if found["share"] > 0 else "fell"
    text = f"the {_named(found)} {verb} by {formatting.share(abs(found['share']))} with each repetition (Kendall's τ "
    text += f"{found['tau']:.2f}, p {found['p_value']:.2g}): something changes while the run goes on, such as caches, "
    return item("trend", f"{text}the amount of data or clocks; the interval is not that of one state", found["case"])


def _outliers(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One remark for each repetition and each client, whatever numbers it stands out by."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for odd in found:
        groups.setdefault((odd["case"], odd["repetition"], odd["client"]), []).append(odd)
    for (case, repetition, client), several in groups.items():
        who = f"client {client}" if repetition is None else f"repetition {repetition}"
        values = ", ".join(
            f"{_named(odd)} {formatting.quantity(odd['value'], odd['unit'])} "
            f"(median {formatting.quantity(odd['median'], odd['unit'])})"
            for odd in several
        )
        code = "outlier_client" if repetition is None else "outlier_repetition"
        yield item(code, f"{who} is far from the others: {values}; it is in the numbers", case)


def _repetitions(first: list[dict[str, Any]], evidence: Evidence) -> Iterator[dict[str, Any]]:
    alone = [line["case"] for line in first if line["repetitions"] < 2]
    asked = int(evidence.benchmarks.get("repetitions") or 1)
    if alone and len(alone) == len(first):
        yield item(_ONCE, f"measured once: no interval. Set benchmarks.repetitions: {stats.PILOT}")
    else:
        for name in alone:
            yield item(_ONCE, "measured once: no interval", name)
    for line in first:
        if 2 <= line["repetitions"] < asked:
            text = f"{line['repetitions']} of {asked} repetitions were measured: the interval is wider than was planned"
            yield item("fewer_repetitions", text, line["case"])


def _is_wide(line: dict[str, Any]) -> bool:
    return line["relative"] is not None and line["relative"] > intervals.NARROW


def _wide(line: dict[str, Any]) -> dict[str, Any]:
    needed, within = line["repetitions_for_5_percent"], formatting.share(line["relative"])
    remedy = "no reasonable number of repetitions would bring ±5 %: measure longer"
    remedy = f"{needed} repetitions would bring ±5 %" if needed else remedy
    return item("wide_interval", f"the {_named(line)} is known within ±{within} only: {remedy}", line["case"])


def _seconds(evidence: Evidence) -> Iterator[dict[str, Any]]:
    shortest = min((len(rates) for rates in evidence.rates.values() if rates), default=0)
    times = max((len(repetitions) for repetitions in observed.by_case(evidence).values()), default=1)
    needed = max(seconds.FEWEST, 3 * seconds.FEWEST // times)  # ranks of fewer are in any order by chance
    if 0 < shortest < needed:
        yield item("short", f"measured for {shortest + 1} s: whether a warm-up is in it can't be told below {needed} s")
    found = observed.correlated_seconds(evidence)
    if found and found[1] >= CORRELATED:
        case, again = found[0], found[1]
        text = (
            f"a second is much like the one before it (autocorrelation {again:.2f}): their scatter says less than it "
        )
        text += f"seems, as {100 * (1 - again) / (1 + again):.0f} of 100 seconds are independent; repetitions tell more"
        yield item("autocorrelated", text, case)
