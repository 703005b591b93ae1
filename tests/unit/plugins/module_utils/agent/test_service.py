# SPDX-License-Identifier: MIT
"""The service supervisor: every way in which a service starts, fails and ends."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import time

import pytest

LISTEN = (
    "import os,socket,sys,time; s=socket.socket(); s.setsockopt(1,2,1); "
    "s.bind((os.environ['SERVICE_ADDRESS'],int(os.environ['SERVICE_PORT']))); s.listen(9); "
    "print('listening'); sys.stdout.flush(); time.sleep(600)"
)
SERVER = ["/usr/bin/python3", "-c", LISTEN]


def proof(run):
    """The event `stopped`, checked: nothing is left."""
    stopped = run.event("service", "stopped")
    assert stopped["processes_left"] == 0 and stopped["problems"] == []
    assert stopped["port_closed"] in (True, None) and stopped["data_removed"] in (True, None)
    assert run.leftovers() == [] and not run.path("secrets").exists()
    return stopped


def test_the_environment_of_the_container(run):
    text = 'env > "$SERVICE_DATA/../env"; exec "$@"'
    service = run.start("service", "sh", "-c", text, "sh", *SERVER)
    run.wait_event("service", "healthy")
    env = dict(line.split("=", 1) for line in (run.root / "node/env").read_text().splitlines() if "=" in line)
    (run.root / "node/env").unlink()
    endpoint = run.json("control/endpoint.json")["services"][0]
    assert env["SERVICE_PORT"] == env["APPTAINERENV_SERVICE_PORT"] == str(endpoint["port"])
    assert env["SERVICE_ADDRESS"] == endpoint["address"] == "127.0.0.1"
    assert env["SERVICE_SECRETS"] == str(run.path("secrets"))
    assert env["APPTAINERENV_SERVICE_DATA"] == "/aifactory/data"
    assert env["APPTAINERENV_SERVICE_SECRETS"] == "/aifactory/secrets"
    assert env["BENCHMARK_ID"] == env["APPTAINERENV_BENCHMARK_ID"] == run.spec["run_id"]
    assert endpoint["url"] == f"tcp://{endpoint['host']}:{endpoint['port']}"
    run.path("control/stop").write_text("")
    assert service.wait(20) == 0
    assert "stop was requested" in run.event("service", "stopping")["reason"]
    proof(run)


def test_the_models_of_a_service_are_described(run):
    run.ship("models/m.gguf", "weights")
    models = [{"name": name, "layout": "file", "path": str(run.path(f"models/{name}"))} for name in ("m.gguf", "none")]
    run.spec["service"].update(models=models, health={"type": "process", "deadline_s": 20}, port=None)
    service = run.start("service", "sleep", "60")
    run.wait_event("service", "healthy")
    service.send_signal(signal.SIGTERM)
    service.wait(20)
    found, missing = [event for event in run.events("service") if event["event"] == "model_described"]
    assert found["service"] == "thing" and found["weights_sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert "No such file" in missing["missing"]["weights_sha256"]


def test_a_service_that_dies_while_starting(run):
    service = run.start("service", "sh", "-c", "for n in $(seq 30); do echo line $n; done; exit 7")
    assert service.wait(20) == 1
    failed = run.event("service", "service_failed")
    assert failed["exit_code"] == 7 and "exit code 7 while it was starting" in failed["reason"]
    assert failed["log_tail"] == [f"line {n}" for n in range(11, 31)]
    assert run.json("control/service.failed")["reason"] == failed["reason"]
    assert not run.path("control/endpoint.json").exists()
    proof(run)


def test_a_service_that_never_gets_healthy(run):
    run.spec["service"]["health"]["deadline_s"] = 0.5
    service = run.start("service", "sh", "-c", "echo still loading; sleep 600")
    assert service.wait(20) == 1
    failed = run.event("service", "service_failed")
    assert "not healthy after 0.5 s" in failed["reason"] and "refused" in failed["reason"]
    assert failed["log_tail"] == ["still loading"]
    proof(run)


def test_a_service_that_dies_while_it_is_needed(run):
    run.spec["service"].update(port=None, health={})
    service = run.start("service", "sh", "-c", "sleep 1.5; echo oops; exit 1")
    assert service.wait(20) == 1
    assert run.event("service", "service_failed")["log_tail"] == ["oops"]
    proof(run)


def test_a_command_that_is_not_there(run):
    assert run.start("service", "/no/such/apptainer").wait(20) == 1
    assert "cannot start /no/such/apptainer" in run.event("service", "service_failed")["reason"]
    proof(run)


def test_orphans_in_sessions_of_their_own_are_found_and_ended(run):
    """Whoever daemonizes twice and ignores SIGTERM is still a descendant."""
    mark = f"60{os.getpid()}"
    daemon = f"trap '' TERM HUP INT; sleep {mark} & wait; sleep {mark}"
    text = f'setsid sh -c "setsid sh -c \\"{daemon}\\" & exit" & exec "$@"'
    run.spec["service"]["stop_grace_s"] = 0.5
    service = run.start("service", "sh", "-c", text, "sh", *SERVER)
    run.wait_event("service", "healthy")
    run.path("control/clients.done").write_text("{}")
    assert service.wait(20) == 0
    proof(run)
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and mark.encode() in cmdline(pid)]
    assert left == []


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return stream.read()
    except OSError:
        return b""


@pytest.mark.parametrize("moment", ["container_started", "healthy"])
def test_a_signal_at_any_moment(run, moment):
    service = run.start("service", "sh", "-c", 'sleep 0.3; exec "$@"', "sh", *SERVER)
    run.wait_event("service", moment)
    service.send_signal(signal.SIGTERM)
    assert service.wait(20) == 128 + signal.SIGTERM
    assert run.event("service", "stopping")["reason"].startswith("SIGTERM")
    assert not any(event["event"] == "service_failed" for event in run.events("service"))
    proof(run)


def test_no_client_comes(run):
    run.spec["service"]["client_deadline_s"] = 0.5
    service = run.start("service", *SERVER)
    assert service.wait(20) == 0
    assert run.event("service", "stopping")["reason"] == "no client came within 0.5 s"
    proof(run)


def test_a_busy_port_is_avoided(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        run.spec["service"]["port"] = other.getsockname()[1]
        service = run.start("service", *SERVER)
        port = run.wait_event("service", "container_started")["port"]
        assert port != run.spec["service"]["port"]
        run.wait_event("service", "healthy")
        run.path("control/stop").write_text("")
        assert service.wait(20) == 0
    proof(run)


def test_another_s_data_directory_is_not_touched(run):
    directory = run.root / "node" / f"aifactory-{run.spec['run_id']}-service"
    if os.getuid() != 0:
        pytest.skip("only root can make a directory of another user")
    directory.mkdir()
    (directory / "precious").write_text("data")
    assert run.start("service", *SERVER).wait(20) == 1
    reason = run.event("service", "service_failed")["reason"]
    assert str(directory) in reason and "belongs to user 0" in reason and "benchmark_node_tmp" in reason
    assert (directory / "precious").read_text() == "data"


def test_an_interface_that_is_not_there(run):
    run.spec["service_interface"] = "ib9"
    assert run.start("service", *SERVER).wait(20) == 1
    reason = run.event("service", "service_failed")["reason"]
    assert "'ib9'" in reason and "benchmark_service_interface" in reason and "lo" in reason


def test_the_health_command_sees_the_service(run):
    run.spec["service"]["health"] = {"type": "command", "command": 'test -e "$SERVICE_DATA/ready"', "interval_s": 0.05}
    service = run.start("service", "sh", "-c", 'sleep 0.5; touch "$SERVICE_DATA/ready"; sleep 600')
    assert run.wait_event("service", "healthy")["after_s"] >= 0.5
    run.path("control/stop").write_text("")
    assert service.wait(20) == 0
    proof(run)


def test_clients_that_fall_silent(run, monkeypatch):
    """Their heartbeat does not change any more; the reader's clock decides, not the file's."""
    from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir

    pulse = run_dir.Pulse(str(run.root / "alive"))
    assert pulse.silent_s() is None
    (run.root / "alive").write_text("1\n")
    os.utime(run.root / "alive", (1, 1))
    assert pulse.silent_s() < 1
    now = time.monotonic()
    monkeypatch.setattr(run_dir.time, "monotonic", lambda: now + 100)
    assert pulse.silent_s() > 90
    (run.root / "alive").write_text("2\n")
    assert pulse.silent_s() == 0
    (run.root / "alive").unlink()
    assert pulse.silent_s() == 0


METRICS = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        word = open(os.environ["SERVICE_SECRETS"] + "/password").read().strip()
        self.send_response(200 if self.headers["Authorization"] == "Bearer " + word else 401); self.end_headers()
        self.wfile.write(b"# TYPE answers counter\\nanswers 3\\n")
address = os.environ["SERVICE_ADDRESS"]
main = http.server.ThreadingHTTPServer((address, int(os.environ["SERVICE_PORT"])), Handler)
http.server.ThreadingHTTPServer((address, int(os.environ["SERVICE_PORT_METRICS"])), Handler).serve_forever()
"""


