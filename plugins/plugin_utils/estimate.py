# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run may cost, before anything is submitted, and whether the inventory's budget allows it.

Slurm ends every job at its time limit: nodes times time limits is the most that the jobs of the service and the clients
can take. The job that fetches images is not in it, as nobody knows beforehand whether there is one. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.plan_parts import Part, parts_of

# hours by the name of their price
KINDS = {"node_hours": "node_hour", "gpu_hours": "gpu_hour"}
_UNITS = {"node_hours": "node-h", "gpu_hours": "GPU-h"}


def most(plan: dict[str, Any]) -> dict[str, float]:
    """The most node_hours and gpu_hours that the jobs of a plan can take."""
    jobs = [part.plan["job"] for part in _paid(plan)]
    return {
        "node_hours": sum(job["nodes"] * job["time_limit_s"] for job in jobs) / 3600.0,
        "gpu_hours": sum(job["nodes"] * job["gpus_per_node"] * job["time_limit_s"] for job in jobs) / 3600.0,
    }


def price_of(hours: dict[str, float], prices: dict[str, Any]) -> float | None:
    """What so many hours cost, in the currency of `prices` (see benchmark_prices); None where it has no price."""
    known = [hours.get(kind, 0.0) * prices[name] for kind, name in KINDS.items() if prices.get(name)]
    return sum(known) if known else None


def load_s(plan: dict[str, Any]) -> float | None:
    """How long warm-ups and measurements take by themselves; None of a search, or where requests are counted."""
    asked = plan["benchmarks"]
    if asked.get("duration_s") is None or asked.get("search"):
        return None
    each_s = asked["warmup_s"] + asked["duration_s"] + asked.get("cooldown_s", 0.0)
    return len(asked["cases"]) * asked["repetitions"] * each_s


def sentence(plan: dict[str, Any]) -> str:
    """One line for a person."""
    hours = most(plan)
    told = [f"{formatting.number(value, 3)} {_UNITS[kind]}" for kind, value in hours.items() if value]
    prices = plan["cluster"].get("prices") or {}
    price = price_of(hours, prices)
    if price is not None:
        told.append(f"{price:,.2f} {prices['currency']}")
    text = f"costs at most {', '.join(told)} by its jobs' time limits"
    seconds = load_s(plan)
    return text if seconds is None else f"{text}; the load takes {formatting.duration(seconds)}"


def problems(plan: dict[str, Any]) -> Iterator[str]:
    """Which part of the budget the jobs could exceed."""
    hours, cluster = most(plan), plan["cluster"]
    prices = cluster.get("prices") or {}
    could = {**hours, "price": price_of(hours, prices)}
    for name, allowed in (cluster.get("budget") or {}).items():
        value = could[name]
        if allowed is None:
            continue
        if value is None:
            yield f"benchmark_budget.{name}: nobody knows a price here; set benchmark_prices, or take it out"
        elif value > allowed:
            unit = prices["currency"] if name == "price" else _UNITS[name]
            yield (
                f"benchmark_budget.{name}: the jobs may take {formatting.number(value, 4)} {unit} "
                f"({', '.join(_limit(part) for part in _paid(plan))}), and {formatting.number(allowed, 4)} are allowed;"
                " lower the time limits or the nodes, or raise the budget"
            )


def _paid(plan: dict[str, Any]) -> list[Part]:
    """The parts that have nodes of their own: clients on the service's nodes have none."""
    shared = plan["clients"].get("placement") == "shared"
    return [part for part in parts_of(plan) if not (shared and part.section == "client")]


def _limit(part: Part) -> str:
    job = part.plan["job"]
    nodes = formatting.plural(job["nodes"], "node")
    return f"{part.section}: {nodes} for {duration.from_seconds(job['time_limit_s'])}"
