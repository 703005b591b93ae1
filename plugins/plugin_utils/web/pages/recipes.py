# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipes: browse, edit with the mistakes beside it, try, launch."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.schema import json_schema
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import inventory, kitchen, launcher, reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import Refused
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("recipes", __name__, url_prefix="/recipes")
CHECK, SAVE, TRY, RUN = "check", "save", "dry-run", "run"


@blueprint.get("/")
def show() -> Any:
    """The list."""
    here = reading.settings()
    groups = inventory.groups(here) or None
    rows = [(each, kitchen.look(each, groups)) for each in kitchen.every(here)]
    return flask.render_template("recipes.html.j2", rows=rows)


@blueprint.get("/new")
def new() -> Any:
    """An empty one."""
    return _page(None, "", kitchen.BLANK)


@blueprint.get("/<origin>/<name>/")
def edit(origin: str, name: str) -> Any:
    """One of them."""
    found = kitchen.find(reading.settings(), origin, name)
    return _page(found, found.name, found.text)


@blueprint.post("/new")
def make() -> Any:
    """Save, try or launch a new one."""
    return _act(None)


@blueprint.post("/<origin>/<name>/")
def act(origin: str, name: str) -> Any:
    """Save, try or launch what the form has."""
    return _act(kitchen.find(reading.settings(), origin, name))


@blueprint.get("/schema.json")
def schema() -> Any:
    """The JSON Schema of a recipe, for editors."""
    return flask.jsonify(json_schema())


def _act(found: kitchen.Found | None) -> Any:
    form, here = flask.request.form, reading.settings()
    text, action, name = kitchen.normal(form.get("text", "")), form.get("action"), form.get("name", "").strip()
    known = form.get("known") or None
    limit = inventory.check(here, ",".join(form.getlist("cluster")))
    if action == SAVE:
        saved = kitchen.save(here, name, text, known)
        return flask.redirect(flask.url_for("recipes.edit", origin=saved.origin, name=saved.name, saved=1), 303)
    checked = _checked(found, name, text)
    if action not in (TRY, RUN) or not checked["valid"]:
        return _page(found, name, text, known=known, checked=checked), 200 if action == CHECK else 422
    try:
        chosen = kitchen.settled(here, found, name, text, known)
    except Refused as error:
        return _page(found, name, text, known=known, checked=checked, problem=str(error)), 409
    play = launcher.start(here, action, {"recipe": str(chosen.path)}, limit)
    return flask.redirect(flask.url_for("plays.show_one", play_id=play.id), 303)


def _checked(found: kitchen.Found | None, name: str, text: str) -> dict[str, Any]:
    here = reading.settings()
    return kitchen.check(here, text, found.origin if found else None, name, inventory.groups(here) or None)


def _page(found: kitchen.Found | None, name: str, text: str, **more: Any) -> str:
    here = reading.settings()
    given = {"known": kitchen.digest(text), "checked": _checked(found, name, text), "problem": None, **more}
    chosen = flask.request.form.getlist("cluster")
    return flask.render_template(
        "recipe.html.j2", found=found, name=name, text=text, clusters=inventory.names(here), chosen=chosen, **given
    )
