# SPDX-License-Identifier: MIT
"""A collected run with all that provenance.json is made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import provenance
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from .. import samples

SHA, RUNTIME = "5a" * 32, "apptainer version 1.4.5"
HEAD = "7dd1e9050f714cd5b218e13ba36a3eb2" + "19210c6b00000000" * 2  # of a SIF file: UUID, made, changed
REFERENCE = "docker://docker.io/library/postgres:17"
IMAGES = [
    {"part": part, "asked": "postgres:17", "reference": REFERENCE, "path": "/scratch/images/postgres_17-0123456789.sif"}
    for part in ("service", "clients")
]


def full_plan(run_id: str) -> dict[str, Any]:
    """The sample's plan with what at_submission reads of it."""
    plan = samples.plan_of(run_id)
    plan["cluster"]["modules"] = ["env/release/2024.1"]
    plan["service"]["modules"] = ["CUDA/12"]
    return plan


def node_record(node: str, role: str) -> dict[str, Any]:
    """What the agent writes on a node with a GPU."""
    return {
        "node": node, "role": role, "kernel": "5.14", "boot_id": "one", "cpu_model": "EPYC", "cpus": 128,
        "cpus_allowed": 64, "memory_bytes": 1 << 39, "python": "3.6.8", "runtime": RUNTIME,
        "architecture": "x86_64", "os": "Rocky Linux 8.8", "cpu_governor": None, "clocksource": "tsc",
        "modules_loaded": ["CUDA/12"], "gpu_driver": "535.104",
        "gpus": [{"name": "NVIDIA A100-SXM4-40GB", "uuid": "GPU-1", "memory_bytes": 40 << 30, "power_limit_w": 400}],
        "environment": {"OMP_NUM_THREADS": "8", "HF_TOKEN": "***"}, "missing": {"cpu_governor": "can't be read"},
    }  # fmt: skip


def collected(home: Path, seed: int = 1) -> RunDirectory:
    """A finished run below home, with provenance.json as it was submitted."""
    run = samples.make(home, "finished", seed)
    plan = full_plan(run.id)
    run.write_json("plan.json", plan)
    files = {"service.sbatch": run.read_text("service.sbatch"), "clients.sbatch": run.read_text("clients.sbatch")}
    gathering = {"usage": "linux", "energy": "none", "frequency": "task=1"}
    known = provenance.at_submission(plan, "24.11.5", "cd" * 32, files, IMAGES, gathering=gathering)
    run.write_json("provenance.json", known)
    origin = json.dumps({"reference": REFERENCE, "digest": f"sha256:{'ab' * 32}", "source": None})
    run.write_text("images.tsv", f"{IMAGES[0]['path']}\t123\t{SHA}\t{origin}\t{HEAD}\n")
    run.write_json("nodes/service-mel0001.json", node_record("mel0001", "service"))
    more = [
        {"source": "service", "event": "node_described", "node": "mel0001", "kernel": "5.14", "runtime": RUNTIME},
        {"source": "clients", "event": "node_described", "node": "mel0001", "kernel": "5.14", "runtime": None},
        {"source": "clients", "event": "clocks", "offsets": {"mel0002": {"offset_s": 0.001, "uncertainty_s": 0.0002}}},
        {"source": "service", "event": "model_described", "node": "mel0001", "service": "postgresql", "name": "org/m",
         "layout": "huggingface", "path": "/hf", "revision": "0123abcd", "files": 9, "bytes": 10,
         "weights_sha256": SHA, "weights_how": "names", "missing": {}},
    ]  # fmt: skip
    lines = "".join(json.dumps({"t": samples.HEALTHY, **event}) + "\n" for event in more)
    run.write_text("events.jsonl", run.read_text("events.jsonl") + lines)
    return run
