# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Vector search: recall against speed, the set-up, and what the servers say."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels, workload
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.workload import BY, CASE, STEP

_RUN = "run, cluster, recipe"


def dashboard() -> Dashboard:
    """Runs of the workload vector."""
    about, variables = "Runs of the workload vector", workload.variables("vector")
    return Dashboard("vector", "AI Factory: vector search", about, variables, (*_RESULTS, *_SERVERS))


def _setup(name: str) -> str:
    return f"max by ({_RUN}) ({panels.last(f'setup_{name}')})"


def _recall(statistic: str, by: str, over: str = "$__range") -> str:
    """The least of the repetitions: more is better."""
    return panels.worst("recall_ratio", statistic, by, over=over).replace("max by", "min by")


_RESULTS = (
    panels.table(
        "Results",
        {
            "searches": (panels.result("throughput_per_second", BY), "ops"),
            "recall": (_recall("mean", BY), "percentunit"),
            "least recall": (_recall("min", BY), "percentunit"),
            **workload.percentiles("response_time", "p50", "p95", "p99"),
            "errors": (panels.error_ratio(BY), "percentunit"),
        },
    ),
    panels.table(
        "Set-up",
        {
            "vectors": (_setup("vectors"), "short"),
            "inserted per second": (_setup("insert_rate_vector_per_second"), "short"),
            "until they are found": (_setup("time_to_searchable_seconds"), "s"),
        },
    ),
    panels.row("In the course of time"),
    panels.trend("Searches", panels.result("throughput_per_second", CASE, **STEP), "ops"),
    panels.trend("Recall", _recall("mean", CASE, "$__interval"), "percentunit"),
    panels.trend("Response time, p99", panels.worst("response_time_seconds", "p99", CASE, **STEP), "s"),
)
_SERVERS = (
    panels.row("What the servers say"),
    workload.told(
        "Vectors held", "collection_points", "chromadb_records", "faiss_vectors", "milvus_datacoord_stored_rows_count"
    ),
    workload.grown("Searches", "rest_responses_total", "faiss_searches_total", "milvus_proxy_search_vectors_count"),
    workload.told("Memory", "memory_resident_bytes", "process_resident_memory_bytes", unit="bytes"),
)
