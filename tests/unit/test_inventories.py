# SPDX-License-Identifier: MIT
"""The inventories that are shipped: Ansible reads them, and each cluster's variables make a plan."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import plan
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.plan_models import ClusterVariables

ROOT = Path(__file__).resolve().parents[2]
INVENTORIES = sorted(path for path in (ROOT / "inventory").iterdir() if path.suffix != ".md")


def listed(inventory: Path) -> dict:
    """What `ansible-inventory --list` says."""
    program = Path(sys.executable).with_name("ansible-inventory")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "MELUXINA_USER": "u101"}
    argv = [str(program), "-i", str(inventory), "--list"]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=True, cwd=ROOT)
    assert "WARNING" not in done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.name)
def test_each_cluster_has_variables_that_are_known_and_right(inventory):
    clusters = listed(inventory)["_meta"]["hostvars"]
    documented = (ROOT / "inventory/README.md").read_text()
    assert clusters
    for name, variables in clusters.items():
        # ansible-inventory leaves templates as they are
        site = plan._cluster(name, json.loads(re.sub(r"\{\{[^}]*\}\}", "x", json.dumps(variables))))
        assert site.scratch
        for variable in variables:
            if variable.startswith("benchmark_"):
                assert f"`{variable}`" in documented, f"{name}: {variable}"


def test_every_variable_is_documented():
    documented = (ROOT / "inventory/README.md").read_text()
    assert not [name for name in ClusterVariables.model_fields if f"`benchmark_{name}`" not in documented]


def test_groups_of_three_sites_come_from_their_variables():
    groups = listed(ROOT / "inventory/example-three-sites")
    assert groups["with_gpus"]["hosts"] == ["alpha", "beta"]
    assert groups["runtime_apptainer"]["hosts"] == ["alpha", "gamma"]
    assert groups["runtime_singularity"]["hosts"] == groups["gpus_h100"]["hosts"] == ["beta"]
