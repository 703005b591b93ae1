# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolves a recipe with the inventory of one cluster into the plan of a run."""

from __future__ import annotations

import hashlib
import os
import random
import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import (
    Recipe,
    RecipeError,
    load_recipe,
    new_run_id,
    resolve,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.catalogue import default_search_paths
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import find_run
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.version import collection_version


class ActionModule(RunAction):
    """See the module run_plan for the options."""

    OPTIONS = {
        "recipe": {"type": "str"},
        "rerun_of": {"type": "str"},
        "plan": {"type": "dict"},
        "service": {"type": "int", "default": 0},
    }

    def act(self) -> dict[str, Any]:
        """Return the plan as the fact `benchmark_plan`, and the service type's settings as its role's variables."""
        if self.options["plan"] is not None:
            return {"ansible_facts": _of_service(self.options["plan"], self.options["service"])}
        if self.options["recipe"] is None and self.options["rerun_of"] is None:
            raise RunFailed("run_plan needs a recipe, a run to be run again, or the plan that was made of one")
        now = time.time()
        try:
            recipe, extra = self._recipe()
            extra |= self._by_awx()
            plan = resolve(
                recipe,
                self.host,
                self._cluster_variables(),
                run_id=new_run_id(recipe.slug, now, random.Random()),
                group=self._group(recipe.slug),
                now=now,
                collection_version=collection_version(),
                extra=extra,
            )
        except RecipeError as error:
            raise RunFailed(str(error)) from None
        return {"ansible_facts": {**_of_service(plan, 0), "benchmark_recipe_text": recipe.as_resolved_yaml()}}

    def _recipe(self) -> tuple[Recipe, dict[str, Any]]:
        """The recipe, or that of the run that is run again, and what the plan keeps of that run."""
        if self.options["rerun_of"] is None:
            paths = default_search_paths(self.task_vars.get("playbook_dir"), self.variable("benchmark_home"))
            return load_recipe(self.options["recipe"], paths), {}
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import rerun

        then = rerun.stored(find_run(self.home, self.options["rerun_of"]))
        recipe = then.recipe()
        images = self.variable("benchmark_images") or {}
        found = rerun.pins(then, self.host, images, rerun.looker(self.remote()))
        for pin in found:
            self.say(pin.why)
        return recipe, rerun.extra(then, found)

    def _by_awx(self) -> dict[str, Any]:
        """Which job of AWX starts this run: the job may be killed before it can tell the run's id."""
        ids = {key: self.variable(f"awx_{key}") for key in ("job_id", "workflow_job_id")}
        known = {key: int(value) for key, value in ids.items() if value is not None}
        return {"awx": known} if known else {}

    def _cluster_variables(self) -> dict[str, Any]:
        made_here = ("benchmark_plan", "benchmark_recipe_text")
        names = [name for name in self.task_vars if name.startswith("benchmark_") and name not in made_here]
        variables = {name: self.variable(name) for name in names}
        if self.place:
            variables |= {"benchmark_image_cache": self.place["image_cache"], "benchmark_live_metrics": False}
        return {**variables, "benchmark_scratch": self.scratch(self.remote())}

    def _group(self, slug: str) -> str:
        """One id for all runs of this play: every worker of it has the same parent process."""
        parent = os.getppid()
        started = _process_started(parent)
        token = hashlib.sha256(f"{parent} {started}".encode()).hexdigest()[:4]
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(started))}-{slug}-{token}"


def _of_service(plan: dict[str, Any], number: int) -> dict[str, Any]:
    """The plan with its companion of this number (from 1; 0: none) as its service, and that one's role's variables."""
    service = plan["companions"][number - 1] if number else plan["service"]
    prefix = service["role"].rpartition(".")[2]
    settings = {f"{prefix}_{name}": value for name, value in service["settings"].items()}
    return {"benchmark_plan": {**plan, "service": service, "component": number} if number else plan, **settings}


def _process_started(pid: int) -> float:
    """When a process started (epoch, s), from its entry in /proc; now, to the day, where there is no /proc."""
    try:
        return os.stat(f"/proc/{pid}").st_ctime
    except OSError:
        return time.time() // 86400 * 86400
