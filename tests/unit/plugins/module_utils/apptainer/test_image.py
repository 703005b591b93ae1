# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import fetch, image, lock, source
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("reference", "kind", "full"),
    [
        ("postgres", image.REGISTRY, "docker://docker.io/library/postgres:latest"),
        ("postgres:17", image.REGISTRY, "docker://docker.io/library/postgres:17"),
        ("ollama/ollama:latest", image.REGISTRY, "docker://docker.io/ollama/ollama:latest"),
        ("docker://index.docker.io/a/b:1", image.REGISTRY, "docker://docker.io/a/b:1"),
        ("ghcr.io/a/b:1.2", image.REGISTRY, "docker://ghcr.io/a/b:1.2"),
        ("localhost:5000/a:t", image.REGISTRY, "docker://localhost:5000/a:t"),
        ("docker://a/b@" + DIGEST, image.REGISTRY, "docker://docker.io/a/b@" + DIGEST),
        ("oras://host/a:1", image.REGISTRY, "oras://host/a:1"),
        ("library://a/b/c:1", image.REGISTRY, "library://a/b/c:1"),
        ("oci-archive:/x/y.tar", image.ARCHIVE, "oci-archive:/x/y.tar"),
        ("/x/y.def", image.DEFINITION, "/x/y.def"),
        ("/x/y.sif", image.PATH, "/x/y.sif"),
        ("~/sandbox", image.PATH, "~/sandbox"),
        ("y.sif", image.PATH, "y.sif"),
    ],
)
def test_references(reference, kind, full):
    assert image.kind(reference) == kind
    assert image.normalise(reference) == full
    assert image.normalise(full) == full
    assert image.cache_name(reference) == image.cache_name(full)


def test_a_digest_replaces_the_tag():
    assert image.normalise("postgres:17", DIGEST) == "docker://docker.io/library/postgres@" + DIGEST
    assert image.normalise("oras://host:5000/a:1", DIGEST) == "oras://host:5000/a@" + DIGEST
    assert image.cache_name("postgres:17", DIGEST) != image.cache_name("postgres:17")
    assert image.is_digest(DIGEST)
    assert not image.is_digest("sha256:12")


@given(st.text(min_size=1, max_size=200))
def test_a_cache_name_is_a_plain_file_name(reference):
    name = image.cache_name(reference)
    assert name.endswith(".sif")
    assert "/" not in name
    assert "\0" not in name
    assert len(name) < 110


@pytest.mark.parametrize(
    ("reference", "options", "line"),
    [
        ("postgres:17", {}, "rt pull d docker://docker.io/library/postgres:17"),
        ("127.0.0.1:5000/a:t", {"no_https": True}, "rt pull --no-https d docker://127.0.0.1:5000/a:t"),
        ("a.def", {}, "rt build --fakeroot d a.def"),
        ("a.def", {"build_args": ["--bind", "/x"]}, "rt build --bind /x d a.def"),
        ("oci-archive:a.tar", {}, "rt build d oci-archive:a.tar"),
        ("/sandbox", {}, "rt build d /sandbox"),
    ],
)
def test_command_lines(reference, options, line):
    assert image.pull_argv("rt", reference, "d", **options) == line.split()


def test_environment_under_both_names():
    assert image.environment() == {}
    assert image.environment("/c", "/t")["SINGULARITY_TMPDIR"] == "/t"
    assert image.environment("/c", "/t")["APPTAINER_CACHEDIR"] == "/c"


class Runtime:
    """Writes what a runtime would write, and counts how often."""

    def __init__(self, content=b"SIF", rc=0, stderr="", pause_s=0.0):
        self.content, self.rc, self.stderr, self.pause_s, self.calls = content, rc, stderr, pause_s, []

    def __call__(self, argv, env=None):
        self.calls.append(argv)
        time.sleep(self.pause_s)
        if self.rc == 0:
            Path(argv[-2]).write_bytes(self.content)
        return self.rc, "", self.stderr


def test_an_image_is_had_once_with_its_checksum_beside_it(tmp_path):
    dest, runtime = str(tmp_path / "cache" / "a.sif"), Runtime()
    first = image.ensure("postgres:17", dest, run=runtime)
    again = image.ensure("docker://postgres:17", dest, run=runtime)
    assert (first["changed"], again["changed"], len(runtime.calls)) == (True, False, 1)
    assert first["sha256"] == again["sha256"] == image.sha256_file(dest)
    assert again["reference"] == "docker://docker.io/library/postgres:17"
    subprocess.run(["sha256sum", "-c", "a.sif.sha256"], cwd=tmp_path / "cache", check=True, stdout=subprocess.DEVNULL)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["a.sif", "a.sif.json", "a.sif.sha256"]


