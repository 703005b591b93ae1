# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clusters of the inventory."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api import models, plays
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.pages import clusters

api = models.api("clusters", "where recipes can be run")


@api.get("/clusters", responses={200: models.Clusters})
def list_clusters() -> Any:
    """The clusters, with what they said when they were last asked."""
    return flask.jsonify(clusters=clusters.known())


@api.post("/clusters/ask", responses={202: models.Play, **models.problems(409, 501)})
def ask_clusters(body: models.Ask) -> Any:
    """Ask them now."""
    return plays.started(clusters.ask(body.limit))
