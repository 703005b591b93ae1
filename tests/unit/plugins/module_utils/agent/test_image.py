# SPDX-License-Identifier: MIT
"""`agent.pyz image`: what it does with an image that is there, and what it says of one that is not to be had."""

from __future__ import annotations

import hashlib
import os
import subprocess

import pytest

from .conftest import PYTHON

BUILD = """#!/bin/sh
echo "building $*"; echo "INFO: half of it" >&2; echo "to make" >&2
[ "$2" != --fakeroot ] || shift
grep -q good "$3" || { echo "FATAL: while running %post section: exit status 3" >&2; exit 255; }
cp "$3" "$2"
"""


@pytest.fixture
def runtime(run, monkeypatch):
    """A runtime that copies the definition where the image is to be."""
    path = run.root / "bin/apptainer"
    path.parent.mkdir()
    path.write_text(BUILD)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


def build(run, text):
    definition = run.root / "x.def"
    definition.write_text(text)
    links = ("--cache", str(run.root / "cache"), "--link", str(run.root / "mine/images/x.sif"))
    return image(run, "--reference", str(definition), *links)


def test_a_definition_is_built_once_and_linked_to(run, runtime):
    for cached in (False, True):
        done = build(run, "good")
        assert done.returncode == 0, done.stderr
        assert (run.root / "mine/images/x.sif").read_text() == "good"
        assert events(run)[-1]["cached"] is cached
        assert events(run)[-1]["digest"] == "sha256:" + hashlib.sha256(b"good").hexdigest()
    assert (run.root / "mine/logs/image.log").read_text().count("building") == 1
    [sif] = (run.root / "cache").glob("*.sif")
    assert sif.samefile(run.root / "mine/images/x.sif")
    assert build(run, "good again").returncode == 0
    assert (run.root / "mine/images/x.sif").read_text() == "good again"


def test_a_definition_that_fails_shows_the_end_of_its_log(run, runtime):
    done = build(run, "bad")
    assert done.returncode == 1
    assert "exit status 3" in done.stderr and "correct the definition" in done.stderr
    assert events(run)[-1]["log_tail"][1:] == [
        "INFO: half of it",
        "to make",
        "FATAL: while running %post section: exit status 3",
    ]
    assert not list((run.root / "cache").iterdir()) and not (run.root / "mine/images").exists()


def test_a_file_that_is_not_there_is_named(run):
    done = image(run, "--reference", "oci-archive:/no/x.tar", "--cache", "/no", "--link", "/no/link")
    assert done.returncode == 1
    assert "oci-archive:/no/x.tar: /no/x.tar: No such file or directory" in done.stderr
    assert events(run)[-1]["event"] == "failed"


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
