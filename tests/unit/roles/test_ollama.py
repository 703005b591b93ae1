# SPDX-License-Identifier: MIT
"""Ollama's start script, run by a shell with the stand-in as `ollama`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from .rendering import SCRATCH, render

STANDIN = Path(__file__).parents[2] / "integration/standin/ollama.py"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def started(tmp_path: Path, settings: dict, *words: str):
    """(process, port) of the script with these words."""
    for folder in ("bin", "scratch", "data"):
        (tmp_path / folder).mkdir(exist_ok=True)
    shutil.copyfile(STANDIN, tmp_path / "bin/ollama")
    (tmp_path / "bin/ollama").chmod(0o755)
    port = free_port()
    env = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "SERVICE_ADDRESS": "127.0.0.1", "SERVICE_PORT": str(port)}
    process = subprocess.Popen(
        ["sh", "-c", render("ollama", settings)["start_script"].replace("/aifactory", str(tmp_path)), "sh", *words],
        env=env | {"SERVICE_DATA": f"{tmp_path}/data"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_models_are_pulled_before(tmp_path):
    assert render("ollama", {"models": ["a"]})["prefetch"] == ["sh /aifactory/start.sh pull"]
    with started(tmp_path, {"models": ["all-minilm"]}, "pull") as (process, port):
        output = process.communicate(timeout=20)[0]
        assert process.returncode == 0, output
    assert "pulling the model all-minilm" in output and "loading" not in output
    assert not (tmp_path / "data/loaded").exists()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
    with started(tmp_path, {"models": ["no-such"]}, "pull") as (process, _port):
        output = process.communicate(timeout=20)[0]
        assert process.returncode == 69 and "the model no-such can't be pulled" in output, output


def test_models_are_loaded_before_it_says_so(tmp_path):
    health = render("ollama", {"models": ["a"]})["health"]
    assert health["type"] == "command"
    with started(tmp_path, {"models": ["llama3.2:1b", "all-minilm"]}) as (process, port):
        env = os.environ | {"SERVICE_DATA": f"{tmp_path}/data"}
        deadline = time.monotonic() + 20
        while (
            probe := subprocess.run(["sh", "-c", health["command"]], env=env, capture_output=True, check=False)
        ).returncode:
            assert time.monotonic() < deadline and process.poll() is None, probe
            time.sleep(0.05)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/ps") as answer:
            assert [model["name"] for model in json.load(answer)["models"]] == ["all-minilm:latest", "llama3.2:1b"]
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=10)[0]
    assert "pulling the model llama3.2:1b" in output and "all models are loaded" in output
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
    # the next run finds them in scratch
    (tmp_path / "data/loaded").unlink()
    with started(tmp_path, {"models": ["all-minilm"]}) as (process, _port):
        while not (tmp_path / "data/loaded").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert "pulling" not in process.communicate(timeout=10)[0]


def test_a_model_that_does_not_exist_ends_it(tmp_path):
    with started(tmp_path, {"models": ["no-such"]}) as (process, _port):
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 69
    assert "pull model manifest: file does not exist" in output and "the model no-such can't be pulled" in output
    assert not (tmp_path / "data/loaded").exists()


def test_settings_are_the_servers_environment():
    settings = {"models": ["it's; touch x"], "num_parallel": 8, "flash_attention": False, "kv_cache_type": "q8_0"}
    script = render("ollama", settings)["start_script"]
    for line in ("NUM_PARALLEL=8", "MAX_LOADED_MODELS=1", "FLASH_ATTENTION=0", "KV_CACHE_TYPE=q8_0", "KEEP_ALIVE=-1"):
        assert f"\nexport OLLAMA_{line}\n" in script
    assert """for model in 'it'"'"'s; touch x'; do""" in script
    assert "OLLAMA_MODELS=/aifactory/scratch/ollama\n" in script
    assert render("ollama", settings)["volumes"] == [f"{SCRATCH}:/aifactory/scratch"]
    own = render("ollama", settings | {"models_dir": "/models"})
    assert "OLLAMA_MODELS=/aifactory/scratch\n" in own["start_script"]
    assert own["volumes"] == ["/models:/aifactory/scratch"]
