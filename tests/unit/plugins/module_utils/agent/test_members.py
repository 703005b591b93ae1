# SPDX-License-Identifier: MIT
"""Replicas and a service on several nodes: real agents side by side, as srun starts them."""

from __future__ import annotations

import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import members, run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.members import Members

from .test_service import SERVER, proof

SAY = ["sh", "-c", 'env | grep ^SERVICE_ >"$SERVICE_DATA/../env-$SERVICE_RANK-$SERVICE_REPLICA"; exec "$@"', "sh"]


def start_all(run, layout, argv, multi_node=None):
    """One agent for each member of a service."""
    run.spec["service"].update(layout=layout, multi_node=multi_node)
    count = layout["replicas"] * layout["nodes_per_replica"]
    return [run.start("service", *argv, SLURM_PROCID=str(n), SLURM_LOCALID=str(n)) for n in range(count)]


def environment(run, rank, replica):
    """What the container of a member found around it."""
    path = run.root / f"node/env-{rank}-{replica}"
    found = dict(line.split("=", 1) for line in path.read_text().splitlines())
    path.unlink()
    return found


def end(run, agents):
    """Stop them in order, and check each one's proof."""
    run.path("control/stop").write_text("")
    assert [agent.wait(20) for agent in agents] == [0] * len(agents)
    for number in range(1, len(agents)):
        [stopped] = [e for e in run.events(f"service-{number:03d}") if e["event"] == "stopped"]
        assert stopped["member"] == number and stopped["processes_left"] == 0 and stopped["data_removed"]
    proof(run)


def test_replicas_know_nothing_of_one_another(run):
    layout = {"replicas": 2, "nodes_per_replica": 1, "replicas_per_node": 2, "gpus": 0}
    agents = start_all(run, layout, [*SAY, *SERVER])
    run.wait_event("service", "healthy")
    services = run.json("control/endpoint.json")["services"]
    assert [(s["name"], s["replica"]) for s in services] == [("thing-1", 0), ("thing-2", 1)]
    assert services[0]["port"] != services[1]["port"], "they are on one node"
    for number, service in enumerate(services):
        env = environment(run, 0, number)
        assert env["SERVICE_PORT"] == env["SERVICE_HEAD_PORT"] == str(service["port"])
        assert (env["SERVICE_NAME"], env["SERVICE_RANKS"]) == (service["name"], "1")
        assert env["SERVICE_PEERS"] == f"{service['address']}:{service['port']}"
    end(run, agents)


@pytest.mark.parametrize(("multi_node", "names"), [("head", ["thing"]), ("peers", ["thing-1", "thing-2"])])
def test_a_service_on_several_nodes(run, multi_node, names):
    layout = {"replicas": 1, "nodes_per_replica": 2, "replicas_per_node": 1, "gpus": 0}
    # nobody asks the second member of a service with a head, so that one need not listen
    server = [*SAY, "sh", "-c", 'test "$SERVICE_RANK" = 0 || exec sleep 600; exec "$@"', "sh", *SERVER]
    agents = start_all(run, layout, server if multi_node == "head" else [*SAY, *SERVER], multi_node)
    run.wait_event("service", "healthy")
    services = run.json("control/endpoint.json")["services"]
    assert [(s["name"], s["replica"]) for s in services] == [(name, 0) for name in names]
    first, second = environment(run, 0, 0), environment(run, 1, 0)
    assert first["SERVICE_PEERS"] == second["SERVICE_PEERS"]
    assert len(set(first["SERVICE_PEERS"].split())) == 2
    assert second["SERVICE_HEAD_PORT"] == first["SERVICE_PORT"] != second["SERVICE_PORT"]
    end(run, agents)


def test_the_first_member_is_the_last_to_end(run):
    layout = {"replicas": 2, "nodes_per_replica": 1, "replicas_per_node": 2, "gpus": 0}
    slow = ["sh", "-c", 'test "$SERVICE_REPLICA" = 0 || trap "" TERM; "$@" & wait; wait; sleep 600', "sh", *SERVER]
    agents = start_all(run, layout, slow)  # the second one is killed after its grace of two seconds
    run.wait_event("service", "healthy")
    end(run, agents)
    [other] = [event for event in run.events("service-001") if event["event"] == "stopped"]
    assert run.event("service", "stopped")["t"] > other["t"]


def test_one_member_that_fails_ends_all_and_says_why(run):
    layout = {"replicas": 3, "nodes_per_replica": 1, "replicas_per_node": 3, "gpus": 0}
    fails = ["sh", "-c", 'test "$SERVICE_REPLICA" = 1 && { echo broken; exit 7; }; exec "$@"', "sh", *SERVER]
    agents = start_all(run, layout, fails)
    assert [agent.wait(20) for agent in agents] == [1, 1, 1]
    failed = run.event("service", "service_failed")
    assert "member 1 of the service on " in failed["reason"] and "exit code 7 while it was starting" in failed["reason"]
    assert failed["log_tail"] == ["broken"] and failed["exit_code"] == 7
    assert run.json("control/service.failed")["reason"] == failed["reason"]
    [own] = [e for e in run.events("service-001") if e["event"] == "member_failed"]
    assert own["reason"] == failed["reason"]
    assert not run.path("control/endpoint.json").exists()
    proof(run)


