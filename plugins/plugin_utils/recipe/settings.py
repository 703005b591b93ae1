# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of a service type or a workload, checked against the options that it declares.

The options have the form of Ansible's argument specs: ``type``, ``elements``, ``choices``,
``required``, ``default``, ``options``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from . import units
from .document import Document, FieldPath
from .errors import Problem, describe, did_you_mean

_MISSING = object()


def check_settings(
    document: Document,
    path: FieldPath,
    settings: Mapping[str, Any],
    options: Mapping[str, Mapping[str, Any]],
    owner: str,
    *,
    given: Container[str] = (),
) -> tuple[dict[str, Any], list[Problem]]:
    """The settings in their declared types, and what is wrong with them.

    ``owner`` names whose settings they are: ``the service type postgresql``. ``given``: settings that are required
    and may be missing here, since they are given elsewhere.
    """
    checked: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in settings.items():
        here = (*path, name)
        if name not in options:
            remedy = did_you_mean(name, options) or f"{owner} has no settings"
            problems.append(document.problem(here, f"unknown setting of {owner}", remedy))
            continue
        result = _check(document, here, value, options[name], problems)
        if result is not _MISSING:
            checked[name] = result
    for name, option in options.items():
        if option.get("required") and option.get("default") is None and name not in settings and name not in given:
            message = f"{owner} requires the setting '{name}'"
            problems.append(document.problem(path, message, _one_sentence(option.get("description"))))
    return checked, problems


def check_value(
    document: Document, path: FieldPath, value: Any, option: Mapping[str, Any]
) -> tuple[Any, list[Problem]]:
    """One value in the type that its option declares, and what is wrong with it; where something is, the value."""
    problems: list[Problem] = []
    result = _check(document, path, value, option, problems)
    return (value if problems else result), problems


def _check(document: Document, path: FieldPath, value: Any, option: Mapping[str, Any], problems: list[Problem]) -> Any:
    kind = str(option.get("type", "str"))
    expected, convert = _TYPES.get(kind, _TYPES["raw"])
    if kind in ("str", "path") and not isinstance(value, (dict, list)) and document.source_text(path) is not None:
        value = document.source_text(path)  # `on` and `007` are the text that the author wrote
    try:
        result = convert(value)
    except (TypeError, ValueError):
        problems.append(document.problem(path, f"expected {expected}, found {describe(value)}", _example(option)))
        return _MISSING
    choices = option.get("choices")
    if choices and kind != "list" and result not in choices:
        remedy = did_you_mean(str(value), [str(choice) for choice in choices])
        problems.append(document.problem(path, f"expected one of its choices, found {describe(value)}", remedy))
        return _MISSING
    minimum = option.get("min")  # not an Ansible key: workloads declare it
    if minimum is not None and isinstance(result, (int, float)) and result < minimum:
        problems.append(document.problem(path, f"expected at least {minimum}, found {describe(value)}", ""))
        return _MISSING
    if kind == "list":
        element = {key: option[key] for key in ("choices", "options") if key in option}
        element["type"] = option.get("elements", "raw")
        items = [_check(document, (*path, index), item, element, problems) for index, item in enumerate(result)]
        return [item for item in items if item is not _MISSING]
    if kind == "dict" and option.get("options"):
        result, found = check_settings(document, path, result, option["options"], f"'{path[-1]}'")
        problems.extend(found)
    return result


def _example(option: Mapping[str, Any]) -> str:
    default = option.get("default")
    return f"its default is {default}" if default not in (None, "", {}, []) else ""


def _one_sentence(description: Any) -> str:
    text = description[0] if isinstance(description, list) and description else description
    return str(text).partition(". ")[0].rstrip(".") if text else ""


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(value)
    return value


def _instance(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(value)
        return value

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


_TYPES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "str": ("text", _text),
    "path": ("a path", _text),
    "int": ("a whole number", _integer),
    "float": ("a number", _number),
    "bool": ("true or false", _instance(bool)),
    "dict": ("a mapping", _instance(dict)),
    "list": ("a list", _instance(list)),
    "raw": ("a value", lambda value: value),
    # not an Ansible type: workloads declare it for times
    "duration": ("a duration such as 10s or 5m", units.duration_s),
}
