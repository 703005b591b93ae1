# SPDX-License-Identifier: MIT
"""Runs of every kind for Prometheus: what they left, and what services said of themselves while they ran."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import gpu_telemetry, progress
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import board, load
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import samples as live_samples
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import exposition
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.sources import RedisInfo
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from .. import samples, samples_load
from ..test_finish import finished

START, SECONDS = int(samples.BEGIN) + 8, 60
# In the servers' own spelling; {n} grows, {gauge} goes up and down.
FORMS = {
    "vllm": """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="tiny"}} {gauge}
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="tiny"}} {gauge}
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{{engine="0",model_name="tiny"}} 0.25
# TYPE vllm:gpu_cache_usage_perc gauge
vllm:gpu_cache_usage_perc{{engine="0",model_name="tiny"}} 0.25
# TYPE vllm:prompt_tokens counter
vllm:prompt_tokens_total{{engine="0",model_name="tiny"}} {n}
# TYPE vllm:generation_tokens counter
vllm:generation_tokens_total{{engine="0",model_name="tiny"}} {n}
# TYPE vllm:num_preemptions counter
vllm:num_preemptions_total{{engine="0",model_name="tiny"}} 3
# TYPE vllm:prefix_cache_queries counter
vllm:prefix_cache_queries_total{{engine="0",model_name="tiny"}} {n}
# TYPE vllm:prefix_cache_hits counter
vllm:prefix_cache_hits_total{{engine="0",model_name="tiny"}} 12
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{{engine="0",le="0.05",model_name="tiny"}} {n}
vllm:time_to_first_token_seconds_bucket{{engine="0",le="+Inf",model_name="tiny"}} {n}
vllm:time_to_first_token_seconds_count{{engine="0",model_name="tiny"}} {n}
vllm:time_to_first_token_seconds_sum{{engine="0",model_name="tiny"}} {n}
""",
    "llamacpp": """\
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing {gauge}
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 0
# TYPE llamacpp:kv_cache_usage_ratio gauge
llamacpp:kv_cache_usage_ratio 0.5
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total {n}
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total {n}
""",
    "qdrant": """\
# TYPE collection_points gauge
collection_points{{id="bench"}} {n}
# TYPE memory_resident_bytes gauge
memory_resident_bytes 104857600
# TYPE rest_responses_total counter
rest_responses_total{{method="POST",endpoint="/collections/{{name}}/points/query",status="200"}} {n}
""",
    "milvus": """\
# TYPE milvus_datacoord_stored_rows_count gauge
milvus_datacoord_stored_rows_count{{node_id="1"}} 20000
# TYPE milvus_proxy_search_vectors_count counter
milvus_proxy_search_vectors_count{{node_id="1"}} {n}
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 104857600
""",
    "faiss": """\
# TYPE faiss_vectors gauge
faiss_vectors 20000
# TYPE faiss_searches_total counter
faiss_searches_total {n}
""",
    "chromadb": """\
# TYPE chromadb_records gauge
chromadb_records 20000
""",
    "redis": """\
# Stats
total_commands_processed:{n}
keyspace_hits:{n}
keyspace_misses:7
evicted_keys:0
used_cpu_user:{n}
used_cpu_sys:{n}
# Clients
connected_clients:{gauge}
# Memory
used_memory:1048576
""",
    "postgresql": """\
