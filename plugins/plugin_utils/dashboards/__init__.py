# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Grafana's dashboards, as code, and the files by which Grafana finds them (docs/monitoring.md).

Source: Grafana documentation, "Provision Grafana".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import (
    compare,
    database,
    live,
    llm,
    nodes,
    overview,
    run,
    vector,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard

_MODULES = (overview, live, run, llm, database, vector, nodes, compare)
SOURCE_UID = "aifactory-prometheus"
_NOTE = "# Written by aifactory.benchmark; what is changed here is overwritten.\n"


def all_dashboards() -> list[Dashboard]:
    """Every dashboard, the overview first."""
    return [module.dashboard() for module in _MODULES]


@dataclass(frozen=True)
class Prometheus:
    """Where Grafana finds Prometheus: its URL, and of one with an account the user and the file with its password, as
    Grafana sees it.
    """

    url: str
    user: str | None = None
    password_file: str | None = None

    def source(self) -> dict[str, Any]:
        """The data source."""
        login: dict[str, Any] = {}
        if self.user:
            login = {"basicAuth": True, "basicAuthUser": self.user}
        if self.password_file:
            # Grafana reads the file itself: the password is in no file of ours
            login["secureJsonData"] = {"basicAuthPassword": f"$__file{{{self.password_file}}}"}
        return {
            "name": "AI Factory", "uid": SOURCE_UID, "type": "prometheus", "access": "proxy", "url": self.url,
            "jsonData": {"httpMethod": "POST", "timeInterval": "15s"}, **login,
        }  # fmt: skip


def files(folder: str, prometheus: Prometheus) -> dict[str, str]:
    """Name below the folder → content; `folder`: where Grafana sees it (its `paths.provisioning`, absolute)."""
    sources = {"apiVersion": 1, "datasources": [prometheus.source()]}
    provider = {
        "name": "AI Factory", "folder": "AI Factory", "type": "file", "allowUiUpdates": False,
        "options": {"path": f"{folder.rstrip('/')}/dashboards/aifactory"},
    }  # fmt: skip
    providers = {"apiVersion": 1, "providers": [provider]}
    found = {"datasources/aifactory.yaml": _yaml(sources), "dashboards/aifactory.yaml": _yaml(providers)}
    for dashboard in all_dashboards():
        found[f"dashboards/aifactory/{dashboard.name}.json"] = json.dumps(dashboard.json(), indent=1) + "\n"
    return found


def _yaml(value: dict[str, Any]) -> str:
    # by JSON: what comes from Ansible are strings of its own, which YAML does not know
    return _NOTE + yaml.safe_dump(json.loads(json.dumps(value)), sort_keys=False)
