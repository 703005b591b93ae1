# SPDX-License-Identifier: MIT
"""What the cluster sends when it is asked for a run's files, and what the controller takes of it."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest
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
    done = subprocess.run(["sh", "-c", _COLLECT, "sh", str(there), "1000"], capture_output=True, check=True)
    assert sorted(unpack(done.stdout, run, _local_name)) == [
        "clients/000/again", "clients/000/out/a\nb", "images.tsv", "plan.json", "results.csv",
    ]  # fmt: skip
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_log_that_is_too_large_is_cut_in_the_middle_and_says_so(tmp_path, shell):
    there, run = tmp_path / "there", RunDirectory(tmp_path / "20261123-190212-postgresql-3f9a")
    (there / "logs").mkdir(parents=True)
    for name in ("plan.json", "images.txt"):
        (there / name).write_text("")
    lines = "".join(f"{number:09d}\n" for number in range(1000))
    for name, text in (("service.log", lines), ("a b.log", lines[:1000]), ("client-000.log", "x\n")):
        (there / "logs" / name).write_text(text)
    done = subprocess.run([shell, "-c", _COLLECT, "sh", str(there), "1000"], capture_output=True, check=True)
    assert done.stderr == b""
    unpack(done.stdout, run, _local_name)
    assert run.read_text("logs/a b.log") == lines[:1000] and run.read_text("logs/client-000.log") == "x\n"
    text = run.read_text("logs/service.log")
    said = "\n... 9000 bytes were cut here when the log was collected (benchmark_log_limit) ...\n"
    assert text == lines[:250] + said + lines[-750:]
    assert run.read_text("logs-cut.txt") == "10000 logs/service.log\n"
