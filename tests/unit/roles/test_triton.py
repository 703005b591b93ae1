# SPDX-License-Identifier: MIT
"""Triton's definition and start script; the stand-in is started by the script, and asked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import yaml

from .rendering import render

ROOT = Path(__file__).parents[3]
RECIPE = yaml.safe_load((ROOT / "recipes/triton-small.yml").read_text())


def free_ports(count: int) -> list[str]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _number in range(count)]
    ports = [str(server.getsockname()[1]) for server in servers]
    for server in servers:
        server.close()
    return ports


def test_settings_are_arguments():
    settings = {
        "model_repository": "/models",
        "model_control_mode": "explicit",
        "load_models": ["a", "it's"],
        "extra_arguments": ["--log-verbose=1"],
    }
    definition = render("triton", settings)
    assert definition["volumes"] == ["/models:/aifactory/models:ro"]
    assert (
        definition["start_script"]
        .rstrip()
        .endswith("""--model-control-mode=explicit --load-model=a '--load-model=it'"'"'s' --log-verbose=1""")
    )
    assert set(definition["ports"]) == {"grpc", "metrics"} and definition["metrics"]["port"] == "metrics"


def test_the_stand_in_answers_the_small_recipes_request(tmp_path):
    model = tmp_path / "models/simple"
    model.mkdir(parents=True)
    (model / "config.pbtxt").write_text("")
    (tmp_path / "bin").mkdir()
    shutil.copyfile(ROOT / "tests/integration/standin/triton.py", tmp_path / "bin/tritonserver")
    (tmp_path / "bin/tritonserver").chmod(0o755)
    port, grpc, metrics = free_ports(3)
    env = {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "SERVICE_ADDRESS": "127.0.0.1",
        "SERVICE_DATA": str(tmp_path),
        "SERVICE_PORT": port,
        "SERVICE_PORT_GRPC": grpc,
        "SERVICE_PORT_METRICS": metrics,
    }
    script = render("triton", RECIPE["service"]["settings"])["start_script"].replace("/aifactory", str(tmp_path))
    process = subprocess.Popen(["sh", "-c", script], env=env)
    try:
        wait_for(f"http://127.0.0.1:{port}/v2/health/ready", process)
        asked = RECIPE["client"]["settings"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{asked['path']}", asked["body"].encode()) as answer:
            outputs = json.load(answer)["outputs"]
        assert [output["data"] for output in outputs] == [[5, 5, 5, 5], [-3, -1, 1, 3]]
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics") as answer:
            assert 'nv_inference_request_success{model="simple",version="1"} 1' in answer.read().decode()
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen) -> None:
    """Until it answers."""
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