def test_metrics_are_kept_from_a_port_of_their_own(run):
    run.spec["service"].update(
        ports={"metrics": 25100},
        metrics={"type": "prometheus", "port": "metrics", "secret": "password", "show": ["answers"]},
    )
    service = run.start("service", "/usr/bin/python3", "-c", METRICS)
    started = run.wait_event("service", "metrics_started")
    assert started["show"] == ["answers"] and started["service"] == "thing"
    assert started["port"] != run.json("control/endpoint.json")["services"][0]["port"]
    run.path("control/stop").write_text("")
    assert service.wait(20) == 0
    done = run.event("service", "metrics_done")
    assert done["failures"] == 0 and done["scrapes"] >= 1, done
    lines = run.path("metrics/thing.csv").read_text().splitlines()
    assert lines[0] == "t,metric,labels,kind,value"
    assert lines[1].endswith(",answers,,counter,3") and lines[-1].endswith(",up,,gauge,1")
    proof(run)


def test_health_is_asked_on_a_port_of_its_own(run):
    run.spec["service"].update(
        ports={"metrics": 25100}, health={"type": "http", "port": "metrics", "secret": "password"}
    )
    program = METRICS.split("main = ", maxsplit=1)[0] + METRICS.splitlines()[-1]
    service = run.start("service", "/usr/bin/python3", "-c", program)
    run.wait_event("service", "healthy")  # nobody listens on the main port
    run.path("control/stop").write_text("")
    assert service.wait(20) == 0
    proof(run)


