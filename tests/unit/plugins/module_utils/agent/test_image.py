# SPDX-License-Identifier: MIT
"""`agent.pyz image`: what it does with an image that is there, and what it says of one that is not to be had."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from .conftest import PYTHON


def image(run, *argv):
    run.spec["run_dir"] = str(run.root / "mine")
    run.write_spec()
    line = [PYTHON, str(run.agent), "image", "--spec", str(run.root / "spec.json"), *argv]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd="/")


def events(run):
    import json

    return [json.loads(line) for line in (run.root / "mine/events/image.jsonl").read_text().splitlines()]


def test_an_image_that_is_there_is_described_not_pulled(run):
    dest = run.root / "images" / "x.sif"
    dest.parent.mkdir()
    dest.write_bytes(b"SIF")
    done = image(run, "--reference", "docker://127.0.0.1:1/x:1", "--dest", str(dest))
    assert done.returncode == 0, done.stderr
    assert [event["event"] for event in events(run)] == ["pull_started", "pull_done"]
    assert events(run)[-1]["sha256"] == hashlib.sha256(b"SIF").hexdigest()


@pytest.mark.parametrize("runtime", ["apptainer", "singularity"])
def test_an_image_that_cannot_be_had(run, runtime):
    """Refused by the dead port where the runtime is there, else by the missing runtime; nothing is left either way."""
    dest = run.root / "images" / "x.sif"
    done = image(run, "--reference", "docker://127.0.0.1:1/x:1", "--dest", str(dest), "--runtime", runtime)
    assert done.returncode == 1
    assert done.stderr.startswith("agent image: cannot get the image docker://127.0.0.1:1/x:1: ")
    assert [event["event"] for event in events(run)] == ["pull_started", "failed"]
    assert events(run)[-1]["reason"] in done.stderr
    assert list(dest.parent.iterdir()) == []
