# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict, VALID or INVALID, and its reasons: may the numbers of a run be quoted.

Pure functions over what the clients left (cases, results) and what the run left (events, jobs). A reason makes
a run INVALID; a note tells how sure a number is and leaves the verdict alone. Both are data: `code`,
`message`, `case` (None when it is about the whole run). One module a subject: the run as a whole, the load of a case,
the clients that made it, the samples behind a percentile, the search.

Whether an SLO was met is a result, not a matter of the verdict. Trials of a search overload the service on purpose:
each says in search.json whether it counts, and only what the search came to is judged here.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict import (
    clients,
    clocks,
    load,
    samples,
    search,
    whole,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import (
    Evidence,
    Thresholds,
    grouped,
    is_partial,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.samples import SAMPLES_BEYOND, samples_needed

__all__ = ["INVALID", "SAMPLES_BEYOND", "VALID", "Evidence", "Thresholds", "is_partial", "judge", "samples_needed"]

VALID, INVALID = "VALID", "INVALID"


def judge(
    evidence: Evidence, thresholds: Thresholds | None = None
) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """(verdict, reasons, notes) of a run that has ended."""
    thresholds = thresholds or Thresholds()
    shared = clients.share_a_machine(evidence)
    reasons = [
        *whole.reasons(evidence),
        *clocks.reasons(evidence, thresholds),
        *search.reasons(evidence, shared, thresholds),
    ]
    for case in evidence.planned:
        reasons.extend(load.reasons(case, evidence, thresholds))
        reasons.extend(clients.reasons(case, shared, thresholds))
    reasons.extend(samples.reasons(evidence))
    notes = [
        *samples.notes(evidence),
        *grouped([*load.notes(evidence, thresholds)]),
        *clients.notes(evidence, shared, thresholds),
        *search.notes(evidence),
        *whole.notes(evidence),
    ]
    return (INVALID if reasons else VALID), grouped(reasons), notes
