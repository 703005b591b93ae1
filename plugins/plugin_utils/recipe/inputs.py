# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that go with a recipe: settings of the type ``path``, the trace of arrivals, definition files of images.

An absolute path lies on the cluster, where the preflight looks for it. A relative one lies beside the recipe; it is
shipped with the run, and the plan names it ``inputs/NAME``, relative to the run's directory.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...module_utils.load import registry
from ...module_utils.load.schedule import read_trace
from .cases import SETTINGS
from .document import Document, FieldPath, field_name
from .errors import Problem, describe, did_you_mean
from .images import is_definition
from .load_schema import Arrival, Benchmarks, Sweep
from .schema import RecipeModel
from .sweep import HERE
from .units import UnitError
from .workloads import Workload

FOLDER = "inputs"
MOST_BYTES = 64 * 2**20
_TRACE: FieldPath = ("benchmarks", "arrival", "path")


class Inputs:
    """The local files of a recipe in ``folder``. ``files``: ``inputs/NAME`` → its source and checksum."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, dict[str, str]] = {}

    def take(self, text: str) -> str:
        """What the plan says for a path: itself where it is absolute, else ``inputs/NAME``. Raises ``UnitError``."""
        if text.startswith("/"):
            return text
        if text.startswith(("~", "$")) or "\n" in text:
            remedy = "write a path relative to the recipe, or the absolute path of a file on the cluster"
            raise UnitError(f"expected a path, found {describe(text)}", remedy)
        try:
            source = self._find(text)
            known = next((name for name, file in self.files.items() if file["source"] == str(source)), None)
            if known:
                return known
            if source.stat().st_size > MOST_BYTES:
                size, most = source.stat().st_size / 2**20, MOST_BYTES // 2**20
                message = f"{text} has {size:.0f} MiB, more than the {most} MiB that are shipped with a run"
                raise UnitError(message, "put it on the cluster and give its absolute path")
            digest = hashlib.sha256(source.read_bytes()).hexdigest()
        except OSError as error:
            raise UnitError(f"{text} can't be read: {error.strerror}", "check the path and its mode") from error
        name = self._free_name(source.name)
        self.files[name] = {"source": str(source), "sha256": digest}
        return name

    def source_of(self, name: str) -> str | None:
        """The local file of an ``inputs/NAME``; None for a path on the cluster."""
        return self.files[name]["source"] if name in self.files else None

    def _find(self, text: str) -> Path:
        for path in (self.folder / text, Path(text)):
            if path.is_file():
                return Path(os.path.abspath(path))
            if path.is_dir():
                raise UnitError(f"{text} is a folder", "name a file")
        folder = (self.folder / text).parent
        beside = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
        guess = did_you_mean(Path(text).name, beside).partition(" (")[0]
        remedy = (
            "a relative path is a file beside the recipe or in the current folder, an absolute one is on the cluster"
        )
        raise UnitError(f"no such file: {text}", f"{guess} ({remedy})" if guess.endswith("?") else remedy)

    def _free_name(self, name: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
        plain = plain if plain[0].isalnum() else f"_{plain}"
        number, free = 1, plain
        while f"{FOLDER}/{free}" in self.files:
            number += 1
            free = f"{number}-{plain}"
        return f"{FOLDER}/{free}"


def take_inputs(
    document: Document, model: RecipeModel, workload: Workload | None, inputs: Inputs
) -> tuple[RecipeModel, list[Problem]]:
    """The model with the plan's paths in place of local ones, and what is wrong with the files."""
    taker = _Taker(document, workload, inputs)
    service, client, bench = model.service, model.client, model.benchmarks
    settings = taker.settings(client.settings, ("client", "settings"))
    sweep = taker.sweep(bench.sweep) if bench.sweep is not None else None
    arrival = taker.trace(bench.arrival, bench) if bench.arrival is not None else None
    update = {
        "service": service.model_copy(update={"image": taker.image(service.image, ("service", "image"))}),
        "client": client.model_copy(
            update={"settings": settings, "image": taker.image(client.image, ("client", "image"))}
        ),
        "benchmarks": bench.model_copy(update={"sweep": sweep, "arrival": arrival}),
    }
    return model.model_copy(update=update), taker.problems


