# SPDX-License-Identifier: MIT
"""The zipapp: the same bytes every time, everything in it that it imports, and it runs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import zipapp

BASE = zipapp.PACKAGE.replace(".", "/")


def test_the_same_sources_make_the_same_bytes(tmp_path):
    first = zipapp.build(tmp_path / "a.pyz")
    os.utime(zipapp.__file__)
    (tmp_path / "b.pyz").write_text("there was something before")
    assert zipapp.build(str(tmp_path / "b.pyz")) == first
    assert hashlib.sha256((tmp_path / "b.pyz").read_bytes()).hexdigest() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pyz", "b.pyz"]


def test_nothing_in_it_depends_on_this_machine(tmp_path):
    zipapp.build(tmp_path / "a.pyz")
    with zipfile.ZipFile(tmp_path / "a.pyz") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert all(entry.filename.endswith(".py") for entry in entries)


def test_it_holds_what_the_agent_imports_and_its_packages():
    names = set(zipapp.contents())
    assert {"__main__.py", "ansible_collections/__init__.py", f"{BASE}/__init__.py"} <= names
    assert {f"{BASE}/agent/main.py", f"{BASE}/load/workloads/pgbench.py"} <= names


def test_it_runs_by_itself_without_the_collection(tmp_path):
    zipapp.build(tmp_path / "agent.pyz")
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "agent.pyz", "client", "--help"],
        capture_output=True,
        check=False,
        text=True,
        cwd="/",
    )
    assert done.returncode == 0 and "--spec" in done.stdout, done.stderr
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "agent.pyz", "service", "--spec", "/no/spec.json", "--", "true"],
        capture_output=True,
        check=False,
        text=True,
        cwd="/",
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == "agent service: cannot read /no/spec.json: [Errno 2] No such file or directory: '/no/spec.json'\n"
    )
