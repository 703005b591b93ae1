# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report says of a run, from the files of its directory; the templates only lay it out."""

from __future__ import annotations

import os
import re
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, results, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

TAIL_LINES, TAIL_BYTES = 100, 16 * 1024
CLIENT_TAIL_LINES, CLIENTS_SHOWN = 15, 16
NODES_SHOWN = 12

# Fields that the templates ask for, where an older or incomplete run.json lacks them.
_NO_COST = {
    "node_hours": 0,
    "core_hours": 0,
    "gpu_hours": 0,
    "by_phase": {},
    "measured_share": None,
    "wasted_share": None,
}
_NO_RUN = {
    "recipe": "benchmark", "cluster": "unknown cluster", "service": "service", "workload": "", "state": "unknown",
    "verdict": None, "reasons": [], "notes": [], "created_at": None, "ended_at": None, "calls": {}, "cost": _NO_COST,
}  # fmt: skip
_NO_JOB = dict.fromkeys(
    ("role", "id", "name", "state", "exit_code", "node_list", "cpus", "gpus", "submit", "start", "elapsed_s")
)

# What a log line may carry although the run keeps its own secrets in files: a URL's password, key=value.
_SECRETS = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s@/]+(?=@)"), r"\1***"),
    (
        re.compile(
            r"(?i)\b((?:[a-z0-9_-]*(?:password|passwd|secret|token|api[_-]?key))[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"
        ),
        r"\1***",
    ),
    (re.compile(r"(?i)\b(authorization:\s*(?:bearer|basic)\s+)\S+"), r"\1***"),
)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


def collect(run: RunDirectory) -> dict[str, Any]:
    """Everything that the templates and figures need. Raises RunError when run.json is not there."""
    record = run.read_json("run.json")
    cases, table = run.cases(), results.Table(run.results())
    latencies = finish.latencies(run)
    segments = record.get("timeline") or []
    nodes, events = _telemetry(run), run.events()
    return {
        "run": {**_NO_RUN, **record, "jobs": [{**_NO_JOB, **job} for job in record.get("jobs") or []]},
        "plan": run.read_json("plan.json", {}),
        "begin": segments[0]["start"] if segments else record.get("created_at"),
        "segments": segments,
        "phase_seconds": timeline.by_phase(segments),
        "phases": timeline.PHASES,
        "total_s": segments[-1]["end"] - segments[0]["start"] if segments else None,
        "headlines": _by_case(record.get("headline") or []),
        "results": _result_rows(cases, table),
        "merged": _merged_rows(table, latencies),
        "extra": _extra_rows(table),
        "latencies": latencies,
        "series": _series(run, cases),
        "nodes": nodes,
        "node_rows": [_node_row(name, rows, segments) for name, rows in nodes.items()],
        "provenance": _flat(run.read_json("provenance.json", {})),
        "teardown": run.read_json("teardown.json", None),
        "scripts": _scripts(run),
        "logs": _logs(run),
        "last_words": _last_words(record, events),
        "events": [event for event in events if event["event"] != "progress"],
    }


def redact(text: str) -> str:
    """A text without passwords, tokens and keys, and without terminal control codes."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


# -- results -----------------------------------------------------------------------------------------


def _by_case(headline: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in headline:
        found.setdefault(line["case"], []).append(line)
    return found


def _result_rows(cases: list[dict[str, Any]], table: results.Table) -> list[dict[str, Any]]:
    """One row for every repetition of a case."""
    rows = []
    for case in cases:
        key = (case["case"], case["repetition"])
        cpu = [percent for percent in (case.get("client_cpu_percent") or {}).values() if percent is not None]
        rows.append(
            {
                "case": case["case"],
                "repetition": case["repetition"],
                "offered": case.get("offered_rate_per_s"),
                "throughput": table.value(*key, "throughput", "value"),
                "operations": table.value(*key, "operations", "value"),
                "errors": table.value(*key, "errors", "value"),
                "times": {s: table.value(*key, "response_time", s) for s in ("mean", *results.TIME_STATISTICS, "max")},
                "lag_p99": table.value(*key, "schedule_lag", "p99"),
                "client_cpu_percent": max(cpu, default=None),
                "error_classes": case.get("errors") or {},
            }
        )
    return rows


def _merged_rows(table: results.Table, latencies: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for every case over its repetitions: percentiles of merged histograms, means with interval."""
    rows = []
    for case in table.cases():
        throughput = table.values(case, "throughput", "value")
        histogram = latencies.get(case)
        rows.append(
            {
                "case": case,
                "repetitions": len(table.repetitions(case)),
                "throughput": results.interval(throughput) if throughput else None,
                "samples": histogram.count if histogram else 0,
                "times": dict(histogram.statistics()) if histogram else {},
            }
        )
    return rows


def _extra_rows(table: results.Table) -> list[dict[str, Any]]:
    """Metrics beyond the usual ones, as a command's metrics.json names them."""
    return [row for row in table.rows if row["client"] == results.ALL and row["metric"] not in results.USUAL_METRICS]


