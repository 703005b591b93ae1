# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The time of a run in phases: queued, starting, ready, warmup, measuring, ending; never mixed.

Pure functions over Slurm's job records and the events of the agents. Rules:

- `queued` from the first submission until the service job has its nodes (an image pull that the service
  waits for is part of it);
- `starting` until the service is healthy, by its own protocol;
- `ready` while the service is healthy and nothing is warmed up or measured: waiting for the client job, its
  set-up, and every gap between two cases or repetitions;
- `warmup` and `measuring` as the client conductor says; each repetition of a case is a segment of its own;
- `ending` from the first of: the clients are done or failed, the service failed or stops, one of the two
  jobs is over; at the latest from the end of the last measurement, when nothing was measured after it.

Slurm counts whole seconds, rounded down; an event of a job is proof that the job was still there. A time
before the beginning of its predecessor (clocks differ) is moved up to it. A missing event moves its
boundary to the next thing that is known, so that a run that was killed at any moment still adds up to the
time from its submission to its end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states

PHASES = ("queued", "starting", "ready", "warmup", "measuring", "ending")
LIVE_STATES = ("planned", *PHASES)
FINAL_STATES = ("finished", "failed", "stopped")

STOP_REQUESTED = "stop was requested"  # the agents' reason when control/stop ended them

_LOAD_PHASES = {"warmup_started": "warmup", "measure_started": "measuring", "measure_ended": "ready"}
_LAST_WORDS = ("service_failed", "stopping", "stopped", "done", "failed")


class Mark(NamedTuple):
    """From `t` (epoch, s) on, the run is in `phase`."""

    t: float
    phase: str
    case: str | None = None
    repetition: int | None = None


def build(jobs: list[dict[str, Any]], events: list[dict[str, Any]], now: float | None = None) -> list[dict[str, Any]]:
    """The segments of a run, in the order of time, without gap or overlap.

    `jobs`: as in run.json (`role`, `submit`, `start`, `end`; epoch seconds or None). `now` (epoch, s) ends a
    run that is still going on; without it, the last event does. Each segment: `phase`, `start`, `end`,
    `seconds`, and for warmup and measuring `case` and `repetition`.
    """
    begin = _begin(jobs, events)
    if begin is None:
        return []
    load = _load_marks(events)
    terminal = _terminal(jobs, events, load)
    end = _end(jobs, events, begin, now)
    marks = [Mark(begin, "queued")]
    service_start = _service_start(jobs, events)
    if service_start is not None:
        marks.append(Mark(service_start, "starting"))
        healthy = _healthy(events, load)
        if healthy is not None:
            marks.append(Mark(healthy, "ready"))
            marks.extend(load)
    if terminal is not None:
        marks = [mark for mark in marks if mark.t < terminal or mark.phase == "queued"]
        marks.append(Mark(terminal, "ending"))
    return _segments(marks, end)


def _begin(jobs: list[dict[str, Any]], events: list[dict[str, Any]]) -> float | None:
    submitted = [job["submit"] for job in jobs if job.get("submit") is not None]
    if submitted:
        return float(min(submitted))
    times = [event["t"] for event in events if event["event"] in ("submitted", "job_started", "pull_started")]
    return float(min(times)) if times else None


def job_ran(job: dict[str, Any]) -> bool:
    """Whether a job ever had nodes; sacct gives a job that was cancelled in the queue start = end."""
    start, end = job.get("start"), job.get("end")
    if start is None:
        return False
    return end is None or end > start or states.normalize(job.get("state")) != "CANCELLED"


def _role(jobs: list[dict[str, Any]], role: str) -> dict[str, Any] | None:
    return next((job for job in jobs if job.get("role") == role), None)


def _times(events: list[dict[str, Any]], source: str | None, *names: str) -> list[float]:
    return [
        float(event["t"])
        for event in events
        if (not names or event["event"] in names) and (source is None or event.get("source") == source)
    ]


def _service_start(jobs: list[dict[str, Any]], events: list[dict[str, Any]]) -> float | None:
    job = _role(jobs, "service")
    if job is not None and job_ran(job):
        return float(job["start"])
    return min(_times(events, "service", "job_started", "container_started", "healthy"), default=None)


def _load_marks(events: list[dict[str, Any]]) -> list[Mark]:
    return [
        Mark(float(event["t"]), _LOAD_PHASES[event["event"]], event.get("case"), event.get("repetition"))
        if event["event"] != "measure_ended"
        else Mark(float(event["t"]), "ready")
        for event in events
        if event["event"] in _LOAD_PHASES and event.get("source") == "clients"
    ]


def _healthy(events: list[dict[str, Any]], load: list[Mark]) -> float | None:
    known = _times(events, "service", "healthy") or _times(events, "clients", "endpoint_found")
    return min(known + [mark.t for mark in load], default=None)


