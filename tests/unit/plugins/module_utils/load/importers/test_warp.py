# SPDX-License-Identifier: MIT
"""warp's JSON, made by hand (see the fixtures' README) of operations whose times are known."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .support import load_json, read, read_text

MIB = 1 << 20
# What fixtures/importers/tools/make_warp.py made them of (ms).
FIRST, SECOND, PUTS = range(1, 101), range(201, 251), range(11, 51)


def rows_of(imported, metric):
    return {statistic: value for name, _unit, statistic, value in imported.statistics if name == metric}


def test_one_segment_has_percentiles(tmp_path):
    imported = read("warp", tmp_path, "warp/short.json")
    assert (imported.version, imported.latency_from) == ("1.6.1", "send")
    assert (imported.operations, imported.duration_s) == (100, 15.5)
    assert imported.start == 1795622400.25  # 2026-11-25T17:00:00.25+01:00
    rows = rows_of(imported, "response_time_get")
    assert rows == rows_of(imported, "response_time")
    # warp takes the element at round(n * share): of 1 to 100 the 51st, 91st, and the last
    assert rows == pytest.approx(
        {"count": 100, "mean": 0.0505, "min": 0.001, "max": 0.1, "p50": 0.051, "p90": 0.091, "p99": 0.1}
    )
    first_bytes = rows_of(imported, "time_to_first_byte_get")
    assert first_bytes == pytest.approx({name: value if name == "count" else value / 2 for name, value in rows.items()})
    assert imported.counters == {"bytes_received": ["B", 100 * MIB]}


def test_percentiles_of_several_segments_are_not_made_up(tmp_path):
    imported = read("warp", tmp_path, "warp/mixed.json")
    gets = [*FIRST, *SECOND]
    assert rows_of(imported, "response_time_get") == pytest.approx(
        {"count": 150, "mean": sum(gets) / 150 / 1e3, "min": 0.001, "max": 0.25}
    )
    assert rows_of(imported, "response_time_put")["p50"] == pytest.approx(0.031)
    everything = [*gets, *PUTS]
    assert rows_of(imported, "response_time")["mean"] == pytest.approx(sum(everything) / 190 / 1e3)
    assert imported.counters == {"bytes_received": ["B", 150 * MIB], "bytes_sent": ["B", 40 * MIB]}
    assert imported.operations == 189 and imported.errors == {"failed": [1, "connection reset"]}


def test_an_analysis_of_all_requests_has_percentiles_of_the_whole(tmp_path):
    imported = read("warp", tmp_path, "warp/analysis.json")
    gets = sorted([*FIRST, *SECOND])
    rows = rows_of(imported, "response_time")
    for statistic, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        assert rows[statistic] * 1e3 == gets[min(149, int(150 * share + 0.5))]
    assert rows["max"] == 0.25 and imported.operations == 150
    # the PUTs before were the preparation
    assert imported.counters == {"bytes_received": ["B", 150 * MIB]}
    assert not rows_of(imported, "response_time_put")
    assert imported.errors["failed"][0] == 2


def test_a_mixed_analysis_has_all_kinds(tmp_path):
    report = load_json("warp/analysis.json") | {"mixed": True}
    report["mixed_server_stats"] = report["operations"][0]["throughput"] | {"ops": 190}
    imported = read_text("warp", tmp_path, {"warp.json": report})
    assert imported.operations == 190 and not rows_of(imported, "response_time")
    assert rows_of(imported, "response_time_put")["count"] == 40
    assert rows_of(imported, "response_time_get")["count"] == 150


def test_objects_of_different_sizes_have_a_mean(tmp_path):
    report = load_json("warp/short.json")
    sizes = [{"requests": 30, "avg_duration_millis": 10.0}, {"requests": 10, "avg_duration_millis": 50.0}]
    multi = {"requests": 40, "by_size": sizes}
    for aggregate in (report["total"], report["by_op_type"]["GET"]):
        segments = next(iter(aggregate["requests_by_client"].values()))
        segments[:] = [{"multi_sized_requests": multi}, {"multi_sized_requests": {"skipped": True}}]
    imported = read_text("warp", tmp_path, {"warp.json": report})
    assert rows_of(imported, "response_time_get") == pytest.approx({"count": 40, "mean": 0.02})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v": 3}, "v is 3, known is 2"),
        ({"v": None}, "v is missing"),
        ({"final": False}, "final says that warp was ended before its time"),
        ({"total": {"total_errors": 0, "start_time": "yesterday"}}, "total.start_time is no time: yesterday"),
        ({"by_op_type": []}, "by_op_type is no object: []"),
        ({"operations": [], "mixed": False}, "operations are all skipped: warp wants a longer run"),
    ],
)
def test_bad_files_name_the_field(tmp_path, change, message):
    with pytest.raises(LoadError) as caught:
        read_text("warp", tmp_path, {"warp.json": load_json("warp/short.json") | change})
    assert str(caught.value) == f"{tmp_path}/warp.json: {message}"
