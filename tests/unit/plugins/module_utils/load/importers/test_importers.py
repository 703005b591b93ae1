# SPDX-License-Identifier: MIT
"""What all importers have in common: which files are read, what becomes of them, and that bad ones leave nothing."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import foreign
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.foreign import SEND, Imported, Node, Outputs
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError
from hypothesis import given, settings
from hypothesis import strategies as st

from .support import FIXTURES, applied, read, read_text

# parser -> the fixture's files
WHOLE = {
    "vllm-bench": ["vllm_bench/detailed.json"],
    "aiperf": ["aiperf/profile_export.jsonl", "aiperf/profile_export_aiperf.json"],
    "guidellm": ["guidellm/benchmarks.json"],
    "warp": ["warp/mixed.json"],
    "pgbench": [f"pgbench/retries/{path.name}" for path in sorted((FIXTURES / "pgbench/retries").iterdir())],
}
JUNK = st.one_of(st.none(), st.booleans(), st.just("x"), st.just([]), st.just({}), st.just(-1), st.just(1e400))


def test_every_parser_has_a_module_and_fixtures():
    assert set(WHOLE) == set(foreign.PARSERS)
    for parser in foreign.PARSERS:
        assert "BENCHMARK_OUTPUT_DIR" in foreign.load(parser).HINT
    with pytest.raises(LoadError, match="there is no parser 'wrk'; there are vllm-bench, aiperf"):
        foreign.load("wrk")


def test_only_what_is_new_or_has_changed_is_read(tmp_path):
    (tmp_path / "sub").mkdir()
    old, changed = tmp_path / "old.json", tmp_path / "sub" / "changed.json"
    old.write_text("1")
    changed.write_text("1")
    outputs = Outputs(str(tmp_path), "do so")
    with pytest.raises(LoadError, match=r"the tool wrote no \*\.json in BENCHMARK_OUTPUT_DIR; do so"):
        outputs.newest("*.json")
    changed.write_text("22")
    (tmp_path / "metrics.json").write_text("{}")  # the command's own numbers are no result
    assert outputs.fresh("*.json") == [str(changed)]
    newer = tmp_path / "newer.json"
    newer.write_text("3")
    os.utime(newer, ns=(2**60, 2**60 * 2))
    assert outputs.newest("*.json") == str(newer)
    assert outputs.size_before(str(old)) == 1 and outputs.size_before(str(newer)) == 0
    outputs.forget()
    assert outputs.fresh("*") == []


@pytest.mark.parametrize("parser", foreign.PARSERS)
def test_the_real_files_arrive_in_the_result(tmp_path, parser):
    imported = read(parser, tmp_path, *WHOLE[parser])
    _recorder, result = applied(imported)
    assert result["operations"] == imported.operations > 0
    assert sum(kept["count"] for kept in result["errors"].values()) > 0
    facts = imported.facts(str(tmp_path))
    assert facts["tool"] == parser and facts["latency_from"] in ("send", "schedule")
    assert (tmp_path / facts["file"]).is_file()
    json.dumps([result, facts])


@pytest.mark.parametrize("parser", foreign.PARSERS)
def test_nothing_written_is_said_with_what_to_do(tmp_path, parser):
    with pytest.raises(LoadError, match=r"the tool wrote no .* in BENCHMARK_OUTPUT_DIR; run it with"):
        read(parser, tmp_path)


@pytest.mark.parametrize("parser", foreign.PARSERS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_file_that_was_cut_off_is_an_error_that_names_it(tmp_path_factory, parser, data):
    files = {path.rsplit("/", 1)[1]: (FIXTURES / path).read_text() for path in WHOLE[parser]}
    name = data.draw(st.sampled_from(sorted(files)))
    # a report of pgbench that lacks but its last lines may still say all that is asked of it
    most = files[name].index("\nnumber of transactions act") if name == "pgbench.out" else len(files[name].rstrip()) - 1
    files[name] = files[name][: data.draw(st.integers(0, most))]
    with pytest.raises(LoadError) as caught:
        read_text(parser, tmp_path_factory.mktemp("cut"), files)
    assert any(part in str(caught.value) for part in files)


@pytest.mark.parametrize("parser", ["vllm-bench", "aiperf", "guidellm", "warp"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_field_that_is_junk_is_never_more_than_a_load_error(tmp_path_factory, parser, data):
    files = {}
    for path in WHOLE[parser]:
        name, text = path.rsplit("/", 1)[1], (FIXTURES / path).read_text()
        if name.endswith(".jsonl"):
            lines = [json.loads(line) for line in text.splitlines()]
            spoil(data, lines[data.draw(st.integers(0, len(lines) - 1))])
            files[name] = "\n".join(json.dumps(line) for line in lines) + "\n"
        else:
            files[name] = json.loads(text)
            spoil(data, files[name])
    try:
        imported = read_text(parser, tmp_path_factory.mktemp("junk"), files)
        applied(imported)
    except LoadError as e:
        assert any(name in str(e) for name in files)


def spoil(data, value):
    """Replace something inside by junk."""
    while True:
        key = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        inside = value[key]
        if not isinstance(inside, (dict, list)) or not inside or data.draw(st.booleans()):
            value[key] = data.draw(JUNK)
            return
        value = inside


def test_two_runs_of_a_tool_with_statistics_only_are_refused_whole(tmp_path):
    imported = read("warp", tmp_path, "warp/short.json")
    recorder, result = applied(imported)
    with pytest.raises(LoadError, match="two runs can't be merged: `requests: 1`"):
        foreign.apply(imported, recorder)
    assert recorder.result() == result
    # its rows say how many operations there were; an empty histogram beside them would say that there were none
    assert "response_time" not in result["histograms"]


def test_two_runs_are_added_up_one_after_the_other():
    imported = Imported("x", "1", SEND, "/x")
    imported.start, imported.duration_s, imported.operations = 1000.5, 2.0, 2
    imported.times("response_time", [0.1, 0.2])
    imported.count("output_tokens", "token", 5)
    imported.error("bad", "example", 2)
    imported.seconds([(1000.7, 0.1), (1001.6, 0.2)], [1001.4])
    recorder = Recorder(0.0)
    foreign.apply(imported, recorder)
    foreign.apply(imported, recorder, 2.0)
    result = recorder.result()
    assert result["operations"] == 4 and result["histograms"]["response_time"]["sum"] == 600_000
    assert result["counters"] == {"output_tokens": {"unit": "token", "total": 10}}
    assert result["errors"] == {"bad": {"count": 4, "example": "example"}}
    rows = [row[:5] for row in result["series"]]
    assert rows == [
        [0, 1, 1, 100_000, 100_000],
        [1, 1, 0, 200_000, 200_000],
        [2, 1, 1, 100_000, 100_000],
        [3, 1, 0, 200_000, 200_000],
    ]


def test_times_that_go_backwards_are_an_error():
    imported = Imported("x", None, SEND, "/some/file")
    with pytest.raises(LoadError, match="/some/file: response_time has a negative time"):
        imported.times("response_time", [0.1, -0.1])
    with pytest.raises(LoadError, match="/some/file: the mean of response_time is negative"):
        imported.statistic("response_time", "mean", -0.1)
    assert imported.histograms == {} and imported.statistics == []


def test_operations_that_took_no_time_are_an_error():
    imported = Imported("x", None, SEND, "/some/file")
    imported.operations = 3
    with pytest.raises(LoadError, match="/some/file: says that 3 operations took no time"):
        applied(imported)


@pytest.mark.parametrize(
    ("field", "ask", "message"),
    [
        ("none", "number", "/f: part.none is missing"),
        ("absent", "text", "/f: part.absent is missing"),
        ("text", "number", '/f: part.text is no number: "a"'),
        ("yes", "number", "/f: part.yes is no number: true"),
        ("half", "whole", "/f: part.half is no whole number >= 0: 0.5"),
        ("below", "whole", "/f: part.below is no whole number >= 0: -1"),
        ("huge", "number", "/f: part.huge is no finite number"),
        ("number", "node", "/f: part.number is no object: 1"),
        ("number", "nodes", "/f: part.number is no list: 1"),
        ("mixed", "numbers", '/f: part.mixed has "b" among its numbers'),
    ],
)
def test_fields_name_file_and_path(field, ask, message):
    values = {
        "none": None,
        "text": "a",
        "yes": True,
        "half": 0.5,
        "below": -1,
        "huge": float("inf"),
        "number": 1,
        "mixed": [1, "b"],
    }
    with pytest.raises(LoadError) as caught:
        getattr(Node(values, "/f", "part"), ask)(field)
    assert str(caught.value) == message


def test_the_fixtures_are_small_and_say_nothing_of_where_they_were_made():
    for path in FIXTURES.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.stat().st_size < 60_000, path
            text = path.read_text()
            assert "/root/" not in text and "/work/" not in text and "/home/" not in text, path
