# SPDX-License-Identifier: MIT
"""Runs of every kind for Prometheus: what they left, and what services said of themselves while they ran."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import exposition
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.sources import RedisInfo
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from .. import samples, samples_load
from ..test_finish import finished

START, SECONDS = int(samples.BEGIN) + 8, 60
# in the servers' own spelling; {n} grows
VLLM = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="tiny"}} {gauge}
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="tiny"}} {gauge}
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{{engine="0",model_name="tiny"}} 0.25
# TYPE vllm:prompt_tokens counter
vllm:prompt_tokens_total{{engine="0",model_name="tiny"}} {n}
# TYPE vllm:generation_tokens counter
vllm:generation_tokens_total{{engine="0",model_name="tiny"}} {n}
# TYPE vllm:num_preemptions counter
vllm:num_preemptions_total{{engine="0",model_name="tiny"}} 3
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{{engine="0",le="0.05",model_name="tiny"}} {n}
vllm:time_to_first_token_seconds_bucket{{engine="0",le="+Inf",model_name="tiny"}} {n}
vllm:time_to_first_token_seconds_count{{engine="0",model_name="tiny"}} {n}
vllm:time_to_first_token_seconds_sum{{engine="0",model_name="tiny"}} {n}
"""
TRITON = """\
# TYPE nv_inference_count counter
nv_inference_count{{model="tiny",version="1"}} {n}
# TYPE nv_gpu_utilization gauge
nv_gpu_utilization{{gpu_uuid="GPU-1"}} 0.{gauge}
# TYPE nv_gpu_memory_used_bytes gauge
nv_gpu_memory_used_bytes{{gpu_uuid="GPU-1"}} 1073741824
# TYPE nv_gpu_power_usage gauge
nv_gpu_power_usage{{gpu_uuid="GPU-1"}} 312.5
"""
QDRANT = """\
# TYPE collection_points gauge
collection_points{{id="bench"}} {n}
# TYPE rest_responses_total counter
rest_responses_total{{method="POST",endpoint="/collections/{{name}}/points/query",status="200"}} {n}
"""
REDIS = """\
# Stats
total_commands_processed:{n}
keyspace_hits:{n}
keyspace_misses:7
evicted_keys:0
# Clients
connected_clients:{gauge}
# Memory
used_memory:1048576
"""
# as sources.Postgresql names them
POSTGRESQL = """\
# TYPE pg_stat_database_xact_commit counter
pg_stat_database_xact_commit {n}
# TYPE pg_stat_database_blks_hit counter
pg_stat_database_blks_hit {n}
# TYPE pg_stat_database_blks_read counter
pg_stat_database_blks_read {n}
# TYPE pg_stat_database_numbackends gauge
pg_stat_database_numbackends {gauge}
# TYPE pg_stat_wal_wal_bytes counter
pg_stat_wal_wal_bytes {n}
"""


def runs(home: Path) -> list[RunDirectory]:
    """Finished, failed and searching runs of databases, a language model and a vector store."""
    made = [finished(home, variant, number)[0] for number, variant in enumerate(samples.VARIANTS[:-1], start=1)]
    tell(made[0], "postgresql", POSTGRESQL)
    tell(made[0], "redis", REDIS)
    for kind in samples_load.KINDS:
        run, _record = samples_load.finished(home, kind)
        busy = [(case["warmup_start"], case["measure_end"]) for case in run.cases()]
        samples.telemetry(run, random.Random(kind), busy[-1][1], busy)
        tell(run, *(("qdrant", QDRANT) if kind == "recall" else ("vllm", VLLM)))
        made.append(run)
    tell(made[-1], "triton", TRITON)
    return made


def tell(run: RunDirectory, service: str, form: str) -> None:
    """What a service says once a second, read as the agent reads it: a row for each change, the last for `up`."""
    text, last = io.StringIO(), {}
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["t", "metric", "labels", "kind", "value"])
    for second in range(SECONDS):
        told = form.format(n=1000 + 50 * second, gauge=second % 7)
        found: Any = RedisInfo.samples(told) if service == "redis" else exposition.parse(told)
        for name, labels, kind, value in [*found, ("up", "", "gauge", 1.0)]:
            if last.get((name, labels)) != value or (name == "up" and second == SECONDS - 1):
                writer.writerow([START + second, name, labels, kind, value])
                last[name, labels] = value
    run.write_text(f"metrics/{service}.csv", text.getvalue())
