# SPDX-License-Identifier: MIT
"""Makes large runs: what N clients and M cases leave, by the agents' own writers, with made-up numbers.

No client ran and no service answered: latencies are drawn. What is written is as a run of this size leaves it: results,
histograms, series, telemetry and the service's own metrics. It is collected as any run.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import local_run
import numpy as np
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir, telemetry
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import scraper
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Merged, Results
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import Series
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import shipment
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

BEGIN = 1_790_000_000.0
DURATION_S, PAUSE_S, RATE_PER_S = 10, 2, 20
DRAWN = 50  # different clients of a case; the others have the same numbers as one of these
NODE_CLIENTS = 125
SERIES, CHANGING = 1800, 600  # of the service's own metrics, as vLLM has them


class MadeRun:
    """A run of `clients` (int) and `cases` (int), written into a folder `there` as on a cluster."""

    def __init__(self, there: Path, clients: int, cases: int, seed: int = 1) -> None:
        self.there, self.clients = there, clients
        self.rng = np.random.default_rng(seed)
        self.names = [f"concurrency-{number}" for number in range(1, cases + 1)]
        self.end = BEGIN + 10 + cases * (DURATION_S + PAUSE_S)
        self.plan: dict[str, Any] = {
            **local_run.plan(there.name, there, "vllm", {}),
            "created_at": BEGIN - 2,
            "clients": {"type": "http", "count": clients, "placement": "separate", "settings": {}, "env": {}},
            "benchmarks": {
                "duration_s": float(DURATION_S), "warmup_s": 1.0, "repetitions": 1, "requests": None, "seed": seed,
                "metrics": ["throughput", "response_time"],
                "cases": [
                    {"name": name, "concurrency": number, "rate": None} for number, name in enumerate(self.names, 1)
                ],
            },
        }  # fmt: skip

    def write(self, metrics_bytes: int = 0) -> None:
        """Write all its files; so many bytes of the service's own metrics, at most as many as the agent keeps."""
        for folder in ("", *shipment.DIRECTORIES):
            (self.there / folder).mkdir(parents=True, exist_ok=True)
        (self.there / "images.txt").write_text("")
        (self.there / "plan.json").write_text(json.dumps(self.plan))
        directory = run_dir.RunDir({"run_dir": str(self.there)})
        results = Results(directory)
        for number, name in enumerate(self.names, 1):
            start = BEGIN + 10 + (number - 1) * (DURATION_S + PAUSE_S)
            merged = Merged([*self._results(name, number, start)])
            facts = {"rate": None, "concurrency": number, "settings": {}, "clients": self.clients, "cut": None,
                     "warmup_start": start - 1, "failed_clients": [], "trial": None, "slo": None}  # fmt: skip
            results.add(name, 1, merged, facts)
        self._events()
        self._telemetry()
        if metrics_bytes:
            self._metrics(metrics_bytes)

    def _results(self, case: str, number: int, start: float) -> Iterator[dict[str, Any]]:
        """What each client says of a case: some are drawn, and the others say the same."""
        drawn = [self._client(number, start) for _number in range(min(DRAWN, self.clients))]
        for client in range(self.clients):
            yield {**drawn[client % DRAWN], "client": client, "case": case, "cpu_percent": 12.5}

    def _client(self, number: int, start: float) -> dict[str, Any]:
        count = RATE_PER_S * DURATION_S
        times_us = (self.rng.lognormal(9.0, 0.3, count) * (1 + number / 20)).astype(int).tolist()
        histogram, series = Histogram(), Series()
        histogram.record_many(times_us)
        for second in range(DURATION_S):
            series.operations(second, times_us[second * RATE_PER_S : (second + 1) * RATE_PER_S])
        return {
            "repetition": 1, "measure_start": start, "measure_end": start + DURATION_S, "operations": count,
            "errors": {}, "histograms": {"response_time": histogram.to_dict()}, "series": series.to_list(),
            "counters": {"bytes_received": {"unit": "B", "total": 1000 * count}}, "metrics": {}, "statistics": [],
            "offered": None, "dropped": 0, "retries": 0, "good": None, "run_delay_percent": 0.1,
            "psi_cpu_some_percent": 1.0,
        }  # fmt: skip

    def _events(self) -> None:
        found = {"service": [(BEGIN + 1, "job_started", {}), (BEGIN + 5, "healthy", {"after_s": 4.0})]}
        found["clients"] = [(BEGIN + 6, "clients_ready", {"count": self.clients})]
        for number, name in enumerate(self.names):
            start, tags = BEGIN + 10 + number * (DURATION_S + PAUSE_S), {"case": name, "repetition": 1}
            found["clients"] += [(start - 1, "warmup_started", tags), (start, "measure_started", tags)]
            found["clients"] += [(start + second, "progress", {**tags, "operations": 1}) for second in range(10)]
            found["clients"] += [(start + DURATION_S, "measure_ended", tags)]
        found["clients"].append((self.end, "done", {"cases": len(self.names)}))
        found["service"].append((self.end + 1, "stopped", {"exit_code": 0, "port_closed": True, "processes_left": 0}))
        for source, events in found.items():
            lines = [{"t": t, "source": source, "event": event, "node": source, **more} for t, event, more in events]
            (self.there / f"events/{source}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def _telemetry(self) -> None:
        rng = random.Random(1)
        nodes = ["service-mel0001", *(f"clients-mel{node:04d}" for node in range(2, 3 + self.clients // NODE_CLIENTS))]
        for node in nodes:
            with (self.there / f"telemetry/{node}.csv").open("w", newline="") as stream:
                writer = csv.DictWriter(stream, telemetry.COLUMNS, lineterminator="\n")
                writer.writeheader()
                for t in range(int(BEGIN), int(self.end)):
                    values = {name: round(rng.uniform(10, 60), 3) for name in telemetry.COLUMNS if "percent" in name}
                    values |= {name: rng.randrange(1 << 36) for name in telemetry.COLUMNS if "bytes" in name}
                    writer.writerow({**values, "t": t})

    def _metrics(self, most_bytes: int) -> None:
        """Series of which a third changes every second: a row for each change, as the agent keeps them."""
        names = [(f"vllm:series_{number // 20}_total", f'engine="0",le="{number % 20}"') for number in range(SERIES)]
        with (self.there / "metrics/vllm.csv").open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(scraper.COLUMNS)
            for second in range(int(self.end - BEGIN)):
                changed = names if not second else names[:CHANGING]
                rows = [(f"{BEGIN + second:.3f}", *name, "counter", str(1000 + 7 * second)) for name in changed]
                writer.writerows([*rows, (f"{BEGIN + second:.3f}", "up", "", "gauge", "1")])
                if stream.tell() > min(most_bytes, scraper._MOST_BYTES):
                    return

    def collect(self, home: Path) -> RunDirectory:
        """Collect it as any run; its jobs.json says what Slurm would."""
        run = RunDirectory(home / "runs" / self.there.name)
        local_run.collect(run, self.there)
        span = (BEGIN, self.end + 2)
        jobs = [local_run.job(run.id, role, number, span, 0) for number, role in enumerate(("service", "clients"))]
        run.write_json("jobs.json", jobs)
        run.write_json("calls.json", {"ssh": 10, "polls": 7})
        return run


def make(home: Path, scratch: Path, clients: int, cases: int, metrics_bytes: int = 0) -> RunDirectory:
    """A collected run of that size in `home`/runs, without run.json; `scratch`: a folder for what a cluster has."""
    made = MadeRun(scratch / "20260921-141320-vllm-0001", clients, cases)
    made.write(metrics_bytes)
    return made.collect(home)


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), 64 << 20).path)
