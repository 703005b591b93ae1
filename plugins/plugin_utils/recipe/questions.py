# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of somebody who wants a benchmark and has no recipe: one list for the terminal and for AWX's surveys.

Types, limits, choices and descriptions are those of the recipe's schema and of the service types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import catalogue
from .document import FieldPath, read_document
from .roles import COLLECTION_ROOT, service_type, service_types
from .schema import json_schema

PREFIX = "wizard_"
MODEL_SETTINGS = ("model", "models", "model_repository")  # of a service type, whichever it has
SMALL = "-small"

# A recipe's fields, in the order in which they are asked for.
_FIELDS: tuple[tuple[str, FieldPath, str], ...] = (
    ("image", ("service", "image"), "Container image"),
    ("command", ("service", "command"), "Command in the container"),
    ("client_command", ("client", "command"), "Command of each client"),
    ("gpus", ("service", "num_gpus"), "GPUs"),
    ("clients", ("benchmarks", "num_clients"), "Clients"),
    ("concurrency", ("benchmarks", "concurrency"), "Connections of each client"),
    ("rate", ("benchmarks", "rate"), "Offered rate"),
    ("warmup", ("benchmarks", "warmup"), "Warm-up"),
    ("duration", ("benchmarks", "duration"), "Measured time"),
    ("repetitions", ("benchmarks", "repetitions"), "Repetitions"),
    ("slo", ("benchmarks", "slo"), "Service level objective"),
)
CONTAINER = "container"
OF_CONTAINERS = ("image", "command", "client_command")


@dataclass(frozen=True)
class Question:
    """`path`: the recipe's field that the answer is of. `kind`: text, integer, or choice (then `choices` has them)."""

    name: str
    path: FieldPath
    title: str
    description: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    default: Any = None
    required: bool = False

    @property
    def variable(self) -> str:
        """The extra variable that answers it."""
        return PREFIX + self.name


def service_question() -> Question:
    """Which service; the choices are the service types of this collection."""
    return Question(
        "service", ("service", "type"), "Service", "the service that is benchmarked", "choice", tuple(service_types()),
        required=True,
    )  # fmt: skip


def base_question(service: str) -> Question:
    """From which shipped recipe to start; the small ones are for the local cluster."""
    names = bases(service)
    return Question(
        "base", (), "Start from the recipe", "what is not asked for is as in this recipe", "choice", tuple(names),
        default=names[0] if names else None, required=True,
    )  # fmt: skip


def bases(service: str) -> list[str]:
    """Names of the shipped recipes of a service type; none of `container`, of which none is like another."""
    if service == CONTAINER:
        return []
    names = (path.stem for path in (COLLECTION_ROOT / "recipes").glob(f"{service}*.yml"))
    return sorted(name for name in names if name.removesuffix(SMALL) == service)


def model_question(service: str | None, base: dict[str, Any] | None = None) -> Question | None:
    """Which model, where the service type has any; `service` None: of any service."""
    if service is None:
        return Question(
            "model", ("service", "settings"), "Model", "the model; empty: that of the recipe it starts from"
        )
    options = service_type(service).options
    name = next((name for name in MODEL_SETTINGS if name in options), None)
    if name is None:
        return None
    default = (((base or {}).get("service") or {}).get("settings") or {}).get(name)
    if isinstance(default, list):
        default = ", ".join(map(str, default))
    path = ("service", "settings", name)
    return Question("model", path, "Model", _sentence(options[name].get("description")), default=default, required=True)


def load_questions(base: dict[str, Any] | None = None, *, service: str | None = None) -> list[Question]:
    """What is asked of the load; defaults are those of `base`, the recipe's data that it starts from."""
    schema = json_schema()
    found = []
    for name, path, title in _FIELDS:
        if name in OF_CONTAINERS and service not in (None, CONTAINER):
            continue
        section = schema["$defs"][{"service": "Service", "client": "Client", "benchmarks": "Benchmarks"}[path[0]]]
        field = section["properties"][path[1]]
        is_integer = field.get("type") == "integer"
        found.append(
            Question(
                name, path, title, _plain(field["description"]), "integer" if is_integer else "text",
                minimum=field.get("minimum") if is_integer else None,
                default=_shown(((base or {}).get(path[0]) or {}).get(path[1], field.get("default"))),
                required=name in OF_CONTAINERS and service == CONTAINER,
            )
        )  # fmt: skip
    return found


def base_data(name: str) -> dict[str, Any]:
    """The content of a shipped recipe."""
    path = COLLECTION_ROOT / "recipes" / f"{name}.yml"
    return read_document(path, catalogue.shown_path(path)).data


def _shown(value: Any) -> Any:
    """A default as it would be typed."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, int) or value is None else str(value) if value else None


def _plain(text: str) -> str:
    """Without the marks of Markdown."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")


def _sentence(description: Any) -> str:
    text = description[0] if isinstance(description, list) and description else description or ""
    return re.sub(r"\b[A-Z]\(([^)]*)\)", r"\1", str(text)).partition(". ")[0].rstrip(".")
