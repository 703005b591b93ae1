# SPDX-License-Identifier: MIT
"""The quickstart from the tarball, installed where nothing of the checkout is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import INVENTORY, LOGIN, ROOT, Played, assert_measured, assert_nothing_left

pytestmark = [pytest.mark.integration, pytest.mark.extra]


def run(words: list[str], folder: Path, **variables: str) -> Played:
    """A command in a folder, without the checkout's ansible.cfg and collection path."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(ROOT / ".venv/bin" / words[0]), *words[1:]],
        cwd=folder,
        env={**known, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return Played(done.returncode, done.stdout)


def test_the_quickstart_runs_from_the_tarball(home, tmp_path):
    built = run(["ansible-galaxy", "collection", "build", "--output-path", str(tmp_path), str(ROOT)], tmp_path)
    assert built.rc == 0, built.output
    [tarball] = tmp_path.glob("aifactory-benchmark-*.tar.gz")
    away = tmp_path / "away"
    away.mkdir()
    installed = str(tmp_path / "installed")
    placed = run(["ansible-galaxy", "collection", "install", str(tarball), "-p", installed], away)
    assert placed.rc == 0, placed.output
    played = run(
        ["ansible-playbook", "aifactory.benchmark.run", "-e", "recipe=quickstart", "-i", str(INVENTORY), "-l", "local"],
        away,
        ANSIBLE_COLLECTIONS_PATH=installed,
        AIFACTORY_HOME=str(home),
        AIFACTORY_TEST_LOGIN=str(LOGIN),
        NO_COLOR="1",
    )
    run_id = played.run_ids()[-1]
    record = assert_measured(played, home, run_id)
    assert record["recipe"] == "quickstart" and (home / "runs" / run_id / "report.html").stat().st_size > 10_000
    assert_nothing_left([run_id])
