# SPDX-License-Identifier: MIT
"""Recipes from text, and what is wrong with them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.document import parse_document
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import Recipe, check, load_recipe
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.plan import new_run_id, resolve

ROOT = Path(__file__).resolve().parents[5]
NOW = 1790000000.0

BASE = """\
service:
  name: web
  image: nginx:1.27
  command: nginx
client:
  command: curl $SERVICE_URL
benchmarks:
  num_clients: 2
  duration: 10s
"""


def model_of(text: str) -> Any:
    """The checked model of a recipe's text."""
    return check(parse_document(text, "recipe.yml"))[0]


def problems_in(text: str, groups: Any = None) -> list[str]:
    """The lines of the error of a recipe's text."""
    with pytest.raises(RecipeError) as caught:
        check(parse_document(text, "recipe.yml"), groups)
    return str(caught.value).splitlines()


def load_text(tmp_path: Path, text: str, name: str = "mine") -> Recipe:
    """A recipe from a file of this text."""
    path = tmp_path / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(str(path))


def plan_of(recipe: Recipe, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The plan on a cluster with these variables."""
    run_id = new_run_id(recipe.slug, NOW, random.Random(1))
    return resolve(recipe, "alpha", variables or {}, run_id=run_id, group="group", now=NOW, collection_version="0.1.0")
