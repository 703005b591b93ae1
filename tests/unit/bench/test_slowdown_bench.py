# SPDX-License-Identifier: MIT
"""A short version of the bench with so large a change that chance has no part in it: the whole one is
`make bench-slowdown`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    found = __import__("bench_slowdown")
    yield found
    for name in ("bench_slowdown", "local_run"):
        sys.modules.pop(name)


def test_a_slow_server_is_found_by_real_clients_and_the_whole_path(bench, tmp_path):
    options = bench.parsed(["--duration-s=0.2", "--warmup-s=0", "--threshold=50%"])
    with bench.local_run.Machine(tmp_path) as machine:
        experiment = bench.Experiment(machine, options)
        quick, slow = experiment.run(0.01, repetitions=3), experiment.run(0.2, repetitions=3)
        record = experiment.compare(quick, slow)
    assert record["comparisons"][0]["verdict"] == "worse"
    assert experiment.compare(slow, quick)["comparisons"][0]["verdict"] == "better"
    throughput = next(number for number in record["comparisons"][0]["numbers"] if number["metric"] == "throughput")
    assert throughput["observations"] == [3, 3]
    assert throughput["verdict"] == "worse"
    assert "service.settings.delay_s" in [each["what"] for each in record["differences"]]
    assert {"run.json", "results.csv", "provenance.json", "histograms"} <= {path.name for path in quick.path.iterdir()}
    assert (tmp_path / "store.db").exists()


def test_what_is_wrong(bench):
    found = {"unchanged": Counter(same=18, better=1, worse=1), "planted": Counter(worse=18, undecided=1, same=1)}
    assert bench.wrong(found, 20) == [
        "2 of 20 verdicts on unchanged runs are wrong", "2 of 20 planted slow-downs are missed",
    ]  # fmt: skip
    assert bench.wrong({"unchanged": Counter(undecided=20), "planted": Counter(worse=19, undecided=1)}, 20) == []
