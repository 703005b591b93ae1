# SPDX-License-Identifier: MIT
"""Makes run directories as `collect` leaves them: PostgreSQL, 4 clients, 2 cases × 2 repetitions, 10 s each.

Deterministic: the same variant and seed give the same bytes. Variants: `finished`, `overloaded` (a client
failed, errors, the rate not delivered), `service_died` (while it started), `cancelled` (in the queue),
`no_results` (the client job failed before it measured), `running` (in the middle of a measurement).
Run as a program to look at one: python samples.py VARIANT HOME.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

BEGIN = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
RUN_ID = "20260921-141320-postgresql-{:04x}"
CASES = ({"name": "max", "concurrency": 4, "rate": None}, {"name": "half", "concurrency": 4, "rate": 700.0})
CLIENTS, REPETITIONS, DURATION_S, WARMUP_S = 4, 2, 10, 2
VARIANTS = ("finished", "overloaded", "service_died", "cancelled", "no_results", "running")
START, HEALTHY, FIRST = BEGIN + 4, BEGIN + 7.4, BEGIN + 9.5
SBATCH = """#!/bin/bash -l
#SBATCH --job-name=aifactory-{run}-{role}
#SBATCH --partition=cpu --nodes=1 --ntasks={ntasks}
#SBATCH --time=00:30:00 --no-requeue
set -eu
cd "$HOME/.aifactory-scratch/runs/{run}"
exec python3 agent.pyz {role} --spec spec.json -- apptainer exec --cleanenv --containall postgres.sif sh -c 'run'
"""


def make(home: str | Path, variant: str = "finished", seed: int = 1, run_id: str | None = None) -> RunDirectory:
    """Write the run directory of a variant below `home`/runs and return it, with all but run.json and reports."""
    assert variant in VARIANTS, variant
    run = RunDirectory(Path(home) / "runs" / (run_id or RUN_ID.format(seed)))
    rng = random.Random(f"{variant} {seed}")
    plan = plan_of(run.id)
    run.write_json("plan.json", plan)
    run.write_text("recipe.yml", RECIPE)
    run.write_json("provenance.json", PROVENANCE)
    for role, ntasks in (("service", 1), ("clients", CLIENTS)):
        run.write_text(f"{role}.sbatch", SBATCH.format(run=run.id, role=role, ntasks=ntasks))
    timetable = _timetable(variant)
    events = _events(variant, timetable)
    run.write_text("events.jsonl", "".join(json.dumps(event) + "\n" for event in events))
    run.write_json("jobs.json", jobs_of(run.id, variant, timetable))
    run.write_json("teardown.json", TEARDOWN)
    _results(run, rng, variant, timetable)
    _telemetry(run, rng, variant, timetable)
    _logs(run, variant)
    return run


def plan_of(run_id: str) -> dict[str, Any]:
    job = {"partition": "cpu", "account": "p200981", "qos": "default", "time_limit_s": 1800, "nodes": 1}
    return {
        "schema": 1,
        "run_id": run_id,
        "group": run_id,
        "created_at": BEGIN - 1.5,
        "collection_version": "0.1.0",
        "recipe": {"name": "quickstart", "path": "recipes/quickstart.yml", "sha256": "5f" * 32},
        "cluster": {"name": "meluxina", "scratch": "/scratch", "runtime": "apptainer"},
        "run_dir": f"/scratch/runs/{run_id}",
        "service": {"name": "postgresql", "type": "postgresql", "settings": {"shared_buffers": "256MB"}, "job": job},
        "clients": {
            "type": "pgbench",
            "count": CLIENTS,
            "placement": "separate",
            "settings": {"scale": 10},
            "job": job,
        },
        "benchmarks": {
            "duration_s": float(DURATION_S),
            "requests": None,
            "warmup_s": float(WARMUP_S),
            "repetitions": REPETITIONS,
            "seed": 1,
            "metrics": ["response_time", "throughput"],
            "cases": list(CASES),
        },
    }


def _timetable(variant: str) -> list[dict[str, Any]]:
    """When each repetition of each case warmed up and measured (epoch, s)."""
    if variant in ("service_died", "cancelled", "no_results"):
        return []
    rows, at = [], FIRST
    for case in CASES:
        for repetition in range(1, REPETITIONS + 1):
            start = at + WARMUP_S
            rows.append({**case, "repetition": repetition, "warmup": at, "start": start, "end": start + DURATION_S})
            at = start + DURATION_S + 0.35
    return rows[:2] if variant == "running" else rows


def jobs_of(run_id: str, variant: str, timetable: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = timetable[-1]["end"] if timetable else HEALTHY + 1
    times = {
        "service": (START // 1, (last + 2) // 1),
        "clients": ((START + 2) // 1, (last + 1) // 1),
    }
    state = {"service": "COMPLETED", "clients": "COMPLETED"}
    if variant == "overloaded":
        state["clients"] = "FAILED"
    elif variant == "running":
        times = {role: (start, None) for role, (start, _end) in times.items()}
        state = {"service": "RUNNING", "clients": "RUNNING"}
    elif variant == "service_died":
        times = {"service": (START, START + 6), "clients": (START + 2, START + 7)}
        state = {"service": "FAILED", "clients": "FAILED"}
    elif variant == "cancelled":
        times = {"service": (BEGIN + 60, BEGIN + 60), "clients": (BEGIN + 60, BEGIN + 60)}
        state = {"service": "CANCELLED by 1000", "clients": "CANCELLED by 1000"}
    elif variant == "no_results":
        state["clients"] = "FAILED"
    return [
        {
            "role": role,
            "id": str(4711 + number),
            "name": f"aifactory-{run_id}-{role}",
            "state": state[role],
            "exit_code": "1:0" if state[role] == "FAILED" else "0:0",
            "node_list": None if variant == "cancelled" else f"mel{number + 1:04d}",
            "submit": BEGIN,
            "start": times[role][0],
            "end": times[role][1],
            "elapsed_s": None if times[role][1] is None else times[role][1] - times[role][0],
            "nodes": 1,
            "cpus": 128,
            "gpus": 0,
        }
        for number, role in enumerate(("service", "clients"))
    ]


def _events(variant: str, timetable: list[dict[str, Any]]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []

    def add(t: float, source: str, event: str, **fields: Any) -> None:
        events.append({"t": round(t, 3), "source": source, "event": event, "node": f"{source}-node", **fields})

    add(BEGIN - 1.5, "controller", "planned")
    add(BEGIN + 0.2, "controller", "submitted", jobs={"service": "4711", "clients": "4712"}, calls={"ssh": 1})
    if variant != "cancelled":
        add(START + 0.6, "service", "job_started", job_id="4711")
        add(START + 0.9, "service", "container_started", pid=1234, port=5432)
        add(START + 2.5, "clients", "job_started", job_id="4712")
        if variant == "service_died":
            tail = 'FATAL:  could not map anonymous shared memory\nHINT:  reduce "shared_buffers"'
            add(START + 5, "service", "service_failed", reason="it ended while starting", exit_code=1, log_tail=tail)
            add(START + 6, "clients", "failed", reason="the service failed", log_tail="")
        else:
            add(HEALTHY, "service", "healthy", after_s=2.5)
            add(HEALTHY + 0.1, "clients", "endpoint_found")
            add(HEALTHY + 0.2, "clients", "setup_started")
            if variant == "no_results":
                add(HEALTHY + 0.9, "clients", "failed", reason="pgbench -i ended with exit code 1", log_tail="")
            else:
                _load_events(add, variant, timetable)
    add(BEGIN + 75, "controller", "collected", files=31, bytes=120_345)
    return sorted(events, key=lambda event: event["t"])


def _load_events(add: Any, variant: str, timetable: list[dict[str, Any]]) -> None:
    add(HEALTHY + 1.4, "clients", "setup_done")
    add(FIRST - 0.2, "clients", "clients_ready", count=CLIENTS)
    for row in timetable:
        which = {"case": row["name"], "repetition": row["repetition"]}
        add(row["warmup"], "clients", "warmup_started", **which)
        add(row["start"], "clients", "measure_started", **which)
        for second in range(2, DURATION_S, 2):
            counts = {"operations": 1400 * second, "errors": 0, "rate_per_s": 1400.0}
            timing = {"elapsed_s": second, "duration_s": DURATION_S}
            add(row["start"] + second, "clients", "progress", **which, **timing, **counts)
        if variant == "running" and row is timetable[-1]:
            return
        add(row["end"], "clients", "measure_ended", **which)
    last = timetable[-1]["end"]
    add(last + 0.2, "clients", "merged")
    if variant == "overloaded":
        add(last + 0.3, "clients", "failed", reason="client 3 failed in case half", log_tail="connection lost")
    else:
        add(last + 0.3, "clients", "done")
    add(last + 0.5, "service", "stopping", reason="the clients are done")
    add(last + 1.1, "service", "stopped", exit_code=0, port_closed=True, processes_left=0, data_removed=True)


def _results(run: RunDirectory, rng: random.Random, variant: str, timetable: list[dict[str, Any]]) -> None:
    rows, cases = [], []
    for row in timetable[:-1] if variant == "running" else timetable:
        key = f"{row['name']}-{row['repetition']}"
        response, lag = Histogram(), Histogram()
        rate = row["rate"] or 1400.0
        operations = int(rate * DURATION_S * rng.uniform(0.998, 1.004)) // 7 * 7
        if variant == "overloaded" and row["rate"]:
            operations = int(operations * 0.82) // 7 * 7
        for _number in range(operations // 7):  # each drawn value counts seven times: quick, and as smooth
            late = rng.expovariate(1 / 0.0002) if row["rate"] else 0.0
            value = rng.lognormvariate(math.log(0.0024 if row["rate"] is None else 0.0011), 0.35) + late
            value += 0.02 * rng.random() if rng.random() < 0.006 else 0
            response.record(int(value * 1e6), 7)
            lag.record(int(late * 1e6), 7)
        errors = int(operations * 0.03) if variant == "overloaded" and row["rate"] else 0
        rows += _tidy(row, response, lag if row["rate"] else None, operations, errors)
        histograms = {"response_time": f"histograms/{key}-response_time.json"}
        run.write_text(histograms["response_time"], json.dumps(response.to_dict()))
        if row["rate"]:
            histograms["schedule_lag"] = f"histograms/{key}-schedule_lag.json"
            run.write_text(histograms["schedule_lag"], json.dumps(lag.to_dict()))
        _series(run, rng, row, operations, errors)
        cases.append(_case(row, key, histograms, variant, errors))
    if cases:
        header = "case,repetition,client,metric,unit,statistic,value\n"
        run.write_text("results.csv", header + "".join(rows))
        run.write_json("cases.json", cases)


def _tidy(row: dict[str, Any], response: Histogram, lag: Histogram | None, operations: int, errors: int) -> list[str]:
    start = f"{row['name']},{row['repetition']}"
    lines = [f"{start},all,response_time,s,{name},{value!r}\n" for name, value in response.statistics()]
    if lag is not None:
        lines += [f"{start},all,schedule_lag,s,{name},{value!r}\n" for name, value in lag.statistics()]
    for client in ("all", *map(str, range(CLIENTS))):
        share = 1 if client == "all" else CLIENTS
        lines.append(f"{start},{client},throughput,1/s,value,{operations / DURATION_S / share!r}\n")
        lines.append(f"{start},{client},operations,1,value,{operations // share}\n")
        lines.append(f"{start},{client},errors,1,value,{errors // share}\n")
    return lines


def _case(row: dict[str, Any], key: str, histograms: dict[str, str], variant: str, errors: int) -> dict[str, Any]:
    hot = variant == "overloaded" and row["rate"]
    return {
        "case": row["name"],
        "repetition": row["repetition"],
        "rate": row["rate"],
        "concurrency": row["concurrency"],
        "clients": CLIENTS,
        "warmup_start": row["warmup"],
        "measure_start": row["start"],
        "measure_end": row["end"],
        "offered_rate_per_s": row["rate"],
        "errors": {"connection": {"count": errors, "example": "server closed the connection <unexpectedly>"}}
        if errors
        else {},
        "client_cpu_percent": {str(number): (91.0 if hot and number == 2 else 21.5) for number in range(CLIENTS)},
        "series": f"results/series-{key}.csv",
        "histograms": histograms,
        "failed_clients": [{"client": 3, "reason": "pgbench ended with exit code 2"}] if hot else [],
    }


def _series(run: RunDirectory, rng: random.Random, row: dict[str, Any], operations: int, errors: int) -> None:
    lines = ["t,phase,operations,errors,response_time_mean_s,response_time_max_s\n"]
    for second in range(WARMUP_S + DURATION_S):
        t = row["warmup"] + second
        phase = "warmup" if second < WARMUP_S else "measure"
        done = int(operations / DURATION_S * (0.7 + 0.1 * second if phase == "warmup" else rng.uniform(0.94, 1.06)))
        mean = 0.0025 * rng.uniform(0.9, 1.15)
        lines.append(f"{t},{phase},{done},{errors // DURATION_S},{mean:.6f},{mean * rng.uniform(4, 12):.6f}\n")
    run.write_text(f"series/series-{row['name']}-{row['repetition']}.csv", "".join(lines))


_COLUMNS = (
    "t,cpu_user_percent,cpu_system_percent,cpu_iowait_percent,memory_used_bytes,memory_available_bytes,"
    "disk_read_bytes_per_s,disk_write_bytes_per_s,network_receive_bytes_per_s,network_transmit_bytes_per_s,"
    "psi_cpu_some_percent,psi_memory_some_percent,psi_io_some_percent,service_memory_bytes,service_cpu_percent"
)


def _telemetry(run: RunDirectory, rng: random.Random, variant: str, timetable: list[dict[str, Any]]) -> None:
    if variant != "cancelled":
        last = timetable[-1]["end"] + 1 if timetable else START + 6
        telemetry(run, rng, last, [(row["warmup"], row["end"]) for row in timetable])


def telemetry(run: RunDirectory, rng: random.Random, last: float, busy: list[tuple[float, float]]) -> None:
    """Of both nodes until `last` (epoch, s); with much to do in the times of `busy`."""
    for name, base, first in (("service-mel0001", 46.0, START + 1), ("clients-mel0002", 18.0, START + 3)):
        lines = [_COLUMNS + "\n"]
        for step in range(int(last - first)):
            t = first + step
            load = base if any(start <= t <= end for start, end in busy) else 1.5
            user, system = load * rng.uniform(0.9, 1.1), load * 0.35 * rng.uniform(0.9, 1.1)
            used = int(9e9 + 4e8 * min(step, 20) / 20)
            service = f"{int(2.8e8 + 3e6 * step)},{load * 30:.1f}" if name.startswith("service") else ","
            lines.append(
                f"{t},{user:.1f},{system:.1f},{load * 0.04:.1f},{used},{int(512e9 - used)},{int(load * 1e4)},"
                f"{int(load * 4e5)},{int(load * 3e4)},{int(load * 5e4)},{load * 0.2:.2f},0.0,"
                f"{load * 0.1:.2f},{service}\n"
            )
        run.write_text(f"telemetry/{name}.csv", "".join(lines))


def _logs(run: RunDirectory, variant: str) -> None:
    if variant == "cancelled":
        return
    lines = [f"2026-09-21 14:13:{25 + n % 30}.{n:03d} UTC [1] LOG:  checkpoint {n} complete" for n in range(40)]
    lines.append("2026-09-21 14:13:27.000 UTC [1] LOG:  database system is ready to accept connections")
    if variant == "service_died":
        lines = ["FATAL:  could not map anonymous shared memory", 'HINT:  reduce "shared_buffers"']
    run.write_text("logs/service.log", "\n".join(lines) + "\n")
    run.write_text("logs/slurm-service.out", "agent: container started\n")
    run.write_text("logs/slurm-clients.out", "agent: 4 clients started\n")
    for client in range(CLIENTS if variant not in ("service_died", "no_results") else 0):
        run.write_text(f"logs/client-{client:03d}.log", f"pgbench: client {client}: 4 connections\n")


RECIPE = """# SPDX-License-Identifier: MIT
service:
  type: postgresql
  settings: {shared_buffers: 256MB}
