# SPDX-License-Identifier: MIT
"""vLLM's definition and start script; the script is run by a shell, with a `vllm` that tells how it was called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .rendering import SCRATCH, render

TELLS = """#!/bin/sh
printf '%s\\n' "$@"
env | grep -E '^(HF_|VLLM_|TRITON_|OUTLINES_|TORCHINDUCTOR_)' | sort
"""


def started(
    tmp_path: Path, settings: dict, gpus: int = 0, nodes: int = 1, rank: int = 0
) -> tuple[list[str], dict[str, str]]:
    """(arguments, environment) of the server that the script starts; its directories are below tmp_path."""
    script = render("vllm", settings, gpus, nodes)["start_script"].replace("/aifactory", str(tmp_path))
    for folder in ("bin", "secrets", "scratch", "data", "model"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin/vllm").write_text(TELLS)
    (tmp_path / "bin/vllm").chmod(0o755)
    (tmp_path / "secrets/api_key").write_text("word")
    (tmp_path / "model/config.json").write_text("{}")
    env = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "SERVICE_ADDRESS": "10.0.0.1", "SERVICE_PORT": "8000"}
    env |= {"SERVICE_RANK": str(rank), "SERVICE_RANKS": str(nodes), "SERVICE_DATA": f"{tmp_path}/data"}
    env |= {"SERVICE_HEAD_ADDRESS": "10.0.0.7", "SERVICE_HEAD_PORT_MASTER": "29501"}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    said = [line for line in lines if line[0].isupper() and "=" in line]
    return lines[: len(lines) - len(said)], dict(line.split("=", 1) for line in said)


def test_a_model_of_hugging_face(tmp_path):
    arguments, env = started(tmp_path, {"model": "org/name"}, gpus=4)
    assert arguments == [
        *("serve", "org/name", "--host", "10.0.0.1", "--port", "8000", "--served-model-name", "org/name"),
        *("--dtype", "auto", "--tensor-parallel-size", "4", "--pipeline-parallel-size", "1"),
        *("--gpu-memory-utilization", "0.9"),
    ]
    assert env["HF_HOME"] == f"{tmp_path}/scratch/huggingface" and Path(env["HF_HOME"]).is_dir()
    assert "HF_HUB_OFFLINE" not in env
    for name in ("OUTLINES_CACHE_DIR", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "VLLM_CACHE_ROOT"):
        assert env[name].startswith(f"{tmp_path}/data/")
    assert env["VLLM_API_KEY"] == "word" and "word" not in arguments
    assert render("vllm", {"model": "org/name"})["volumes"] == [f"{SCRATCH}:/aifactory/scratch"]


@pytest.mark.parametrize("tool", ["hf", "huggingface-cli", None])
def test_a_model_of_hugging_face_is_downloaded_before(tmp_path, tool):
    [command] = render("vllm", {"model": "org/it's"})["prefetch"]
    (tmp_path / "bin").mkdir()
    if tool:
        (tmp_path / "bin" / tool).write_text(TELLS)
        (tmp_path / "bin" / tool).chmod(0o755)
    env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "SERVICE_DATA": f"{tmp_path}/data"}
    command = command.replace("/aifactory", str(tmp_path))
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, text=True, check=True)
    said = ["download", "org/it's", "--exclude", "original/*", f"HF_HOME={tmp_path}/scratch/huggingface"]
    nothing = ["this image has neither hf nor huggingface-cli: the service downloads the model"]
    assert done.stdout.splitlines() == (said if tool else nothing)


@pytest.mark.parametrize("settings", [{"model": "/models/x"}, {"model": "org/name", "download_before": False}])
def test_nothing_is_downloaded_before(settings):
    assert render("vllm", settings)["prefetch"] == []


def test_a_directory_and_settings_of_every_kind(tmp_path):
    settings = {
        "model": "/models/it's mine/",
        "dtype": "bfloat16",
        "pipeline_parallel_size": 2,
        "max_model_len": 512,
        "max_num_seqs": 4,
        "enforce_eager": True,
        "cache_dir": "/cache",
        "extra_arguments": ["--seed", "1; touch x"],
    }
    arguments, env = started(tmp_path, settings, gpus=4)
    assert arguments[1] == f"{tmp_path}/model" and env["HF_HUB_OFFLINE"] == "1"
    assert env["HF_HOME"] == f"{tmp_path}/scratch"
    text = " ".join(arguments)
    assert "--served-model-name it's mine --dtype bfloat16 --tensor-parallel-size 2 --pipeline-parallel-size 2" in text
    assert text.endswith(
        "--max-model-len 512 --max-num-seqs 4 --gpu-memory-utilization 0.9 --enforce-eager --seed 1; touch x"
    )
    volumes = render("vllm", settings)["volumes"]
    assert volumes == ["/cache:/aifactory/scratch", "/models/it's mine:/aifactory/model:ro"]


@pytest.mark.parametrize(("gpus", "asked", "size"), [(0, 0, "1"), (1, 0, "1"), (4, 2, "2")])
def test_gpus_that_share_a_layer(tmp_path, gpus, asked, size):
    arguments, _env = started(tmp_path, {"model": "m", "tensor_parallel_size": asked}, gpus)
    assert arguments[arguments.index("--tensor-parallel-size") + 1] == size
    assert ("--gpu-memory-utilization" in arguments) == (gpus > 0)


@pytest.mark.parametrize("rank", [0, 1])
def test_several_nodes(tmp_path, rank):
    arguments, env = started(tmp_path, {"model": "m", "extra_arguments": ["--seed", "a b"]}, 4, nodes=2, rank=rank)
    text = " ".join(arguments)
    assert "--tensor-parallel-size 4 --pipeline-parallel-size 2" in text
    assert f"--seed a b --nnodes 2 --node-rank {rank} --distributed-executor-backend mp" in text
    assert "--master-addr 10.0.0.7 --master-port 29501" in text
    assert ("--headless" in arguments) == (rank == 1), "one of them answers the clients"
    assert env["VLLM_HOST_IP"] == "10.0.0.1"
