# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the API can do, made of its own OpenAPI document."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("docs", __name__, url_prefix="/api")


@blueprint.get("/")
def show() -> Any:
    """The page."""
    return flask.render_template("docs.html.j2", document=flask.current_app.api_doc)


@blueprint.get("/v1/openapi.json")
def document() -> Any:
    """The OpenAPI document."""
    return flask.jsonify(flask.current_app.api_doc)
