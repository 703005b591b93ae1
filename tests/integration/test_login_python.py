# SPDX-License-Identifier: MIT
"""Login nodes with Python 3.6, and with none: what works with which ansible-core, and what is said where it can't."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from .conftest import INVENTORY, ROOT, environment

PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
# The user of the cluster may not read pyenv's own folder.
PLACE = Path("/var/lib/aifactory/local_cluster/scratch/test-files/python3.6")

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def python36():
    """Path of a Python 3.6 that every user can start."""
    found = sorted(PYENV.glob("3.6.*"))
    if not found:
        pytest.skip("needs Python 3.6: pyenv install 3.6")
    shutil.rmtree(PLACE, ignore_errors=True)
    (PLACE / "bin").mkdir(parents=True)
    shutil.copy(found[0] / "bin/python3.6", PLACE / "bin")
    unwanted = shutil.ignore_patterns("test", "site-packages", "config-*", "__pycache__")
    shutil.copytree(found[0] / "lib/python3.6", PLACE / "lib/python3.6", ignore=unwanted)
    for library in (found[0] / "lib").glob("libpython3.6*.so.*"):
        shutil.copy(library, PLACE / "lib")
    start = PLACE / "python3.6"
    # a library of its own is looked for where it was built
    start.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={PLACE}/lib exec {PLACE}/bin/python3.6 "$@"\n')
    for path in [PLACE.parent, PLACE, *PLACE.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.name == "python3.6" else 0o644)
    yield str(start)
    shutil.rmtree(PLACE)


@pytest.fixture(scope="module")
def oldest_core():
    """The `ansible` of ansible-core 2.16."""
    made = subprocess.run([ROOT / "tools/core_venv.sh", "2.16"], capture_output=True, text=True, check=True)
    return Path(made.stdout.strip()) / "bin/ansible"


@pytest.fixture
def module(home):
    """module(ansible, interpreter, name, options, **variables) → result."""

    def run(ansible, interpreter, name, options, **variables):
        variables = {"ansible_python_interpreter": interpreter, **variables}
        command = [ansible, "-i", INVENTORY, "local", "-m", f"aifactory.benchmark.{name}"]
        command += ["-a", json.dumps(options), "-e", json.dumps(variables)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(home), capture_output=True, text=True, timeout=120, check=False
        )
        match = re.search(r"^local \| (\w+)!? => (\{.*\})$", done.stdout, re.DOTALL | re.MULTILINE)
        assert match, done.stdout + done.stderr
        return {"failed": match.group(1) == "FAILED", **json.loads(match.group(2))}

    return run


def job():
    options = {"name": f"it-{uuid.uuid4().hex[:8]}", "content": "#!/bin/bash\nsrun hostname\n", "wait": "finished"}
    return {**options, "account": "p200981", "time_limit": "5", "output": "/dev/null", "timeout_s": 60}


NEWER_CORE = ROOT / ".venv/bin/ansible"


def test_python_3_6_with_the_oldest_core(module, python36, oldest_core):
    task = job()
    first = module(oldest_core, python36, "slurm_job", task)
    assert not first["failed"], first["msg"]
    assert first["changed"] and first["job"]["state"] == "COMPLETED"
    assert not module(oldest_core, python36, "slurm_job", task)["changed"]
    [known] = module(oldest_core, python36, "slurm_job_info", {"ids": [first["job_id"]]})["jobs"]
    assert known["ok"]
    assert module(oldest_core, python36, "slurm_cluster_info", {"deadline_s": 60})["accounting"]


def test_python_3_6_with_a_newer_core_says_what_to_set(module, python36):
    told = module(NEWER_CORE, python36, "slurm_job_info", {"ids": ["1"]})
    assert told["failed"]
    assert f"{python36} is Python 3.6" in told["msg"]
    assert "Set ansible_python_interpreter" in told["msg"]
    assert "benchmark_slurm_transport to shell" in told["msg"]


def test_no_python_says_what_to_set(module, oldest_core):
    for ansible in (oldest_core, NEWER_CORE):
        told = module(ansible, "/nowhere/python3", "slurm_job_info", {"ids": ["1"]})
        assert told["failed"]
        assert "local: there is no /nowhere/python3 that runs" in told["msg"]


def test_no_python_by_a_shell_with_the_oldest_core(module, oldest_core):
    task = job()
    variables = {"benchmark_slurm_transport": "shell"}
    first = module(oldest_core, "/nowhere/python3", "slurm_job", task, **variables)
    assert not first["failed"], first["msg"]
    assert first["job"]["state"] == "COMPLETED"
    assert not module(oldest_core, "/nowhere/python3", "slurm_job", task, **variables)["changed"]
