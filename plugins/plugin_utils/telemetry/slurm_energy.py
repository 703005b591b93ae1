# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The energy that Slurm counted of a run's jobs, judged, and beside it what this run's own samples give.

Slurm counts nodes, not tasks: every step of a job holds what the whole nodes used while it ran, whoever used it, so the
steps of a job are never added up. The one that stands for a job is `extern`, which lasts as long as the job and is on
all its nodes (PrologFlags=contain); without it the one on the most nodes, and of these the longest. Source:
slurm.conf(5), AcctGatherEnergyType; _internal_step_complete of stepmgr.c, Slurm 26.05.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import slurm_jobs

COUNTED, NOT_CONFIGURED, NOT_TOLD, NOT_PLAUSIBLE = "counted", "not configured", "not told", "not plausible"
# No node draws more, an idle one not less, W: beyond is a counter that ran over, or a sensor that is not there.
MOST_W, LEAST_W = 50_000.0, 1.0
COVERED = 0.95  # of Slurm's time, in which own samples must lie for a ratio
_WHOLE_NODE = "the whole node, by its management controller"
# plugin → the kinds of own devices that it counts as well (None: all), and what it counts
_COVERS: dict[str, tuple[tuple[str, ...] | None, str]] = {
    "rapl": (("cpu",), "the processors' packages and memory of the whole node"),
    "gpu": (("gpu",), "the GPUs (the job's own where cgroups keep it to them, else all of the node)"),
    "ipmi": (None, _WHOLE_NODE),
    "xcc": (None, _WHOLE_NODE),
    "pm_counters": (None, _WHOLE_NODE),
}


class Part(NamedTuple):
    """What one step says for the nodes of one job, or of one component of a heterogeneous one."""

    step: str
    nodes: tuple[str, ...]
    start: float
    end: float
    joules: float | None


def reconcile(
    run: RunDirectory, jobs: Sequence[dict[str, Any]], meters: list[Any], events: list[dict[str, Any]]
) -> dict[str, Any]:
    """What run.json says of Slurm's energy: plugins, what they cover, each job, and the time of the load.

    `jobs` with their `usage`; `meters` as energy.meters gives them; `events` tell how many CPUs a node has.
    """
    gathers = slurm_jobs.gathering(run)
    plugins = None if gathers is None else [name for name in gathers["energy"].split(",") if name != "none"]
    mine = [meter for meter in meters if _is_of(plugins, meter.kind)]
    sizes = {event.get("node"): event.get("cpus") for event in events if event["event"] == "node_described"}
    return {
        "plugins": plugins,
        "covers": _covers(plugins),
        "own_kinds": list(dict.fromkeys(meter.kind for meter in mine)),
        "jobs": [_of_job(job, plugins, mine, sizes) for job in jobs if job.get("start")],
        "load": _of_load(slurm_jobs.samples(run), plugins, mine),
    }


def _is_of(plugins: list[str] | None, kind: str) -> bool:
    kinds = [_COVERS.get(plugin, (None, ""))[0] for plugin in plugins or ["any"]]
    return any(of_plugin is None or kind in of_plugin for of_plugin in kinds)


def _covers(plugins: list[str] | None) -> str:
    if plugins is None:
        return "what the cluster's AcctGatherEnergyType counts, which nobody told"
    told = [_COVERS.get(name, (None, f"what the plugin {name} counts"))[1] for name in plugins]
    return " and ".join(dict.fromkeys(told))


# -- one job ------------------------------------------------------------------------------------------------


def _of_job(job: dict[str, Any], plugins: list[str] | None, meters: list[Any], sizes: dict[Any, Any]) -> dict[str, Any]:
    of_component: dict[str, list[Part]] = {}
    for step in (job.get("usage") or {}).get("steps") or []:
        if step.get("start") and step.get("end"):
            nodes = tuple(hostlist.expand(step.get("node_list")))
            part = Part(step["step"], nodes, step["start"], step["end"], step.get("energy_j"))
            of_component.setdefault(step["job_id"], []).append(part)
    parts = _apart([_standing_for(found) for found in of_component.values()])
    status, reason = _judged(parts, plugins, (job.get("usage") or {}).get("reason"))
    told = status == COUNTED
    return {
        "role": job["role"],
        "id": job["id"],
        "status": status,
        "reason": reason,
        "joules": _joules(parts),
        "step": ", ".join(dict.fromkeys(part.step for part in parts)) or None,
        "nodes": sum(len(part.nodes) for part in parts),
        "seconds": max((part.end - part.start for part in parts), default=None),
        "others": _others(job, parts, sizes) if told else None,
        "own": _own(parts, meters) if told else None,
    }


def _standing_for(parts: list[Part]) -> Part:
    whole = [part for part in parts if part.step == "extern"]
    return max(whole or parts, key=lambda part: (len(part.nodes), part.end - part.start))


def _joules(parts: Iterable[Part]) -> float | None:
    """The sum over disjoint nodes; None where one is not known."""
    values = [part.joules for part in parts]
    return None if not values or None in values else sum(values)


