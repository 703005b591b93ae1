# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks and lists recipes on the controller; nothing is asked of a cluster."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import catalogue
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError


def _failure(message: str) -> dict[str, Any]:
    """A failed result. Raising AnsibleActionFail would make ansible-core 2.16 announce an exception."""
    return {"changed": False, "failed": True, "msg": message}


class ActionModule(ActionBase):
    """See the module recipe_info for the options."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look at the recipes, show them as asked, and fail where that is asked."""
        super().run(tmp, task_vars)
        _unused, options = self.validate_argument_spec(
            {
                "recipe": {"type": "str", "default": ""},
                "show": {"type": "str", "choices": ["nothing", "table", "validation"], "default": "nothing"},
                "fail": {"type": "bool", "default": False},
            }
        )
        try:
            found = self._look(options["recipe"], task_vars or {})
            if options["show"] == "table":
                self._show_table(found)
        except (ImportError, RecipeError) as error:
            return _failure(str(error))
        if options["show"] == "validation":
            self._show_validation(found)
        wrong = [recipe for recipe in found if not recipe["valid"]]
        if wrong and options["fail"]:
            return _failure(self._verdict(wrong, len(found), shown=options["show"] == "validation"))
        return {"changed": False, "recipes": found}

    def _look(self, recipe: str, task_vars: dict[str, Any]) -> list[dict[str, Any]]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.overview import overview

        home = self._templar.template(task_vars.get("benchmark_home"))
        paths = catalogue.default_search_paths(self._loader.get_basedir(), home)
        # with a limit, the target of the recipe does not count
        groups = None if task_vars.get("ansible_limit") else task_vars.get("groups")
        return [overview(path, groups) for path in catalogue.recipe_files(recipe, paths)]

    def _show_table(self, found: list[dict[str, Any]]) -> None:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.overview import table

        self._display.display(table(found, colour=ANSIBLE_COLOR and not os.environ.get("NO_COLOR")))

    def _show_validation(self, found: list[dict[str, Any]]) -> None:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.overview import sentence

        for recipe in found:
            for line in recipe.get("lines", []):
                self._display.display(line, color="red")
            if recipe["valid"]:
                self._display.display(sentence(recipe), color="green")
            for note in recipe.get("notes", []):
                self._display.display(f"{recipe['path']}: note: {note}", color="yellow")

    def _verdict(self, wrong: list[dict[str, Any]], total: int, *, shown: bool) -> str:
        """The failure's message; the problems are in it unless they are on the screen already."""
        count = sum(len(recipe["problems"]) for recipe in wrong)
        summary = f"{count} problem{'s'[: count != 1]} in {len(wrong)} of {total} recipe{'s'[: total != 1]}"
        lines = [line for recipe in wrong for line in recipe["lines"]]
        return f"{summary}: see the lines above" if shown else "\n".join([f"{summary}:", *lines])
