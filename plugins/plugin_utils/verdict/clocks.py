# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clocks of the clients' nodes: all clients measure from one time of day to another, each by its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.formatting import seconds
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence, Thresholds, item


def offsets(events: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Node → `offset_s` of its clock from the conductor's and `uncertainty_s`, as the conductor measured them."""
    known = [event["offsets"] for event in events if event["event"] == "clocks" and event.get("offsets")]
    return known[-1] if known else {}


def reasons(evidence: Evidence, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """A node whose clock is so far off, even at the near end of its uncertainty, that its window is another."""
    windows = [case["measure_end"] - case["measure_start"] for case in evidence.cases if case.get("measure_end")]
    if not windows:
        return
    limit = max(thresholds.clock_s, thresholds.clock_share * min(windows))
    off = {
        node: found["offset_s"]
        for node, found in offsets(evidence.events).items()
        if abs(found["offset_s"]) - found.get("uncertainty_s", 0.0) > limit
    }
    if off:
        worst = max(off, key=lambda node: abs(off[node]))
        others = f", {len(off) - 1} more are off too" if len(off) > 1 else ""
        yield item(
            "clock_offset",
            f"the clock of {worst} is {seconds(abs(off[worst]))} {'ahead of' if off[worst] > 0 else 'behind'} the "
            f"conductor's (at most {seconds(limit)} may be){others}: the clients did not measure at the same time. "
            f"Have the clocks of the nodes synchronised",
        )
