# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The JSON API: what the pages show and do, for programs. Its OpenAPI document is made of the models here."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api import clusters, compare, plays, recipes, runs

_ALL = (runs, recipes, plays, compare, clusters)


def register(app: Any) -> None:
    """Add the API."""
    for part in _ALL:
        app.register_api(part.api)
