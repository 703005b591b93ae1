# SPDX-License-Identifier: MIT
"""Energy of each measurement, from telemetry that is written here: 100 W by a counter, 50 W by samples of power."""

from __future__ import annotations

import csv
import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import gpu_telemetry
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, formatting, report, screen
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import gpus
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry import energy

from .. import samples


@pytest.fixture
def run(tmp_path):
    return samples.make(tmp_path, "finished")


def gpu_rows(run, watts_of=lambda t: 100.0, *, counter=True, uuid="GPU-1", from_s=0.0, until_s=120.0):
    """A row a second of one GPU of the service's node; its counter grows by its power."""
    path, joules = run.path / "telemetry/gpu-mel2001.csv", 5e6
    new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, gpu_telemetry.COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        t = samples.START + from_s
        while t < samples.START + until_s:
            power = watts_of(t)
            fields = {"power_w": power, "energy_j": joules if counter else "", "throttle_reasons": ""}
            writer.writerow({**dict.fromkeys(gpu_telemetry.COLUMNS, ""), "t": t, "gpu": 0, "uuid": uuid, **fields})
            joules, t = joules + power, t + 1.0


def record_of(run):
    return finish.preview(run)


def test_joules_of_each_repetition_and_of_each_operation(run):
    gpu_rows(run)
    gpu_rows(run, lambda t: 50.0, counter=False, uuid="GPU-2")
    found = record_of(run)["energy"]
    assert found["status"] == "measured" and len(found["cases"]) == 4
    assert [(device["device"], device["source"]) for device in found["devices"]] == [
        ("GPU-1", "counter"), ("GPU-2", "power")]  # fmt: skip
    for case in found["cases"]:
        assert case["joules"] == pytest.approx(150.0 * samples.DURATION_S)
        [operations] = [
            row["value"] for row in run.results()
            if (row["case"], row["repetition"], row["metric"], row["client"])
            == (case["case"], case["repetition"], "operations", "all")
        ]  # fmt: skip
        assert case["per"]["operation"] == pytest.approx(150.0 * samples.DURATION_S / operations)


def test_a_counter_and_the_power_beside_it_are_both_told(run):
    gpu_rows(run, lambda t: 100.0 + 20.0 * (int(t) % 2))
    [device] = record_of(run)["energy"]["devices"]
    assert device["joules"] == pytest.approx(device["joules_by_power"], rel=0.01)


def test_a_counter_that_starts_anew_is_not_believed(run):
    gpu_rows(run, until_s=20.0)
    gpu_rows(run, from_s=20.0)
    [device] = record_of(run)["energy"]["devices"]
    assert device["source"] == "power"


def test_samples_that_do_not_reach_the_measurement_say_nothing_of_it(run):
    gpu_rows(run, until_s=10.0)
    found = record_of(run)["energy"]
    assert found["status"] == "unknown" and {case["joules"] for case in found["cases"]} == {None}


def test_idle_power_is_taken_off_where_it_was_measured(run):
    gpu_rows(run)
    [meter] = energy.meters(run)
    segments = [
        {"phase": "ready", "start": samples.START, "end": samples.START + 10.0},
        {"phase": "measuring", "start": samples.START + 10.0, "end": samples.START + 20.0},
    ]
    assert energy.outcome(run, segments, [])["idle_w"] == pytest.approx(100.0)
    set_up = [
        {"event": "setup_started", "t": samples.START + 1.0},
        {"event": "setup_done", "t": samples.START + 8.0},
    ]
    assert energy.outcome(run, segments, set_up)["idle_w"] is None, "3 s besides the set-up are too few"
    assert meter.used(samples.START, samples.START + 10.0) == pytest.approx(1000.0)
    [case, *_others] = energy.outcome(run, segments, [])["cases"]
    assert case["joules_above_idle"] == pytest.approx(0.0, abs=1e-6)


def test_processors_that_tell_their_power(run):
    path = run.path / "telemetry/service-mel0001.csv"
    rows = run.table("telemetry/service-mel0001.csv")
    assert rows
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "cpu_power_w"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "cpu_power_w": 200.0} for row in rows)
    found = record_of(run)["energy"]
    assert found["devices"][0]["kind"] == "cpu"
    assert found["cases"][0]["joules"] == pytest.approx(200.0 * samples.DURATION_S, rel=0.01)


def test_what_nobody_tells_is_unknown_and_why(run):
    found = record_of(run)["energy"]
    assert found["status"] == "unknown" and "there is no GPU" in found["reason"]
    events = [{"event": "gpu_telemetry_missing", "t": 1.0, "reason": "libnvidia-ml.so.1: no such file"}]
    assert "libnvidia-ml.so.1" in energy.outcome(run, [], events)["reason"]


def test_the_screen_says_what_it_took(run):
    assert "energy" not in screen_of(run)
    gpu_rows(run)
    assert "energy 4 kJ of GPUs while measuring; case max: " in screen_of(run)


def screen_of(run) -> str:
    record = record_of(run)
    return " ".join(str(text) for text in screen._time(record))


def test_energies_are_written_in_the_unit_that_suits_them():
    texts = [formatting.energy(value) for value in (None, 0, 2.5e-5, 0.4123, 7.35, 12345.0, 2.5e6)]
    assert texts == ["–", "0 J", "25.0 µJ", "412 mJ", "7.35 J", "12.3 kJ", "2.50 MJ"]


def test_the_report_shows_gpus_and_energy_with_their_source(run):
    gpu_rows(run)
    gpu_rows(run, lambda t: 50.0, counter=False, uuid="GPU-2")
    run.write_json("run.json", finish.preview(run))
    html, markdown = (path.read_text() for path in report.render(run))
    for text in (html, markdown):
        assert "mel2001 GPU 0" in text and "GPU-1 on mel2001 (by its counter" in text
        assert "GPU-2 on mel2001 (by its power)" in text and "1.50 kJ" in text
    assert '"gpu_power"' in html and '"gpu_utilization"' not in html, "there is a plot of what was measured only"


def test_the_report_says_why_nobody_knows(run):
    path = run.path / "events.jsonl"
    event = {"t": samples.HEALTHY, "source": "service", "event": "gpu_telemetry_missing", "reason": "no libnvidia-ml"}
    path.write_text(path.read_text() + json.dumps(event) + "\n")
    run.write_json("run.json", finish.preview(run))
    html, markdown = (path.read_text() for path in report.render(run))
    for text in (html, markdown):
        assert "No GPU telemetry: no libnvidia-ml" in text and "Unknown: the GPUs do not tell (no libnvidia-ml)" in text


def test_what_held_a_gpu_back_is_told_by_its_share_of_the_time():
    rows = [{"t": float(t), "gpu": 0.0, "throttle_reasons": reasons} for t, reasons in enumerate(
        [None, "sw_power_cap", "sw_power_cap|hw_slowdown", "sw_power_cap"])]  # fmt: skip
    [row] = gpus.gather({"n GPU 0": rows}, [], [])["rows"]
    assert row["held_back"] == [("sw_power_cap", 0.75), ("hw_slowdown", 0.25)]
    assert row["power_w"] is None
