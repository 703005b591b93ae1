# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recipe, read and checked: ``load_recipe``.

Needs pydantic and PyYAML; import it where it is used.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import catalogue
from .checks import check_together, literal_ports
from .document import Document, FieldPath, read_document
from .errors import Problem, RecipeError, did_you_mean, nearest
from .explain import document_path, keys_at, problems_of
from .models import ValidationError, require_pydantic
from .roles import RoleError, ServiceType, service_type, service_types
from .schema import RecipeModel
from .settings import check_settings
from .targets import unknown_targets

_SLUG_LENGTH = 24
_SECTIONS = tuple(RecipeModel.model_fields)


@dataclass(frozen=True)
class Recipe:
    """A valid recipe. ``model`` has its defaults filled in, times in seconds, memory in bytes."""

    name: str
    path: str
    sha256: str
    description: str
    model: RecipeModel
    service: ServiceType

    @property
    def target(self) -> str | None:
        """Host or group of the inventory that the recipe names."""
        return self.model.configuration.target

    @property
    def slug(self) -> str:
        """The service's name as a part of run ids."""
        return slug_of(self.model.service.name or self.service.name)

    def as_resolved_yaml(self) -> str:
        """The recipe with its defaults, as YAML that loads to the same plan."""
        data = self.model.model_dump(mode="json", exclude_none=True)
        sections = {
            section: {key: value for key, value in fields.items() if value not in ({}, [])}
            for section, fields in data.items()
        }
        kept = {section: fields for section, fields in sections.items() if fields}
        return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=110)