client: {type: pgbench}
benchmarks: {num_clients: 4, duration: 10s, warmup: 2s, repetitions: 2}
"""

PROVENANCE = {
    "image": {"reference": "docker://docker.io/library/postgres:17", "digest": "sha256:" + "ab" * 32},
    "cluster": {"slurm": "24.11.5", "runtime": "apptainer 1.4.5", "modules": ["env/release/2024.1"]},
    "collection": {"version": "0.1.0", "agent_sha256": "cd" * 32},
    "controller": {"python": "3.11.7", "ansible_core": "2.19.14"},
}

TEARDOWN = {
    "schema": 1,
    "clean": True,
    "checked_at": BEGIN + 76,
    "checks": [
        {"what": "jobs", "how": "squeue -h --jobs 4711,4712", "found": "no job of this run", "ok": True},
        {"what": "port", "how": "connect mel0001:5432", "found": "closed", "ok": True},
        {"what": "processes", "how": "/proc of the service's session", "found": "0 left", "ok": True},
        {"what": "data", "how": "stat /tmp/aifactory-…-service", "found": "removed", "ok": True},
    ],
}


if __name__ == "__main__":
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish

    made = make(sys.argv[2], sys.argv[1], seed=VARIANTS.index(sys.argv[1]) + 1)
    began = time.monotonic()
    finish(
        made, made.read_json("plan.json"), made.read_json("jobs.json"), None, {"ssh": 6, "sbatch": 2, "squeue": 4},
        now=BEGIN + 50,
    )  # fmt: skip
    print(made.path, f"finish {time.monotonic() - began:.3f} s")