# TYPE pg_stat_database_xact_commit counter
pg_stat_database_xact_commit {n}
# TYPE pg_stat_database_xact_rollback counter
pg_stat_database_xact_rollback 2
# TYPE pg_stat_database_blks_hit counter
pg_stat_database_blks_hit {n}
# TYPE pg_stat_database_blks_read counter
pg_stat_database_blks_read {n}
# TYPE pg_stat_database_temp_bytes counter
pg_stat_database_temp_bytes 0
# TYPE pg_stat_database_numbackends gauge
pg_stat_database_numbackends {gauge}
# TYPE pg_stat_wal_wal_bytes counter
pg_stat_wal_wal_bytes {n}
""",
}
SERVICES = {
    "finished": ("postgresql", "redis"),
    "sweep": ("vllm",),
    "search": ("llamacpp",),
    "recall": ("qdrant", "milvus", "faiss", "chromadb"),
}


def runs(home: Path) -> list[RunDirectory]:
    """Finished, failed and searching runs of databases, a language model and a vector store."""
    kinds: dict[str, RunDirectory] = {}
    for number, variant in enumerate(samples.VARIANTS, start=1):
        if variant != "running":
            kinds[variant] = finished(home, variant, number)[0]
    for kind in samples_load.KINDS:
        run = kinds[kind] = samples_load.make(home, kind)
        busy = [(case["warmup_start"], case["measure_end"]) for case in run.cases()]
        samples.telemetry(run, random.Random(kind), busy[-1][1], busy)
        if kind == "sweep":
            gpus(run, busy[-1][1])
            plan = run.read_json("plan.json")
            plan["cluster"]["prices"] = {"currency": "EUR", "node_hour": 1.5, "gpu_hour": 2.0}
            run.write_json("plan.json", plan)
        samples_load.finish_of(run)
    for kind, services in SERVICES.items():
        for service in services:
            tell(kinds[kind], service)
    return list(kinds.values())


def gpus(run: RunDirectory, until: float) -> None:
    """A row a second of each of two GPUs of the service's node, as gpu_telemetry writes it; the power of its CPUs."""
    text = io.StringIO()
    writer = csv.DictWriter(text, gpu_telemetry.COLUMNS, lineterminator="\n")
    writer.writeheader()
    for second in range(int(until - samples.START)):
        for gpu in (0, 1):
            writer.writerow({
                "t": samples.START + second, "gpu": gpu, "uuid": f"GPU-{gpu}", "utilization_percent": 90 - gpu,
                "memory_busy_percent": 40, "memory_used_bytes": 80 << 30, "power_w": 300.0,
                "energy_j": 5e6 + 300.0 * second, "sm_clock_mhz": 1980, "memory_clock_mhz": 2619,
                "temperature_celsius": 61,
                "throttle_reasons": "sw_power_cap|hw_slowdown" if second % 10 == 3 else "sw_power_cap",
            })  # fmt: skip
    run.write_text("telemetry/gpu-mel0001.csv", text.getvalue())
    # ready long enough for the power of an idle node to be known
    healthy, soon = str(samples.HEALTHY), str(samples.BEGIN + 5.5)
    run.write_text("events.jsonl", run.read_text("events.jsonl").replace(f'"t": {healthy}', f'"t": {soon}'))
    header, *rows = run.read_text("telemetry/service-mel0001.csv").splitlines()
    rows = [f"{header},cpu_power_w", *(f"{row},180.5" for row in rows)]
    run.write_text("telemetry/service-mel0001.csv", "".join(f"{row}\n" for row in rows))


def tell(run: RunDirectory, service: str) -> None:
    """What a service says once a second, read as the agent reads it: a row for each change, the last for `up`."""
    text = io.StringIO()
    last: dict[tuple[str, str], float] = {}
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["t", "metric", "labels", "kind", "value"])
    for second in range(SECONDS):
        told = FORMS[service].format(n=1000 + 50 * second, gauge=second % 7)
        found: Any = RedisInfo.samples(told) if service == "redis" else exposition.parse(told)
        for name, labels, kind, value in [*found, ("up", "", "gauge", 1.0)]:
            if last.get((name, labels)) != value or (name == "up" and second == SECONDS - 1):
                writer.writerow([START + second, name, labels, kind, value])
                last[name, labels] = value
    run.write_text(f"metrics/{service}.csv", text.getvalue())


def live(home: Path) -> str:
    """What Prometheus has scraped of the run with GPUs while it went on, as OpenMetrics: the agent's own text."""
    [gpu] = home.glob("runs/*/telemetry/gpu-mel0001.csv")
    run = RunDirectory(gpu.parents[1])
    record = run.read_json("run.json")
    where = {"run": run.id, "cluster": record["cluster"], "recipe": record["recipe"], "role": "clients", "node": "n2"}
    told = board.Board()
    endpoint = SimpleNamespace(
        board=told,
        phase=lambda name: told.tell("phase", live_samples.of_phase, name),
    )
    conductor = SimpleNamespace(
        ready={0, 1}, lost={}, results=SimpleNamespace(cases=[{}]), dir=SimpleNamespace(path=lambda *parts: "/nowhere")
    )
    seen, found = progress.Progress(), load.LiveLoad(endpoint, conductor, 2)
    found.phase("measuring")
    families: dict[str, list[tuple[str, int, float]]] = {}
    for second in range(SECONDS):
        t = START + second
        for client in (0, 1):
            seen.take({
                "client": client, "received": t, "operations": 50 * second, "errors": second, "offered": 51 * second,
                "in_flight": 3, "lag_ms": 0.2, "recent": [50, 500000, 20000],
            })  # fmt: skip
        found.tell(seen, t, {"case": "max", "repetition": 1, "phase": "measure"}, second, SECONDS)
        for name, labels, _kind, value in [*exposition.parse(told.text()), ("up", "", "gauge", 1.0)]:
            text = ",".join(filter(None, [labels, board.labels(where.items())]))
            families.setdefault(name, []).append((text, t, value))
    return "".join(_family(name, rows) for name, rows in sorted(families.items())) + "# EOF\n"


def _family(name: str, rows: list[tuple[str, int, float]]) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    lines = (f"{name}{{{labels}}} {value} {t}\n" for labels, t, value in sorted(rows))
    return f"# TYPE {name.removesuffix('_total')} {kind}\n" + "".join(lines)
