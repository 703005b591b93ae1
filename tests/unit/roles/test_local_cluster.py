# SPDX-License-Identifier: MIT
"""The local cluster's scripts that ask, run for real; and that its options are described."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

ROLE = Path(__file__).parents[3] / "roles" / "local_cluster"


def survey(tmp_path, *packages):
    command = ["bash", str(ROLE / "files" / "survey.sh"), str(tmp_path / "clusters"), str(tmp_path / "cache")]
    command += [f"local Slurm cluster of {tmp_path}", "root nobody-of-that-name", *packages]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_the_survey_says_what_is_there_and_what_is_missing(tmp_path):
    images = tmp_path / "clusters" / "images"
    images.mkdir(parents=True)
    (images / "postgresql.sif").symlink_to("postgresql-123.sif")
    (tmp_path / "cache" / "trixie-123").mkdir(parents=True)
    found = survey(tmp_path, "bash", "no-package-of-that-name")
    assert found["missing_packages"] == ["no-package-of-that-name"]
    assert found["missing_users"] == ["nobody-of-that-name"]
    assert found["images"] == ["postgresql-123"]
    assert found["trees"] == [str(tmp_path / "cache" / "trixie-123")]
    assert found["hosts"] == ""
    assert found["cgroup"] in ("v1", "v2", "none")
    assert isinstance(found["systemd"], bool)


def test_the_survey_of_an_empty_machine(tmp_path):
    found = survey(tmp_path)
    assert (found["missing_packages"], found["images"], found["trees"]) == ([], [], [])


def test_a_slurm_daemon_of_somebody_else_is_seen(tmp_path):
    """A process of that name whose SLURM_CONF is not below the folder of the local clusters."""
    (tmp_path / "slurmctld").write_bytes(Path("/bin/sleep").read_bytes())
    (tmp_path / "slurmctld").chmod(0o755)
    ours = {"SLURM_CONF": str(tmp_path / "clusters" / "one" / "conf" / "slurm.conf")}
    theirs = {"SLURM_CONF": "/etc/slurm/slurm.conf"}
    started = [subprocess.Popen([str(tmp_path / "slurmctld"), "60"], env=env) for env in (ours, theirs)]
    try:
        foreign = survey(tmp_path)["foreign"]
        assert f"slurmctld:{started[1].pid}" in foreign
        assert f"slurmctld:{started[0].pid}" not in foreign
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_every_option_is_described_and_every_default_is_the_described_one():
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert sorted(defaults) == sorted(options)
    for name, option in options.items():
        assert option["description"]
        if "default" in option:
            assert option["default"] == defaults[name], name
