# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From pydantic's errors to problems with line, field and remedy."""

from __future__ import annotations

import re
import types as python_types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from .document import Document, FieldPath
from .errors import Problem, describe, did_you_mean, nearest
from .models import BaseModel, ValidationError
from .schema import RecipeModel, keys_of
from .units import UnitError

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def problems_of(error: ValidationError, document: Document) -> Iterator[Problem]:
    """One problem for each error of a validation of ``RecipeModel``."""
    details = error.errors()
    unknown = [document_path(detail["loc"]) for detail in details if detail["type"] == "extra_forbidden"]
    meant = {(*path[:-1], nearest(str(path[-1]), keys_at(path[:-1]))) for path in unknown}
    for detail in details:
        path = document_path(detail["loc"])
        if detail["type"] == "missing" and path in meant:
            continue  # it is there, under a wrong name
        message, remedy = _explain(detail, path)
        yield document.problem(path, message, remedy)


def document_path(location: tuple[int | str, ...]) -> FieldPath:
    """The path in the document of an error's location; pydantic appends ``[key]`` for keys of mappings."""
    return tuple(part for part in location if part != "[key]")


def _explain(detail: Any, path: FieldPath) -> tuple[str, str]:
    """Message and remedy of one of pydantic's errors."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    message = f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {describe(value)}"
    remedy = ""
    if kind == "extra_forbidden":
        message, remedy = "unknown key", _unknown_key_remedy(path)
    elif kind == "missing":
        message, remedy = "is required", f"add '{path[-1]}:'"
    elif kind == "value_error" and isinstance(context.get("error"), UnitError):
        message, remedy = context["error"].message, context["error"].remedy
    elif kind in _EXPECTED:
        message, remedy = f"expected {_EXPECTED[kind]}, found {describe(value)}", _type_remedy(kind, value)
    elif kind == "literal_error":
        message, remedy = _explain_choice(value, _choices(context["expected"]))
    elif kind == "string_pattern_mismatch":
        message, remedy = f"{describe(value)} does not have the form of this field", f"it matches {context['pattern']}"
    elif kind in ("too_short", "string_too_short"):
        message, remedy = "is empty", "give a value, or remove the key"
    elif kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        bound = context[name]
        message = f"expected {words} {int(bound) if bound == int(bound) else bound}, found {describe(value)}"
    elif kind == "finite_number":
        message = f"expected a finite number, found {describe(value)}"
    return message, remedy


def _explain_choice(value: object, choices: list[str]) -> tuple[str, str]:
    if isinstance(value, str):
        return f"unknown value '{value}'", did_you_mean(value, choices)
    return f"expected text, found {describe(value)}", f"allowed: {', '.join(choices)}"


def _choices(expected: str) -> list[str]:
    return [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]


def _type_remedy(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if kind.startswith(("int", "float")) and isinstance(value, str) and value.strip().isdigit():
        return "remove the quotes"
    if kind == "list_type":
        return "write [A, B], or one item a line after '- '"
    return ""


def _unknown_key_remedy(path: FieldPath) -> str:
    word = str(path[-1])
    if path[:-1] == ("benchmarks", "sweep") and re.match(r"rate$|concurrency$|(client\.)?settings\b", word):
        return f"put it under parameters: {{{word}: [VALUE, VALUE]}}"
    allowed = keys_at(path[:-1])
    elsewhere = [
        section
        for section in RecipeModel.model_fields
        if section not in path[:-1] and word in keys_at((section,)) and word not in allowed
    ]
    if elsewhere and not (set(path[:-1]) & {"settings"}):
        return f"'{word}' belongs in the section '{elsewhere[0]}:' (allowed here: {', '.join(allowed)})"
    return did_you_mean(word, allowed)


def keys_at(path: FieldPath) -> list[str]:
    """The keys that the schema allows in the mapping at ``path``; none where any key is allowed."""
    model: type[BaseModel] | None = RecipeModel
    for part in path:
        if isinstance(part, int):
            continue  # an item of a list has the list's type
        if model is None or part not in model.model_fields:
            return []
        model = _model_of(model.model_fields[part].annotation)
    return keys_of(model) if model else []


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, python_types.UnionType, Annotated, list):
        return next((found for part in get_args(annotation) if (found := _model_of(part))), None)
    return None
