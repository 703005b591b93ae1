# SPDX-License-Identifier: MIT
"""The static drawings of a report: what is seen with scripts off, and on paper."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import (
    content,
    drawing,
    figures,
    scales,
    svg,
    sweep,
    utilization,
)
from hypothesis import given
from hypothesis import strategies as st

from .test_finish import finished
from .test_report import EVIL
from .test_results import row


def parse(figure, wide=False, label="it"):
    return ElementTree.fromstring(svg.draw(figure, wide, label))


def texts(root):
    return [element.text for element in root.iter("text")]


def two_lines(**axes):
    lines = [drawing.line([(n, float(n * k)) for n in range(9)], f"line {k}", drawing.COLOURS[k]) for k in (1, 2)]
    return drawing.figure(lines, drawing.axis("x", **axes), drawing.axis("y (ms)", rangemode="tozero"))


def test_lines_are_told_apart_without_their_colours():
    marks = {trace["marker"]["symbol"] for trace in two_lines()["data"]}
    assert len(marks) == 2
    assert "line 1" in texts(parse(two_lines())) and "line 2" in texts(parse(two_lines()))
    alone = drawing.figure([drawing.line([(0, 1.0), (1, 2.0), (2, 3.0)], "a", "red")], {}, {})
    assert "marker" not in alone["data"][0]


def test_what_a_line_is_called_is_never_markup():
    line = drawing.line([(0.0, 1.0), (1.0, 2.0), (2.0, 2.0)], EVIL, "red")
    root = parse(drawing.figure([line], drawing.axis(EVIL), drawing.axis(EVIL)), label=EVIL)
    assert root.attrib["aria-label"] == EVIL
    assert {element.tag for element in root.iter()} == {"svg", "path", "text"}
    assert EVIL in texts(root)


def test_points_lie_where_their_axes_say():
    scale = scales.Scale({"type": "log"}, [1, 10, 100])
    assert [scale.at(value) for value in (1, 10, 100)] == [0, 0.5, 1]
    assert scale.at(0) is None and scale.at(None) is None
    assert [text for _at, text in scale.ticks] == ["1", "10", "100"]
    names = scales.Scale({"type": "category"}, ["a", "b"])
    assert [names.at(value) for value in ("a", "b", "c")] == [0.25, 0.75, None]
    zero = scales.Scale({"rangemode": "tozero"}, [30, 100])
    assert zero.at(0) == 0 and [text for _at, text in zero.ticks] == ["0", "20", "40", "60", "80", "100"]


@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), max_size=30), st.booleans(), st.booleans())
def test_any_numbers_are_drawn(values, is_log, from_zero):
    kind = {"type": "log"} if is_log else {"rangemode": "tozero"} if from_zero else {}
    line = drawing.line([(float(n), value) for n, value in enumerate(values)], "any", "red")
    root = parse(drawing.figure([line], drawing.axis("x"), drawing.axis("y", **kind)))
    numbers = re.findall(r"-?[\d.]+(?:e[+-]?\d+)?|nan|inf", " ".join(path.attrib["d"] for path in root.iter("path")))
    assert all(math.isfinite(float(number)) and abs(float(number)) < 1e4 for number in numbers)


def test_intervals_of_named_rows_lie_across():
    """As the page of a comparison has them: the first name on top, an end that is beyond the axis cut off."""
    error = {"array": [0.1, 3.0], "arrayminus": [0.1, 0.1]}
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "b",
        "x": [1.0, 1.1],
        "y": ["top", "low"],
        "text": ["x", "y"],
    }
    y = drawing.axis("", autorange="reversed", categoryarray=["top", "low"])
    root = parse(drawing.figure([{**trace, "error_x": error, "marker": {"color": "red"}}], {"range": [0.8, 1.4]}, y))
    places = {text.text: float(text.attrib["y"]) for text in root.iter("text") if text.text in trace["y"]}
    assert places["top"] < places["low"] and "x" not in texts(root)
    bars = [path.attrib["d"] for path in root.iter("path") if path.attrib.get("stroke") == "red"]
    assert [bar.count("v8") for bar in bars] == [2, 1]


def test_phases_have_their_names_where_there_is_room(tmp_path):
    run, _record = finished(tmp_path, "finished")
    plots = figures.figures(content.collect(run))
    told = [shape.get("label", {}).get("text") for shape in plots["throughput"]["layout"]["shapes"]]
    assert told.count("warm-up") == 4 and told.count("measuring") == 4 and None in told, "a pause has no room"
    whole = {shape.get("label", {}).get("text") for shape in plots["node_cpu"]["layout"]["shapes"]}
    assert {"starting", "measuring"} <= whole
    axes = [plots[name]["layout"]["xaxis"]["range"] for name in ("throughput", "response", "utilization")]
    assert axes[0] == axes[1] == axes[2], "one below the other, they can be compared"


def rows(name, *percents):
    return {name: [{"t": 10.5 + n, "cpu_user_percent": p, "cpu_system_percent": 0.0} for n, p in enumerate(percents)]}


def test_how_busy_a_load_made_it():
    nodes = {**rows("service-a", 10.0, 30.0, 80.0), **rows("service-b", 20.0, 40.0, 100.0), **rows("clients-c", 5.0)}
    cases = [{"case": "a", "measure_start": 10.0, "measure_end": 12.0}, {"case": "c"}]
    cases.append({"case": "b", "measure_start": 12.0, "measure_end": 13.0})
    found = utilization.by_load(nodes, {}, cases, lambda case: {"a": 100, "b": 200}.get(case["case"]))
    assert found[utilization.SERVICE] == [(100, 25.0, None), (200, 90.0, None)]
    assert found[utilization.CLIENTS] == [(100, 5.0, None)] and len(found) == 2


@pytest.mark.parametrize(
    ("met", "expected"),
    [
        ((True, True, False), (200, 300)),
        ((True, False, True), (100, 200)),
        ((True, True, True), (None, None)),
        ((False, False, False), (None, None)),
    ],
)
def test_the_capacity_of_a_sweep_lies_between_two_of_its_loads(met, expected):
    names = [f"rate-{rate}" for rate in (100, 200, 300)]
    cases = [
        {"case": name, "offered_rate_per_s": float(name[5:]), "slo": {"met": is_met}}
        for name, is_met in zip(names, met, strict=True)
    ]
    table = sweep.results.Table([row(case=name) for name in names])
    found = sweep.gather({}, cases, table, {}, names)
    assert (found["lower"], found["upper"]) == expected
    bands = figures.load_figures.sweep(found)["sweep_0"]["layout"]["shapes"]
    assert [band["label"]["text"] for band in bands] == (["capacity"] if expected[0] else [])
