# SPDX-License-Identifier: MIT
"""The series of a service against the plain way to work out the same."""

from __future__ import annotations

import itertools

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.telemetry.service_series import Series, read
from hypothesis import given
from hypothesis import strategies as st

TIMES = st.lists(st.integers(0, 30), unique=True).map(sorted)
SPANS = st.tuples(st.integers(-5, 35), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(TIMES, SPANS)
def test_values_of_a_time_are_those_at_each_moment_of_it(times, span):
    one = Series("m", "", "gauge", list(map(float, times)), [float(7 * t) for t in times])
    inside = [t for t in times if span[0] < t < span[1]]
    cuts = [(one.at(a), b - a) for a, b in itertools.pairwise([span[0], *inside, span[1]])]
    assert one.parts(*span) == [(value, seconds) for value, seconds in cuts if value is not None]
    assert one.changes(*span) == len(inside)


def test_some_of_the_series_and_no_line_that_is_cut_short(tmp_path):
    run = RunDirectory(tmp_path / "r")
    lines = [
        "t,metric,labels,kind,value",
        '1,a,"x=""1""",gauge,2',
        "1,b,,counter,3",
        "2,a,,gauge,nan",
        "2,a,,gauge,5",
        "3,a",
    ]
    run.write_text("metrics/x.csv", "\n".join(lines))
    found = read(run, "metrics/x.csv")
    assert [(name, one.times, one.values) for name, one in found.items()] == [
        ('a{x="1"}', [1.0], [2.0]), ("b", [1.0], [3.0]), ("a", [2.0], [5.0]),
    ]  # fmt: skip
    assert list(read(run, "metrics/x.csv", {"b", "c"})) == ["b"]
    assert read(run, "metrics/none.csv") == {}
