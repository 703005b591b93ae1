# SPDX-License-Identifier: MIT
"""The runs of one play beside one another."""

from __future__ import annotations

import json

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import side_by_side
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory


def record(cluster: str, value: float, verdict: str | None = "VALID", case: str = "max") -> dict:
    line = {"case": case, "metric": "throughput", "unit": "1/s", "statistic": "mean", "value": value}
    return {
        "cluster": cluster,
        "state": "finished",
        "verdict": verdict,
        "headline": [{**line, "samples": 9, "repetitions": 1, "half_width": None}],
    }


def write(home, run_id: str, group: str, content: dict) -> None:
    folder = home / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"group": group}))
    (folder / "run.json").write_text(json.dumps(content))


def test_the_runs_of_one_play_are_found_by_their_group(tmp_path):
    write(tmp_path, "20261130-235959-q-0001", "g", record("beta", 1))
    write(tmp_path, "20261201-000000-q-0002", "g", record("alpha", 2))
    write(tmp_path, "20261201-000000-q-0003", "other", record("alpha", 3))
    found = side_by_side.of_one_play(tmp_path, RunDirectory(tmp_path / "runs/20261201-000000-q-0002"))
    assert [(each["cluster"], each["headline"][0]["value"]) for each in found] == [("alpha", 2), ("beta", 1)]


def test_a_column_for_each_cluster_and_what_one_lacks_is_a_dash():
    text = side_by_side.text([record("alpha", 100.0), record("beta", 50.0, "INVALID", case="rate-200")])
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["case", "metric", "alpha", "beta"]
    assert lines[1] == ["VALID", "INVALID"]
    assert lines[2][0] == "max" and lines[2][-2:] == ["100/s", "-"]
    assert lines[3][0] == "rate-200" and lines[3][-2:] == ["-", "50/s"]


def test_many_clusters_stay_within_80_columns():
    text = side_by_side.text([record(f"a-cluster-{number}", 12345.6) for number in range(7)])
    assert all(len(line) <= 80 for line in text.splitlines())
    assert sum("case" in line for line in text.splitlines()) == 3
