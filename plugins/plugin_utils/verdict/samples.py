# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does a percentile rest on enough samples: a reason where the recipe asks for it, else a note."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import QUANTILES, asked
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence, item

# A percentile p of n samples rests on the n·(1 − p) samples above it. Their number is about Poisson
# distributed, so ten of them are known to ±1/√10, a third: fewer, and the percentile is one outlier's value.
SAMPLES_BEYOND = 10


def samples_needed(p: float) -> int:
    """How many samples a percentile `p` (0 to 1) needs: p50 20, p90 100, p99 1,000, p999 10,000."""
    return math.ceil(round(SAMPLES_BEYOND / (1.0 - p), 6))


def reasons(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Percentiles that the recipe asks for. Those of `metrics` are shown of all repetitions merged, those of the SLO
    are judged repetition by repetition.
    """
    for case, metric, statistic, count in _asked_for(evidence):
        needed = samples_needed(QUANTILES[statistic])
        if count < needed:
            what = f"{formatting.statistic(statistic)} of {metric.replace('_', ' ')}"
            words = (
                f"{what} was asked for and has {count:,} samples: it needs {needed:,}. Measure longer, or ask for less"
            )
            yield {
                **item("few_samples", words, case),
                "metric": metric,
                "percentile": statistic,
                "samples": count,
                "needed": needed,
            }


def notes(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Percentiles of the response time, of the repetition with the fewest samples of each case."""
    reported = {
        (reason["case"], reason["percentile"]) for reason in reasons(evidence) if reason["metric"] == "response_time"
    }
    for name, counts in _counts(evidence, evidence.planned, "response_time").items():
        count = min(counts)
        unsure = [each for each, p in QUANTILES.items() if count < samples_needed(p) and (name, each) not in reported]
        if count and unsure:
            first, needed = formatting.statistic(unsure[0]), samples_needed(QUANTILES[unsure[0]])
            message = f"{count:,} samples a repetition: {first} and above rest on fewer than {SAMPLES_BEYOND} of them; "
            yield {
                **item("few_samples", f"{message}{first} needs {needed:,}", name),
                "percentile": unsure[0],
                "samples": count,
                "needed": needed,
            }


def _asked_for(evidence: Evidence) -> Iterator[tuple[str, str, str, int]]:
    """(case, metric, statistic, samples) of every percentile that was asked for and measured, each once."""
    least: dict[tuple[str, str, str], int] = {}

    def take(cases: list[dict[str, Any]], metric: str, statistic: str | None, merge: Any) -> None:
        if statistic in QUANTILES:
            for name, counts in _counts(evidence, cases, metric).items():
                count, key = merge(counts), (name, metric, statistic)
                if count:
                    least[key] = min(count, least.get(key, count))

    for metric, statistic in asked(evidence.benchmarks.get("metrics") or (), evidence.table.metrics()):
        take(evidence.planned, metric, statistic, sum)
    for term in (evidence.benchmarks.get("slo") or {}).get("terms") or []:
        take([*evidence.planned, *_best_trials(evidence)], term["metric"], term["statistic"], min)
    for (name, metric, statistic), count in least.items():
        yield name, metric, statistic, count


def _best_trials(evidence: Evidence) -> list[dict[str, Any]]:
    """Of a search those of the highest load that met the SLO: what it found rests on them."""
    search = evidence.search or {}
    names = {trial["case"] for trial in search.get("trials") or [] if trial["value"] == search.get("lower")}
    return [case for case in evidence.cases if case.get("trial") and case["case"] in names]


def _counts(evidence: Evidence, cases: list[dict[str, Any]], metric: str) -> dict[str, list[int]]:
    """Case → samples of a metric in each of its repetitions that has any count."""
    found: dict[str, list[int]] = {}
    for case in cases:
        count = evidence.table.value(case["case"], case["repetition"], metric, "count")
        if count is not None:
            found.setdefault(case["case"], []).append(int(count))
    return found
