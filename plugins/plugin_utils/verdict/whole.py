# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The run as a whole: did its parts end well, was everything measured that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.timeline import job_ran
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.verdict.evidence import (
    ERROR_RATE,
    Evidence,
    is_partial,
    item,
)


def reasons(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Failures of the parts, in their own words; jobs that Slurm ended; what was not measured."""
    yield from _failures(evidence.events, evidence.jobs)
    yield from _missing(evidence)


# What the numbers of an adapter have in them, where that is not a server over a network like the others.
_OF_ADAPTERS = {
    "faiss": (
        "in_process",
        "Faiss was searched within the clients' own processes: no server and no network is in these numbers",
    ),
    "faiss_server": (
        "own_server",
        "Faiss was searched behind this collection's own HTTP server, which is in these numbers",
    ),
}


def notes(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """What went wrong beside the measurement, and what it is a measurement of where that is not plain."""
    clients = evidence.plan.get("clients") or {}
    if clients.get("type") == "vector" and evidence.cases:
        found = _OF_ADAPTERS.get((clients.get("settings") or {}).get("adapter"))
        if found:
            yield item(*found)
    for event in evidence.events:
        if event["event"] == "cleanup_failed":
            yield item("cleanup_failed", f"the data of the workload was not removed from the service: {_why(event)}")


def _why(event: dict[str, Any]) -> str:
    return event.get("reason") or "no reason was given"


def _explanation(event: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The job whose end an event explains, and the reason, in the part's own words."""
    source, name = event.get("source"), event["event"]
    if name == "service_failed":
        code = f" (exit code {event['exit_code']})" if event.get("exit_code") is not None else ""
        text = f"the service failed{code}: {_why(event)}; see {event.get('log') or 'logs/service.log'}"
        return "service", item("service_failed", text)
    if name == "failed" and source == "clients":
        return "clients", item("clients_failed", f"the client job failed: {_why(event)}; see logs/slurm-clients.out")
    if name == "failed" and source == "image":
        code, log = ("prefetch_failed", "prefetch") if event.get("command") else ("image_failed", "image")
        return "image", item(code, f"the image job failed: {_why(event)}; see logs/{log}.log")
    if name == "job_lost":
        text = f"Slurm has lost the {event['job']} job {event.get('id')}: {event.get('reason')}; start the run again"
        return event["job"], item("job_lost", text)
    if name == "queue_deadline":
        remedy = states.explain_reason(event.get("reason"))
        text = (
            f"the {event['job']} job {event.get('id')} waited longer than benchmark_queue_deadline for its start"
            f" ({event.get('reason')}{f': {remedy}' if remedy else ''})"
        )
        return event["job"], item("queue_deadline", text)
    return None


def _failures(events: list[dict[str, Any]], jobs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    explained = set()
    clients_done = any(e["event"] == "done" and e.get("source") == "clients" for e in events)
    for role, reason in filter(None, map(_explanation, events)):
        explained.add(role)
        yield reason
    for job in jobs:
        state, role = states.normalize(job.get("state")), job.get("role")
        if states.is_ok(state) or (clients_done and state == "CANCELLED"):
            continue  # all is measured: by teardown, or by somebody while the job was just leaving
        if state in ("FAILED", "UNKNOWN") and role in explained:
            continue  # its own words say more than its exit code
        if state == "CANCELLED" and {role, "image"} & explained and not job_ran(job):
            continue  # it never started, since what it needs is not there or in time
        code = f" with exit code {job['exit_code']}" if job.get("exit_code") not in (None, "", "0:0") else ""
        where = f" on {job['node_list']}" if job.get("node_list") else ""
        what = f"the {role} job {job.get('id')} ended {job.get('state') or state}{code}{where}"
        yield item(f"{role}_job", what + (_mute(job) or _remedy(state, role, events)))


def _mute(job: dict[str, Any]) -> str:
    """Of an agent that could not write a word. Source of 120: Python documentation, sys.exit."""
    if str(job.get("exit_code")).partition(":")[0] != "120":
        return ""
    return (
        ": it could write nothing, not even why, as it is with No space left on device or a quota; "
        "make room below benchmark_scratch"
    )


_REMEDIES = {
    "DEADLINE": ": it could not start before benchmark_queue_deadline; raise it, or use another partition or QOS",
    "NODE_FAIL": ": its node failed; run it again, {section}.exclude_nodes leaves the node out",
    "BOOT_FAIL": ": its node did not boot; run it again, {section}.exclude_nodes leaves the node out",
    "PREEMPTED": ": a job of higher priority took its place; run it again, or use a QOS that is not preempted",
    "OUT_OF_MEMORY": ": it needed more memory than it had asked for; raise {section}.memory",
    "TIMEOUT": ": raise {section}.time_limit, or leave it out",
}


def _remedy(state: str, role: str, events: list[dict[str, Any]]) -> str:
    """What to do about a job that Slurm ended."""
    section = "service" if role == "service" else "client"
    if state == "TIMEOUT" and role == "service" and not any(event["event"] == "healthy" for event in events):
        return f": the service was not healthy within its time limit; raise {section}.time_limit"
    return _REMEDIES.get(state, "").format(section=section)


def _missing(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Cases and repetitions that the plan wanted and that have no result, or half of one."""
    measured = [case for case in evidence.cases if case.get("measure_end")]
    if not measured:
        yield item("no_results", "nothing was measured")
        return
    wanted = int(evidence.benchmarks.get("repetitions") or 1)
    for planned in evidence.benchmarks.get("cases") or []:
        found = {int(case["repetition"]): case for case in measured if case["case"] == planned["name"]}
        cut_short = [case for case in found.values() if is_partial(case)]
        given_up = any(case.get("cut") == ERROR_RATE for case in found.values())  # the stop rule says so
        if len(found) - len(cut_short) < wanted and not (given_up and not cut_short):
            how = f"; one was cut short ({cut_short[0]['cut']})" if cut_short else ""
            message = f"{len(found) - len(cut_short)} of {wanted} repetitions were measured{how}"
            yield item("incomplete", message, planned["name"])