def test_another_reference_at_the_same_place_and_force_get_it_again(tmp_path):
    dest, runtime = str(tmp_path / "a.sif"), Runtime()
    image.ensure("postgres:16", dest, run=runtime)
    assert image.ensure("postgres:17", dest, run=runtime)["changed"]
    assert image.ensure("postgres:17", dest, run=runtime, force=True)["changed"]
    assert len(runtime.calls) == 3


def test_a_file_that_somebody_put_there_is_kept(tmp_path):
    dest, runtime = tmp_path / "a.sif", Runtime()
    dest.write_bytes(b"by hand")
    found = image.ensure("postgres:17", str(dest), run=runtime)
    assert (found["changed"], runtime.calls, dest.read_bytes()) == (True, [], b"by hand")
    assert not image.ensure("postgres:17", str(dest), run=runtime)["changed"]


def test_a_changed_file_loses_its_checksum(tmp_path):
    dest = tmp_path / "a.sif"
    image.ensure("postgres:17", str(dest), run=Runtime())
    later = time.time() + 10
    dest.write_bytes(b"other")
    os.utime(dest, (later, later))
    assert image.describe(str(dest))["sha256"] is None
    assert image.up_to_date("postgres:17", str(dest)) is None


def test_of_many_one_gets_it_and_the_others_wait(tmp_path):
    dest, runtime, found = str(tmp_path / "a.sif"), Runtime(pause_s=0.3), []
    threads = [
        threading.Thread(target=lambda: found.append(image.ensure("postgres:17", dest, run=runtime)))
        for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runtime.calls) == 1
    assert sorted(facts["changed"] for facts in found) == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        (
            "INFO:    Using cached SIF image\nFATAL:   While making image from oci registry: error fetching image to "
            "cache: failed to get checksum for docker://127.0.0.1:5000/x:nope: reading manifest nope in "
            "127.0.0.1:5000/x: manifest unknown",
            "check the name and the tag",
        ),
        ("FATAL: ... dial tcp 127.0.0.1:1: connect: connection refused", "cannot be reached from this host"),
        ("FATAL: ... write /tmp/x: no space left on device", "make room"),
        ("FATAL: ... http: server gave HTTP response to HTTPS client", "no_https"),
        ("FATAL: something new", "see the runtime's message"),
    ],
)
def test_a_failure_keeps_the_runtimes_words_and_leaves_nothing(tmp_path, stderr, remedy):
    with pytest.raises(image.ImageError, match="exit status 255") as caught:
        image.ensure("postgres:17", str(tmp_path / "a.sif"), run=Runtime(rc=255, stderr=stderr))
    assert remedy in str(caught.value)
    assert stderr.splitlines()[-1].strip() in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_is_not_there(tmp_path):
    with pytest.raises(image.ImageError, match="load its module"):
        image.ensure("postgres:17", str(tmp_path / "a.sif"), runtime="no-such-runtime")


def test_a_file_that_is_not_the_one_of_the_digest(tmp_path):
    archive = tmp_path / "x.tar"
    archive.write_bytes(b"an archive")
    with pytest.raises(image.ImageError, match="not sha256:abab"):
        image.ensure(f"oci-archive:{archive}", str(tmp_path / "a.sif"), run=Runtime(), digest=DIGEST)
    assert list(tmp_path.iterdir()) == [archive]


def test_an_image_goes_by_the_content_of_the_file_that_it_is_built_from(tmp_path):
    one, copy, runtime = tmp_path / "one.tar", tmp_path / "copy.tar", Runtime()
    for path in (one, copy):
        path.write_bytes(b"an archive")
    content = source.content_of(f"docker-archive:{one}")
    assert content == source.content_of(f"docker-archive:{copy}") == "sha256:" + image.sha256_file(str(one))
    dest = str(tmp_path / source.cache_name(f"docker-archive:{one}", content))
    first = image.ensure(f"docker-archive:{one}", dest, run=runtime)
    again = image.ensure(f"docker-archive:{copy}", dest, run=runtime)
    assert (first["changed"], again["changed"], len(runtime.calls)) == (True, False, 1)
    assert again["source"] == content
    copy.write_bytes(b"another archive")
    assert image.ensure(f"docker-archive:{copy}", dest, run=runtime)["changed"]
    copy.unlink()
    with pytest.raises(image.ImageError, match=r"copy.tar: No such file or directory \(name a file"):
        image.ensure(f"docker-archive:{copy}", str(tmp_path / "b.sif"), run=runtime)
    one.unlink()
    assert image.up_to_date(f"docker-archive:{copy}", dest)["source"], "the file is not needed any more"


