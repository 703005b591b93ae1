# SPDX-License-Identifier: MIT
"""Every kind of image that a recipe may name: had by the image job, once, and run."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from .conftest import assert_nothing_left, read_json, ssh
from .standin.registry import Registry

pytestmark = pytest.mark.integration

FILES = Path("/var/lib/aifactory/local_cluster/scratch/test-files/images")
WORD = f"a-word-{time.time_ns()}"  # no image of this is in a cache
RECIPE = """
service:
  image: {image}
  command: 'read word </word && test "$word" = {word} && exec sleep 300'
  health: {{type: command, command: "true"}}
  time_limit: "00:05:00"
client: {{command: "true", time_limit: "00:05:00"}}
benchmarks: {{duration: 1s}}
"""
DEFINITION = f"Bootstrap: localimage\nFrom: {FILES}/sandbox\n%post\n  echo {WORD}-built >/word\n"


@pytest.fixture(scope="module", autouse=True)
def files():
    """A tiny image with this machine's shell, as a folder, a SIF file, and archives of both kinds."""
    shutil.rmtree(FILES, ignore_errors=True)
    sandbox = FILES / "sandbox"
    for folder in ("bin", "etc", "proc", "sys", "dev", "tmp", "var/tmp", "root"):
        (sandbox / folder).mkdir(parents=True)
    for program in ("sh", "sleep", "mkdir"):
        path = shutil.which(program)
        shutil.copy(path, sandbox / "bin" / program)
        found = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for library in map(Path, re.findall(r"(/\S+) \(0x", found)):
            (sandbox / library.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, sandbox / library.relative_to("/"))
    (sandbox / "word").write_text(WORD + "\n")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        archive.add(sandbox, ".")
    with Registry(files=raw.getvalue()) as registry:
        (FILES / "oci.tar").write_bytes(registry.archive())
    (FILES / "docker.tar").write_bytes(docker_archive(raw.getvalue()))
    (FILES / "x.def").write_text(DEFINITION.replace("-built", "-there"))
    subprocess.run(["chmod", "-R", "a+rX", FILES.parent], check=True)
    before = cached()
    ssh("local", f"apptainer -s build /tmp/{WORD}.sif {FILES}/sandbox")
    yield
    made = " ".join(cached() - before)
    ssh("local", f"cd {cache()} && rm -rf /tmp/{WORD}.sif {made}")
    shutil.rmtree(FILES)


def docker_archive(layer: bytes) -> bytes:
    """What `docker save` writes."""
    config = {"architecture": "amd64", "os": "linux", "config": {}}
    config["rootfs"] = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
    manifest = [{"Config": "config.json", "RepoTags": ["tiny:1"], "Layers": ["layer.tar"]}]
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in (
            ("config.json", json.dumps(config).encode()),
            ("layer.tar", layer),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def cache() -> str:
    """The cluster's cache of images."""
    return "/var/lib/aifactory/local_cluster/scratch/u101/local/images"


def cached() -> set[str]:
    """What is in it."""
    return set(ssh("local", f"mkdir -p {cache()} && ls {cache()}").split())


def run(play, recipe, image: str, *arguments: str, word: str = WORD):
    return play("run", "-e", f"recipe={recipe(RECIPE.format(image=image, word=word))}", *arguments)


def events(home, run_id: str, *names: str) -> list[dict]:
    lines = (home / "runs" / run_id / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] in names]


def assert_ran(played, home) -> dict:
    """It was measured, and nothing is left; returns what provenance says of its image."""
    assert played.rc == 0, played.output
    [run_id] = played.run_ids()
    assert events(home, run_id, "measure_ended")
    assert_nothing_left([run_id])
    [image] = read_json(home, run_id, "provenance.json")["images"]
    return image


