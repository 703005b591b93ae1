# SPDX-License-Identifier: MIT
"""Several replicas, and one service on several nodes, on a real cluster."""

from __future__ import annotations

import json

import pytest

from .conftest import assert_measured, assert_nothing_left, read_json

pytestmark = [pytest.mark.integration, pytest.mark.cluster("local2411")]

NGINX = """
service:
  type: nginx
  nodes: 2
  replicas: 2
  time_limit: "00:05:00"
client:
  type: http
  settings: {path: /1k}
  time_limit: "00:05:00"
benchmarks: {num_clients: 2, duration: 2s, warmup: 1s, rate: 200}
"""
REDIS = """
service:
  type: redis
  nodes: 2
  replicas: 4
  time_limit: "00:05:00"
client:
  type: redis
  placement: shared
benchmarks: {num_clients: 2, duration: 2s, warmup: 1s, rate: 200}
"""
POSTGRESQL = """
service:
  type: postgresql
  replicas: 2
  settings: {fsync: false}
  time_limit: "00:05:00"
client:
  type: pgbench
  settings: {scale: 1}
  placement: together
  time_limit: "00:05:00"
benchmarks: {num_clients: 2, duration: 2s, warmup: 2s}
"""
# The head tells what the others have told it, and the clients talk to it alone.
HEAD = """
service:
  name: pair
  image: docker://docker.io/library/python:3.13-slim
  port: 8000
  nodes: 2
  settings: {multi_node: head}
  command: >-
    echo "rank $SERVICE_RANK of $SERVICE_RANKS on $SERVICE_ADDRESS, peers $SERVICE_PEERS";
    if [ "$SERVICE_RANK" = 0 ]; then exec python3 -m http.server --bind "$SERVICE_ADDRESS" "$SERVICE_PORT"; fi;
    exec sleep 600
  time_limit: "00:05:00"
client:
  command: test -n "$SERVICE_URL" && test "$SERVICE_URLS" = "$SERVICE_URL"
  time_limit: "00:05:00"
benchmarks: {num_clients: 1, requests: 20}
"""
FAILS = """
service:
  name: pair
  image: docker://docker.io/library/python:3.13-slim
  port: 8000
  nodes: 2
  replicas: 2
  command: >-
    python3 -m http.server --bind "$SERVICE_ADDRESS" "$SERVICE_PORT" & server=$!;
    if [ "$SERVICE_REPLICA" = 1 ]; then sleep 4; echo the disk is gone; kill $server; exit 3; fi;
    wait $server
  time_limit: "00:05:00"
client:
  type: http
  time_limit: "00:05:00"
benchmarks: {num_clients: 1, duration: 60s, rate: 20}
"""


def endpoints(home, run_id):
    """What the clients found."""
    lines = (home / "runs" / run_id / "events.jsonl").read_text().splitlines()
    [found] = [event for event in map(json.loads, lines) if event["event"] == "endpoint_found"]
    return found["services"]


SCRAPED = {
    "nginx": (NGINX, 2, "nginx_http_requests_total"),
    "redis": (REDIS, 4, "redis_total_commands_processed"),
    "postgresql": (POSTGRESQL, 2, "pg_stat_database_xact_commit"),
}


@pytest.mark.parametrize("service", SCRAPED)
def test_replicas_share_the_load(play, home, recipe, service):
    text, count, metric = SCRAPED[service]
    played = play("run", "-e", f"recipe={recipe(text)}")
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    found = endpoints(home, run_id)
    assert len(set(found)) == count, found
    report = (home / "runs" / run_id / "report.md").read_text()
    assert f"{count} replicas on " in report
    for number in range(1, count + 1):
        scraped = (home / "runs" / run_id / "metrics" / f"{service}-{number}.csv").read_text()
        assert metric in scraped and f"{service}-{number}" in report
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


def test_a_service_with_a_head(play, home, recipe):
    played = play("run", "-e", f"recipe={recipe(HEAD)}")
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    assert len(endpoints(home, run_id)) == 1
    logs = [(home / "runs" / run_id / "logs" / name).read_text() for name in ("service.log", "service-001.log")]
    assert "rank 0 of 2" in logs[0] and "rank 1 of 2" in logs[1]
    assert logs[0].split("peers ")[1].splitlines()[0] == logs[1].split("peers ")[1].strip()
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


def test_one_replica_that_fails_ends_the_run(play, home, recipe):
    played = play("run", "-e", f"recipe={recipe(FAILS)}")
    [run_id] = played.run_ids()
    assert played.rc != 0
    record = read_json(home, run_id, "run.json")
    assert record["state"] == "failed" and record["verdict"] == "INVALID"
    text = " ".join(played.output.split())
    assert "member 1 of the service on mfl0002: the service ended with exit code 3 while it was needed" in text, (
        played.output
    )
    assert "the disk is gone" in played.output and "see logs/service-001.log" in text
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])
