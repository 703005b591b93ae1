# SPDX-License-Identifier: MIT
"""The files of a run, as the controller renders them from a recipe: real checks, real roles, Ansible's own templating.

What is left out is the play around it: the expressions come from the roles' own tasks. It is a process of its own:
Ansible's loader of collections takes over imports: a line of JSON in (`folder`, `recipe`, `site`), one out (`plan`,
`files`, `spec`, or `refused`).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from functools import cache
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from .renderer import yaml_of

init_plugin_loader([os.environ["ANSIBLE_COLLECTIONS_PATH"]])
from ansible_collections.aifactory.benchmark.plugins.action.run_plan import _of_service  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import (  # noqa: E402
    RecipeError,
    load_recipe,
    resolve,
)

ROLES = Path(__file__).parents[3] / "roles"


class Refused(Exception):
    """What a role says of settings that it does not take."""


RUN_ID = "20260101-000000-injection-0000"


def plan_of(folder: Path, recipe: dict[str, Any] | str, **site: Any) -> dict[str, Any]:
    """The plan of a recipe (a mapping, or its text) on a cluster whose scratch is `folder`. Raises RecipeError."""
    path = folder / "recipe.yml"
    path.write_text(recipe if isinstance(recipe, str) else yaml_of(recipe), encoding="utf-8")
    variables = {"benchmark_scratch": str(folder), **{f"benchmark_{name}": value for name, value in site.items()}}
    return resolve(
        load_recipe(str(path)), "here", variables, run_id=RUN_ID, group=RUN_ID, now=0.0, collection_version="0"
    )


def render(plan: dict[str, Any]) -> dict[str, Any]:
    """`files` (name → text) of a plan, and `spec` (spec.json)."""
    companions: list[dict[str, Any]] = []
    for number, companion in enumerate(plan["companions"], 1):
        facts = {**_of_service(plan, number), "run_companions": companions}
        companions = [*companions, {**_service(companion, facts), "name": companion["name"]}]
    facts = {**_of_service(plan, 0), "run_companions": companions, "benchmark_recipe_text": ""}
    facts["service_rendered"] = _service(plan["service"], facts)
    facts["clients_rendered"] = _rendered("clients", ["clients"], facts, "clients_rendered")
    run = _templar(["run"], {**_variables("run"), **facts})
    return {"files": run.template(_variables("run")["run_files"]), "spec": facts["service_rendered"]["spec"]}


def _service(service: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    role = service["role"].rpartition(".")[2]
    task = next(task for task in _load(role, "tasks") if task.get("vars"))
    variables = {**_variables("service"), **_variables(role), **task["vars"], **facts}
    merged = _task("service", "service_merged")
    templar = _templar(["service", role], variables)
    _assertions(role, templar)
    variables["service_merged"] = templar.template(merged)
    _assertions("service", _templar(["service", role], variables))
    return _rendered("service", ["service", role], variables, "service_rendered")


def _assertions(role: str, templar: Templar) -> None:
    """What the role's own tasks refuse before they render. Raises Refused."""
    for task in _load(role, "tasks"):
        claim = task.get("ansible.builtin.assert")
        if claim and not all(map(templar.evaluate_conditional, _list(claim["that"]))):
            raise Refused(str(templar.template(claim["fail_msg"])))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rendered(role: str, search: list[str], facts: dict[str, Any], name: str) -> dict[str, Any]:
    return _templar(search, {**_variables(role), **facts}).template(_task(role, name))


def _task(role: str, fact: str) -> Any:
    """What the role's own task says of a fact."""
    found = [task["ansible.builtin.set_fact"] for task in _load(role, "tasks") if "ansible.builtin.set_fact" in task]
    return next(facts[fact] for facts in found if fact in facts)


def _templar(search: list[str], variables: dict[str, Any]) -> Templar:
    paths = [str(ROLES / role) for role in search]
    return Templar(_loader(), {**variables, "ansible_search_path": paths, "role_path": paths[0]})


@cache
def _loader() -> DataLoader:
    loader = DataLoader()
    loader.set_basedir(str(ROLES))
    return loader


@cache
def _load(role: str, folder: str) -> Any:
    path = ROLES / role / folder / "main.yml"
    return _loader().load_from_file(str(path), trusted_as_template=True) if path.exists() else {}


def _variables(role: str) -> dict[str, Any]:
    return {**(_load(role, "defaults") or {}), **(_load(role, "vars") or {})}


def _answer(folder: str, recipe: dict[str, Any] | str, site: dict[str, Any]) -> dict[str, Any]:
    try:
        plan = plan_of(Path(folder), recipe, **site)
        return {"plan": plan, **render(plan)}
    except (RecipeError, Refused) as error:
        return {"refused": str(error)}
    except Exception:
        return {"broken": traceback.format_exc()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_answer(**json.loads(line))), flush=True)
