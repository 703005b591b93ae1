# SPDX-License-Identifier: MIT
"""What the cluster sends when it is asked for a run's files, and what the controller takes of it."""

from __future__ import annotations

import os
import stat
import subprocess

from ansible_collections.aifactory.benchmark.plugins.action.run_collect import _COLLECT, _local_name
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import unpack


def test_links_pipes_and_secrets_stay_on_the_cluster(tmp_path):
    """A client may leave what it likes in its directory: its results are collected all the same."""
    there, run = tmp_path / "there", RunDirectory(tmp_path / "20261123-190212-postgresql-3f9a")
    for folder in ("results", "clients/000/out", "secrets", "control"):
        (there / folder).mkdir(parents=True)
    for name in ("results/results.csv", "clients/000/out/a\nb", "secrets/password", "plan.json", "images.txt"):
        (there / name).write_text("x")
    (there / "clients/000/passwords").symlink_to("/etc/passwd")
    (there / "clients/000/etc").symlink_to("/etc")
    (there / "logs").symlink_to("/etc")
    os.mkfifo(there / "clients/000/pipe")
    os.link(there / "plan.json", there / "clients/000/again")
    (there / "images.txt").write_text("")
    done = subprocess.run(["sh", "-c", _COLLECT, "sh", str(there)], capture_output=True, check=True)
    assert sorted(unpack(done.stdout, run, _local_name)) == [
        "clients/000/again", "clients/000/out/a\nb", "images.tsv", "plan.json", "results.csv"
    ]  # fmt: skip
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
