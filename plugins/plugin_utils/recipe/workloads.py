# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Workloads as recipes see them: settings, metrics, what their load can do.

A workload's module may have `ENGINE` (true: it runs on the load generator's own engine), `METRICS` (names that it
reports besides the usual ones), `check(settings)` (what is wrong with the settings as a whole: setting, message,
remedy), `check_input(setting, path)` (raises ValueError for a file that it can't use) and `FIXED` (names of settings
that no sweep can change, since the set-up goes by them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.load import registry
from .document import FieldPath

USUAL_METRICS = ("response_time", "schedule_lag", "throughput", "operations", "errors", "error_rate", "offered_rate")
ENGINE_METRICS = ("service_time", "offered", "dropped", "retries", "goodput", "bytes_received", "bytes_sent")


@dataclass(frozen=True)
class Workload:
    """``options`` are its settings, in the form of Ansible's argument specs."""

    name: str
    module: Any

    @property
    def options(self) -> Mapping[str, Mapping[str, Any]]:
        """The settings that it has."""
        return self.module.SETTINGS

    @property
    def engine(self) -> bool:
        """Whether it runs on the engine, which can do all that ``benchmarks`` may ask for."""
        return bool(getattr(self.module, "ENGINE", False))

    def metrics(self, settings: Mapping[str, Any] | None) -> tuple[str, ...] | None:
        """Names of what it reports with these settings; one that ends with ``*`` stands for all that begin so.

        ``settings``: None where they are wrong. The result is None where its command may report anything.
        """
        own = tuple(getattr(self.module, "METRICS", ()))
        if not self.engine:
            return (*USUAL_METRICS, *own) if self.name == "pgbench" else None
        return tuple(dict.fromkeys((*USUAL_METRICS, *ENGINE_METRICS, *own, *self._metrics_of_kinds(settings))))

    def _metrics_of_kinds(self, settings: Mapping[str, Any] | None) -> tuple[str, ...]:
        if settings is None:
            return ("response_time_*",)
        kinds = self.module.Workload().kinds(self._complete(settings))
        return tuple(f"response_time_{kind}" for kind in kinds) if len(kinds) > 1 else ()

    def complaints(
        self, settings: Mapping[str, Any], swept: Iterable[str] = ()
    ) -> Iterator[tuple[FieldPath, str, str]]:
        """What is wrong with settings that are right each by itself: (setting's path, message, remedy).

        ``swept``: names of those that a sweep gives.
        """
        for name in swept:
            if name in getattr(self.module, "FIXED", ()):
                yield (name,), "is the same for all cases: the set-up is made once", "make a run for each value"
        if hasattr(self.module, "check"):
            for setting, message, remedy in self.module.check(self._complete(settings)):
                yield _path_of(setting), message, remedy

    def check_input(self, setting: str, path: str) -> None:
        """Raise ValueError when the file at ``path`` is none that this setting can use."""
        if hasattr(self.module, "check_input"):
            self.module.check_input(setting, path)

    def _complete(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return registry.with_defaults(self.name, dict(settings))


def workload_of(name: str) -> Workload:
    """The workload of a name. Raises ``KeyError`` when there is none."""
    return Workload(name, registry.load(name))


def workload_names() -> list[str]:
    """The names of all workloads."""
    return registry.names()


def _path_of(setting: str) -> FieldPath:
    """``("requests", 0, "path")`` of ``requests[0].path``."""
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", setting))
