# SPDX-License-Identifier: MIT
"""One client that makes its load against a server of the test's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import Case, Context


@dataclass
class Load:
    """What a client knows; change its fields before `run`."""

    context: Context
    workload_name: str
    order: dict[str, Any]
    case: Case | None = None

    def run(self) -> dict[str, Any]:
        """Make the load, and give the client's result."""
        workload = registry.load(self.workload_name).Workload()
        workload.prepare(self.context)
        start = time.time() + 0.1
        order = dict(self.order)
        order["warmup_start"] = start
        order["measure_start"] = start + order["warmup_s"]
        if order["requests"] is None:
            order["measure_end"] = order["measure_start"] + order["duration_s"]
            order["load_end"] = order["measure_end"] + order.pop("cooldown_s", 0.0)
        self.case = Case(order, self.context.client, self.context.clients, "run")
        self.recorder = workload.recorder(self.context, self.case)
        extra = workload.run(self.context, self.case, self.recorder)
        self.workload = workload
        return {**self.recorder.result(), **extra}


@pytest.fixture
def load(tmp_path):
    """Build a load: load(workload, truth, settings, order's fields…)."""

    def make(name: str, *services: Any, settings: dict[str, Any] | None = None, **order: Any) -> Load:
        context = Context(
            run_id="run",
            client=order.pop("client", 0),
            clients=order.pop("clients", 1),
            services=[service.service for service in services],
            settings=registry.with_defaults(name, settings),
            command=None,
            container=[],
            runtime="apptainer",
            env={},
            run_dir=str(tmp_path),
            output_dir=str(tmp_path / "output"),
            tmp_dir=str(tmp_path),
            log=lambda text: None,
            stop=threading.Event(),
            cut=threading.Event(),
            parser=None,
        )
        (tmp_path / "output").mkdir(exist_ok=True)
        defaults = {
            "case": "case", "repetition": 1, "concurrency": 1, "rate": None, "requests": None, "duration_s": None,
            "warmup_s": 0.0, "measure_end": None, "load_end": None, "seed": 1,
        }  # fmt: skip
        return Load(context, name, {**defaults, **order})

    return make
