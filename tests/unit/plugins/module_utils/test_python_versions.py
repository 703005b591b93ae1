# SPDX-License-Identifier: MIT
"""What travels to a cluster runs on every Python from 3.6 on: tried with all that this machine has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
TRAVELS = sorted(
    path
    for folder in ("module_utils", "modules")
    for path in (PLUGINS / folder).rglob("*.py")
    # what is only the documentation of an action plugin stays on the controller
    if not (folder == "modules" and "def main(" not in path.read_text())
)
COMPILE = (
    "import sys\n"
    "for path in sys.stdin.read().splitlines():\n"
    "    with open(path, 'rb') as stream:\n"
    "        compile(stream.read(), path, 'exec')\n"
)
IMPORT = (
    "import importlib, sys\n"
    "sys.path.insert(0, sys.argv[1])\n"
    "for name in sys.stdin.read().split():\n"
    "    importlib.import_module(name)\n"
)


def _pythons():
    """Version → path of every supported Python of pyenv, of the system, and the one that runs the tests."""
    found = {".".join(map(str, sys.version_info[:2])): Path(sys.executable)}
    for folder in (Path("~/.pyenv/versions").expanduser(), Path("/usr")):
        for path in sorted(folder.glob("*/bin/python3.*")) + sorted(folder.glob("bin/python3.*")):
            match = re.fullmatch(r"python(3\.(?:[6-9]|1\d))", path.name)
            if match:
                found.setdefault(match.group(1), path)
    return found


PYTHONS = _pythons()


def _run(version, program, *arguments, stdin):
    done = subprocess.run(
        [PYTHONS[version], "-B", "-c", program, *arguments], input=stdin, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_everything_compiles(version):
    assert len(TRAVELS) > 20
    _run(version, COMPILE, stdin="\n".join(map(str, TRAVELS)))


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_the_slurm_and_apptainer_layers_import(version):
    package = "ansible_collections.aifactory.benchmark.plugins.module_utils"
    names = [
        ".".join((package, *path.relative_to(PLUGINS / "module_utils").with_suffix("").parts))
        for path in TRAVELS
        if path.parent.name in ("slurm", "rest", "apptainer") and path.name != "__init__.py"
    ]
    assert len(names) > 15
    # module.py imports nothing of Ansible itself, and so all of them can be tried without it
    _run(version, IMPORT, str(PLUGINS.parent / ".collections"), stdin="\n".join(names))
