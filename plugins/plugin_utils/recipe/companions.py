# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recipe's list ``services``: the first is what is benchmarked, the others are its companions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .document import Document
from .errors import Problem, RecipeError
from .roles import ServiceType
from .schema import Service

# Variables that the containers have anyway begin with SERVICE_ and these words.
_TAKEN = ("head", "peers", "rank", "replica")


@dataclass(frozen=True)
class Companion:
    """A service that the benchmarked one, or its clients, need."""

    service: Service
    kind: ServiceType


def split(document: Document) -> tuple[Document, list[Document]]:
    """The recipe with the first of its ``services`` as its ``service``, and a document for each of the others.

    A recipe without such a list is left as it is. Raises ``RecipeError`` for a list that is none, or beside `service`.
    """
    data = document.data
    if not isinstance(data, dict) or "services" not in data:
        return document, []
    services, path = data["services"], ("services",)
    if "service" in data:
        raise RecipeError([document.problem(path, "stands beside 'service'", "put that one first in the list")])
    if not isinstance(services, list) or not services:
        remedy = "write one item for each service, after '- ', the benchmarked one first"
        raise RecipeError([document.problem(path, "expected a list of services", remedy)])
    others = [document.of_service(number) for number in range(1, len(services))]
    for other in others:
        # what a service must be by itself; the load is the benchmarked one's
        other.data = {"service": other.data["service"], "client": {"command": "true"}}
    return document.of_service(0), others


def check_names(main: Service, companions: Sequence[Companion], others: Sequence[Document]) -> list[Problem]:
    """Names that two services have, or that can't be part of a variable's name."""
    problems, known = [], {main.name}
    for companion, document in zip(companions, others, strict=True):
        name = companion.service.name
        if name in known:
            problems.append(
                document.problem(
                    ("service", "name"), f"two services are called '{name}'", "give each a name of its own"
                )
            )
        elif str(name).lower() in _TAKEN:
            problems.append(
                document.problem(("service", "name"), f"'{name}' can't be the name of a service", "choose another")
            )
        known.add(name)
    return problems
