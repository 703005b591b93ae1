# SPDX-License-Identifier: MIT
from __future__ import annotations

from itertools import pairwise

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import read_events
from hypothesis import given, settings
from hypothesis import strategies as st

from . import samples


def _run(tmp_path, variant):
    run = samples.make(tmp_path, variant)
    return run.read_json("jobs.json"), run.events()


def _phases(segments):
    return [segment["phase"] for segment in segments]


def check(segments, begin=None):
    """What holds for every timeline."""
    for segment in segments:
        assert segment["seconds"] > 0
        assert segment["seconds"] == pytest.approx(segment["end"] - segment["start"], abs=1e-5)
    for before, after in pairwise(segments):
        assert before["end"] == after["start"], "no gap, no overlap"
    phases = _phases(segments)
    assert phases.count("queued") <= 1
    assert phases.count("starting") <= 1
    assert phases.count("ending") <= 1
    if "ending" in phases:
        assert phases[-1] == "ending"
    if segments and begin is not None:
        assert segments[0]["start"] == begin


def test_a_finished_run(tmp_path):
    segments = timeline.build(*_run(tmp_path, "finished"))
    check(segments, samples.BEGIN)
    repetition = ["warmup", "measuring"]
    assert _phases(segments) == ["queued", "starting", "ready", *(3 * [*repetition, "ready"]), *repetition, "ending"]
    seconds = timeline.by_phase(segments)
    assert list(seconds) == list(timeline.PHASES)
    assert seconds["measuring"] == pytest.approx(40.0)
    assert seconds["warmup"] == pytest.approx(8.0)
    assert seconds["queued"] == pytest.approx(4.0)
    assert seconds["starting"] == pytest.approx(3.4)
    assert {(s.get("case"), s.get("repetition")) for s in segments if s["phase"] == "measuring"} == {
        ("max", 1), ("max", 2), ("half", 1), ("half", 2)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variant", "phases", "state"),
    [
        ("service_died", ["queued", "starting", "ending"], "failed"),
        ("cancelled", ["queued"], "stopped"),
        ("no_results", ["queued", "starting", "ready", "ending"], "failed"),
    ],
)
def test_runs_that_failed(tmp_path, variant, phases, state):
    jobs, events = _run(tmp_path, variant)
    segments = timeline.build(jobs, events)
    check(segments, samples.BEGIN)
    assert _phases(segments) == phases
    assert timeline.situation(jobs, events, samples.BEGIN + 99)["state"] == state


def test_where_a_running_run_stands(tmp_path):
    jobs, events = _run(tmp_path, "running")
    place = timeline.situation(jobs, events, events[-1]["t"])
    assert (place["state"], place["case"], place["repetition"]) == ("measuring", "max", 2)
    assert place["progress"]["operations"] > 0
    first = next(event["t"] for event in events if event["event"] == "healthy")
    early = [event for event in events if event["t"] <= first]
    assert timeline.situation(jobs, early, first + 1)["state"] == "ready"
    assert timeline.situation(jobs, [], samples.BEGIN + 1)["phase"] == "queued"
    assert timeline.situation([], [], 1.0)["state"] == "planned"


def test_a_job_whose_state_is_not_known_is_never_over(tmp_path):
    jobs, events = _run(tmp_path, "finished")
    jobs[0]["state"] = "UNKNOWN"
    assert timeline.situation(jobs, events, events[-1]["t"])["state"] == "unknown"
    jobs[0]["state"] = None
    assert timeline.situation(jobs, events, events[-1]["t"])["state"] not in timeline.FINAL_STATES


def test_a_run_that_a_person_stopped_is_stopped_although_its_client_job_failed(tmp_path):
    jobs, events = _run(tmp_path, "no_results")
    for event in events:
        if event["event"] == "failed":
            event["reason"] = timeline.STOP_REQUESTED
    assert timeline.situation(jobs, events, samples.BEGIN + 99)["state"] == "stopped"


def test_slurm_rounds_down_but_an_event_proves_that_the_job_was_there(tmp_path):
    jobs, events = _run(tmp_path, "finished")
    last = max(event["t"] for event in events if event.get("source") == "clients")
    for job in jobs:
        job["end"] = last // 1 - 1
    segments = timeline.build(jobs, events)
    check(segments, samples.BEGIN)
    assert timeline.by_phase(segments)["measuring"] == pytest.approx(40.0)


@settings(deadline=None)  # a busy machine is no fault
@given(cut=st.integers(0, 40), now=st.floats(0, 100), killed=st.booleans())
def test_a_run_that_was_killed_at_any_moment(tmp_path_factory, cut, now, killed):
    jobs, events = _cached(tmp_path_factory)
    moment = samples.BEGIN + now
    seen = [event for event in events if event["t"] <= moment][:cut]
    jobs = [
        {**job, "start": job["start"] if job["start"] <= moment else None, "end": moment if killed else None,
         "state": "CANCELLED" if killed else "RUNNING"}
        for job in jobs
    ]  # fmt: skip
    segments = timeline.build(jobs, seen, None if killed else moment)
    check(segments)
    if segments:
        end = max([moment, *(event["t"] for event in seen)]) if killed else moment
        assert segments[-1]["end"] == pytest.approx(end)
        assert segments[0]["start"] == samples.BEGIN


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "t": st.floats(0, 1e3),
                "source": st.sampled_from(["service", "clients", "image", "controller", None]),
                "event": st.sampled_from(
                    ["job_started", "healthy", "warmup_started", "measure_started", "measure_ended", "done", "failed",
                     "stopping", "service_failed", "submitted", "progress", "endpoint_found"]
                ),
            }
        ),
        max_size=30,
    )
)  # fmt: skip
def test_any_events_in_any_order(events):
    events = sorted(events, key=lambda event: event["t"])
    jobs = [{"role": "service", "submit": 5.0, "start": 10.0, "end": 800.0, "state": "COMPLETED"}]
    check(timeline.build(jobs, events))
    check(timeline.build([], events))
    check(timeline.build([], events, now=500.0))


_CACHE = {}


def _cached(factory):
    if not _CACHE:
        run = samples.make(factory.mktemp("timeline"), "finished")
        _CACHE["jobs"] = run.read_json("jobs.json")
        _CACHE["events"] = read_events(run.read_text("events.jsonl"))
    return _CACHE["jobs"], _CACHE["events"]


@pytest.mark.parametrize(
    ("event", "states", "expected"),
    [
        ("job_lost", ["UNKNOWN", "UNKNOWN"], "failed"),
        ("job_lost", ["UNKNOWN", None], "queued"),
        ("queue_deadline", ["CANCELLED", "CANCELLED"], "failed"),
        ("state", ["UNKNOWN", "CANCELLED"], "unknown"),
        ("state", ["CANCELLED", "CANCELLED"], "stopped"),
    ],
)
def test_a_run_whose_jobs_will_not_run_has_failed(event, states, expected):
    jobs = [{"role": role, "state": state} for role, state in zip(("service", "clients"), states, strict=True)]
    events = [
        {"t": 1.0, "source": "controller", "event": event, "job": role, "reason": None}
        for role in ("service", "clients")
    ]
    assert timeline.state_of(jobs, events, None) == expected
