# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How sure the numbers of a run are: intervals, warm-up, outliers, trends, the knee of a sweep. Pure, by scipy.

Nothing here takes a value out of the numbers, and nothing makes a run INVALID: it is told.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import observed, sweeps, words
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence

__all__ = ["of_run"]

_NOTHING: dict[str, Any] = {"remarks": [], "cases": [], "warmups": [], "trends": [], "outliers": [], "knees": []}


def of_run(evidence: Evidence, headline: list[dict[str, Any]]) -> dict[str, Any]:
    """What run.json says of it as `confidence`; `headline` as in run.json.

    `statement` (a sentence), `remarks` (each `case`, `code`, `message`), `cases` (see intervals.of_line), `warmups`,
    `trends`, `outliers`, `knees`: what the remarks are about, as data. Without scipy the statement says so.
    """
    try:
        stats.library_is_here()
    except ImportError:
        return {"statement": "Nobody looked: this needs scipy (pip install -r requirements.txt).", **_NOTHING}
    if not evidence.planned:
        return {"statement": _of_search(headline) or "Nothing was measured.", **_NOTHING}
    found = {
        "cases": observed.intervals_of(evidence, headline),
        "warmups": observed.warmups(evidence),
        "trends": observed.trends(evidence),
        "outliers": [*observed.odd_repetitions(evidence, headline), *observed.odd_clients(evidence)],
        "knees": sweeps.knees(evidence),
    }
    return {"statement": words.statement(found, evidence), "remarks": words.remarks(found, evidence), **found}


def _of_search(headline: list[dict[str, Any]]) -> str | None:
    """What a search found is an interval of its own, made of trials that were repeated at its ends."""
    return next((f"The capacity is {formatting.with_interval(line)}." for line in headline if "lower" in line), None)
