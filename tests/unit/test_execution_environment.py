# SPDX-License-Identifier: MIT
"""The execution environment, as far as ansible-builder goes without a container engine: its context, what it finds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BUILDER = str(Path(sys.executable).with_name("ansible-builder"))
DEFINITION = "extensions/execution_environment/execution-environment.yml"


def build(*arguments):
    done = subprocess.run([BUILDER, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pins(name):
    lines = (line.partition(";")[0].strip() for line in (ROOT / name).read_text().splitlines() if "==" in line)
    return set(lines)


def test_its_context_is_made(tmp_path):
    (tmp_path / DEFINITION).parent.mkdir(parents=True)
    shutil.copy(ROOT / DEFINITION, tmp_path / DEFINITION)
    tarball = tmp_path / "build/execution-environment/aifactory-benchmark.tar.gz"  # the Makefile puts it there
    tarball.parent.mkdir(parents=True)
    tarball.write_bytes(b"")
    build("create", "-f", str(tmp_path / DEFINITION), "-c", str(tmp_path / "context"))
    containerfile = next((tmp_path / "context").glob("*ontainerfile"), tmp_path / "context/Dockerfile").read_text()
    assert "FROM $EE_BASE_IMAGE" in containerfile
    wanted = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())["collections"]
    assert [(tmp_path / "context/_build" / each["name"]).exists() for each in wanted] == [True]


def test_its_versions_are_those_that_are_tested():
    made = yaml.safe_load((ROOT / DEFINITION).read_text())["dependencies"]
    known = pins("requirements.txt") | pins("requirements-dev.txt")
    assert {made["ansible_core"]["package_pip"], made["ansible_runner"]["package_pip"], *made["python"]} <= known
    assert "build/execution-environment/aifactory-benchmark.tar.gz" in (ROOT / "Makefile").read_text()


def test_what_the_collection_needs_is_found_in_it(tmp_path):
    installed = tmp_path / "ansible_collections/aifactory/benchmark"
    (installed / "meta").mkdir(parents=True)
    for name in ("meta/execution-environment.yml", "meta/runtime.yml", "requirements.txt", "bindep.txt", "galaxy.yml"):
        shutil.copy(ROOT / name, installed / name)
    found = yaml.safe_load(build("introspect", "--sanitize", str(tmp_path)))
    names = {line.partition("==")[0].strip() for line in found["python"]}
    wanted = {line.partition("==")[0] for line in pins("requirements.txt")}
    assert names >= wanted - {"ansible-core", "PyYAML"}, "these two come with ansible-core"
    assert any(line.startswith("openssh-clients") for line in found["system"])