def test_a_sandbox_directory(play, home, recipe):
    image = assert_ran(run(play, recipe, f"{FILES}/sandbox"), home)
    assert image["path"] == f"{FILES}/sandbox"
    assert "image.sbatch" not in [path.name for path in (home / "runs").glob("*/*")]


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_an_archive(play, home, recipe, kind):
    image = assert_ran(run(play, recipe, f"{kind}-archive:{FILES}/{kind}.tar"), home)
    digest = hashlib.sha256((FILES / f"{kind}.tar").read_bytes()).hexdigest()
    assert image["digest"] == f"sha256:{digest}"
    assert image["path"] == f"{cache()}/{kind}-archive-{digest[:32]}.sif"
    assert ssh("local", f"sha256sum {image['path']}").split()[0] == image["sha256"]


def test_a_definition_beside_the_recipe_is_built_once(play, home, recipe, tmp_path):
    (tmp_path / "web.def").write_text(DEFINITION)
    played = run(play, recipe, "web.def", word=f"{WORD}-built")
    first = assert_ran(played, home)
    assert first["digest"] == "sha256:" + hashlib.sha256(DEFINITION.encode()).hexdigest()
    assert (home / "runs" / played.run_ids()[0] / "inputs/web.def").read_text() == DEFINITION
    shutil.rmtree(home)
    (tmp_path / "other.def").write_text(DEFINITION)
    played = run(play, recipe, "other.def", word=f"{WORD}-built")
    assert assert_ran(played, home)["path"] == first["path"]
    assert [event["cached"] for event in events(home, played.run_ids()[0], "pull_done")] == [True]


def test_a_definition_on_the_cluster_of_which_a_copy_was_built_beforehand(play, home, recipe, tmp_path):
    shutil.copy(FILES / "x.def", tmp_path / "copy.def")
    had = play("images", "-e", f"recipe={recipe(RECIPE.format(image='copy.def', word=''))}")
    assert had.rc == 0 and f"{cache()}/definition-" in had.output, had.output
    played = run(play, recipe, f"{FILES}/x.def", word=f"{WORD}-there")
    assert_ran(played, home)
    assert [event["cached"] for event in events(home, played.run_ids()[0], "pull_done")] == [True]


def test_a_sif_file_in_a_registry(play, home, recipe, tmp_path):
    with Registry() as registry:
        host = registry.name.partition("/")[0]
        ssh("local", f"apptainer -s push --no-https /tmp/{WORD}.sif oras://{host}/tiny:1")
        (tmp_path / "registries.json").write_text(json.dumps({"benchmark_registries": {host: {"insecure": True}}}))
        image = assert_ran(run(play, recipe, f"oras://{host}/tiny:1", "-e", f"@{tmp_path / 'registries.json'}"), home)
        assert ("tiny", image["digest"]) in registry.pushed
    assert ssh("local", f"sha256sum /tmp/{WORD}.sif").split()[0] == image["sha256"]


def test_a_definition_that_fails_to_build_says_why(play, home, recipe, tmp_path):
    (tmp_path / "web.def").write_text(DEFINITION + "  echo some-words\n  nonsense\n")
    played = run(play, recipe, "web.def")
    text = " ".join(played.output.split())
    assert played.rc != 0
    assert "correct the definition, or build it elsewhere" in text, played.output
    assert "last lines of the image's log: " in text and "nonsense: not found" in text
    [run_id] = played.run_ids()
    [failed] = events(home, run_id, "failed")
    assert "some-words" in failed["log_tail"]
    assert not events(home, run_id, "container_started")
    assert "some-words" in (home / "runs" / run_id / "logs/image.log").read_text()
    assert_nothing_left([run_id])


def test_a_file_that_is_not_there_is_named_before_anything_is_submitted(play, recipe):
    played = run(play, recipe, "oci-archive:/no/such.tar")
    text = " ".join(played.output.split())
    assert played.rc != 0
    assert "service.image oci-archive:/no/such.tar: no such file on local; correct the path, or copy it" in text
