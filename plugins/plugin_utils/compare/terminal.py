# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A comparison on the terminal and in AWX: tables of at most 80 columns."""

from __future__ import annotations

import textwrap
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, screen
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import words
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.verdicts import (
    BETTER,
    MISSING,
    SAME,
    UNDECIDED,
    WORSE,
)

ONE_RUN = "one run: how much runs vary is not known of it; three to five make a better baseline"
ROWS = 24  # judged numbers of a side; the report has them all
DIFFERENCES = 8
_VALUE = 28  # characters of a value that differs
_ORDER = (WORSE, MISSING, BETTER, UNDECIDED, SAME)


def text(record: dict[str, Any], colour: bool = False) -> str:
    """What differs first, then the numbers, then what would decide the undecided ones, then the verdict."""
    parts = [*_sides(record), *_differences(record), *_warnings(record)]
    if not record["comparisons"]:
        return screen.draw(*parts, *_noise(record["sides"][0]), colour=colour)
    for each in record["comparisons"]:
        parts += ["", *_numbers(each)]
    return screen.draw(*parts, "", *_wrapped(words.verdict(record)), colour=colour)


def baseline_text(baseline: dict[str, Any]) -> list[str]:
    """A baseline in a few lines."""
    thresholds = [f"{name} {value}" for name, value in (baseline.get("thresholds") or {}).items()]
    if baseline.get("threshold"):
        thresholds.insert(0, f"all {baseline['threshold']}")
    moved = formatting.plural(len(baseline.get("history") or []), "earlier set") + " of runs"
    return [
        f"{baseline['name']}: {baseline.get('recipe')} on {baseline.get('cluster')}, set "
        f"{formatting.when(baseline.get('set_at'))}, {moved}",
        *(f"  {run}" for run in baseline["runs"]),
        *([f"  thresholds: {', '.join(thresholds)}"] if thresholds else []),
        *(_wrapped(ONE_RUN, "  note ") if len(baseline["runs"]) == 1 else []),
    ]


def _wrapped(line: str, mark: str = "") -> list[str]:
    return textwrap.wrap(
        mark + line, screen.WIDTH, subsequent_indent=" " * len(mark), break_on_hyphens=False, break_long_words=True
    )


def _sides(record: dict[str, Any]) -> list[str]:
    found = []
    for side in record["sides"]:
        found += _wrapped(f"{side['name']}: {words.side_title(side)}")
        found += [
            f"  {run['id']}{'' if run['verdict'] == 'VALID' else '  ' + str(run['verdict'])}" for run in side["runs"]
        ]
    return found


def _differences(record: dict[str, Any]) -> list[str]:
    if len(record["sides"]) < 2:
        return []
    found, many = [""], len(record["sides"]) > 2
    listed = [each for each in record["differences"] if each["is_warning"] or each["kind"] != "other"]
    for each in listed[:DIFFERENCES]:
        side = f"{each['side']}: " if many else ""
        mark = " ! " if each["is_warning"] else "   "
        found += _wrapped(f"{side}{words.difference(each, _VALUE)}", mark)
    if listed[DIFFERENCES:]:
        found.append(f"   {formatting.plural(len(listed) - DIFFERENCES, 'more difference')} in the report")
    if not listed:
        return [*found, "nothing that matters differs between the sides, as far as it is recorded"]
    wrong = sum(each["is_warning"] for each in listed)
    what = f"; {wrong} should not (varied= says what does so on purpose)" if wrong else ""
    return [found[0], *_wrapped(f"{formatting.plural(len(listed), 'field')} differ{'s' * (len(listed) == 1)}{what}:"),
            *found[1:]]  # fmt: skip


def _warnings(record: dict[str, Any]) -> list[str]:
    found = []
    for warning in record["warnings"]:
        mark = " note " if warning["code"] == "single_runs" else " ! "
        found += _wrapped(warning["message"], mark)
    return [""] * bool(found) + found


def _numbers(each: dict[str, Any]) -> list[Any]:
    """The judged numbers, and of the undecided what they lack. Of very many those that are decided first."""
    judged = [number for number in each["numbers"] if number["verdict"]]
    if not judged:
        return [f"no number of {each['side']} is judged: none of them has a direction (see the report)"]
    shown = judged
    if len(judged) > ROWS:
        shown = sorted(judged, key=lambda number: _ORDER.index(number["verdict"]))[:ROWS]
    rows, last = [], None
    for number in shown:
        metric = formatting.metric(number)
        cells = [words.value(number[side], number["unit"]) for side in ("reference", "other")]
        case = "" if number["case"] == last else number["case"]
        rows.append((case, metric, *cells, words.ratio(number), number["verdict"]))
        last = number["case"]
    titles = ("case", "metric", each["against"], each["side"], "ratio", "verdict")
    found: list[Any] = [screen.table(titles, rows, right=(2, 3), fold=(0, 1, 2, 3))]
    if judged[len(shown) :]:
        found.append(f"{formatting.plural(len(judged) - len(shown), 'more number')} in the report")
    for line in words.undecided(judged):
        found += _wrapped(line)
    return found


def _noise(side: dict[str, Any]) -> list[Any]:
    """Of a single side: how much its numbers vary, and how many repetitions would carry a claim."""
    rows, last = [], None
    for number in side["numbers"][:ROWS]:
        case = "" if number["case"] == last else number["case"]
        mean = formatting.interval((number["mean"], number["half_width"]), number["unit"])
        needed = formatting.NOTHING if number["needed"] is None else f"{number['needed']} {number['observation']}s"
        cells = (formatting.metric(number), mean, number["count"], words.percent(number["cv"]), needed)
        rows.append((case, *cells))
        last = number["case"]
    if not rows:
        return ["", "none of its numbers has a direction"]
    titles = ("case", "metric", "value", "n", "CV", "a side needs")
    more = [f"{formatting.plural(len(side['numbers']) - ROWS, 'more number')} in the report"] * (
        len(side["numbers"]) > ROWS
    )
    unknown = [wrapped for line in words.cannot_tell(side["numbers"]) for wrapped in _wrapped(line)]
    is_known = any(number["needed"] is not None for number in side["numbers"])
    told = "A change of twice the threshold (10 % at 5 %) is then found in 19 of 20 comparisons." if is_known else ""
    return ["", screen.table(titles, rows, right=(2, 3, 4, 5), fold=(0, 1)), *more, *_wrapped(told), *unknown]
