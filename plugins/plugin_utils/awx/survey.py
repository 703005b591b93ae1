# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The surveys of AWX's job templates, made of the recipe's schema, and AWX's rules for a survey.

The rules are those that AWX checks when a survey is sent, and when a job is launched with its defaults; here they hold
in check mode, too, where nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import catalogue, questions
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.questions import Question
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.roles import COLLECTION_ROOT

TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "textarea": (str,), "password": (str,), "multiplechoice": (str,), "multiselect": (str, list),
    "integer": (int,), "float": (int, float),
}  # fmt: skip
CHOICES = ("multiplechoice", "multiselect")
LONGEST_TEXT = 1024
RESERVED = "$encrypted$"


class SurveyError(Exception):
    """A survey that AWX would refuse; the text names the question and the rule."""


NAMES = ("recipe", "gate", "wizard", "run", "watch", "compare")


def named(name: str, recipes: Sequence[str] = ()) -> dict[str, Any]:
    """The survey of this name. `recipes`: to choose from; none for the shipped ones. Raises SurveyError."""
    if name not in NAMES:
        raise SurveyError(f"there is no survey '{name}' (there are: {', '.join(NAMES)})")
    title, items = _SURVEYS[name]
    return survey(title, items(list(recipes) or shipped_recipes()))


def shipped_recipes() -> list[str]:
    """Names of the collection's recipes, without those for the local cluster."""
    names = catalogue.recipe_names([COLLECTION_ROOT / "recipes"])
    return [name for name in names if not name.endswith(questions.SMALL)]


def _recipe(recipes: list[str]) -> list[dict[str, Any]]:
    return [item("recipe", "Recipe", "which recipe is run", "multiplechoice", recipes)]


def _gate(recipes: list[str]) -> list[dict[str, Any]]:
    baseline = "runs that this one is held against; the playbook baseline makes one"
    return [*_recipe(recipes), item("baseline", "Baseline", baseline, "text")]


def _run(_recipes: list[str]) -> list[dict[str, Any]]:
    return [item("run", "Run", "its id, the beginning of it, or latest", "text", default="latest")]


def _watch(_recipes: list[str]) -> list[dict[str, Any]]:
    # a default would take the place of the run that a workflow started
    return [item("run", "Run", "its id, or the beginning of it; empty for the latest", "text", required=False)]


def _compare(_recipes: list[str]) -> list[dict[str, Any]]:
    return [
        item("run", "Runs", "ids with commas between them, or one with a baseline", "text", default="latest"),
        item("baseline", "Baseline", "name of a baseline", "text", required=False),
        item("threshold", "Threshold", "the least change that counts, such as 5%", "text", required=False),
    ]


def _wizard(_recipes: list[str]) -> list[dict[str, Any]]:
    model = questions.model_question(None)
    return [_of(each) for each in (questions.service_question(), model, *questions.load_questions()) if each]


_SURVEYS: dict[str, tuple[str, Callable[[list[str]], list[dict[str, Any]]]]] = {
    "recipe": ("Run a recipe", _recipe),
    "gate": ("Run a recipe and hold it against a baseline", _gate),
    "wizard": ("Benchmark a service", _wizard),
    "run": ("Which run", _run),
    "watch": ("Which run", _watch),
    "compare": ("Compare runs", _compare),
}


def _of(question: Question) -> dict[str, Any]:
    kind = {"choice": "multiplechoice", "integer": "integer", "text": "text"}[question.kind]
    # only the service has to be chosen; what is left empty is as in the recipe that the wizard starts from
    return item(
        question.variable, question.title, question.description, kind, question.choices, required=question.required,
        minimum=question.minimum, maximum=question.maximum,
    )  # fmt: skip


def survey(name: str, items: list[dict[str, Any]], description: str = "") -> dict[str, Any]:
    """A survey. Raises SurveyError where AWX would refuse it."""
    made = {"name": name, "description": description, "spec": items}
    check(made)
    return made


def item(
    variable: str,
    title: str,
    description: str,
    kind: str,
    choices: Iterable[str] = (),
    *,
    default: Any = "",
    required: bool = True,
    minimum: int | None = None,
    maximum: int | None = None,
) -> dict[str, Any]:
    """One question of a survey."""
    if kind in ("text", "textarea"):
        minimum, maximum = 0, LONGEST_TEXT  # of a text these are lengths
    return {
        "variable": variable, "question_name": title, "question_description": description, "type": kind,
        "choices": list(choices), "default": default, "required": required, "min": minimum, "max": maximum,
    }  # fmt: skip


def check(made: Mapping[str, Any]) -> None:
    """Raise SurveyError where AWX would refuse this survey, or the launch of a job with its defaults."""
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(made.get(field), kind):
            raise SurveyError(f"a survey needs the field {field}, of type {kind.__name__}")
    if not made["spec"]:
        raise SurveyError("a survey needs a question at least: spec is empty")
    seen: set[str] = set()
    for number, question in enumerate(made["spec"]):
        where = f"question {number} of the survey '{made['name']}'"
        if not isinstance(question, dict):
            raise SurveyError(f"{where} is no mapping")
        for field, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
            if not isinstance(question.get(field), kind):
                raise SurveyError(f"{where} needs the field {field}, of type {kind.__name__}")
        where = f"{where} ({question['variable']})"
        if question["variable"] in seen:
            raise SurveyError(f"{where}: another question has the same variable")
        seen.add(question["variable"])
        _check_values(question, where)


def _check_values(question: Mapping[str, Any], where: str) -> None:
    kind, default = question["type"], question.get("default", "")
    if kind not in TYPES:
        raise SurveyError(f"{where}: no type '{kind}' (allowed: {', '.join(TYPES)})")
    for limit in ("min", "max"):
        value = question.get(limit)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise SurveyError(f"{where}: {limit} must be a whole number, found {value!r}")
    choices = question.get("choices", [])
    if kind in CHOICES and not choices:
        raise SurveyError(f"{where}: a {kind} needs choices")
    if default in ("", None):
        return
    if not isinstance(default, TYPES[kind]) or isinstance(default, bool):
        raise SurveyError(f"{where}: the default {default!r} is not of the type {kind}")
    if isinstance(default, str) and default.startswith(RESERVED) and kind != "password":
        raise SurveyError(f"{where}: {RESERVED} is reserved")
    if kind in CHOICES:
        known = choices.splitlines() if isinstance(choices, str) else choices
        wanted = default.splitlines() if isinstance(default, str) else default
        if kind == "multiplechoice" and len(wanted) > 1:
            raise SurveyError(f"{where}: a multiplechoice has one default at most")
        if [each for each in wanted if each not in known]:
            raise SurveyError(f"{where}: the default {default!r} is none of its choices")
    _check_limits(question, default, where)


def _check_limits(question: Mapping[str, Any], default: Any, where: str) -> None:
    """A default outside of the limits is taken by AWX, and left out at launch without a word."""
    size = len(default) if question["type"] in ("text", "textarea", "password") else default
    if not isinstance(size, (int, float)):
        return
    for limit, beyond in (("min", lambda end: size < end), ("max", lambda end: size > end)):
        if question.get(limit) is not None and beyond(question[limit]):
            raise SurveyError(f"{where}: the default {default!r} is beyond {limit}, {question[limit]}")