def slug_of(name: str) -> str:
    """``[a-z0-9-]``, at most 24 characters, of any name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_SLUG_LENGTH].strip("-") or "run"


def load_recipe(
    path_or_name: str, search_paths: Sequence[Path] = (), *, groups: Mapping[str, Sequence[str]] | None = None
) -> Recipe:
    """Reads and checks a recipe, given by path or by name.

    ``search_paths``: folders looked into before ``catalogue.default_search_paths()``. ``groups``: the inventory's
    groups (Ansible's variable); when given, ``configuration.target`` must be in it.
    Raises ``RecipeError`` with every mistake at once.
    """
    require_pydantic()
    path = catalogue.find_recipe(path_or_name, [*search_paths, *catalogue.default_search_paths()])
    document = read_document(path, catalogue.shown_path(path))
    content = path.read_bytes()
    model, kind = check(document, groups)
    return Recipe(
        name=path.stem,
        path=str(path.absolute()),
        sha256=hashlib.sha256(content).hexdigest(),
        description=catalogue.description_of(content.decode("utf-8-sig")),
        model=model,
        service=kind,
    )


def check(document: Document, groups: Mapping[str, Sequence[str]] | None = None) -> tuple[RecipeModel, ServiceType]:
    """The recipe of a parsed document. Raises ``RecipeError``."""
    checker = _Checker(document)
    model, kind = checker.run(groups)
    if checker.problems or kind is None:
        raise RecipeError(checker.problems)
    return model, kind


class _Checker:
    """Collects every problem. A field that is wrong is left out, so that the rest can still be checked."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data: dict[str, Any] = copy.deepcopy(document.data)
        self.problems: list[Problem] = []
        self.wrong: set[FieldPath] = set()

    def run(self, groups: Mapping[str, Sequence[str]] | None) -> tuple[RecipeModel, ServiceType | None]:
        self._drop_empty()
        self._keep_source_of_env()
        model = self._validate()
        kind = self._service_type(model)
        workload = self._workload(model, kind)
        model = self._with_settings(model, kind, workload)
        for finding in check_together(model, kind, workload):
            if not any(self._is_wrong(path) for path in finding.paths):
                self.problems.append(self.document.problem(finding.paths[0], finding.message, finding.remedy))
        for name, remedy in unknown_targets(model.configuration.target or "", groups) if groups is not None else ():
            message = f"the inventory has no host or group '{name}'"
            self._add(("configuration", "target"), message, f"{remedy}; choose another with -l or -i")
        return self._with_defaults(model, kind, workload), kind

    def _add(self, path: FieldPath, message: str, remedy: str) -> None:
        self.problems.append(self.document.problem(path, message, remedy))
        self.wrong.add(path[:2])

    def _is_wrong(self, path: FieldPath) -> bool:
        return path[:1] in self.wrong or path[:2] in self.wrong

    def _drop_empty(self) -> None:
        """A section without keys is an absent one; a key without a value is a mistake."""
        for section in [name for name, fields in self.data.items() if fields is None and name in _SECTIONS]:
            self.data[section] = {}
        for section, fields in self.data.items():
            if not isinstance(fields, dict):
                continue
            known = keys_at((section,))
            for key in [key for key, value in fields.items() if value is None and key in known]:
                self._add((section, key), "has no value", "give one, or remove the key")
                del fields[key]

    def _keep_source_of_env(self) -> None:
        """Environment variables are text: ``on`` and ``007`` are kept as the author wrote them."""
        for section in ("service", "client"):
            fields = self.data.get(section)
            env = fields.get("env") if isinstance(fields, dict) else None
            for name, value in env.items() if isinstance(env, dict) else ():
                text = self.document.source_text((section, "env", name))
                if not isinstance(value, (dict, list)) and text is not None:
                    env[name] = text

    def _validate(self) -> RecipeModel:
        """The model of what is right; each round leaves out the fields that are wrong."""
        while True:
            try:
                return RecipeModel.model_validate(self.data)
            except ValidationError as error:
                self.problems.extend(p for p in problems_of(error, self.document) if p not in self.problems)
                for detail in error.errors():
                    self._leave_out(document_path(detail["loc"]), detail["type"])

    def _leave_out(self, path: FieldPath, kind: str) -> None:
        section, *rest = path
        if not rest:
            self.wrong.add((section,))
            if section in _SECTIONS:
                self.data[section] = {}
            else:
                self.data.pop(section, None)
            if kind == "extra_forbidden" and (meant := nearest(str(section), _SECTIONS)):
                self.wrong.add((meant,))
            return
        self.wrong.add((section, rest[0]))
        if kind == "extra_forbidden" and len(rest) == 1 and (meant := nearest(str(rest[0]), keys_at((section,)))):
            self.wrong.add((section, meant))
        if isinstance(self.data.get(section), dict):
            self.data[section].pop(rest[0], None)

    def _service_type(self, model: RecipeModel) -> ServiceType | None:
        if self._is_wrong(("service", "type")):
            return None
        try:
            return service_type(model.service.type)
        except RoleError as error:
            remedy = did_you_mean(model.service.type, service_types(), allowed="types of this collection")
            self._add(("service", "type"), str(error), remedy)
            return None

    def _workload(self, model: RecipeModel, kind: ServiceType | None) -> str | None:
        from ...module_utils.load import registry

        if self._is_wrong(("client", "type")):
            return None
        name = model.client.type
        if name is None and model.client.command is not None:
            return "command"
        if name is None:
            return kind.workload if kind else None
        known = registry.names()
        if name in known:
            return name
        self._add(("client", "type"), f"there is no workload '{name}'", did_you_mean(name, known, allowed="workloads"))
        return None

    def _with_settings(self, model: RecipeModel, kind: ServiceType | None, workload: str | None) -> RecipeModel:
        from ...module_utils.load import registry

        owners: list[tuple[str, Any, str]] = []
        if kind is not None:
            owners.append(("service", kind.options, f"the service type {kind.name}"))
        if workload is not None:
            owners.append(("client", registry.settings_of(workload), f"the workload {workload}"))
        update = {}
        for section, options, owner in owners:
            part = getattr(model, section)
            settings, found = check_settings(self.document, (section, "settings"), part.settings, options, owner)
            self.problems.extend(found)
            update[section] = part.model_copy(update={"settings": settings})
        return model.model_copy(update=update)

    def _with_defaults(self, model: RecipeModel, kind: ServiceType | None, workload: str | None) -> RecipeModel:
        service, client, bench = model.service, model.client, model.benchmarks
        update: dict[str, Any] = {"name": service.name or (kind.name if kind else service.type)}
        if service.port is None and (ports := literal_ports(client)):
            update["port"] = ports[0]
        requests = 1 if bench.duration is None and bench.requests is None else bench.requests
        return model.model_copy(
            update={
                "service": service.model_copy(update=update),
                "client": client.model_copy(update={"type": workload}),
                "benchmarks": bench.model_copy(update={"requests": requests}),
            }
        )