def _judged(parts: list[Part], plugins: list[str] | None, why: str | None = None) -> tuple[str, str | None]:
    """(status, reason) of what Slurm says; why: what is known of its absence."""
    if not _joules(parts):
        return _absent(parts, plugins, why)
    if plugins == []:
        return NOT_PLAUSIBLE, "Slurm has a figure, and AcctGatherEnergyType is none"
    wrong = next(filter(None, map(_not_plausible, parts)), None)
    return (NOT_PLAUSIBLE, wrong) if wrong else (COUNTED, None)


def _absent(parts: list[Part], plugins: list[str] | None, why: str | None) -> tuple[str, str]:
    if plugins == []:
        return NOT_CONFIGURED, "AcctGatherEnergyType is none on this cluster: Slurm measures no energy"
    if not parts:
        return NOT_TOLD, why or "accounting told of no step that is over"
    if plugins is None:
        return NOT_TOLD, "Slurm counted nothing, and slurmrestd does not tell whether the cluster measures any"
    which = f"although AcctGatherEnergyType is {','.join(plugins)}"
    return NOT_TOLD, f"Slurm counted nothing, {which}: its sensor is not there, or was not read in time"


def _not_plausible(part: Part) -> str | None:
    """Why the mean power of a part can't be that of nodes; None where it can."""
    seconds, joules = part.end - part.start, part.joules or 0.0
    power = joules / seconds / len(part.nodes) if seconds > 0 and part.nodes else None
    if power is not None and LEAST_W <= power <= MOST_W:
        return None
    said = "no power" if power is None else f"{power:,.3g} W a node"
    return f"{joules:,.0f} J over {seconds:,.0f} s are {said}; between {LEAST_W:g} and {MOST_W:,.0f} W are believed"


def _others(job: dict[str, Any], parts: list[Part], sizes: dict[Any, Any]) -> str | None:
    """What is known of others' share: None where the job had all CPUs of its nodes."""
    known = [sizes.get(node) for part in parts for node in part.nodes]
    if None in known or not known or not job.get("cpus"):
        return "other jobs may have run on its nodes: nobody told how many CPUs these have"
    if job["cpus"] >= sum(known):
        return None
    return f"it had {job['cpus']} of {sum(known)} CPUs: what other jobs used there is in it"


# -- beside the own figure -----------------------------------------------------------------------------------


def _own(parts: list[Part], meters: list[Any]) -> dict[str, Any]:
    """What own samples give for the nodes and the time of those parts whose nodes have some; the ratio to Slurm's."""
    nodes = {meter.node for meter in meters}
    mine = [part for part in parts if part.nodes and set(part.nodes) <= nodes]
    found: dict[str, Any] = {"joules": None, "of_joules": None, "share_of_time": None, "ratio": None, "reason": None}
    if not mine:
        return {**found, "reason": "this run sampled nothing on its nodes that Slurm counts"}
    joules, seconds = 0.0, 0.0
    for part in mine:
        devices = [meter for meter in meters if meter.node in part.nodes]
        start = max(part.start, *(float(meter.times[0]) for meter in devices))
        end = min(part.end, *(float(meter.times[-1]) for meter in devices))
        if end > start:
            seconds += end - start
            joules += sum(meter.used(start, end) for meter in devices)
    slurms, lasted = sum(part.joules or 0.0 for part in mine), sum(part.end - part.start for part in mine)
    share = seconds / lasted if lasted else 0.0
    found |= {"joules": joules, "of_joules": slurms, "share_of_time": share}
    if share < COVERED:
        return {**found, "reason": f"own samples cover {share:.0%} of the time that Slurm counted"}
    return {**found, "ratio": joules / slurms}


def _of_load(rows: list[dict[str, Any]], plugins: list[str] | None, meters: list[Any]) -> dict[str, Any]:
    """The same from before the first warm-up to after the last repetition: what sstat said then, less what before."""
    first = {(row["component"], row["step"]): row for row in rows if row["moment"] == slurm_jobs.BEFORE}
    of_component: dict[str, list[Part]] = {}
    for row in rows:
        before = first.get((row["component"], row["step"]))
        if row["moment"] == slurm_jobs.AFTER and before:
            amounts = [each.get("energy_j") for each in (before, row)]
            used = amounts[1] - amounts[0] if all(isinstance(value, float) for value in amounts) else None
            part = Part(row["step"], tuple(hostlist.expand(row["nodes"])), before["t"], row["t"], used)
            of_component.setdefault(row["component"], []).append(part)
    parts = _apart([_standing_for(found) for found in of_component.values()])
    status, reason = _judged(parts, plugins, "sstat did not tell before and after the load")
    return {
        "status": status,
        "reason": reason,
        "joules": _joules(parts),
        "seconds": max((part.end - part.start for part in parts), default=None),
        "nodes": sum(len(part.nodes) for part in parts),
        "own": _own(parts, meters) if status == COUNTED else None,
    }


def _apart(parts: list[Part]) -> list[Part]:
    """Those on nodes of their own: two jobs on one node say the same of it, and who says more stands for both."""
    found: list[Part] = []
    for part in sorted(parts, key=lambda part: (-len(part.nodes), -(part.joules or 0.0))):
        if not any(set(part.nodes) & set(other.nodes) for other in found):
            found.append(part)
    return found
