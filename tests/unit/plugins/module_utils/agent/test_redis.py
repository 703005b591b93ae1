# SPDX-License-Identifier: MIT
"""The workload redis through both agents: a real Redis with the run's password, several clients, a sweep."""

from __future__ import annotations

import csv
import shutil

import pytest

START_REDIS = """
exec redis-server --save '' --dir "$SERVICE_DATA" --bind "$SERVICE_ADDRESS" --port "$SERVICE_PORT" \
  --requirepass "$(cat "$SERVICE_SECRETS/password")"
"""


def test_a_sweep_of_value_sizes_by_two_clients(run):
    if shutil.which("redis-server") is None:
        pytest.skip("Redis is not installed (apt-get install redis-server)")
    run.spec["service"].update(name="redis", port=26379, scheme="redis")
    settings = {"secret": "password", "keys": 500, "operations": {"get": 3, "set": 1}}
    run.spec["clients"].update(type="redis", count=2, settings=settings, command=None)
    run.spec["benchmarks"].update(
        warmup_s=0.2,
        cases=[
            {"name": f"size-{size}", "concurrency": 4, "rate": None, "settings": {"value_size": size}}
            for size in (10, 10000)
        ],
    )
    service = run.start("service", "sh", "-c", START_REDIS)
    clients = run.start("clients")
    assert clients.wait(60) == 0, run.output()
    assert service.wait(20) == 0, run.output()

    for case in run.json("results/cases.json"):
        assert case["errors"] == {} and case["clients"] == 2
    with run.path("results/results.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    merged = {
        (row["case"], row["metric"], row["statistic"]): float(row["value"]) for row in rows if row["client"] == "all"
    }
    for size in (10, 10000):
        name = f"size-{size}"
        gets, sets = (merged[name, f"response_time_{kind}", "count"] for kind in ("get", "set"))
        operations = merged[name, "operations", "value"]
        assert operations == gets + sets == merged[name, "commands", "value"] > 0
        assert merged[name, "commands_per_s", "value"] == pytest.approx(merged[name, "throughput", "value"], rel=0.01)
        answers = gets * (len(b"$%d\r\n\r\n" % size) + size) + sets * len(b"+OK\r\n")
        assert merged[name, "bytes_received", "value"] == answers
