# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A comparison in words: of the screen, of the pages, and of the verdicts."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import FAILED, PASSED, name_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import RATIO
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.verdicts import UNDECIDED, WORSE

WORST = 8  # numbers that a failure names


def ratio(number: dict[str, Any]) -> str:
    """A number's change with the interval at which it was tested: 0.898 (0.880 to 0.916); of a share +0.012 (…)."""
    change = number.get("change")
    if change is None:
        return formatting.NOTHING
    form = _ratio if number["scale"] == RATIO else "{:+.3f}".format
    interval = number.get("interval") or number.get("interval_95")
    return form(change) if interval is None else f"{form(change)} ({form(interval[0])} to {form(interval[1])})"


def _ratio(value_: float) -> str:
    return f"{value_:.3f}" if 0.01 <= value_ < 10 else f"{value_:.3g}"


def value(number: dict[str, Any] | None, unit: str) -> str:
    """The mean of a side."""
    return formatting.NOTHING if number is None else formatting.quantity(number["mean"], unit)


def percent(share: float | None) -> str:
    """A share of 1 in per cent, to one digit: 3.2 %."""
    return formatting.NOTHING if share is None else f"{100 * share:.1f} %"


def change_to_find(number: dict[str, Any]) -> str:
    """The change that the proposed number of repetitions finds: twice the threshold."""
    return f"{200 * number['threshold']:g} {'%' if number.get('scale', RATIO) == RATIO else 'points'}"


def needed(record: dict[str, Any]) -> str:
    """What the numbers of needed observations, of each side alone, stand for."""
    found = f"in {formatting.number(100 * record['options']['power'])} of 100 comparisons"
    said = f"Needed: for a change of twice the threshold to be found {found}, by the upper 80 % confidence limit"
    both = "; what a comparison above proposes goes by the noise of both its sides" if record["comparisons"] else ""
    return f"{said} of the noise of that side{both}."


def _cannot_tell(number: dict[str, Any]) -> str | None:
    """Why no number of repetitions is proposed; None where one is."""
    if number.get("noise") is None:
        return f"measure {stats.PILOT} repetitions a side first (benchmarks.repetitions), which show the noise"
    if number["needed"] is None:
        what = f"no reasonable number of {number['observation']}s tells a change of {change_to_find(number)}"
        return f"{what}: measure longer"
    return None


def _undecided(number: dict[str, Any]) -> tuple[str, int]:
    """(what an undecided number lacks, in a form for how many observations a side; how many)."""
    unknown = _cannot_tell(number)
    if number.get("why"):
        return f"{number['why']}{f'; {unknown}' if unknown else ''}", 0
    if unknown:
        return unknown, 0
    if min(number["observations"]) >= number["needed"]:
        return f"the change lies near the threshold of {percent(number['threshold'])}", 0
    return f"{{}} {number['observation']}s a side would tell a change of {change_to_find(number)}", number["needed"]


def undecided(numbers: list[dict[str, Any]]) -> list[str]:
    """What would decide the undecided numbers: a line for each reason, with the numbers that have it."""
    by_form: dict[str, list[tuple[str, int]]] = {}
    for number in numbers:
        if number["verdict"] == UNDECIDED:
            form, needed = _undecided(number)
            by_form.setdefault(form, []).append((name_of(number), needed))
    return [
        f"undecided: {_some([name for name, _n in found])}: {_filled(form, found)}" for form, found in by_form.items()
    ]


def _filled(form: str, found: list[tuple[str, int]]) -> str:
    fewest, most = min(needed for _name, needed in found), max(needed for _name, needed in found)
    return form.format(f"{fewest}" if fewest == most else f"{fewest} to {most}")


def cannot_tell(numbers: list[dict[str, Any]]) -> list[str]:
    """Of numbers of one side: why nothing is proposed for some of them, each reason once."""
    return list(dict.fromkeys(filter(None, map(_cannot_tell, numbers))))


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if names[most:] else "")


def side_title(side: dict[str, Any]) -> str:
    """A side in a line: quickstart on local, 3 runs of 5 repetitions."""
    runs = side["runs"]
    what = " / ".join(dict.fromkeys(f"{run['recipe']} on {run['cluster']}" for run in runs))
    repetitions = sorted({run["repetitions"] for run in runs})
    told = formatting.plural(repetitions[0], "repetition") if len(repetitions) == 1 else f"{repetitions} repetitions"
    return f"{what}, {formatting.plural(len(runs), 'run')} of {told}"


def difference(each: dict[str, Any], most: int = 0) -> str:
    """What differs, in a line: load clients.settings.scale: 10 → 20."""
    first, second = (_short(each[key], most) for key in ("reference", "other"))
    return f"{each['what']}: {first} → {second}"


def _short(text: str | None, most: int) -> str:
    text = formatting.NOTHING if text is None else text
    return text if not most or len(text) <= most else f"{text[: most - 1]}…"


def verdict(record: dict[str, Any]) -> str:
    """The outcome in a sentence."""
    if record["baseline"]:
        name = record["baseline"]["name"]
        if record["gate"] == PASSED:
            open_ = sum(number["verdict"] == UNDECIDED for each in record["comparisons"] for number in each["numbers"])
            return f"gate {name}: passed" + (f", with {formatting.plural(open_, 'number')} undecided" if open_ else "")
        return f"gate {name}: FAILED: {'; '.join(record['gate_reasons'])}"
    return "; ".join(f"{each['side']} against {each['against']}: {each['verdict']}" for each in record["comparisons"])


def failure(record: dict[str, Any]) -> str | None:
    """Why a play fails; None when it does not."""
    if record["baseline"]:
        return verdict(record) if record["gate"] == FAILED else None
    worse = [
        f"{name_of(number)} {ratio(number)}"
        for each in record["comparisons"]
        for number in each["numbers"]
        if number["verdict"] == WORSE
    ]
    if not worse:
        return None
    more = [f"and {len(worse) - WORST} more"] if worse[WORST:] else []
    return "\n".join(["regression:", *worse[:WORST], *more])
