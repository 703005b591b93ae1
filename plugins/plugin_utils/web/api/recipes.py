# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipes: list, text, check, save."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import catalogue
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import inventory, kitchen, reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api import models
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

api = models.api("recipes", "what can be run")


@api.get("/recipes", responses={200: models.Recipes})
def list_recipes() -> Any:
    """List all recipes, valid or not."""
    here = reading.settings()
    groups = inventory.groups(here) or None
    return flask.jsonify(recipes=[_told(each, kitchen.look(each, groups)) for each in kitchen.every(here)])


def _told(each: kitchen.Found, found: dict[str, Any]) -> dict[str, Any]:
    fields = ("valid", "description", "service", "workload", "target", "problems")
    about = {"origin": each.origin, "name": each.name, "path": catalogue.shown_path(each.path)}
    return {**about, **{field: found.get(field) for field in fields}}


@api.get("/recipes/<string:origin>/<string:name>", responses={200: models.RecipeText})
def get_recipe(path: models.RecipePath) -> Any:
    """The text of a recipe."""
    found = kitchen.find(reading.settings(), path.origin, path.name)
    text = found.text
    return flask.jsonify(origin=found.origin, name=found.name, text=text, digest=kitchen.digest(text))


@api.post("/recipes/check", responses={200: models.Checked})
def check_recipe(body: models.Draft) -> Any:
    """Say every mistake of a text, with its line and field, or what it would do."""
    here = reading.settings()
    groups = inventory.groups(here) or None
    return flask.jsonify(kitchen.check(here, kitchen.normal(body.text), body.origin, body.name, groups))


@api.put("/recipes/own/<string:name>", responses={200: models.RecipeText, **models.problems(409)})
def save_recipe(path: models.OwnPath, body: models.Save) -> Any:
    """Save a recipe of your own, below benchmark_home/recipes."""
    saved = kitchen.save(reading.settings(), path.name, kitchen.normal(body.text), body.known)
    text = saved.text
    return flask.jsonify(origin=saved.origin, name=saved.name, text=text, digest=kitchen.digest(text))
