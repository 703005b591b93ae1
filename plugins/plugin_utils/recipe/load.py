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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from . import catalogue
from .cases import SETTINGS, choices_of
from .checks import check_together, literal_ports
from .companions import Companion, check_names, split
from .document import Document, FieldPath, parse_document, read_document
from .errors import Problem, RecipeError, did_you_mean, nearest
from .explain import document_path, keys_at, problems_of
from .inputs import Inputs, take_inputs
from .load_schema import Sweep
from .models import ValidationError, require_pydantic
from .roles import RoleError, ServiceType, service_type, service_types
from .schema import RecipeModel
from .settings import check_settings
from .sweep import check_sweep, place_of, swept_settings
from .targets import unknown_targets
from .workloads import Workload, workload_names, workload_of

_SLUG_LENGTH = 24
_SECTIONS = tuple(RecipeModel.model_fields)


@dataclass(frozen=True)
class Recipe:
    """A valid recipe. ``model`` has its defaults filled in, times in seconds, memory in bytes.

    ``inputs``: the local files that go with it, by the names that they have in ``model``: ``inputs/NAME`` →
    ``source`` (absolute path) and ``sha256``.
    """

    name: str
    path: str
    sha256: str
    description: str
    model: RecipeModel
    service: ServiceType
    companions: tuple[Companion, ...] = ()
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)

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
        data = self.model.model_dump(mode="json", exclude_none=True, by_alias=True)
        kept: dict[str, Any] = {section: _filled(fields) for section, fields in data.items() if _filled(fields)}
        if self.companions:
            services = [each.service.model_dump(mode="json", exclude_none=True) for each in self.companions]
            kept = {"services": [kept.pop("service"), *map(_filled, services)], **kept}
        return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=110)


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in ({}, [])}


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
    return _of(read_document(path, catalogue.shown_path(path)), path, path.read_bytes(), groups)


def load_draft(text: str, path: Path, *, groups: Mapping[str, Sequence[str]] | None = None) -> Recipe:
    """Checks the text of a recipe as if it lay at ``path``; `groups` as of ``load_recipe``. Raises ``RecipeError``."""
    require_pydantic()
    return _of(parse_document(text, catalogue.shown_path(path)), path, text.encode("utf-8", "replace"), groups)


def _of(document: Document, path: Path, content: bytes, groups: Mapping[str, Sequence[str]] | None) -> Recipe:
    checker, model, kind, companions = _checked(document, path.absolute().parent, groups)
    return Recipe(
        name=path.stem,
        path=str(path.absolute()),
        sha256=hashlib.sha256(content).hexdigest(),
        description=catalogue.description_of(content.decode("utf-8-sig")),
        model=model,
        service=kind,
        companions=tuple(companions),
        inputs=checker.inputs.files,
    )


def check(document: Document, groups: Mapping[str, Sequence[str]] | None = None) -> tuple[RecipeModel, ServiceType]:
    """The recipe of a parsed document, whose files lie in the current folder. Raises ``RecipeError``."""
    _checker, model, kind, _companions = _checked(document, Path.cwd(), groups)
    return model, kind


def _checked(
    document: Document, folder: Path, groups: Mapping[str, Sequence[str]] | None
) -> tuple[_Checker, RecipeModel, ServiceType, list[Companion]]:
    """The recipe, and what goes with it. Raises ``RecipeError`` with the mistakes of all its services."""
    main, others = split(document)
    problems: list[Problem] = []
    found = []
    inputs = Inputs(folder)
    for each, more in [(main, groups), *((other, None) for other in others)]:
        checker = _Checker(each, inputs)
        try:
            found.append((checker, *checker.checked(more)))
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(problems)
    companions = [Companion(model.service, kind) for _checker, model, kind in found[1:]]
    if wrong := check_names(found[0][1].service, companions, others):
        raise RecipeError(wrong)
    return *found[0], companions


