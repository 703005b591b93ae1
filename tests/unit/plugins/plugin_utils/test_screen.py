# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index, screen

from . import samples
from .test_finish import finished


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_a_summary_fits_a_terminal_and_is_plain(tmp_path, variant):
    run, record = finished(tmp_path, variant)
    text = screen.summary(run, record, colour=False)
    assert run.id in text
    assert f"{record['state']}" in text
    assert "\x1b" not in text
    for line in text.splitlines():
        assert len(line) <= screen.WIDTH or str(run.path) in line, line
    assert str(run.path) in text.splitlines()[-1], "a path is on one line, to be copied"
    for reason in record["reasons"]:
        assert reason["message"].split()[0] in text


def test_colours_only_where_asked(tmp_path, monkeypatch):
    run, record = finished(tmp_path, "finished")
    assert "\x1b[" in screen.summary(run, record, colour=True)
    monkeypatch.setattr("ansible.utils.color.ANSIBLE_COLOR", True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not screen.colours()
    monkeypatch.delenv("NO_COLOR")
    assert screen.colours()


def test_markup_of_a_name_is_text(tmp_path):
    run, record = finished(tmp_path, "service_died")
    record["reasons"][0]["message"] = "[bold]not bold[/bold] [/] :smile:"
    assert "[bold]not bold[/bold] [/] :smile:" in screen.summary(run, record, colour=False)


def test_the_list_never_cuts_an_id(tmp_path):
    long = "20260921-141320-a-service-with-a-name-24-ffff"
    for variant in samples.VARIANTS:
        finished(tmp_path, variant, samples.VARIANTS.index(variant) + 1)
    records, _problems = index.runs(tmp_path)
    records[0]["id"] = long
    text = screen.listing(records)
    assert all(record["id"] in text for record in records)
    assert max(map(len, text.splitlines())) <= screen.WIDTH
    assert "INVALID" in text


@pytest.mark.parametrize(
    ("statistic", "cases", "words"),
    [
        ("p50", ("max",), "p50 1.80 ms"),
        ("p999", ("max", "max"), "p99.9 1.80 ms"),
        ("mean", ("max", "half"), "1.80 ms max"),
        ("value", (), "-"),
    ],
)
def test_the_first_number_says_what_it_is(statistic, cases, words):
    line = {"metric": "response_time", "statistic": statistic, "unit": "s", "value": 0.0018}
    assert screen.short_headline({"headline": [{**line, "case": case} for case in cases]}) == words


def test_the_bar_shows_the_phases_in_their_shares(tmp_path):
    _run, record = finished(tmp_path, "finished")
    line = screen.phase_bar(record["timeline"], 62)
    assert len(line) == 64
    assert line.count("#") == pytest.approx(40, abs=2)
    assert screen.phase_bar([{"phase": "queued", "start": 1.0, "end": 1.0}]) == ""


def test_metrics_are_a_table(tmp_path):
    run, _record = finished(tmp_path, "finished")
    text = screen.metrics([row for row in run.results() if row["client"] == "all"])
    assert "response_time" in text
    assert max(map(len, text.splitlines())) <= screen.WIDTH