class _Taker:
    """Takes the files that a recipe names, and collects what is wrong with them."""

    def __init__(self, document: Document, workload: Workload | None, inputs: Inputs) -> None:
        self.document = document
        self.workload = workload
        self.inputs = inputs
        self.problems: list[Problem] = []

    def settings(self, settings: Mapping[str, Any], path: FieldPath) -> dict[str, Any]:
        return {name: self._setting(name, value, (*path, name)) for name, value in settings.items()}

    def sweep(self, sweep: Sweep) -> Sweep:
        parameters = {
            name: [
                self._setting(name.removeprefix(SETTINGS), value, (*HERE, "parameters", name, index))
                if name.startswith(SETTINGS)
                else value
                for index, value in enumerate(values)
            ]
            for name, values in sweep.parameters.items()
        }
        cases = [
            case.model_copy(update={"settings": self.settings(case.settings, (*HERE, "cases", number, "settings"))})
            for number, case in enumerate(sweep.cases)
        ]
        return sweep.model_copy(update={"parameters": parameters, "cases": cases})

    def image(self, image: str | None, path: FieldPath) -> str | None:
        return self._take(image, path, _check_definition) if image and is_definition(image) else image

    def trace(self, arrival: Arrival, bench: Benchmarks) -> Arrival:
        if arrival.path is None or arrival.type != "trace":
            return arrival
        as_it_is = bench.rate is None and bench.sweep is None
        end_s = bench.duration if as_it_is else None

        def check(source: str) -> None:
            first_s = read_trace(source)[0]
            if end_s and first_s >= end_s:
                raise ValueError(f"its first time, {first_s:g} s, is not before the measurement's end, {end_s:g} s")

        return arrival.model_copy(update={"path": self._take(arrival.path, _TRACE, check)})

    def _setting(self, name: str, value: Any, path: FieldPath) -> Any:
        workload = self.workload
        if workload is None:
            return value

        def take(text: str, here: FieldPath) -> str:
            return self._take(text, here, lambda source: workload.check_input(name, source))

        return replace_paths(value, workload.options[name], path, take)

    def _take(self, text: str, path: FieldPath, check: Callable[[str], Any]) -> str:
        try:
            name = self.inputs.take(text)
            source = self.inputs.source_of(name)
            if source is not None:
                check(source)
            return name
        except UnitError as error:
            self.problems.append(self.document.problem(path, error.message, error.remedy))
        except UnicodeDecodeError:
            self.problems.append(self.document.problem(path, f"{text} is no text in UTF-8", "name another file"))
        except ValueError as error:
            self.problems.append(self.document.problem(path, str(error), "correct the file, or name another one"))
        return text


def _check_definition(source: str) -> None:
    """Raises ValueError for what Apptainer could not build an image from."""
    text = Path(source).read_text(encoding="utf-8")
    if not re.search(r"^\s*bootstrap\s*:", text, re.IGNORECASE | re.MULTILINE):
        raise ValueError(f"{source} is no definition file: it has no line 'Bootstrap: …'")


def replace_paths(
    value: Any, option: Mapping[str, Any], path: FieldPath, replace: Callable[[str, FieldPath], str]
) -> Any:
    """A setting's value with every path in it (type ``path``; empty: none) replaced."""
    kind, inner = option.get("type"), option.get("options")
    if kind == "path":
        return replace(value, path) if value else value
    if kind == "list" and isinstance(value, list):
        element = {"type": option.get("elements"), "options": inner}
        return [replace_paths(item, element, (*path, index), replace) for index, item in enumerate(value)]
    if kind == "dict" and inner and isinstance(value, dict):
        return {key: replace_paths(item, inner.get(key, {}), (*path, key), replace) for key, item in value.items()}
    return value


def cluster_paths(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, path) of every file of the cluster that the load of a plan reads, each path once."""
    found: dict[str, str] = {}

    def note(text: str, path: FieldPath) -> str:
        if text.startswith("/"):
            found.setdefault(text, field_name(path))
        return text

    clients, bench = plan["clients"], plan["benchmarks"]
    options = registry.settings_of(clients["type"])
    owners = [(("client", "settings"), clients["settings"])]
    owners += [(("benchmarks", "sweep", "settings"), case["settings"]) for case in bench["cases"]]
    for owner, settings in owners:
        for name, value in settings.items():
            replace_paths(value, options[name], (*owner, name), note)
    note(bench["arrival"]["trace"] or "", _TRACE)
    return iter((field, path) for path, field in found.items())
