# SPDX-License-Identifier: MIT
"""The module apptainer_image with a real Apptainer, as an ordinary user: on the login node and in a job."""

from __future__ import annotations

import base64
import json
import shlex
import uuid

import pytest

from .conftest import eventually
from .standin.registry import Registry
from .test_slurm_modules import Host

IMAGES = "/var/lib/aifactory/local_cluster/images"
SCRATCH = "/var/lib/aifactory/local_cluster/scratch/u101"
JOB = {"account": "p200981", "partition": "cpu", "time_limit": "5", "shell": "/bin/bash"}

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    return Host("local", "python", tmp_path_factory.mktemp("home"))


@pytest.fixture
def folder(host):
    path = f"{SCRATCH}/it-{uuid.uuid4().hex[:8]}"
    host.shell(f"mkdir {path}")
    yield path
    host.shell(f"rm -rf {path}")


@pytest.fixture(scope="module")
def registry():
    with Registry() as found:
        yield found


def image(host, *flags, **options):
    return host.module("apptainer_image", options, *flags)


def contents(host, folder):
    return sorted(host.shell(f"ls -A {folder}").split())


def test_pull_once_with_a_checksum(host, folder, registry):
    options = {"reference": f"{registry.name}:1", "cache_dir": folder, "no_https": True}
    predicted = image(host, "--check", **options)
    assert predicted["changed"]
    assert contents(host, folder) == []
    first = image(host, **options)
    assert first["changed"], first
    assert first["type"] == "sif"
    assert first["digest"] == registry.digest, "what the tag meant"
    assert f"/v2/test/hello/manifests/{registry.digest}" in registry.asked, "and what was pulled"
    asked = len(registry.asked)
    again = image(host, verify=True, **options)
    assert not again["changed"]
    assert len(registry.asked) == asked
    assert again["path"] == first["path"] == predicted["path"]
    assert host.shell(f"sha256sum {first['path']}").split()[0] == first["sha256"]
    name = first["path"].rpartition("/")[2]
    assert contents(host, folder) == [name, name + ".json", name + ".sha256"]
    assert image(host, state="absent", **options)["changed"]
    assert not image(host, state="absent", **options)["changed"]
    assert contents(host, folder) == []


def test_pull_by_digest(host, folder, registry):
    options = {"reference": f"{registry.name}:other", "digest": registry.digest, "no_https": True}
    found = image(host, dest=f"{folder}/a.sif", **options)
    assert found["changed"], found
    assert found["reference"] == f"docker://{registry.name}@{registry.digest}"
    wrong = image(host, dest=f"{folder}/b.sif", **dict(options, digest="sha256:12"))
    assert "64 hexadecimal digits" in wrong["msg"]


def test_pull_in_a_job(host, folder, registry):
    options = {"reference": f"{registry.name}:1", "cache_dir": folder, "no_https": True, "job": JOB}
    first = image(host, **options)
    assert first["changed"], first
    assert first["calls"]["sbatch"] == 1
    ended = f"sacct -X -n -P -o State -j {first['job_id']}"
    assert eventually(lambda: host.shell(ended) in ("COMPLETED", "RUNNING"))
    assert host.shell(f"sha256sum {first['path']}").split()[0] == first["sha256"]
    again = image(host, **options)
    assert (again["changed"], again["calls"]) == (False, {})
    assert image(host, force=True, **options)["job_id"] != first["job_id"]


@pytest.mark.parametrize("job", [{}, {"job": JOB}])
def test_what_cannot_be_had_is_said_in_the_runtimes_words(host, folder, registry, job):
    missing = image(host, reference=f"{registry.name}:nope", cache_dir=folder, no_https=True, **job)
    assert missing["failed"]
    assert "manifest" in missing["msg"]
    assert "check the name and the tag" in missing["msg"]
    dead = image(host, reference="127.0.0.1:1/test/hello:1", cache_dir=folder, no_https=True, **job)
    assert "connection refused" in dead["msg"]
    assert "cannot be reached" in dead["msg"]
    assert [name for name in contents(host, folder) if name.endswith((".sif", ".lock"))] == []


def test_a_refused_job_keeps_slurms_words(host, folder, registry):
    options = {"reference": f"{registry.name}:1", "cache_dir": folder, "job": dict(JOB, account="nobody")}
    assert "Invalid account" in image(host, **options)["msg"]


def test_an_existing_file_and_a_sandbox(host, folder):
    there = image(host, reference=f"{IMAGES}/postgresql.sif")
    assert (there["changed"], there["type"]) == (False, "sif")
    assert there["sha256"] == host.shell(f"sha256sum {IMAGES}/postgresql.sif").split()[0]
    other = image(host, reference=f"{IMAGES}/postgresql.sif", digest="sha256:" + "0" * 64)
    assert "another image" in other["msg"]
    host.shell(f"mkdir -p {folder}/sandbox/bin && echo hello > {folder}/sandbox/hello")
    assert image(host, reference=f"{folder}/sandbox")["type"] == "sandbox"
    built = image(host, reference=f"{folder}/sandbox", dest=f"{folder}/built.sif")
    assert built["changed"], built
    assert built["type"] == "sif"
    assert "there is nothing at" in image(host, reference=f"{folder}/nothing.sif")["msg"]
    assert "give dest" in image(host, reference="postgres:17")["msg"]


def test_a_definition_file_and_an_archive(host, folder, registry):
    host.write(f"{folder}/a.def", f"Bootstrap: localimage\nFrom: {IMAGES}/tools.sif\n%post\necho built > /built\n")
    built = image(host, reference=f"{folder}/a.def", dest=f"{folder}/a.sif")
    assert built["changed"], built
    assert host.shell(f"apptainer -q exec {folder}/a.sif cat /built") == "built"
    assert not image(host, reference=f"{folder}/a.def", dest=f"{folder}/a.sif")["changed"]
    encoded = base64.b64encode(registry.archive()).decode()
    host.shell(f"echo {encoded} | base64 -d > {folder}/a.tar")
    built = image(host, reference=f"oci-archive:{folder}/a.tar", cache_dir=folder)
    assert built["changed"], built
    assert host.shell(f"sha256sum {built['path']}").split()[0] == built["sha256"]


def test_several_at_once_pull_once(host, folder, registry):
    options = {"reference": f"{registry.name}:1", "dest": f"{folder}/once.sif", "no_https": True}
    running = [host.start("apptainer_image", options) for _ in range(3)]
    found = [host.result(process) for process in running]
    assert sorted(facts["changed"] for facts in found) == [False, False, True]


def test_the_lock_of_a_killed_job_is_taken_over(host, folder, registry):
    lock = f"{folder}/a.sif.lock"
    holder = json.dumps({"pid": 1, "host": "gone", "job": "1", "since": "long ago"})
    host.shell(f"mkdir {lock} && echo {shlex.quote(holder)} > {lock}/holder.json && touch -d '1 hour ago' {lock}")
    options = {"reference": f"{registry.name}:1", "dest": f"{folder}/a.sif", "no_https": True}
    assert image(host, **options)["changed"]
    host.shell(f"rm {folder}/a.sif*; mkdir {lock} && echo {shlex.quote(holder)} > {lock}/holder.json")
    held = image(host, lock_timeout_s=1, **options)
    assert "process 1 on gone" in held["msg"]
    host.shell(f"rm -r {lock}")
