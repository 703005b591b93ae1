# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Databases: transactions and commands, and what PostgreSQL and Redis say."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards import panels, workload
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.workload import BY, CASE, STEP


def dashboard() -> Dashboard:
    """Runs of the workloads pgbench and redis."""
    about = "Runs of the workloads pgbench and redis"
    panels_of_all = (*_RESULTS, *_POSTGRESQL, *_REDIS)
    return Dashboard("database", "AI Factory: databases", about, workload.variables("pgbench|redis"), panels_of_all)


_RESULTS = (
    panels.table(
        "Results",
        {
            "operations": (panels.result("throughput_per_second", BY), "ops"),
            **workload.percentiles("response_time", "p50", "p95", "p99", "max"),
            **workload.percentiles("schedule_lag", "p99", name="lag "),
            "errors": (panels.error_ratio(BY), "percentunit"),
        },
    ),
    panels.row("In the course of time"),
    panels.trend("Operations", panels.result("throughput_per_second", CASE, **STEP), "ops"),
    panels.trend("Response time, p99", panels.worst("response_time_seconds", "p99", CASE, **STEP), "s"),
)
_POSTGRESQL = (
    panels.row("What PostgreSQL says"),
    workload.grown("Commits", "pg_stat_database_xact_commit"),
    workload.grown("Rollbacks", "pg_stat_database_xact_rollback"),
    workload.share("Blocks found in the buffers", "pg_stat_database_blks_hit", "pg_stat_database_blks_read"),
    workload.told("Connections", "pg_stat_database_numbackends"),
    workload.grown("Write-ahead log", "pg_stat_wal_wal_bytes", unit="Bps"),
    workload.grown("Temporary files", "pg_stat_database_temp_bytes", unit="Bps"),
)
_REDIS = (
    panels.row("What Redis says"),
    workload.grown("Commands", "redis_total_commands_processed"),
    workload.share("Keys found", "redis_keyspace_hits", "redis_keyspace_misses"),
    workload.told("Clients", "redis_connected_clients"),
    workload.told("Memory", "redis_used_memory", unit="bytes"),
    workload.grown("Evicted keys", "redis_evicted_keys"),
    workload.curves(
        "CPU",
        f"{workload.rate('redis_used_cpu_user')} + {workload.rate('redis_used_cpu_sys')}",
        "percentunit",
        about="1: one CPU",
    ),
)
