# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models of recipes."""

from __future__ import annotations

from typing import Annotated, Literal

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api.models.common import RECIPE, TEXT_MOST, Strict


class RecipePath(BaseModel):
    """A recipe in a path."""

    origin: Literal["own", "here", "shipped"]
    name: str = Field(pattern=RECIPE)


class Mistake(BaseModel):
    """A mistake in a recipe."""

    line: int | None
    column: int | None
    field: str
    message: str
    remedy: str


class Recipe(BaseModel):
    """A recipe in short."""

    origin: str
    name: str
    path: str
    valid: bool
    description: str | None
    service: str | None
    workload: str | None
    target: str | None
    problems: list[Mistake]


class Recipes(BaseModel):
    """All recipes."""

    recipes: list[Recipe]


class RecipeText(BaseModel):
    """A recipe's text."""

    origin: str
    name: str
    text: str
    digest: str = Field(description="give it back when you save")


class Draft(Strict):
    """A text that is to be checked. Files that it names are looked for beside the recipe of this origin and name."""

    text: str = Field(max_length=TEXT_MOST)
    origin: Literal["own", "here", "shipped"] | None = None
    name: Annotated[str, Field(pattern=RECIPE)] | None = None


class Checked(BaseModel):
    """What is in a text."""

    valid: bool
    sentence: str | None = Field(description="what it would do, of a valid one")
    problems: list[Mistake]
    notes: list[str]


class Save(Strict):
    """A text that is to be saved."""

    text: str = Field(max_length=TEXT_MOST)
    known: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="digest of the text that it was made of; another one that is there is not overwritten"
    )


class OwnPath(BaseModel):
    """A recipe of the user's own in a path."""

    name: str = Field(pattern=RECIPE)
