# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run resulted in: its results, verdict, cost and phases.

A result has the time at which its repetition ended, what is about the run as a whole the time at which the run did.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import naming
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.openmetrics.families import COUNTER, INFO, Families
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import ALL, Table
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

_COUNTS = {"operations", "errors", "offered", "dropped", "retries"}
_INFO = ("group", "service", "workload", "state", "verdict")
_SHARES = {
    "measured_share": ("measured", "of the node time, the share in which was measured"),
    "wasted_share": ("wasted", "of the node time, the share that brought the measurement nothing"),
}
_SECONDS_AN_HOUR = 3600.0
_OF_JOBS = {
    "cpu_s": ("cpu_seconds", "CPU time of all steps of a job, by Slurm"),
    "max_rss_bytes": ("task_memory_bytes", "Resident memory of the largest task of a job, by Slurm"),
    "disk_read_bytes": ("disk_read_bytes", "What the steps of a job read, by Slurm"),
    "disk_write_bytes": ("disk_written_bytes", "What the steps of a job wrote, by Slurm"),
}


def add(families: Families, run: RunDirectory, record: dict[str, Any]) -> None:
    """Add the results of a run and what its run.json (`record`) says. Raises RunError: a file cannot be read."""
    t = record.get("ended_at") or record.get("created_at") or 0.0
    _results(families, run, t)
    _setup(families, run, t)
    _verdict(families, record, t)
    _phases(families, record, t)
    _cost(families, record.get("cost") or {}, t)
    _energy(families, run, record.get("energy") or {}, t)
    _jobs(families, record, t)
    _objectives(families, record, t)


def _ends(run: RunDirectory) -> dict[tuple[str, int], float | None]:
    """When each repetition of each case ended."""
    return {(case["case"], case["repetition"]): case.get("measure_end") for case in run.cases()}


def _results(families: Families, run: RunDirectory, otherwise: float) -> None:
    """The merged values of every repetition; those of single clients stay in results.csv: there may be thousands."""
    ends = _ends(run)
    table = Table(run.results(merged=True))
    counts = _COUNTS | {name for name in table.metrics() if f"{name}_per_s" in table.metrics()}
    for row in table.rows:
        if row["client"] != ALL:
            continue
        where = {"case": row["case"], "repetition": row["repetition"]}
        t = ends.get((row["case"], row["repetition"])) or otherwise
        _result(families, row, t, room="result", counted=row["metric"] in counts, **where)


def _result(
    families: Families, row: dict[str, Any], t: float, *, room: str, counted: bool = False, **where: Any
) -> None:
    metric, statistic = row["metric"], row["statistic"]
    if statistic == "count":
        name = naming.of_result(f"{metric}_samples", "1", room=room).name
        families.add(name, f"How many values of {metric} there are", row["value"], t, **where)
        return
    name, factor = naming.of_result(metric, row["unit"], room=room)
    about = f"Result {metric} of a repetition" if room == "result" else f"{metric}, measured while the load was set up"
    if statistic == "value":
        # OpenMetrics has no counter below zero, and what a command reports of itself may be anything
        kind = {"kind": COUNTER} if counted and row["value"] >= 0 else {}
        families.add(name, about, row["value"] * factor, t, **kind, **where)
    else:
        families.add(name, about, row["value"] * factor, t, **where, statistic=statistic)


def _setup(families: Families, run: RunDirectory, otherwise: float) -> None:
    done = [event["t"] for event in run.events() if event["event"] == "setup_done"]
    for row in run.setup_metrics():
        _result(families, row, done[-1] if done else otherwise, room="setup")


def _verdict(families: Families, record: dict[str, Any], t: float) -> None:
    labels = {name: record.get(name) or "" for name in _INFO}
    families.add("aifactory_run", "What a run is and how it ended", 1, t, kind=INFO, **labels)
    if record.get("verdict"):
        families.add("aifactory_run_valid", "1: VALID, 0: INVALID", record["verdict"] == "VALID", t)
    for name, about in (("created", "When a run was planned"), ("ended", "When a run was over")):
        if record.get(f"{name}_at"):
            families.add(f"aifactory_run_{name}_timestamp_seconds", about, record[f"{name}_at"], t)
    codes = [reason["code"] for reason in record.get("reasons") or []]
    for code in set(codes):
        families.add("aifactory_run_reasons", "Reasons why a run is INVALID, by code", codes.count(code), t, code=code)
    for call, count in (record.get("calls") or {}).items():
        about = "Calls that the controller made to the cluster, by kind"
        families.add("aifactory_run_cluster_calls", about, count, t, kind=COUNTER, call=call)


