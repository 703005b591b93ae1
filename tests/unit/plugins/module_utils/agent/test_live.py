# SPDX-License-Identifier: MIT
"""Live metrics: a real Prometheus finds the agents of a run, asks them, and loses them when the run is over."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir, telemetry
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import board, samples, server, targets

from ...plugin_utils.monitoring.prometheus import prometheus

ANSWER = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'thing_requests_total{run="mine",kind="get"} 7\\naifactory_run_valid 1\\n'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass

HTTPServer((os.environ["SERVICE_ADDRESS"], int(os.environ["SERVICE_PORT"])), Handler).serve_forever()
"""
TOKEN = "a-token-that-is-long-enough-for-it-all"


@pytest.fixture
def live(run):
    """A run with live metrics, and a service that tells its own."""
    run.targets = run.path("targets")
    run.spec["live"] = {
        "targets": str(run.targets),
        "labels": {"run": run.spec["run_id"], "cluster": "c", "recipe": "r"},
    }
    run.spec["service"].update(metrics={"type": "prometheus"}, health={"type": "tcp", "interval_s": 0.05})
    run.spec["clients"].update(count=2, command="sleep 0.01")
    run.spec["benchmarks"].update(duration_s=4.0, warmup_s=1.0, cases=[{"name": "a", "concurrency": 1, "rate": 40}])
    return run


def config(run):
    return yaml.safe_dump({
        "global": {"scrape_interval": "500ms"},
        "scrape_configs": [{
            "job_name": "live", "honor_labels": True,
            "authorization": {"credentials_file": str(run.targets / targets.TOKEN)},
            "file_sd_configs": [{"files": [f"{run.targets}/*.json"], "refresh_interval": "1s"}],
        }],
    })  # fmt: skip


def eventually(look, timeout_s=20):
    end = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


# What a run tells while it goes on: series that must be there, by labels that they must have.
SERIES = {
    'aifactory_run_phase{phase="measuring"} == 1': (),
    'aifactory_load_operations_per_second{phase="measure"} > 0': ("case", "repetition", "run", "cluster", "recipe"),
    'aifactory_load_response_time_mean_seconds{case="a"} > 0.009': (),
    'aifactory_load_offered_per_second{phase="measure"} > 0': (),
    'aifactory_load_operations_total{case="a"} > 0': (),
    "aifactory_load_clients == 2": (),
    "aifactory_load_repetitions == 1": (),
    'aifactory_node_memory_used_bytes{role="service"} > 0': ("node",),
    'aifactory_node_service_cpu_ratio{role="service"} >= 0': (),
    'aifactory_node_memory_used_bytes{role="clients"} > 0': ("node",),
    "aifactory_service_up == 1": ("service",),
    'thing_requests_total{kind="get",exported_run="mine"} == 7': ("service", "run"),
    "exported_aifactory_run_valid == 1": (),
}


def test_prometheus_sees_a_run_while_it_goes_on(live, tmp_path):
    # started first: it may need longer than the run takes
    with prometheus(tmp_path, config(live)) as asked:
        service = live.start("service", "/usr/bin/python3", "-c", ANSWER)
        clients = live.start("clients")

        def values(query):
            return asked.get("query", query=query)["result"]

        eventually(lambda: len(values("up == 1")) == 2)
        assert {one["metric"]["role"] for one in values("up")} == {"service", "clients"}
        missing = dict(SERIES)

        def all_seen():
            for query, labels in list(missing.items()):
                found = values(query)
                if found:
                    assert set(labels) <= set(found[0]["metric"]), found
                    assert found[0]["metric"]["run"] == live.spec["run_id"]
                    del missing[query]
            return not missing

        try:
            eventually(all_seen)
        except AssertionError:
            raise AssertionError(f"{list(missing)}\n{live.output()}") from None
        token = (live.targets / targets.TOKEN).read_text()
        assert live.targets.stat().st_mode & 0o777 == 0o700
        assert (live.targets / targets.TOKEN).stat().st_mode & 0o777 == 0o600
        assert clients.wait(60) == 0 and service.wait(20) == 0, live.output()
        assert [path.name for path in live.targets.iterdir()] == [targets.TOKEN]
        eventually(lambda: not asked.get("targets")["activeTargets"])
    for source in ("service", "clients"):
        done = live.event(source, "live_done")
        assert done["scrapes"] > 0 and done["refused"] == 0 and done["target_removed"] and done["port_closed"]
    (case,) = live.json("results/cases.json")
    assert case["failed_clients"] == [] and case["errors"] == {}
    for path in live.path("").rglob("*"):
        assert not path.is_file() or path.name == targets.TOKEN or token not in path.read_text(errors="replace"), path


def test_a_run_without_live_metrics_opens_nothing(run):
    run.spec["service"].update(port=None, health={}, secrets=[], data=False)
    run.spec["benchmarks"].update(duration_s=None, requests=1, warmup_s=0)
    run.start("service", "sleep", "60")
    assert run.start("clients").wait(60) == 0
    assert not any(event["event"].startswith("live") for event in run.events("clients") + run.events("service"))


def test_what_goes_wrong_with_it_is_no_reason_to_fail(live):
    live.targets.write_text("no directory")
    live.spec["service"].update(port=None, health={}, metrics={}, secrets=[], data=False)
    live.spec["benchmarks"].update(
        duration_s=None, requests=1, warmup_s=0, cases=[{"name": "a", "concurrency": 1, "rate": None}]
    )
    live.start("service", "sleep", "60")
    assert live.start("clients").wait(60) == 0, live.output()
    assert "exists" in live.event("clients", "live_missing")["reason"]


# -- the server ------------------------------------------------------------------------------------------------


