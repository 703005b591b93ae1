# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipes at a glance: as data, as a sentence, as a table."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import catalogue
from .cases import cases_of, measured_s, node_hours
from .errors import RecipeError
from .load import Recipe, load_draft, load_recipe
from .targets import unknown_targets
from .units import format_duration

TABLE_WIDTH = 80
_CASES_SHOWN = 8


def overview(path: Path, groups: Mapping[str, Sequence[str]] | None = None, draft: str | None = None) -> dict[str, Any]:
    """What is in a recipe, valid or not; plain data.

    ``groups``: the inventory, where its target counts. ``draft``: its text, in the place of the file's.
    """
    shown = catalogue.shown_path(path)
    try:
        recipe = load_recipe(str(path)) if draft is None else load_draft(draft, path)
    except RecipeError as error:
        problems = [vars(problem) for problem in error.problems]
        lines = str(error).splitlines()
        return {"name": path.stem, "path": shown, "valid": False, "problems": problems, "lines": lines}
    return {"name": path.stem, "path": shown, "valid": True, "problems": [], **_summary(recipe, groups)}


def _summary(recipe: Recipe, groups: Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
    model = recipe.model
    bench = model.benchmarks
    services = [model.service, *(companion.service for companion in recipe.companions)]
    likely, limit = node_hours(model, services[1:])
    notes = [
        f"target '{name}' is not in this inventory: run it with -l CLUSTER, or with the inventory that has it (-i)"
        for name, _remedy in (unknown_targets(recipe.target or "", groups) if groups is not None else ())
    ]
    return {
        "description": recipe.description or model.service.image or "",
        "service": ", ".join(service.type for service in services),
        "service_nodes": sum(service.nodes for service in services),
        "workload": model.client.type,
        "clients": bench.num_clients,
        "client_nodes": model.client.nodes,
        "placement": model.client.placement,
        "cases": [case["name"] for case in cases_of(bench)],
        "search": bench.search.over if bench.search else None,
        "trials": bench.search.max_trials if bench.search else None,
        "repetitions": bench.repetitions,
        "duration_s": bench.duration,
        "requests": bench.requests,
        "measured_s": measured_s(bench),
        "target": recipe.target,
        "node_hours": likely,
        "node_hours_limit": limit,
        "notes": notes,
    }


def sentence(found: Mapping[str, Any]) -> str:
    """``FILE: valid: …`` of a valid recipe's overview."""
    load = _length(found) + (f" x {_count(found['repetitions'], 'repetition')}" if found["repetitions"] > 1 else "")
    cost = f"at most {found['node_hours_limit']:.2f} node-hours"
    if found["node_hours"] is not None:
        cost = f"about {found['node_hours']:.2f} node-hours ({cost[:-11]} by its time limits)"
    return (
        f"{found['path']}: valid: service{'s' if ', ' in found['service'] else ''} {found['service']}"
        f" ({_count(found['service_nodes'], 'node')}),"
        f" {_count(found['clients'], found['workload'] + ' client')} ({_count(found['client_nodes'], 'node')}),"
        f" {_measurements(found)} of {load}, {cost}"
    )


def _measurements(found: Mapping[str, Any]) -> str:
    """``2 cases (max, rate-50pct)``, or what a search does in their place."""
    if found["search"]:
        return f"a search for the highest {found['search']}, {_count(found['trials'], 'trial')} at most,"
    names = found["cases"][:_CASES_SHOWN] + ["…"][: len(found["cases"]) > _CASES_SHOWN]
    return f"{_count(len(found['cases']), 'case')} ({', '.join(names)})"


def table(recipes: Iterable[Mapping[str, Any]], *, colour: bool = False, width: int = TABLE_WIDTH) -> str:
    """A table for a terminal, at most ``width`` columns wide."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ModuleNotFoundError as error:
        raise ImportError("the table needs rich on the controller: pip install -r requirements.txt") from error

    view = Table(box=None, pad_edge=False, header_style="bold")
    for title, keep in (
        ("Name", True),
        ("Service", True),
        ("Clients", True),
        ("Load", True),
        ("Target", True),
        ("", False),
    ):
        view.add_column(title, no_wrap=keep, overflow="ellipsis" if keep else "fold")
    for found in recipes:
        if found["valid"]:
            clients = f"{found['clients']} {found['workload']}"
            cells = [found["service"], clients, _length(found), found["target"] or "-", found["description"]]
        else:
            cells = ["-", "-", "-", "-", f"not valid: {_count(len(found['problems']), 'problem')}"]
        style = "" if found["valid"] else "red"
        view.add_row(Text(found["name"], style=style or "bold"), *(Text(str(cell), style=style) for cell in cells))
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=colour, no_color=not colour, highlight=False).print(view)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _length(found: Mapping[str, Any]) -> str:
    if found["duration_s"] is not None:
        return format_duration(found["duration_s"])
    return _count(found["requests"], "request")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
