# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipes: ``load_recipe`` reads and checks one, ``resolve`` makes the plan of a run from it.

The names of this package are imported when they are used, because some need pydantic and some (``images``) don't.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "Problem": "errors",
    "Recipe": "load",
    "RecipeError": "errors",
    "default_search_paths": "catalogue",
    "load_recipe": "load",
    "new_run_id": "plan",
    "normalise_image": "images",
    "resolve": "plan",
    "substitute_image": "images",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
