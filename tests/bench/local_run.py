# SPDX-License-Identifier: MIT
"""Runs without Slurm: the real agents on this machine, collected and finished as any run, in a benchmark_home.

What Slurm would do is not done by anything: both agents are children of this process, and the job records say when
these began and ended. All else is the code that a run on a cluster passes through.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.action.run_collect import _COLLECT, _local_name
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, shipment, zipapp
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import after_collection
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

CLUSTER = "without-slurm"
_LOG_BYTES = 1 << 20
_PATIENCE_S = 120.0  # besides twice the time that the load takes


class Machine:
    """Where runs are made: `home` is their benchmark_home, `scratch` the cluster's folder, gone when it is closed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._folder = tempfile.TemporaryDirectory(prefix="aifactory-local-run-")
        self.scratch = Path(self._folder.name)
        self.agent = self.scratch / "agent.pyz"
        zipapp.build(self.agent)
        self.count = 0

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._folder.cleanup()

    def run(
        self,
        command: Sequence[str],
        *,
        settings: dict[str, Any],
        benchmarks: dict[str, Any],
        service: str = "container",
        workload: str = "http",
        clients: int = 1,
    ) -> RunDirectory:
        """Measure a service, started by `command` on this machine; returns the finished run's directory.

        `settings`: of the service, as a recipe has them (they are only told); `benchmarks`: of the plan.
        Raises RuntimeError, with what the agents said, when one of them failed.
        """
        self.count += 1
        identifier = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{service}-{self.count:04x}"
        there = self.scratch / identifier
        load = {"type": workload, "count": clients, "placement": "shared", "settings": {}, "env": {}}
        planned = {
            **plan(identifier, there, service, settings),
            "clients": load,
            "benchmarks": {"requests": None, "seed": 1, "metrics": ["throughput", "response_time"], **benchmarks},
        }
        for folder in ("", *shipment.DIRECTORIES):
            (there / folder).mkdir()
        spec = {**planned, "service_interface": "lo", "runtime": "apptainer", "node_tmp": str(self.scratch)}
        (there / "images.txt").write_text("")
        for name, content in (("plan.json", planned), ("spec.json", spec)):
            (there / name).write_text(json.dumps(content))
        load_s = benchmarks["repetitions"] * (benchmarks["duration_s"] + benchmarks["warmup_s"])
        jobs = self._agents(there, command, _PATIENCE_S + 2 * load_s)
        run = RunDirectory(self.home / "runs" / identifier)
        collect(run, there)
        finish.finish(run, planned, jobs, None, {"polls": 0})
        return run

    def _agents(self, there: Path, command: Sequence[str], patience_s: float) -> list[dict[str, Any]]:
        """Have both agents do their work; their job records."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
        arguments = {"service": ["--", *command], "clients": []}
        began, running, jobs = time.time(), {}, []
        for role, more in arguments.items():
            argv = [sys.executable, str(self.agent), role, "--spec", str(there / "spec.json"), *more]
            with (there / "logs" / f"slurm-{role}.out").open("wb") as log:
                running[role] = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, cwd="/", env=environment)
        try:
            codes = {role: running[role].wait(patience_s) for role in ("clients", "service")}
        finally:
            for process in running.values():
                if process.poll() is None:
                    process.terminate()
                    process.wait()
        for role in arguments:
            jobs.append(job(there.name, role, running[role].pid, (began, time.time()), codes[role]))
        if any(codes.values()):
            said = "".join(path.read_text(errors="replace") for path in sorted((there / "logs").iterdir()))
            raise RuntimeError(f"the agents of {there.name} ended with {codes}:\n{said}")
        return jobs


def job(identifier: str, role: str, number: int, span: tuple[float, float], code: int) -> dict[str, Any]:
    """What Slurm would say of a job, if it were one; `span`: its start and end, epoch, s."""
    began, ended = span
    return {
        "role": role, "id": str(number), "name": f"aifactory-{identifier}-{role}", "exit_code": f"{code}:0",
        "state": "FAILED" if code else "COMPLETED", "node_list": None, "nodes": 1, "cpus": os.cpu_count(), "gpus": 0,
        "submit": began, "start": began, "end": ended, "elapsed_s": ended - began,
    }  # fmt: skip


def plan(identifier: str, there: Path, service: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The plan without its load."""
    return {
        "schema": 1,
        "run_id": identifier,
        "group": identifier,
        "created_at": time.time(),
        "recipe": {"name": service},
        "cluster": {"name": CLUSTER},
        "run_dir": str(there),
        "service": {
            "name": service, "type": service, "settings": settings, "port": 25000, "scheme": "http", "data": False,
            "health": {"type": "http", "path": "/", "interval_s": 0.02, "deadline_s": 60}, "secrets": [],
            "client_deadline_s": 60, "stop_grace_s": 2,
        },
    }  # fmt: skip


def collect(run: RunDirectory, there: Path) -> None:
    """As the module run_collect does it, without ssh."""
    argv = ["sh", "-c", _COLLECT, "sh", str(there), str(_LOG_BYTES)]
    done = subprocess.run(argv, capture_output=True, check=True)
    shipment.unpack(done.stdout, run, _local_name)
    run.write_text("events.jsonl", shipment.merge_events(run))
    run.write_json("provenance.json", after_collection(run))
