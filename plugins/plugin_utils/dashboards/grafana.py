# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parts of a Grafana dashboard, and the JSON that Grafana reads.

Source: Grafana documentation, "Dashboard JSON model"; the schemas of Grafana 10.1, which later ones read as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 36
COLUMNS = 24  # of Grafana's grid
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """PromQL; `legend` as Grafana writes it (`{{case}}`). `instant`: one value at the end of the time that is shown."""

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False

    def json(self, ref: str) -> dict[str, Any]:
        """A target of a panel; `ref`: its letter."""
        told = {"legendFormat": self.legend} if self.legend else {}
        return {
            "refId": ref, "expr": self.expr, "instant": self.instant, "range": not self.instant,
            "format": "table" if self.table else "time_series", "datasource": SOURCE, **told,
        }  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """A panel; `defaults` and `overrides` of its fields, `width` and `height` in units of the grid."""

    kind: str
    title: str
    queries: tuple[Query, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    overrides: tuple[dict[str, Any], ...] = ()
    transformations: tuple[dict[str, Any], ...] = ()
    interval: str = ""  # no query is asked in smaller steps
    about: str = ""
    width: int = 12
    height: int = 8

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        """The panel at a place of the grid."""
        place = {"h": self.height, "w": self.width, "x": x, "y": y}
        found: dict[str, Any] = {"id": number, "type": self.kind, "title": self.title, "gridPos": place}
        if self.kind == "row":
            return {**found, "collapsed": False, "panels": []}
        targets = [query.json(chr(ord("A") + place)) for place, query in enumerate(self.queries)]
        found.update(datasource=SOURCE, targets=targets, options=self.options)
        found["fieldConfig"] = {"defaults": self.defaults, "overrides": list(self.overrides)}
        extra = {"transformations": list(self.transformations), "interval": self.interval, "description": self.about}
        return {**found, **{name: value for name, value in extra.items() if value}}


@dataclass(frozen=True)
class Variable:
    """What can be chosen above a dashboard: the values of `label` among the series of `series` (a selector)."""

    name: str
    series: str
    label: str
    many: bool = True
    newest_first: bool = False

    @property
    def query(self) -> str:
        """As Grafana asks for it."""
        return f"label_values({self.series}, {self.label})"

    def json(self) -> dict[str, Any]:
        """A variable of the templating of a dashboard. What is there changes with the time that is shown."""
        return {
            "type": "query", "name": self.name, "label": self.name, "datasource": SOURCE,
            "query": {"query": self.query, "refId": f"variable-{self.name}"}, "refresh": 2,
            "sort": 2 if self.newest_first else 1, "multi": self.many, "includeAll": self.many,
            **({"current": {"selected": True, "text": ["All"], "value": ["$__all"]}} if self.many else {}),
        }  # fmt: skip


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: its variables in the order in which they depend on each other, its panels in reading order."""

    name: str
    title: str
    about: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]
    since: str = "now-30d"
    refresh: str = ""  # how often it is asked anew, such as 5s

    @property
    def uid(self) -> str:
        """By which other dashboards link to it."""
        return f"aifactory-{self.name}"

    def json(self) -> dict[str, Any]:
        """What Grafana reads."""
        source = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}
        return {
            "uid": self.uid, "title": self.title, "description": self.about, "tags": ["aifactory"],
            "schemaVersion": SCHEMA_VERSION, "editable": True, "graphTooltip": 1, "timezone": "browser",
            "time": {"from": self.since, "to": "now"}, "refresh": self.refresh, "annotations": {"list": []},
            "links": [_LINK], "templating": {"list": [source, *(variable.json() for variable in self.variables)]},
            "panels": list(_placed(self.panels)),
        }  # fmt: skip


_LINK = {
    "title": "AI Factory benchmarks", "type": "dashboards", "tags": ["aifactory"], "asDropdown": True, "keepTime": True,
    "icon": "dashboard", "tooltip": "", "url": "", "targetBlank": False, "includeVars": False,
}  # fmt: skip


def _placed(panels: Iterable[Panel]) -> Iterable[dict[str, Any]]:
    """From left to right; the next line begins below the highest panel of the one before."""
    x, y, highest = 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, highest = 0, y + highest, 0
        yield panel.json(number, x, y)
        x, highest = x + panel.width, max(highest, panel.height)