@pytest.fixture
def served():
    """A server with a page of its own: (port, pages made, the server)."""
    made = []

    def page():
        made.append(1)
        return "a 1\n" * 100000

    found = server.Server("127.0.0.1", 0, TOKEN, page)
    found.start()
    yield found.listener.getsockname()[1], made, found
    found.stop()


def ask(port, path="/metrics", token=TOKEN, method="GET"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_only_who_has_the_token_is_answered(served):
    port, made, _server = served
    for token in (None, "", "wrong", TOKEN[:-1], TOKEN + "x"):
        assert ask(port, token=token) == (401, b"")
    assert made == [], "nothing was looked up for them"
    assert ask(port)[0] == 200 and len(ask(port)[1]) == 400000
    assert ask(port, method="HEAD") == (200, b"")
    assert ask(port, path="/")[0] == 404 and ask(port, method="POST")[0] == 405
    assert len(made) <= 2, "within a second the text stays the same"


def test_a_caller_who_never_ends_holds_up_nobody(served, monkeypatch):
    monkeypatch.setattr(server, "_DEADLINE_S", 0.5)
    port, _made, serving = served
    slow = [socket.create_connection(("127.0.0.1", port)) for _number in range(10)]
    for one in slow:
        one.sendall(b"GET /metrics HTTP/1.1\r\n")
    assert ask(port)[0] == 200
    eventually(lambda: not serving.callers, 5)
    assert all(one.recv(10) == b"" for one in slow)


def test_a_request_without_end_is_refused(served):
    port, made, _server = served
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(b"x" * 8192)
        assert caller.recv(100).startswith(b"HTTP/1.1 431")
    assert made == []


def test_many_callers_are_let_wait(served):
    """Each has its turn, and no more than so many in a second."""
    port, _made, serving = served
    most = server._MOST_A_SECOND
    callers = [socket.create_connection(("127.0.0.1", port)) for _number in range(server._MOST_CONNECTIONS)]
    eventually(lambda: len(serving.callers) == server._MOST_CONNECTIONS, 3)
    assert serving.accepted <= most
    for caller in callers:
        caller.close()
    eventually(lambda: ask(port)[0] == 200, 5)


def test_its_end_closes_the_port_at_once(served):
    port, _made, serving = served
    with socket.create_connection(("127.0.0.1", port)):
        assert set(serving.stop()) == {"scrapes", "refused", "seconds"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


# -- what is told ----------------------------------------------------------------------------------------------


def test_what_is_old_is_not_told(monkeypatch):
    told = board.Board()
    told.tell("node", samples.of_node, {"t": 1.0, "cpu_user_percent": 50.0, "cpu_power_w": None}, "service", "n1")
    assert 'aifactory_node_cpu_user_ratio{role="service",node="n1"} 0.5\n' in told.text()
    assert "power" not in told.text()
    later = time.monotonic() + board.VALID_S + 1
    monkeypatch.setattr(board.time, "monotonic", lambda: later)
    assert "cpu_user" not in told.text()


def test_what_held_a_gpu_back_is_0_when_it_does_not_any_more():
    gpus = samples.Gpus("n1")
    values = {
        "power_w": 300.5,
        "energy_j": 12.0,
        "throttle_reasons": "sw_power_cap|hw_slowdown",
        "temperature_celsius": None,
    }
    first = {(name, labels): value for name, labels, value in gpus.samples(0, "GPU-1", values)}
    where = 'node="n1",gpu="0",uuid="GPU-1"'
    assert first["aifactory_gpu_power_watts", where] == 300.5
    assert first["aifactory_gpu_energy_joules_total", where] == 12
    second = {labels: value for name, labels, value in gpus.samples(0, "GPU-1", {"throttle_reasons": "hw_slowdown"})}
    assert second == {where + ',reason="hw_slowdown"': True, where + ',reason="sw_power_cap"': False}


def test_a_service_with_too_much_to_say_is_cut():
    told = board.Board()
    found = [(f"thing_{number}", "", "gauge", 1.0) for number in range(board.MOST_SAMPLES + 5)]
    told.tell("service", samples.of_service, "thing", found)
    text = told.text()
    assert "aifactory_live_left_out 5\n" in text and text.count("\nthing_") == board.MOST_SAMPLES


def test_the_clients_nodes_are_read_from_the_ends_of_their_files(tmp_path):
    columns = telemetry.COLUMNS
    rows = {"n1": time.time(), "n2": time.time() - 60}
    for node, t in rows.items():
        row = ",".join([f"{t:.3f}", "25", *[""] * (len(columns) - 2)])
        (tmp_path / f"clients-{node}.csv").write_text(f"{','.join(columns)}\n{row}\n{row[:8]}")
    found = list(samples.ClientNodes(str(tmp_path)).samples())
    assert found == [("aifactory_node_cpu_user_ratio", 'role="clients",node="n1"', 0.25)]
    assert list(samples.ClientNodes(str(tmp_path / "none")).samples()) == []


def test_the_first_makes_the_token_and_all_use_it(tmp_path):
    folder = tmp_path / "monitoring/targets"
    first = targets.token(str(folder))
    assert targets.token(str(folder)) == first and len(first) >= 40
    assert [path.name for path in folder.iterdir()] == ["token"]
    (folder / "token").write_text("short")
    with pytest.raises(run_dir.AgentError, match="holds no token"):
        targets.token(str(folder))


def test_a_target_file_is_prometheus_form(tmp_path):
    file = targets.TargetFile(str(tmp_path), "20260101-000000-x-0000", "service", "n/1")
    file.write("10.0.0.1", 20001, {"run": "r"})
    path = tmp_path / "20260101-000000-x-0000-service-n_1.json"
    assert json.loads(path.read_text()) == [{"targets": ["10.0.0.1:20001"], "labels": {"run": "r"}}]
    assert file.remove() and file.remove() and not path.exists()