class _Checker:
    """Collects every problem. A field that is wrong is left out, so that the rest can still be checked."""

    def __init__(self, document: Document, inputs: Inputs) -> None:
        self.document = document
        self.data: dict[str, Any] = copy.deepcopy(document.data)
        self.inputs = inputs
        self.problems: list[Problem] = []
        self.wrong: set[FieldPath] = set()

    def checked(self, groups: Mapping[str, Sequence[str]] | None) -> tuple[RecipeModel, ServiceType]:
        """The model with its defaults, and the service type. Raises ``RecipeError`` with every problem."""
        self._drop_empty()
        self._keep_source_of_env()
        model = self._validate()
        kind = self._service_type(model)
        workload = self._workload(model, kind)
        model, settings = self._with_settings(model, kind, workload)
        for finding in check_together(model, kind, workload, settings):
            if not any(self._is_wrong(path) for path in finding.paths):
                self.problems.append(self.document.problem(finding.paths[0], finding.message, finding.remedy))
        for name, remedy in unknown_targets(model.configuration.target or "", groups) if groups is not None else ():
            message = f"the inventory has no host or group '{name}'"
            self._add(("configuration", "target"), message, f"{remedy}; choose another with -l or -i")
        if self.problems or kind is None:
            raise RecipeError(self.problems)
        return self._with_defaults(model, kind, workload.name if workload else None), kind

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

    def _workload(self, model: RecipeModel, kind: ServiceType | None) -> Workload | None:
        if self._is_wrong(("client", "type")):
            return None
        name, known = model.client.type, workload_names()
        if name is None and model.client.command is not None:
            name = "command"
        elif name is None and kind is not None:
            name = kind.workload
        if name is None or name in known:
            return workload_of(name) if name else None
        self._add(("client", "type"), f"there is no workload '{name}'", did_you_mean(name, known, allowed="workloads"))
        return None

    def _with_settings(
        self, model: RecipeModel, kind: ServiceType | None, workload: Workload | None
    ) -> tuple[RecipeModel, dict[str, Any] | None]:
        """The model with typed settings, sweep and input files; the workload's settings, None where one is wrong.

        A setting that is unknown keeps nobody from judging the others, but for the one that was likely meant.
        """
        if kind is not None:
            path, owner = ("service", "settings"), f"the service type {kind.name}"
            settings, found = check_settings(self.document, path, model.service.settings, kind.options, owner)
            self.problems.extend(found)
            model = model.model_copy(update={"service": model.service.model_copy(update={"settings": settings})})
        if kind is not None and workload is not None and workload.name == kind.workload:
            client = model.client
            own = {**kind.workload_settings, **client.settings}
            model = model.model_copy(update={"client": client.model_copy(update={"settings": own})})
        options = workload.options if workload is not None else {}
        unknown = [name for name in model.client.settings if name not in options] if workload is not None else []
        before = len(self.problems)
        model = self._with_client_settings(model, workload)
        sweep, found = check_sweep(self.document, model.benchmarks, workload)
        if found:
            self.problems.extend(found)
            self.wrong.add(("benchmarks", "sweep"))
        bench = model.benchmarks.model_copy(update={"sweep": sweep})
        model, found = take_inputs(self.document, model.model_copy(update={"benchmarks": bench}), workload, self.inputs)
        self.problems.extend(found)
        if len(self.problems) > before + len(unknown):
            return model, None
        if workload is not None:
            self._complain(workload, model.client.settings, sweep, [nearest(name, options) for name in unknown])
        return model, None if unknown else model.client.settings

    def _with_client_settings(self, model: RecipeModel, workload: Workload | None) -> RecipeModel:
        if workload is None:
            return model
        path, owner, client = ("client", "settings"), f"the workload {workload.name}", model.client
        given = swept_settings(model.benchmarks.sweep)
        settings, found = check_settings(self.document, path, client.settings, workload.options, owner, given=given)
        self.problems.extend(found)
        return model.model_copy(update={"client": client.model_copy(update={"settings": settings})})

    def _complain(
        self, workload: Workload, settings: Mapping[str, Any], sweep: Sweep | None, misspelt: Sequence[str | None]
    ) -> None:
        """What the workload itself finds wrong, with each case's settings."""
        choices = [{}] if sweep is None else list(choices_of(sweep))
        for number, choice in enumerate(choices):
            own = {key.removeprefix(SETTINGS): value for key, value in choice.items() if key.startswith(SETTINGS)}
            for path, message, remedy in workload.complaints({**settings, **own}, own):
                if path[0] in misspelt:
                    continue
                swept = None if sweep is None else place_of(self.document, sweep, str(path[0]), number)
                problem = self.document.problem(swept or ("client", "settings", *path), message, remedy)
                if problem not in self.problems:
                    self.problems.append(problem)

    @staticmethod
    def _with_defaults(model: RecipeModel, kind: ServiceType, workload: str | None) -> RecipeModel:
        service, client, bench = model.service, model.client, model.benchmarks
        update: dict[str, Any] = {"name": service.name or kind.name}
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
