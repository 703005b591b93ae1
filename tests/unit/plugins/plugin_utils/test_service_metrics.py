# SPDX-License-Identifier: MIT
"""What a report says of the metrics that a service told, against values worked out by hand."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import report
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import content, service_metrics
from hypothesis import given
from hypothesis import strategies as st

from . import samples
from .test_finish import finished

HEAD = "t,metric,labels,kind,value\n"


def gathered(tmp_path, rows, events=(), spans=((10, 20),), name="thing"):
    run = samples.RunDirectory(tmp_path / "20260921-141320-thing-0001")
    run.write_text(f"metrics/{name}.csv", HEAD + "".join(f"{row}\n" for row in rows))
    segments = [{"phase": "measuring", "start": start, "end": end} for start, end in spans]
    return service_metrics.gather(run, list(events), segments)


def test_a_gauge_counts_as_long_as_it_lasted(tmp_path):
    [service] = gathered(tmp_path, ["0,a,,gauge,4", "15,a,,gauge,8", "30,a,,gauge,100"])
    [row] = service["rows"]
    assert (row["mean"], row["min"], row["max"], row["last"]) == (6, 4, 8, 8)


def test_a_counter_counts_what_it_grew_in_the_measurements(tmp_path):
    rows = ["0,a,,counter,100", "12,a,,counter,130", "19,a,,counter,150", "25,a,,counter,900", "31,a,,counter,910"]
    [service] = gathered(tmp_path, rows, spans=((10, 20), (30, 35)))
    [row] = service["rows"]
    assert (row["grown"], row["per_s"]) == (60, 4)


def test_a_counter_that_began_anew_counts_from_nothing(tmp_path):
    [service] = gathered(tmp_path, ["0,a,,counter,100", "12,a,,counter,130", "15,a,,counter,5", "18,a,,counter,9"])
    assert service["rows"][0]["grown"] == 30 + 5 + 4


def test_what_begins_in_the_measurement_counts_from_there(tmp_path):
    [service] = gathered(tmp_path, ["15,a,,counter,7", "18,a,,counter,10", "15,b,,gauge,1"])
    assert [row.get("grown", row.get("mean")) for row in service["rows"]] == [3, 1]


def test_the_type_says_what_is_shown_and_in_which_order(tmp_path):
    rows = ['11,b,"x=""1"",y=""2""",gauge,1', "11,a_total,,counter,1", "11,c,,gauge,1", "11,up,,gauge,1"]
    events = [{"event": "metrics_started", "service": "thing", "show": ["b", "a_*", "*p"]}]
    [service] = gathered(tmp_path, rows, events)
    assert [row["name"] for row in service["rows"]] == ['b{x="1",y="2"}', "a_total"]


def test_of_one_metric_with_several_labels_those_first_that_changed_most(tmp_path):
    rows = [f'{t},a,"x=""{x}""",counter,{t * growth}' for t in (11, 12) for x, growth in enumerate((0, 5, 2))]
    events = [{"event": "metrics_started", "service": "thing", "show": ["a"]}]
    [service] = gathered(tmp_path, rows, events)
    assert [row["name"] for row in service["rows"]] == ['a{x="1"}', 'a{x="2"}', 'a{x="0"}']


def test_of_an_unknown_service_what_changed_most(tmp_path):
    rows = [f"{10 + n / 10},m{n % 25:02},,gauge,{n}" for n in range(90)] + ["11,h_bucket,,counter,1"] * 9
    [service] = gathered(tmp_path, rows)
    names = [row["name"] for row in service["rows"]]
    assert len(names) == service_metrics.SHOWN and names == sorted(names) and names[0] == "m00"


def test_the_note_says_what_is_missing(tmp_path):
    rows = ["5,up,,gauge,1", "5,a,,gauge,1", "12,up,,gauge,0", "15,up,,gauge,1"]
    done = {"event": "metrics_done", "scrapes": 10, "failures": 3, "seconds": 0.02, "problem": "refused", "cut": True}
    [service] = gathered(tmp_path, rows, [done])
    assert service["note"] == (
        "While the run measured; all 1 series are in metrics/thing.csv. Asked 10 times, 2 ms each."
        " For 3.0 s of it the service did not tell: refused. The file had become too large: its end is missing."
    )


@pytest.mark.parametrize("text", ["", HEAD, HEAD + "x,a,,gauge,1\n", HEAD + "1,a,,gau"])
def test_a_file_without_samples_is_no_service(tmp_path, text):
    run = samples.RunDirectory(tmp_path / "20260921-141320-thing-0001")
    run.write_text("metrics/thing.csv", text)
    assert service_metrics.gather(run, [], []) == []


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 9)), min_size=1), st.floats(0, 50), st.floats(1, 50))
def test_the_parts_of_a_time_are_all_of_it(steps, start, length):
    one = service_metrics.Series("a", "", "gauge")
    for t, value in sorted(steps):
        one.times.append(t)
        one.values.append(float(value))
    parts = one.parts(start, start + length)
    begin = max(start, min(one.times))
    assert sum(seconds for _value, seconds in parts) == pytest.approx(max(0.0, start + length - begin))


def test_the_report_shows_it_and_nothing_of_it_is_markup(tmp_path):
    run, _record = finished(tmp_path, "finished")
    evil = '<script>alert(1)</script>"|`'
    start = content.collect(run)["begin"] - 10
    rows = [f'{start + n},hits_total,"x=""{evil.replace(chr(34), chr(34) * 2)}""",counter,{n * 7}' for n in range(90)]
    run.write_text("metrics/post.csv", HEAD + "".join(f"{row}\n" for row in rows))
    html, markdown = (path.read_text() for path in report.render(run))
    assert "What post says of itself" in html and "What post says of itself" in markdown
    assert "hits_total" in html and "<script>alert" not in html and "<script>alert" not in markdown
    assert '"service_0_0"' in html, "its plot"
    [service] = content.collect(run)["service_metrics"]
    assert service["rows"][0]["per_s"] == pytest.approx(7, rel=0.1)
