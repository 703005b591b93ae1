# SPDX-License-Identifier: MIT
"""A real vLLM on CPUs by its role, with the small recipe that is shipped. `make test-vllm` builds its image before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, assert_measured, assert_nothing_left, read_json

pytestmark = [pytest.mark.integration, pytest.mark.extra]

IMAGE = Path("/var/lib/aifactory/local_cluster/images/vllm.sif")
MODEL = Path("/var/lib/aifactory/local_cluster/scratch/test-files/tiny-vllm")


@pytest.fixture(scope="module", autouse=True)
def tiny_model():
    """The model that recipes/vllm-small.yml names."""
    if not IMAGE.exists():
        pytest.skip(f"{IMAGE} is not there: make test-vllm builds it")
    MODEL.parent.mkdir(mode=0o755, exist_ok=True)
    subprocess.run([sys.executable, str(ROOT / "tests/integration/images/tiny_vllm_model.py"), str(MODEL)], check=True)
    for path in (MODEL, *MODEL.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_the_small_recipe(play, home):
    played = play("run", "-e", "recipe=vllm-small", timeout_s=420)
    assert played.run_ids(), played.output
    [run_id] = played.run_ids()
    assert assert_measured(played, home, run_id)["service"] == "vllm"
    run = home / "runs" / run_id
    report = (run / "report.md").read_text().replace("\\", "")
    print(report)  # shown with -s, and where the test fails
    [row] = [line for line in report.splitlines() if line.startswith("| vllm:generation_tokens_total")]
    # 4 requests a second of 16 tokens
    assert float(row.split(" | ")[1].replace(",", "")) == pytest.approx(64, rel=0.5)
    assert "| vllm:kv_cache_usage_perc" in report and "| vllm:num_requests_running" in report
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


def test_two_nodes(play, home, recipe):
    """One model over two nodes, each layer shared by both: vLLM on CPUs cannot have one layer after another."""
    text = (ROOT / "recipes/vllm-small.yml").read_text()
    text = text.replace("  type: vllm\n", "  type: vllm\n  nodes: 2\n", 1).replace("rate: 4", "rate: 1", 1)
    text = text.replace("  settings:\n", "  settings:\n    tensor_parallel_size: 2\n    pipeline_parallel_size: 1\n", 1)
    text = text.replace("  env:\n", '  env:\n    TORCHDYNAMO_DISABLE: "1"\n', 1)  # the image has no compiler
    played = play("run", "-e", f"recipe={recipe(text)}", timeout_s=420)
    [run_id] = played.run_ids()
    assert_measured(played, home, run_id)
    logs = [(home / "runs" / run_id / "logs" / name).read_text() for name in ("service.log", "service-001.log")]
    assert "rank 0 in world size 2" in logs[0] and "rank 1 in world size 2" in logs[1]
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert_nothing_left([run_id])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("tiny-vllm", "no-vllm"), "no-vllm"),
        (("max_model_len: 2048", "max_model_len: 2048000"), "max_model_len"),
    ],
)
def test_a_service_that_does_not_start_says_why(play, recipe, change, words):
    text = (ROOT / "recipes/vllm-small.yml").read_text()
    assert change[0] in text
    played = play("run", "-e", f"recipe={recipe(text.replace(*change, 1))}", timeout_s=300)
    assert played.rc != 0
    assert words in played.output, played.output
    assert_nothing_left(played.run_ids())


def test_several_nodes_are_refused_before_anything_is_submitted(play, recipe):
    text = (ROOT / "recipes/vllm-small.yml").read_text().replace("type: vllm\n", "type: vllm\n  nodes: 2\n")
    played = play("run", "-e", f"recipe={recipe(text)}")
    assert played.rc != 0
    assert "service.nodes is 2" in played.output and "not there yet" in played.output, played.output
    assert_nothing_left(played.run_ids())