@pytest.mark.parametrize(
    ("reference", "path", "name"),
    [
        ("oci-archive:/x/y.tar", "/x/y.tar", "oci-archive-" + "ab" * 16 + ".sif"),
        ("docker-archive:/x.tar:app:1", "/x.tar", "docker-archive-" + "ab" * 16 + "-"),
        ("/x/y.def", "/x/y.def", "definition-" + "ab" * 16 + ".sif"),
        ("inputs/y.def", "inputs/y.def", "definition-" + "ab" * 16 + ".sif"),
        ("docker://host/y.def", None, ""),
        ("/x/y.sif", None, ""),
        ("postgres:17", None, ""),
    ],
)
def test_the_file_that_an_image_is_built_from(reference, path, name):
    assert source.file_of(reference) == path
    if path:
        assert source.cache_name(reference, DIGEST).startswith(name)


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        ("FATAL:   While performing build: while running %post section: exit status 3", "correct the definition"),
        ("ERROR  : Could not write info to setgroups: Permission denied", "build it elsewhere"),
        ("FATAL: fakeroot requires either setuid installation or unprivileged user namespaces", "name its path"),
        ("INFO:    User not listed in /etc/subuid, trying root-mapped namespace\nFATAL: x", "correct the definition"),
    ],
)
def test_a_definition_that_cannot_be_built(tmp_path, stderr, remedy):
    definition = tmp_path / "a.def"
    definition.write_text("Bootstrap: scratch\n")
    with pytest.raises(image.ImageError, match="build: exit status 255") as caught:
        image.ensure(str(definition), str(tmp_path / "a.sif"), run=Runtime(rc=255, stderr=stderr))
    assert remedy in str(caught.value)
    assert caught.value.log_tail == stderr.splitlines()


def test_what_lies_somewhere(tmp_path):
    assert image.describe(str(tmp_path / "nothing")) is None
    assert image.describe(str(tmp_path))["type"] == "sandbox"
    assert not image.remove(str(tmp_path / "nothing"))
    dest = str(tmp_path / "a.sif")
    image.ensure("postgres:17", dest, run=Runtime())
    assert image.remove(dest)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_held_says_by_whom(tmp_path):
    path = str(tmp_path / "lock")
    with lock.Lock(path), pytest.raises(lock.LockTimeout, match=f"process {os.getpid()} on "), lock.Lock(path, 0.2):
        pass
    assert not os.path.exists(path)


def test_a_lock_of_the_dead_is_taken_over(tmp_path):
    path = tmp_path / "lock"
    path.mkdir()
    long_ago = time.time() - 1000
    os.utime(path, (long_ago, long_ago))
    with lock.Lock(str(path), timeout_s=5):
        assert json.loads((path / "holder.json").read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_living_holder_keeps_its_lock(tmp_path):
    path = str(tmp_path / "lock")
    with lock.Lock(path, stale_s=0.6, touch_s=0.1):
        time.sleep(1.0)
        with pytest.raises(lock.LockTimeout), lock.Lock(path, timeout_s=0.2, stale_s=0.6):
            pass


def test_the_zip_file_for_a_job_runs_with_any_python(tmp_path):
    runtime, archive, dest = tmp_path / "apptainer", tmp_path / "fetch.pyz", tmp_path / "a b.sif"
    runtime.write_text('#!/bin/sh\nprintf SIF > "$2"\n')
    runtime.chmod(runtime.stat().st_mode | stat.S_IXUSR)
    fetch.bundle(str(archive))
    params = {"reference": "postgres:17", "dest": str(dest), "runtime": str(runtime), "lock_timeout_s": 5}
    job = {"python": sys.executable, "shell": "/bin/sh", "modules": []}
    script = tmp_path / "job.sh"
    script.write_text(fetch.script(params, job, str(archive)))
    done = subprocess.run(["/bin/sh", script], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    assert json.loads(done.stdout)["changed"]
    assert dest.read_text() == "SIF"
    runtime.write_text("#!/bin/sh\necho 'FATAL: manifest unknown' >&2; exit 255\n")
    script.write_text(fetch.script(dict(params, force=True), job, str(archive)))
    failed = subprocess.run(["/bin/sh", script], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "check the name and the tag" in failed.stderr


def test_the_script_loads_modules_and_quotes_words():
    params = {"reference": "a'b", "dest": "/x y.sif", "runtime": "apptainer", "lock_timeout_s": 1, "no_https": True}
    text = fetch.script(params, {"python": "python3", "shell": "/bin/bash -l", "modules": ["A/1", "B/2"]}, "/z.pyz")
    assert text.startswith("#!/bin/bash -l\n")
    assert "module load 'A/1'\nmodule load 'B/2'\nexec 'python3' '/z.pyz'" in text
    assert "'/x y.sif'" in text
    assert "'a'\"'\"'b'" in text
    assert "'--no-https'" in text
