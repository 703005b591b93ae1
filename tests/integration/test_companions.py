# SPDX-License-Identifier: MIT
"""Several services in one recipe, on a real cluster."""

from __future__ import annotations

import json

import pytest

from .conftest import assert_measured, assert_nothing_left, read_json

pytestmark = [pytest.mark.integration, pytest.mark.cluster("local2411")]

# A server that asks its two stores for what it answers; both need a password, and one has another setting.
TEXT = """
services:
  - name: front
    image: docker://docker.io/library/python:3.13-slim
    port: 8000
    command: |-
      exec python3 - <<'PYTHON'
      import os, socket
      from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

      def ask(name):
          password = open(f"/aifactory/secrets/{{name}}/password").read().strip()
          where = os.environ[f"SERVICE_{{name.upper()}}_ADDRESS"], int(os.environ[f"SERVICE_{{name.upper()}}_PORT"])
          with socket.create_connection(where) as store:
              store.sendall(f"AUTH {{password}}\\r\\nCONFIG GET maxmemory\\r\\n".encode())
              text = b""
              while text.count(b"\\r\\n") < 6:
                  text += store.recv(4096)
          return text.split(b"\\r\\n")[5].decode()

      class Handler(BaseHTTPRequestHandler):
          protocol_version = "HTTP/1.1"

          def do_GET(self):
              body = f"first {{ask('first')}} second {{ask('second')}}".encode()
              self.send_response(200)
              self.send_header("Content-Length", str(len(body)))
              self.end_headers()
              self.wfile.write(body)

          def log_message(self, *words):
              pass

      address = os.environ["SERVICE_ADDRESS"], int(os.environ["SERVICE_PORT"])
      ThreadingHTTPServer(address, Handler).serve_forever()
      PYTHON
    time_limit: "00:05:00"
  - name: first
    type: redis
    settings: {{maxmemory: 100mb}}
    time_limit: "00:05:00"
  - name: second
    type: redis
    {second}
    time_limit: "00:05:00"
client:
  type: http
  placement: {placement}
  settings: {{contains: first 104857600 second 0}}
  time_limit: "00:05:00"
benchmarks: {{num_clients: 1, duration: 2s, warmup: 1s, rate: 50}}
"""


def recipe_text(placement="separate", second=""):
    return TEXT.format(placement=placement, second=second)


@pytest.mark.parametrize("placement", ["separate", "together", "shared"])
def test_the_benchmarked_service_finds_the_others(play, home, recipe, placement):
    played = play("run", "-e", f"recipe={recipe(recipe_text(placement))}")
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    run = home / "runs" / run_id
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    [main] = [e for e in events if e["event"] == "container_started" and e["service"] == "front"]
    healthy = {e["service"]: e["t"] for e in events if e["event"] == "member_healthy"}
    assert set(healthy) == {"first", "second"} and max(healthy.values()) < main["t"]
    assert len({e["node"] for e in events if e["event"] == "container_started"}) == 3
    report = (run / "report.md").read_text()
    assert "front (container), with first (redis) and second (redis), 1 http client" in report
    assert "redis\\_total\\_commands" in report, "they tell their metrics"
    teardown = read_json(home, run_id, "teardown.json")
    assert teardown["clean"], teardown
    assert_nothing_left([run_id])


def test_what_a_companion_needs_is_fetched_before_all_start(play, home, recipe):
    text = recipe_text(second="prefetch: ['test \"$SERVICE_NAME\" = second && echo fetched']")
    played = play("run", "-e", f"recipe={recipe(text)}")
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    assert "fetched" in (home / "runs" / run_id / "logs/prefetch.log").read_text().splitlines()
    jobs = {job["role"]: job for job in read_json(home, run_id, "run.json")["jobs"]}
    assert jobs["image"]["end"] <= jobs["service"]["start"]
    assert_nothing_left([run_id])


def test_a_companion_that_fails(play, home, recipe):
    text = recipe_text(second="settings: {extra_parameters: {nonsense: 1}}")
    played = play("run", "-e", f"recipe={recipe(text)}")
    [run_id] = played.run_ids()
    assert played.rc != 0
    said = " ".join(played.output.split())
    assert "the service second on mfl0003: the service ended with exit code 1" in said, played.output
    assert "nonsense" in said and "see logs/service-second.log" in said
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


def test_their_images_can_be_had_beforehand(play, recipe):
    had = play("images", "-e", f"recipe={recipe(recipe_text())}")
    assert had.rc == 0, had.output
    said = " ".join(had.output.split())
    assert "/tools.sif: at /" in said and "/redis.sif: at /" in said
