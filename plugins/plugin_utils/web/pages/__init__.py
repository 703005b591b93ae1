# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pages of the web UI: a file each, with its own blueprint."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.pages import (
    assets,
    clusters,
    compare,
    docs,
    login,
    metrics,
    plays,
    recipes,
    run,
    runs,
    trends,
)

_ALL = (assets, clusters, compare, docs, login, metrics, plays, recipes, run, runs, trends)


def register(app: Any) -> None:
    """Add all pages."""
    for page in _ALL:
        app.register_blueprint(page.blueprint)