def _phases(families: Families, record: dict[str, Any], t: float) -> None:
    seconds: dict[str, float] = {}
    for segment in record.get("timeline") or []:
        seconds[segment["phase"]] = seconds.get(segment["phase"], 0.0) + segment["seconds"]
    for phase, lasted in seconds.items():
        families.add("aifactory_run_phase_duration_seconds", "How long a run was in a phase", lasted, t, phase=phase)


def _cost(families: Families, cost: dict[str, Any], t: float) -> None:
    for phase, hours in (cost.get("by_phase") or {}).items():
        for kind, value in hours.items():
            what = kind.removesuffix("_hours")
            about = f"Seconds of {what}s that Slurm held for a run, by phase"
            families.add(f"aifactory_run_{what}_seconds", about, value * _SECONDS_AN_HOUR, t, phase=phase)
    for field, (name, about) in _SHARES.items():
        if cost.get(field) is not None:
            families.add(f"aifactory_run_{name}_ratio", about.capitalize(), cost[field], t)

    if cost.get("price") is not None:
        currency = str(cost.get("currency") or "")
        families.add(
            "aifactory_run_price", "What the run cost, by the inventory's prices", cost["price"], t, currency=currency
        )
        for case in cost.get("cases") or []:
            for what, costs in case["per_million"].items():
                if costs.get("price") is not None:
                    about = "What a million operations or tokens of a case cost, while they were measured"
                    where = {"case": case["case"], "per": what, "currency": currency}
                    families.add("aifactory_run_price_per_million", about, costs["price"], t, **where)


def _energy(families: Families, run: RunDirectory, energy: dict[str, Any], otherwise: float) -> None:
    """Of each repetition, where it is known: in sum, above what the nodes draw idle, by what was done with it."""
    ends = _ends(run)
    for case in energy.get("cases") or []:
        t = ends.get((case["case"], case["repetition"])) or otherwise
        values = {"energy": case.get("joules"), "energy_above_idle": case.get("joules_above_idle")}
        values |= {f"energy_per_{what}": joules for what, joules in (case.get("per") or {}).items()}
        for name, joules in values.items():
            if joules is not None:
                about = f"{name.replace('_', ' ').capitalize()} while a repetition was measured"
                where = {"case": case["case"], "repetition": case["repetition"]}
                families.add(f"aifactory_result_{name}_joules", about, joules, t, **where)


def _jobs(families: Families, record: dict[str, Any], t: float) -> None:
    """What Slurm says that each job used, at its end."""
    for job in record.get("jobs") or []:
        for field, (name, about) in _OF_JOBS.items():
            value = (job.get("usage") or {}).get(field)
            if value is not None:
                families.add(
                    f"aifactory_job_{name}", about, value, job.get("end") or t, role=job["role"], job=job["id"]
                )
    for job in ((record.get("energy") or {}).get("slurm") or {}).get("jobs") or []:
        if job["status"] == "counted":
            about = "Energy that Slurm counted of a job's nodes from its start to its end"
            families.add("aifactory_job_energy_joules", about, job["joules"], t, role=job["role"], job=job["id"])


def _objectives(families: Families, record: dict[str, Any], t: float) -> None:
    for case in (record.get("slo") or {}).get("cases") or []:
        if case["met"] is not None:
            families.add("aifactory_run_slo_met", "1: the case met the SLO", case["met"], t, case=case["case"])
    search = record.get("search") or {}
    about = "Capacity that a search found: the highest load that met the SLO, the lowest that did not, their middle"
    for bound in ("lower", "upper", "capacity"):
        if search.get(bound) is not None:
            name, factor = naming.of_result("capacity", search["unit"], room="run")
            families.add(name, about, search[bound] * factor, t, bound="middle" if bound == "capacity" else bound)
