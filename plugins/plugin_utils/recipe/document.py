# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML with its line numbers: the text of a recipe, its data, and where each value stands.

Differs from plain YAML 1.1 where that surprises people: ``10:00:00`` and dates stay text, a key
that is given twice is an error, and the source text of every value is kept, so that ``on`` can be
the text that a setting wants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import Problem, RecipeError

FieldPath = tuple[str | int, ...]
_COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_MOST_NODES = 20_000  # aliases of aliases grow exponentially


@dataclass(frozen=True)
class Place:
    """Where a value stands (from 1) and, for a scalar, its source text without quotes."""

    line: int
    column: int
    text: str | None = None


@dataclass
class Document:
    """A parsed file. ``file`` is the name that messages show."""

    file: str
    data: Any = None
    keys: dict[FieldPath, Place] = field(default_factory=dict)
    values: dict[FieldPath, Place] = field(default_factory=dict)
    service: FieldPath = ("service",)  # where what is checked as the section `service` stands in the file

    def of_service(self, number: int) -> Document:
        """This document with this item of `services` as its section `service`, in the place of the list."""
        data = {key: value for key, value in self.data.items() if key != "services"}
        here: FieldPath = ("services", number)

        def moved(places: dict[FieldPath, Place]) -> dict[FieldPath, Place]:
            kept = {path: place for path, place in places.items() if path[:1] not in (("service",), ("services",))}
            return kept | {("service", *path[2:]): place for path, place in places.items() if path[:2] == here}

        data["service"] = self.data["services"][number]
        return Document(self.file, data, moved(self.keys), moved(self.values), here)

    def place(self, path: FieldPath) -> Place:
        """The place of the key or item, or of the nearest one that encloses it."""
        for length in range(len(path), 0, -1):
            found = self.keys.get(path[:length]) or self.values.get(path[:length])
            if found:
                return found
        return Place(1, 1)

    def source_text(self, path: FieldPath) -> str | None:
        """What the author wrote for a scalar, without its quotes."""
        found = self.values.get(path)
        return found.text if found else None

    def problem(self, path: FieldPath, message: str, remedy: str = "") -> Problem:
        """A problem of the field at ``path``."""
        place = self.place(path)
        shown = (*self.service, *path[1:]) if path[:1] == ("service",) else path
        return Problem(self.file, place.line, place.column, field_name(shown), message, remedy)


def field_name(path: FieldPath) -> str:
    """``service.volumes[0]`` for ``("service", "volumes", 0)``."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name


class _Loader(yaml.SafeLoader):
    """YAML 1.1 with decimal numbers only: no sexagesimal or octal ones, no dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":int", ":float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)


