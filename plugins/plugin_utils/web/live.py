# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run that goes on: where it stands, why it waits, what it said, its rate second by second."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, formatting, timeline, watch
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.drawing import COLOURS, RED, axis, figure, line
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

SAID = 12  # lines that are shown of what happened
QUIET_S = 90.0  # without news for so long, nobody follows the run
_MS = 1e3


def situation(run: RunDirectory, now: float | None = None) -> dict[str, Any]:
    """What a page shows of a run that goes on; docs/web.md has the fields of the API that are made of it."""
    moment = time.time() if now is None else now
    events, jobs = run.events(), finish.jobs_of(run)
    plan = run.read_json("plan.json", {})
    known = _with_news(jobs, events)
    news = max((event["t"] for event in events), default=plan.get("created_at"))
    is_followed = news is not None and moment - news < QUIET_S
    moment = moment if is_followed or news is None else news  # what came after it, nobody knows here
    place = timeline.situation(known, events, moment)
    progress = place["progress"]
    return {
        "id": run.id,
        "state": place["state"],
        "since": place["since"],
        "case": place["case"],
        "repetition": place["repetition"],
        "progress": watch.progress_text(progress).strip() if progress else None,
        "response_time_mean_s": (progress or {}).get("response_time_mean_s"),
        "share": _share(progress),
        "jobs": [_job(job) for job in known],
        "said": [{"t": event["t"], "text": text} for event in events if (text := watch.narrate(event))][-SAID:],
        "segments": timeline.build(known, events, moment),
        "news_at": news,
        "is_followed": is_followed,
    }


def _with_news(jobs: list[dict[str, Any]], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The jobs with what the controller that follows the run heard of the queue."""
    heard = {
        event.get("job"): event for event in events if event["event"] == "state" and event.get("source") == "controller"
    }
    return [
        job
        if job["role"] not in heard
        else {**job, **{key: heard[job["role"]].get(key) for key in ("state", "reason")}}
        for job in jobs
    ]


def _job(job: dict[str, Any]) -> dict[str, Any]:
    return {key: job.get(key) for key in ("role", "id", "state", "reason", "node_list")}


def _share(progress: dict[str, Any] | None) -> float | None:
    """How much of a repetition is over, of 1."""
    duration_s = (progress or {}).get("duration_s")
    return min(1.0, progress["elapsed_s"] / duration_s) if progress and duration_s else None


def figures(run: RunDirectory) -> dict[str, dict[str, Any]]:
    """The rate, and the mean response time where the clients tell it, since the submission."""
    events = run.events()
    begin = min((event["t"] for event in events), default=0.0)
    reports = [event for event in events if event["event"] == "progress"]
    names = list(dict.fromkeys(report.get("case") for report in reports))
    x = axis("seconds since the submission")
    made = {}
    for name, title, scale, field in (
        ("live_rate", "operations per second", 1.0, "rate_per_s"),
        ("live_response", "mean response time (ms)", _MS, "response_time_mean_s"),
    ):
        lines = []
        for number, case in enumerate(names):
            points = [(each["t"] - begin, each.get(field)) for each in reports if each.get("case") == case]
            points = [(t, value * scale) for t, value in points if value is not None]
            if points:
                lines.append(line(points, str(case), COLOURS[number % len(COLOURS)]))
        if name == "live_rate" and any(report.get("errors") for report in reports):
            lines.append(line([(each["t"] - begin, each.get("errors")) for each in reports], "errors so far", RED))
        if lines:
            made[name] = figure(lines, x, axis(title, rangemode="tozero"))
    return made


def age_text(news_at: float | None, now: float | None = None) -> str:
    """How old the last news is."""
    return formatting.NOTHING if news_at is None else formatting.duration((now or time.time()) - news_at)


def stamp(run: RunDirectory) -> tuple[Any, ...]:
    """What changes when a run has news; cheap."""
    names = ("run.json", "jobs.json", "events.jsonl", "teardown.json", "report.html")
    paths = [run.file(name) for name in names] + sorted(run.path.glob("events/*.jsonl"))
    found = []
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((path.name, state.st_size, state.st_mtime_ns))
    return tuple(found)
