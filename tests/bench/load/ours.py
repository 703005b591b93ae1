# SPDX-License-Identifier: MIT
"""The collection's own client, run as a process of its own without a cluster (load/standalone.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peer_install
import watch

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = ROOT / ".collections"
sys.path.insert(0, str(COLLECTIONS))

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import standalone  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram  # noqa: E402

OURS, STDLIB = "ours", "ours-stdlib"  # with uvloop; with the standard library alone
LLM = {"model": "truth", "input_tokens": 128, "output_tokens": 32}


@dataclass
class Result:
    """What the client's result file says, and what was seen of its process."""

    data: dict[str, Any]
    observed: watch.Observed

    def ms(self, metric: str, q: float) -> float | None:
        """A quantile in milliseconds, None when there is nothing of the kind."""
        found = self.data["histograms"].get(metric)
        value = Histogram.from_dict(found).quantile(q) if found else None
        return None if value is None else value * 1000

    @property
    def window_ns(self) -> tuple[int, int]:
        """Begin and end of what it measured, by the epoch."""
        return int(self.data["measure_start"] * 1e9), int(self.data["measure_end"] * 1e9)

    @property
    def throughput(self) -> float:
        """Operations a second, by its own account."""
        return self.data["operations"] / (self.data["measure_end"] - self.data["measure_start"])

    @property
    def errors(self) -> int:
        """Failed operations."""
        return sum(error["count"] for error in self.data["errors"].values())


def command(
    url: str, workload: str, settings: dict[str, Any], out: Path, name: str = OURS, **options: object
) -> list[str]:
    """The command line of a client. options: as --NAME of standalone.py, `_` for `-`; None: left out."""
    python = peer_install.installed(name).command("python")
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items() if value is not None]
    module = standalone.__name__
    return [python, "-m", module, "--workload", workload, "--url", url, f"--settings={json.dumps(settings)}",
            f"--out={out}", *words]  # fmt: skip


def environment() -> dict[str, str]:
    """The variables with which a client finds the collection."""
    return {**os.environ, "PYTHONPATH": str(COLLECTIONS)}


def run(
    url: str,
    workload: str,
    settings: dict[str, Any],
    *,
    core: int | None,
    name: str = OURS,
    others: tuple[int, ...] = (),
    timeout_s: float = 120.0,
    **options: object,
) -> Result:
    """Run one client to its end. Raises RuntimeError when it fails."""
    with tempfile.TemporaryDirectory(prefix="aifactory-bench-") as folder:
        out = Path(folder) / "result.json"
        argv = watch.pinned(core, command(url, workload, settings, out, name, **options))
        observed = watch.observe(argv, timeout_s=timeout_s, others=others, env=environment())
        if observed.returncode:
            raise RuntimeError(f"{' '.join(argv)} ended with {observed.returncode}:\n{observed.output}")
        return Result(json.loads(out.read_text()), observed)


def start_up_s(url: str, workload: str, settings: dict[str, Any], core: int | None, name: str = OURS) -> float:
    """Seconds from the start of the process until its load may begin: Python, imports, set-up, files."""
    with tempfile.TemporaryDirectory(prefix="aifactory-bench-") as folder:
        out = Path(folder) / "result.json"
        argv = command(url, workload, settings, out, name, requests=1, rate=1000)
        began = time.time()
        subprocess.run(watch.pinned(core, argv), env=environment(), cwd="/", check=True)
        ready = json.loads(out.read_text())["measure_start"] - standalone._AHEAD_S
        return ready - began
