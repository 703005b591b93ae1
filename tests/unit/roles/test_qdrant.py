# SPDX-License-Identifier: MIT
"""Qdrant's definition and start script; the script is run by a shell, with the stand-in as `qdrant`."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from . import rendering
from .rendering import render
from .test_triton import free_ports, wait_for

STANDIN = Path(__file__).parents[2] / "integration/standin/qdrant.py"
TELLS = """#!/bin/sh
printf '%s\\n' "$@"
env | grep '^QDRANT__' | sort
"""


def prepare(tmp_path: Path, settings: dict, program: str) -> tuple[list[str], dict[str, str]]:
    """(argv, environment) of the script, whose directories are below tmp_path."""
    argv, env = rendering.prepare(tmp_path, "qdrant", settings, program=program, secrets={"api_key": "the-key"})
    port, grpc = free_ports(2)
    return argv, env | {"SERVICE_PORT": port, "SERVICE_PORT_GRPC": grpc}


def told(tmp_path: Path, settings: dict) -> tuple[list[str], dict[str, str], dict]:
    """(arguments, environment, configuration) of the server."""
    argv, env = prepare(tmp_path, settings, TELLS)
    lines = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[:2] == ["--config-path", f"{tmp_path}/data/config.yaml"]
    path = tmp_path / "data/config.yaml"
    assert path.stat().st_mode & 0o077 == 0
    return lines, dict(line.split("=", 1) for line in lines[2:]), yaml.safe_load(path.read_text())


def test_address_key_and_places_are_the_runs(tmp_path):
    arguments, env, config = told(tmp_path, {})
    assert len(arguments) == 2 + len(env)
    assert env["QDRANT__SERVICE__HOST"] == "127.0.0.1" and env["QDRANT__SERVICE__API_KEY"] == "the-key"
    assert env["QDRANT__STORAGE__STORAGE_PATH"] == f"{tmp_path}/data/storage"
    assert "the-key" not in (tmp_path / "data/config.yaml").read_text()
    assert config["telemetry_disabled"] is True and config["log_level"] == "WARN"
    assert "on_disk" not in str(config) and config["storage"]["wal"]["wal_capacity_mb"] == 32


def test_settings_are_parameters(tmp_path):
    settings = {
        "max_search_threads": 8,
        "optimizer_cpu_budget": -2,
        "max_indexing_threads": 16,
        "default_segment_number": 2,
        "vectors_on_disk": True,
        "index_on_disk": True,
        "log_level": "info",
        "extra_config": {
            "storage": {"performance": {"async_scorer": True}, "wal": {"wal_capacity_mb": 64}},
            "x": "$HOME",
        },
    }
    _arguments, _env, config = told(tmp_path, settings)
    storage = config["storage"]
    assert storage["performance"] == {"max_search_threads": 8, "optimizer_cpu_budget": -2, "async_scorer": True}
    assert storage["hnsw_index"] == {"max_indexing_threads": 16, "on_disk": True}
    assert storage["collection"] == {"vectors": {"on_disk": True}}
    assert storage["wal"] == {"wal_capacity_mb": 64, "wal_segments_ahead": 0}
    assert (storage["optimizers"]["default_segment_number"], config["log_level"], config["x"]) == (2, "INFO", "$HOME")


@contextmanager
def standin(tmp_path: Path, settings: dict):
    """(address of the server, process)."""
    argv, env = prepare(tmp_path, settings, STANDIN.read_text())
    process = subprocess.Popen(
        argv, env=env | {"PYTHONPATH": "", "PATH": env["PATH"]}, stderr=subprocess.PIPE, text=True
    )
    try:
        yield f"http://127.0.0.1:{env['SERVICE_PORT']}", process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


def test_the_stand_in_asks_for_the_key(tmp_path):
    definition = render("qdrant")
    with standin(tmp_path, {}) as (url, process):
        wait_for(url + definition["health"]["path"], process)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url + "/metrics")
        asked = urllib.request.Request(url + "/metrics", headers={definition["metrics"]["header"]: "the-key"})
        with urllib.request.urlopen(asked) as answer:
            assert "\ncollections_total 0\n" in answer.read().decode()


def test_the_stand_in_says_what_is_wrong_with_a_parameter(tmp_path):
    settings = {"extra_config": {"storage": {"performance": {"max_search_threads": "many"}}}}
    with standin(tmp_path, settings) as (_url, process):
        assert process.wait(20) != 0
        assert 'expected an integer for key "storage.performance.max_search_threads"' in process.stderr.read()
        process.stderr.close()
