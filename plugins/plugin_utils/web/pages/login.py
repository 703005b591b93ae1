# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The door: the token is shown once, and a session begins."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import reading, security
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("login", __name__)


@blueprint.get("/login")
def show() -> Any:
    """Ask for the token."""
    return _page(None)


@blueprint.post("/login")
def enter() -> Any:
    """Look at the token."""
    if flask.current_app.extensions["door"].opens(flask.request.form.get("token", "").strip()):
        security.enter()
        return flask.redirect(security.own_path(flask.request.form.get("next")), 303)
    return _page("This is not the token of this server."), 403


@blueprint.post("/logout")
def leave() -> Any:
    """End the session."""
    security.leave()
    return flask.redirect(flask.url_for("login.show"), 303)


def _page(problem: str | None) -> str:
    path = reading.settings().folder / "token"
    target = flask.request.values.get("next", "")
    return flask.render_template("login.html.j2", problem=problem, path=path, next=target)