def _series(run: RunDirectory, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for case in cases:
        name = run.case_file(case.get("series"), "series")
        rows = [row for row in run.table(name) if isinstance(row.get("t"), float)] if name else []
        if rows:
            found.append({**case, "rows": rows})
    return found


# -- the nodes ---------------------------------------------------------------------------------------


def _telemetry(run: RunDirectory) -> dict[str, list[dict[str, Any]]]:
    """Rows of every telemetry file, the service's first."""
    names = sorted(path.stem for path in run.path.glob("telemetry/*.csv"))
    names.sort(key=lambda name: not name.startswith("service"))
    tables = {name: run.table(f"telemetry/{name}.csv") for name in names}
    return {name: [row for row in rows if isinstance(row.get("t"), float)] for name, rows in tables.items() if rows}


def cpu_percent(row: dict[str, Any]) -> float | None:
    """A node's processors at work, of all it has."""
    parts = [row.get(f"cpu_{kind}_percent") for kind in ("user", "system", "iowait")]
    known = [part for part in parts if isinstance(part, float)]
    return sum(known) if known else None


def _node_row(name: str, rows: list[dict[str, Any]], segments: list[dict[str, Any]]) -> dict[str, Any]:
    """What a node did while the run measured (all of its time when it never did)."""
    spans = [(s["start"], s["end"]) for s in segments if s["phase"] == "measuring"]
    measured = [row for row in rows if any(start <= row["t"] < end for start, end in spans)]
    used = measured or rows

    def of(field: str) -> list[float]:
        return [row[field] for row in used if isinstance(row.get(field), float)]

    cpu = [value for value in map(cpu_percent, used) if value is not None]
    return {
        "name": name,
        "samples": len(used),
        "measured": bool(measured),
        "cpu": _mean_max(cpu),
        "memory": _mean_max(of("memory_used_bytes")),
        "service_memory": _mean_max(of("service_memory_bytes")),
        "network": _mean_max([sum(pair) for pair in zip(
            of("network_receive_bytes_per_s"), of("network_transmit_bytes_per_s"), strict=False)]),
        "disk": _mean_max([sum(pair) for pair in zip(
            of("disk_read_bytes_per_s"), of("disk_write_bytes_per_s"), strict=False)]),
        "cpu_pressure": _mean_max(of("psi_cpu_some_percent")),
    }  # fmt: skip


def _mean_max(values: list[float]) -> tuple[float, float] | None:
    return (sum(values) / len(values), max(values)) if values else None


# -- texts -------------------------------------------------------------------------------------------


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """A nested record as (dotted name, text) pairs."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _flat(item, f"{prefix}.{key}" if prefix else str(key))]
    if isinstance(value, list):
        if not any(isinstance(item, (dict, list)) for item in value):
            return [(prefix, ", ".join(map(str, value)) or "none")]
        return [pair for n, item in enumerate(value) for pair in _flat(item, f"{prefix}[{n}]")]
    return [(prefix, "" if value is None else redact(str(value)))]


def _last_words(record: dict[str, Any], events: list[dict[str, Any]]) -> list[str]:
    """The ends of the logs that came with a failure, for a run that failed."""
    if record.get("verdict") != "INVALID":
        return []
    tails = [event.get("log_tail") or [] for event in events if event["event"] in ("service_failed", "failed")]
    lines = [tail.splitlines() if isinstance(tail, str) else [str(line).rstrip() for line in tail] for tail in tails]
    texts = dict.fromkeys(redact("\n".join(each[-20:])) for each in lines)
    return [text for text in texts if text.strip()]


def _scripts(run: RunDirectory) -> list[tuple[str, str]]:
    """The recipe and every script, whole."""
    names = ["recipe.yml", *sorted(path.name for path in run.path.glob("*.sbatch")), "start.sh"]
    return [(name, redact(run.read_text(name))) for name in names if run.has(name)]


def _logs(run: RunDirectory) -> list[dict[str, Any]]:
    """The last lines of every log; of many clients' logs, the first ones."""
    found = []
    paths = sorted(run.path.glob("logs/*"), key=lambda path: (path.name.startswith("client-"), path.name))
    clients = 0
    for path in paths:
        is_client = path.name.startswith("client-")
        clients += is_client
        if not path.is_file() or (is_client and clients > CLIENTS_SHOWN):
            continue
        lines = CLIENT_TAIL_LINES if is_client else TAIL_LINES
        text, whole = tail(path, lines)
        found.append({"name": f"logs/{path.name}", "bytes": path.stat().st_size, "text": redact(text), "whole": whole})
    if clients > CLIENTS_SHOWN:
        found.append(
            {"name": f"logs of {clients - CLIENTS_SHOWN} more clients", "bytes": None, "text": "", "whole": False}
        )
    return found


def tail(path: os.PathLike[str], lines: int, limit_bytes: int = TAIL_BYTES) -> tuple[str, bool]:
    """(the last lines of a file, whether that is all of it); reads no more than `limit_bytes` of it."""
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - limit_bytes))
        text = stream.read().decode("utf-8", "replace")
    found = text.splitlines()
    whole = size <= limit_bytes and len(found) <= lines
    if size > limit_bytes:
        found = found[1:]
    return "\n".join(found[-lines:]), whole
