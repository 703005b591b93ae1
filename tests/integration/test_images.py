# SPDX-License-Identifier: MIT
"""The images that the role builds for the tests: what was asked for is in them, and nothing of how it got there."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from .conftest import ROOT, ssh

pytestmark = pytest.mark.integration

IMAGES = "/var/lib/aifactory/local_cluster/images"
WANTED = yaml.safe_load((ROOT / "tests/integration/cluster.yml").read_text())["local_cluster_extra_images"]


def inside(image: str, command: str) -> str:
    """Output of a shell command in an image, with nothing of the host's but what Apptainer can't do without."""
    return ssh("local", f"apptainer -q exec --containall {IMAGES}/{image}.sif sh -c '{command}'").strip()


@pytest.mark.parametrize("image", [image for image in WANTED if "pip" in image], ids=lambda image: image["name"])
def test_python_packages_and_nothing_of_the_build(image):
    name = image["name"]
    assert inside(name, "command -v python3") == "/opt/venv/bin/python3"
    assert set(image["pip"]) <= set(inside(name, "pip freeze --all --disable-pip-version-check").split())
    assert inside(name, "pip config list") == ""
    assert inside(name, "ls /opt") in ("venv", "milvus\nvenv")
    assert inside(name, "ls -A /etc/xdg /etc/pip.conf /root/.cache 2>/dev/null; true") == ""
    # Debian's own certificates, each once: this machine's may be others
    bundle = inside(name, "grep -c BEGIN /etc/ssl/certs/ca-certificates.crt")
    assert bundle == inside(name, "find /usr/share/ca-certificates -name \\*.crt | wc -l")


def test_a_file_and_what_was_made_of_it(tmp_path):
    script = ROOT / "tests/integration/images/tiny_gguf.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "tiny.gguf")], check=True)
    local = subprocess.run(["sha256sum", str(tmp_path / "tiny.gguf")], check=True, capture_output=True, text=True)
    assert inside("llamacpp", "sha256sum /models/tiny.gguf").split()[0] == local.stdout.split()[0]
    assert inside("llamacpp", "cat /models/tiny_gguf.py") == script.read_text().strip()


def test_programs_can_be_started():
    assert inside("milvus", "ls -l /usr/local/bin | grep -c ^-rwxr-xr-x") == "2"


def test_an_image_of_another_release():
    assert inside("llamacpp", "cat /etc/debian_version") != inside("redis", "cat /etc/debian_version")
    assert "sid" in inside("llamacpp", "cat /etc/debian_version")


def test_postgresql_has_pgvector():
    assert inside("postgresql", "ls /usr/share/postgresql/*/extension/vector.control")
