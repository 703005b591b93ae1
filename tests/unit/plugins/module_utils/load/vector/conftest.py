# SPDX-License-Identifier: MIT
"""A whole run of the workload against one server: set-up, one case, clean-up."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import options

SMALL = {"size": 2000, "dimensions": 32, "clusters": 20, "queries": 40, "batch_size": 150}


class VectorRun:
    """What a test sees of it. `data`: the data set; `made`: the Load; `workload`: that of the set-up."""

    def __init__(self, load: Any, server: Any, settings: dict[str, Any], order: dict[str, Any]) -> None:
        self.made = load("vector", server, settings={**SMALL, **settings}, requests=40, **order)
        self.context = self.made.context
        self.settings = self.context.settings
        self.data = options.data_of(self.settings, self.context.run_dir)
        self.workload = registry.load("vector").Workload()
        secrets = Path(self.context.run_dir) / "secrets"
        secrets.mkdir(exist_ok=True)
        self.secrets = secrets

    def set_up(self) -> None:
        self.workload.setup(self.context)

    def case(self, concurrency: int = 1, **changed: Any) -> dict[str, Any]:
        """Measure one case, whose settings differ as is said; each query goes once. The client's result."""
        self.made.order["concurrency"] = concurrency
        self.context.settings = {**self.settings, **changed}
        try:
            return self.made.run()
        finally:
            self.made.workload.adapter.close()

    def clean_up(self) -> None:
        self.context.settings = self.settings
        self.workload.cleanup(self.context)


def mean(result: dict[str, Any], metric: str) -> float:
    histogram = result["histograms"][metric]
    return histogram["sum"] * histogram["scale"] / histogram["count"]


def set_up_metrics(result: dict[str, Any]) -> dict[str, float]:
    return {metric: value for metric, _unit, _statistic, value in result["statistics"]}


@pytest.fixture
def vector_run(load):
    """vector_run(server, settings, **order): a context manager that sets up, and always cleans up."""

    @contextmanager
    def make(server: Any, settings: dict[str, Any], secrets: Any = None, overrides: Any = (), **order: Any):
        run = VectorRun(load, server, settings, order)
        run.context.overrides = overrides
        for name, value in (secrets or {}).items():
            (run.secrets / name).write_text(value + "\n")
        try:
            run.set_up()
            yield run
        finally:
            run.clean_up()

    return make
