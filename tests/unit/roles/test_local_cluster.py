# SPDX-License-Identifier: MIT
"""The local cluster's scripts that ask, run for real; and that its options are described."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
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


def pip_settings(tmp_path, config, **environment):
    """What pip_settings.py says under one configuration file and an environment, without this machine's variables."""
    (tmp_path / "pip.conf").write_text(config)
    ours = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    done = subprocess.run(
        [sys.executable, "-"],
        input=(ROLE / "files" / "pip_settings.py").read_text(),
        env=ours | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_where_pip_takes_packages_from(tmp_path):
    config = """
        [global]
        index-url = https://one.example/simple
        extra-index-url =
            https://two.example/simple
            file:///srv/three/simple
        cert = /etc/one.crt
        require-virtualenv = true
        [install]
        cert = /etc/two.crt
        user = true
        [freeze]
        timeout = 10
    """
    found = pip_settings(
        tmp_path, textwrap.dedent(config), PIP_INDEX_URL="https://four.example/simple", HTTPS_PROXY="p"
    )
    assert found["PIP_INDEX_URL"] == "https://four.example/simple"
    assert found["PIP_EXTRA_INDEX_URL"] == "https://two.example/simple file:///srv/three/simple"
    assert found["PIP_CERT"] == "/etc/two.crt"
    assert found["https_proxy"] == "p"
    assert not {"PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_TIMEOUT", "PIP_CONFIG_FILE"} & set(found)


def test_certificates_that_only_pythons_libraries_are_told(tmp_path):
    config = "[global]\ncert =\n"  # whatever the machine's own says
    assert pip_settings(tmp_path, config, REQUESTS_CA_BUNDLE="/etc/x.crt")["PIP_CERT"] == "/etc/x.crt"
    assert "PIP_CERT" not in pip_settings(tmp_path, config)


def image_ids(images):
    """NAME-DIGEST of images, as the role's variables work them out."""
    variables = {"local_cluster_all_images": images, "local_cluster_image_salt": "salt"}
    names = ("local_cluster_image_ids", "local_cluster_image_ids_text", "local_cluster_file_digest")
    role = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    variables.update({name: role[name] for name in names})
    argv = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", "debug", "-a", f"var={names[0]}"]
    done = subprocess.run(
        [*argv, "-e", json.dumps(variables)],
        env={**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_STDOUT_CALLBACK": "minimal"},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.split("=>", 1)[1])[names[0]]


def test_an_image_is_another_when_what_is_in_it_is(tmp_path):
    for name, text in (("a", "one"), ("b", "one"), ("c", "two"), ("d", "one")):
        (tmp_path / name).write_text(text)
    (tmp_path / "d").chmod(0o755)
    plain = {"name": "plain", "packages": ["curl"]}
    with_file = [{"name": "f", "packages": [], "files": {"/x": str(tmp_path / name)}} for name in "abcd"]
    others = [dict(plain, suite="sid"), dict(plain, pip=["numpy"]), dict(plain, post="true")]
    found = image_ids([plain, plain, *with_file, {**with_file[0], "files": {"/y": str(tmp_path / "a")}}, *others])
    assert [image.rpartition("-")[0] for image in found] == ["plain"] * 2 + ["f"] * 5 + ["plain"] * 3
    assert found[0] == found[1]
    assert found[2] == found[3], "where the file lies does not matter"
    assert len({found[0], found[2], *found[4:]}) == 8, "whether it can be started does"