def test_a_member_that_gives_no_sign_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(run_dir, "STALE_S", 0.1)
    monkeypatch.setattr(members, "_PULSE_EVERY_S", 0.0)
    monkeypatch.setenv("SLURM_PROCID", "0")
    directory = run_dir.RunDir({"run_dir": str(tmp_path)})
    for number in range(2):
        run_dir.write_json(directory.control(f"member-{number:03d}.told"), {"address": "127.0.0.1", "ports": {}})
    layout = {"replicas": 2, "nodes_per_replica": 1, "replicas_per_node": 1, "gpus": 0}
    first = members.Members({"service": {"layout": layout}}, directory)
    first.meet({"address": "127.0.0.1", "ports": {}}, lambda: None)
    first.check()  # the other one has not begun
    other = run_dir.Heartbeat(directory.control(members.alive_file(1)))
    first.check()
    time.sleep(0.06)
    other.beat()
    first.check()
    time.sleep(0.15)
    with pytest.raises(AgentError, match=r"member 1 of the service gave no sign of life for 0\.1 s"):
        first.check()


@pytest.mark.parametrize(
    ("visible", "local", "expected"), [("4,5,6,7", "1", "6,7"), (None, "0", "0,1"), (None, "1", "2,3")]
)
def test_replicas_share_the_gpus_of_their_node(monkeypatch, visible, local, expected):
    layout = {"replicas": 2, "nodes_per_replica": 1, "replicas_per_node": 2, "gpus": 2}
    monkeypatch.setenv("SLURM_LOCALID", local)
    monkeypatch.setenv("SLURM_PROCID", local)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert Members({"service": {"layout": layout}}, None).gpu_variables() == {"CUDA_VISIBLE_DEVICES": expected}


def test_one_service_has_the_whole_node():
    assert Members({"service": {"layout": {"replicas": 1, "gpus": 4}}}, None).gpu_variables() == {}
    assert Members({"service": {}}, None).service_name("x") == "x"


def start_companion(run, argv, **service):
    """The agent of a further service, `data-base`, beside the benchmarked one."""
    spec = run.spec
    run.spec = {**spec, "companion": "data-base", "service": {**spec["service"], "name": "data-base", **service}}
    run.spec_name = "spec-data-base.json"
    process = run.start("service", *argv)
    run.spec, run.spec_name = {**spec, "companions": {"data-base": 20}}, "spec.json"
    return process


def test_a_companion_is_there_before_the_service_starts(run):
    companion = start_companion(run, ["sh", "-c", 'sleep 0.5; exec "$@"', "sh", *SERVER])
    main = run.start("service", *SAY, *SERVER)
    run.wait_event("service", "healthy")
    found = run.json("control/endpoint.json")
    [other] = found["companions"]["data-base"]
    assert [each["name"] for each in found["services"]] == ["thing"] and other["name"] == "data-base"
    env = environment(run, 0, 0)
    assert env["SERVICE_DATA_BASE_URL"] == other["url"] == env["SERVICE_DATA_BASE_URLS"]
    assert env["SERVICE_DATA_BASE_PORT"] == str(other["port"]) != env["SERVICE_PORT"]
    [healthy] = [e for e in run.events("service-data-base") if e["event"] == "member_healthy"]
    assert healthy["t"] < run.event("service", "container_started")["t"]
    own = run.path("secrets/data-base/password").read_text()
    assert own and own != run.path("secrets/password").read_text(), "each has its own"
    run.path("control/stop").write_text("")
    assert [main.wait(20), companion.wait(20)] == [0, 0]
    [stopped] = [e for e in run.events("service-data-base") if e["event"] == "stopped"]
    assert stopped["service"] == "data-base" and stopped["data_removed"] and stopped["processes_left"] == 0
    assert proof(run)["t"] > stopped["t"]


def test_a_companion_that_fails_ends_all(run):
    companion = start_companion(run, ["sh", "-c", "echo no disk; exit 9"])
    main = run.start("service", *SERVER)
    assert [main.wait(20), companion.wait(20)] == [1, 1]
    failed = run.event("service", "service_failed")
    assert "the service data-base on " in failed["reason"] and "exit code 9 while it was starting" in failed["reason"]
    assert failed["log_tail"] == ["no disk"] and failed["log"] == "logs/service-data-base.log"
    assert not [event for event in run.events("service") if event["event"] == "container_started"]
    proof(run)


def test_a_companion_that_does_not_come(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MEET_DEADLINE_S", 0.2)
    directory = run_dir.RunDir({"run_dir": str(tmp_path)})
    found = members.Members({"service": {}, "companions": {"db": 5}}, directory)
    with pytest.raises(AgentError, match=r"the service db did not start in time; see logs/slurm-service-db\.out"):
        found.meet_companions(lambda: None)