def read_document(path: Path, shown_as: str) -> Document:
    """Reads and parses a file. Raises ``RecipeError`` for what is no YAML mapping in UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecipeError(
            [Problem(shown_as, None, None, "", f"can't be read: {error.strerror}", "check the path and its mode")]
        ) from error
    try:
        return parse_document(content.decode("utf-8-sig"), shown_as)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError([Problem(shown_as, line, 1, "", "is not UTF-8 text", "save the file in UTF-8")]) from error


def parse_document(text: str, shown_as: str) -> Document:
    """Parses YAML text. Raises ``RecipeError`` (syntax, duplicate keys, not a mapping)."""
    document = Document(shown_as)
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            builder = _Builder(document, loader)
            document.data = builder.build(node, ())
            if builder.problems:
                raise RecipeError(builder.problems)
    except yaml.YAMLError as error:
        raise RecipeError([_syntax_problem(error, text, shown_as)]) from error
    except RecursionError as error:
        raise RecipeError(
            [Problem(shown_as, 1, 1, "", "is nested too deeply", "a recipe has sections and keys only")]
        ) from error
    finally:
        if loader is not None:
            loader.dispose()
    if document.data is None:
        raise RecipeError([Problem(shown_as, 1, 1, "", "is empty", "a recipe has at least the section 'service:'")])
    if not isinstance(document.data, dict):
        remedy = "a recipe has the sections 'configuration:', 'service:', 'client:' and 'benchmarks:'"
        raise RecipeError([Problem(shown_as, 1, 1, "", "is not a mapping of sections", remedy)])
    return document


class _Builder:
    """Turns YAML nodes into data and remembers the place of each."""

    def __init__(self, document: Document, loader: _Loader) -> None:
        self.document = document
        self.loader = loader
        self.problems: list[Problem] = []
        self._open: list[yaml.Node] = []
        self._count = 0

    def build(self, node: yaml.Node, path: FieldPath) -> Any:
        """Data of ``node``; problems are collected, not raised."""
        self._count += 1
        if any(node is outer for outer in self._open) or self._count > _MOST_NODES:
            self._problem(node, path, "has an alias that contains itself or grows without end", "write it out")
            return None
        mark = node.start_mark
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        self.document.values[path] = Place(mark.line + 1, mark.column + 1, text)
        self._open.append(node)
        try:
            if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTION_TAGS:
                return self._refuse_tag(node, path)
            if text is not None and (what := _impossible(text)):
                self._problem(node, path, f"holds {what}, which no program can be given", "remove it")
                return None
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        own = [key for key, _value in node.value if key.tag != "tag:yaml.org,2002:merge"]
        first_line: dict[str, int] = {}
        for key in own:
            if isinstance(key, yaml.ScalarNode) and key.value in first_line:
                here = (*path, key.value)
                self.document.keys[here] = Place(key.start_mark.line + 1, key.start_mark.column + 1)
                self._problem(key, here, f"is given twice, first in line {first_line[key.value]}", "remove one")
            elif isinstance(key, yaml.ScalarNode):
                first_line[key.value] = key.start_mark.line + 1
        self.loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, path, "a key is text, not a list or a mapping", "")
                continue
            if what := _impossible(key.value):
                self._problem(key, path, f"a key holds {what}", "remove it")
                continue
            here = (*path, key.value)
            self.document.keys[here] = Place(key.start_mark.line + 1, key.start_mark.column + 1)
            result[key.value] = self.build(value, here)
        return result

    def _scalar(self, node: yaml.ScalarNode, path: FieldPath) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "int":
            return int(node.value) if len(node.value) <= 400 else node.value
        if kind == "float":
            return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if kind in ("bool", "null"):
            return self.loader.construct_object(node)
        if kind in ("str", "value"):
            return node.value
        return self._refuse_tag(node, path)

    def _refuse_tag(self, node: yaml.Node, path: FieldPath) -> None:
        self._problem(node, path, f"has the tag '{node.tag}'", "a recipe has plain values only: remove the tag")

    def _problem(self, node: yaml.Node, path: FieldPath, message: str, remedy: str) -> None:
        mark = node.start_mark
        self.problems.append(
            Problem(self.document.file, mark.line + 1, mark.column + 1, field_name(path), message, remedy)
        )


def _impossible(text: str) -> str:
    """What no argument, environment variable or file in UTF-8 can hold, in words; empty without such."""
    if "\0" in text:
        return "a NUL character"
    return "half a character (a UTF-16 surrogate)" if any("\ud800" <= char <= "\udfff" for char in text) else ""


def _syntax_problem(error: yaml.YAMLError, text: str, shown_as: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # yaml.reader.ReaderError: a character that YAML forbids
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        return Problem(shown_as, line, 1, "", "has a character that YAML does not allow", "remove it")
    line, column = mark.line + 1, mark.column + 1
    reason = " ".join(str(getattr(error, "problem", "") or error).split())
    return Problem(shown_as, line, column, "", f"YAML syntax: {reason}", _syntax_remedy(reason, text, mark.line))


# What PyYAML says (a part of it), and what the author can do about it.
_SYNTAX_REMEDIES = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("mapping values are not allowed", "quote a value that contains ': ', and indent the keys of a section alike"),
    ("but found another document", "one file is one recipe: remove the line '---' between the two"),
    ("undefined alias", "define the anchor (&name) before the alias (*name), or quote a value that begins with '*'"),
    ("quoted scalar", 'close the quote; a double quote within double quotes is written \\"'),
    ("unexpected end of stream", "close the quote or the bracket that is still open"),
    ("could not find expected ':'", "put ': ' after the key, here or in the line above"),
    ("unknown escape character", "use single quotes around text with backslashes"),
    ("cannot start any token", "quote a value that begins with a special character"),
)


def _syntax_remedy(reason: str, text: str, line_index: int) -> str:
    lines = text.splitlines()
    here = lines[line_index] if line_index < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return _SYNTAX_REMEDIES[0][1]
    fallback = "check the indentation and the quotes here and in the line above"
    return next((remedy for part, remedy in _SYNTAX_REMEDIES if part in reason), fallback)
