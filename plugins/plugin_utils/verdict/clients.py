# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clients that made the load: were they themselves what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import Evidence, Thresholds, item


def share_a_machine(evidence: Evidence) -> bool:
    """Whether clients ran on a machine of the service: by placement, or since their nodes have one boot id.

    Several nodes of Slurm may be one machine, as on the local cluster.
    """
    if (evidence.plan.get("clients") or {}).get("placement") == "shared":
        return True
    machines: dict[str, set[str]] = {"service": set(), "clients": set()}
    for event in evidence.events:
        if event["event"] == "node_described" and event.get("source") in machines:
            machines[event["source"]].update(str(event[key]) for key in ("boot_id", "node") if event.get(key))
    return bool(machines["service"] & machines["clients"])


def reasons(case: dict[str, Any], shared: bool, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """Clients of a repetition that had not enough CPU, or waited for one.

    `shared`: the service is on their machine, whose pressure is then the service's, too (see `notes`).
    """
    client, hot = _above(case.get("client_cpu_percent"), thresholds.client_cpu_percent)
    if hot:
        yield item(
            "client_saturated",
            f"{len(hot)} of {case.get('clients', len(hot))} clients used more than "
            f"{thresholds.client_cpu_percent:g} % of their cores (client {client}: {hot[client]:.0f} %): the clients "
            f"were measured, not the service. Give them more cores, or use more clients",
            case["case"],
        )
    chance = _chance_percent(case, thresholds)
    limit = max(thresholds.run_delay_percent, chance)
    client, late = _above(case.get("client_run_delay_percent"), limit)
    if late:
        yield item(
            "client_pressure",
            f"{len(late)} of {case.get('clients', len(late))} clients waited for a CPU more than "
            f"{limit:.3g} % of the time (client {client}: {late[client]:.0f} %): answers lay "
            f"unread meanwhile. Give them cores of their own, or use fewer on a node",
            case["case"],
        )
        return  # the node's pressure is the same again
    limit = max(thresholds.node_pressure_percent, chance)
    client, pressed = _above(case.get("client_psi_cpu_some_percent"), limit)
    if pressed and not shared:
        yield item(
            "client_pressure",
            f"on the node of client {client} some task waited for a CPU {pressed[client]:.0f} % of the time (at most "
            f"{limit:.3g} % may): it has more to do than CPUs. Use fewer clients on a "
            f"node, or a node of their own",
            case["case"],
        )


def notes(evidence: Evidence, shared: bool, thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """Of a machine that clients and service share: its pressure is no proof against either, but they compete."""
    if not shared:
        return
    found = [percent for case in evidence.cases for percent in _known(case.get("client_psi_cpu_some_percent"))]
    if found and max(found) > thresholds.node_pressure_percent:
        yield item(
            "client_pressure",
            f"clients and service shared a machine, on which some task waited for a CPU up to {max(found):.0f} % "
            f"of the time: they competed, and a service with a machine of its own is likely faster",
        )


def _chance_percent(case: dict[str, Any], thresholds: Thresholds) -> float:
    """What share of a measurement a wait may be that is the scheduler's everyday one; next to 0 in a long one."""
    measured_s = float(case["measure_end"]) - float(case["measure_start"])
    return 100.0 * thresholds.cpu_wait_floor_s / measured_s if measured_s > 0 else math.inf


def _known(percents: dict[str, float | None] | None) -> list[float]:
    return [percent for percent in (percents or {}).values() if percent is not None]


def _above(percents: dict[str, float | None] | None, limit: float) -> tuple[str, dict[str, float]]:
    """(the client that is the most above `limit`, client → percent of all that are)."""
    found = {client: percent for client, percent in (percents or {}).items() if percent is not None and percent > limit}
    return max(found, key=lambda client: found[client], default=""), found