def _over(job: dict[str, Any], events: list[dict[str, Any]]) -> float | None:
    """When a job was over: Slurm's end, or its last event where that is later (Slurm rounds down)."""
    if job.get("end") is None:
        return None
    return max([float(job["end"])] + (_times(events, job["role"]) if job_ran(job) else []))


def _terminal(jobs: list[dict[str, Any]], events: list[dict[str, Any]], load: list[Mark]) -> float | None:
    """When the run began to end, or None while it has not."""
    times = _times(events, "service", *_LAST_WORDS) + _times(events, "clients", *_LAST_WORDS)
    ends = [_over(job, events) for job in jobs if job.get("role") in ("service", "clients")]
    times += [end for end in ends if end is not None]
    if not times:
        return None
    first = min(times)
    if load and load[-1].phase == "ready" and load[-1].t <= first:
        return load[-1].t
    return first


def _end(jobs: list[dict[str, Any]], events: list[dict[str, Any]], begin: float, now: float | None) -> float:
    ends = [_over(job, events) for job in jobs]
    if ends and all(end is not None for end in ends):
        return max(ends)
    if now is not None:
        return now
    return max([begin] + [end for end in ends if end is not None] + _times(events, None))


def _segments(marks: list[Mark], end: float) -> list[dict[str, Any]]:
    segments: list[dict[str, Any]] = []
    at = marks[0].t
    for mark, following in zip(marks, [*marks[1:], Mark(end, "")], strict=True):
        stop = min(max(at, following.t), max(at, end))
        if stop - at < 1e-6:  # below the resolution of an epoch time in a float
            continue
        if segments and segments[-1]["phase"] == mark.phase == "ready":
            at = segments.pop()["start"]
        segment = {"phase": mark.phase, "start": at, "end": stop, "seconds": round(stop - at, 6)}
        if mark.phase in ("warmup", "measuring"):
            segment.update(case=mark.case, repetition=mark.repetition)
        segments.append(segment)
        at = stop
    return segments


def by_phase(segments: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds of each phase that took any time, in the order of PHASES."""
    sums = {phase: sum(s["seconds"] for s in segments if s["phase"] == phase) for phase in PHASES}
    return {phase: round(seconds, 6) for phase, seconds in sums.items() if seconds > 0}


# -- a run that is going on --------------------------------------------------------------------------


def situation(jobs: list[dict[str, Any]], events: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """Where a run stands, for `watch`, `list` and run.json.

    Returns `state` (planned queued starting ready warmup measuring ending finished failed stopped unknown),
    `phase` (None before the submission and after the end), `since` (epoch, s), `case`, `repetition`, and
    `progress`, the conductor's latest progress event of this repetition (None outside warm-up and measuring).
    """
    segments = build(jobs, events, now)
    last = segments[-1] if segments else {}
    place = {
        "state": state_of(jobs, events, last.get("phase")),
        "phase": last.get("phase"),
        "since": last.get("start"),
        "case": last.get("case"),
        "repetition": last.get("repetition"),
        "progress": None,
    }
    if place["state"] in FINAL_STATES:
        place.update(phase=None, since=last.get("end"), case=None, repetition=None)
    elif place["phase"] in ("warmup", "measuring"):
        reports = [
            event
            for event in events
            if event["event"] == "progress"
            and (event.get("case"), event.get("repetition")) == (place["case"], place["repetition"])
        ]
        place["progress"] = reports[-1] if reports else None
    return place


def state_of(jobs: list[dict[str, Any]], events: list[dict[str, Any]], phase: str | None) -> str:
    """The state of a run whose timeline ends with `phase` (None: nothing was submitted).

    A run is over only when Slurm says so of every job: `finished` when the clients were done, `stopped` when
    a person or a cancellation ended it, `failed` otherwise. A job whose state is not known makes the run
    `unknown`, never finished.
    """
    if not jobs:
        return phase or "planned"
    lost = {event.get("job") for event in events if event["event"] == "job_lost"}
    # None: Slurm was not asked yet. One that Slurm has lost has ended, whatever it was
    told = [(job.get("role"), states.normalize(job["state"])) for job in jobs if job.get("state")]
    found = ["FAILED" if state == states.UNKNOWN and role in lost else state for role, state in told]
    if len(found) < len(jobs) or not all(states.is_final(state) for state in found):
        return "unknown" if states.UNKNOWN in found else phase or "queued"
    if _times(events, "clients", "done"):
        return "finished"
    if any(event["event"] in ("service_failed", "job_lost", "queue_deadline") for event in events):
        return "failed"
    if any(event.get("reason") == STOP_REQUESTED for event in events):
        return "stopped"
    others = [state for state in found if state not in ("COMPLETED", "CANCELLED")]
    return "stopped" if "CANCELLED" in found and not others else "failed"
