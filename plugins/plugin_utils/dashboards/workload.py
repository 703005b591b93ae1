# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs of one kind of workload: their results side by side, in the course of time, and what their servers say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Panel, Query, Variable

BY = "run, cluster, recipe, case"
CASE = "cluster, recipe, case"
STEP = {"over": "$__interval"}
_WHO = "service, run"
_OURS = f"{{{panels.CHOSEN}}}"


def variables(workloads: str) -> tuple[Variable, ...]:
    """Clusters, recipes and runs of these workloads (a regular expression)."""
    found = f'aifactory_run_info{{workload=~"{workloads}"'
    return (
        Variable("cluster", f"{found}}}", "cluster"),
        Variable("recipe", f'{found},cluster=~"$cluster"}}', "recipe"),
        Variable("run", f'{found},cluster=~"$cluster",recipe=~"$recipe"}}', "run", newest_first=True),
    )


def percentiles(metric: str, *statistics: str, name: str = "") -> dict[str, tuple[str, str]]:
    """Columns of a table: percentiles of a time, of the worst repetition."""
    return {f"{name}{each}": (panels.worst(f"{metric}_seconds", each, BY), "s") for each in statistics}


def told(title: str, *names: str, unit: str = "short", **more: Any) -> Panel:
    """A gauge that servers tell, each by one of these names; with several labels their sum."""
    found = (f"sum by ({_WHO}) (last_over_time({name}{_OURS}[$__interval]))" for name in names)
    return curves(title, _either(found), unit, **more)


def grown(title: str, *names: str, unit: str = "ops", **more: Any) -> Panel:
    """How fast a counter grows that servers tell, each by one of these names."""
    return curves(title, _either(rate(name) for name in names), unit, **more)


def rate(name: str, by: str = _WHO) -> str:
    """How fast a counter grows, over all its labels."""
    return f"sum by ({by}) (rate({name}{_OURS}[$__rate_interval]))"


def share(title: str, part: str, rest: str, **more: Any) -> Panel:
    """One counter by the sum of both, by how much they grew."""
    return curves(title, f"{rate(part)} / ({rate(part)} + {rate(rest)})", "percentunit", **more)


def curves(title: str, expr: str, unit: str, **more: Any) -> Panel:
    """What servers tell; it is told again every 15 s when it stays the same."""
    look = {"interval": "15s", "width": 8, **more}
    return panels.curves(title, Query(expr, "{{service}} {{run}}"), unit=unit, **look)


def _either(expressions: Iterable[str]) -> str:
    """Of each run that which it has."""
    return " or ".join(expressions)
