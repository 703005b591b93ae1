# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clusters of the inventory, with what was found when they were last asked."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import inventory, launcher, reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("clusters", __name__, url_prefix="/clusters")
LOOKED_AT = 20  # plays


@blueprint.get("/")
def show() -> Any:
    """The page."""
    here = reading.settings()
    going_on = next((play for play in _asked() if launcher.state(here, play) in launcher.GOING_ON), None)
    return flask.render_template("clusters.html.j2", rows=known(), going_on=going_on, inventory=here.inventory)


@blueprint.post("/")
def refresh() -> Any:
    """Ask the clusters."""
    ask(",".join(flask.request.form.getlist("cluster")))
    return flask.redirect(flask.url_for("clusters.show"), 303)


def ask(limit: str | None) -> launcher.Play:
    """Start the play that asks them, or join the one that does so already."""
    here = reading.settings()
    chosen = inventory.check(here, limit)
    alike = (play for play in _asked() if play.limit == chosen and launcher.state(here, play) in launcher.GOING_ON)
    return next(alike, None) or launcher.start(here, "clusters", {}, chosen)


def known() -> list[dict[str, Any]]:
    """Each cluster: its `name`, when it was `asked_at` (epoch, s) and what was `found`, both None before."""
    here = reading.settings()
    rows = {name: {"name": name, "asked_at": None, "found": None} for name in inventory.names(here)}
    for play in _asked():
        for name, found in launcher.results(here, play).items():
            if name in rows and rows[name]["found"] is None:
                rows[name].update(asked_at=play.created_at, found=found)
    return list(rows.values())


def _asked() -> list[launcher.Play]:
    return [play for play in launcher.plays(reading.settings()) if play.kind == "clusters"][:LOOKED_AT]