def test_a_port_of_health_that_the_service_has_not_is_refused(run):
    run.spec["service"]["health"] = {"type": "http", "port": "metric"}
    assert run.start("service", *SERVER).wait(20) == 1
    assert "service.health.port is 'metric'" in run.event("service", "service_failed")["reason"]
    proof(run)


def test_metrics_without_a_port_are_refused_before_the_start(run):
    run.spec["service"].update(port=None, metrics={"type": "prometheus"})
    assert run.start("service", *SERVER).wait(20) == 1
    assert "give service.metrics.port" in run.event("service", "service_failed")["reason"]
    proof(run)


def test_secrets_of_the_recipe_are_variables_of_the_container(run):
    run.spec["service"]["environment_secrets"] = ["HF_TOKEN"]
    run.ship("secrets/env.service.HF_TOKEN", "word of honour")
    service = run.start("service", "sh", "-c", 'env > "$SERVICE_DATA/../env"; exec "$@"', "sh", *SERVER)
    run.wait_event("service", "healthy")
    env = (run.root / "node/env").read_text().splitlines()
    (run.root / "node/env").unlink()
    assert "HF_TOKEN=word of honour" in env and "APPTAINERENV_HF_TOKEN=word of honour" in env
    run.path("control/stop").write_text("")
    assert service.wait(20) == 0
    proof(run)
    assert "honour" not in run.output() + str(run.events("service"))


def test_a_secret_that_is_not_there_is_said(run):
    run.spec["service"]["environment_secrets"] = ["HF_TOKEN"]
    assert run.start("service", *SERVER).wait(20) == 1
    assert "the secret HF_TOKEN of the recipe is not there" in run.event("service", "service_failed")["reason"]
    proof(run)
