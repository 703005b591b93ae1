# SPDX-License-Identifier: MIT
"""What the Slurm modules document is what they take and return."""

from __future__ import annotations

import importlib

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import arguments, cluster
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.arguments import COMMON_OPTIONS
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.sbatch import OPTIONS

from ..module_utils.slurm.replay import VERSIONS, Replay, recording

MODULES = ["slurm_job", "slurm_job_info", "slurm_cluster_info", "apptainer_image"]
COLLECTION = "ansible_collections.aifactory.benchmark.plugins."


def load(name):
    return importlib.import_module(COLLECTION + "modules." + name)


def returned(name):
    return yaml.safe_load(load(name).RETURN)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_use_documented_options(name):
    module = load(name)
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    known = set(documented) | set(COMMON_OPTIONS) | {a for o in documented.values() for a in o.get("aliases", [])}
    tasks = yaml.safe_load(module.EXAMPLES)
    used = [task["aifactory.benchmark." + name] or {} for task in tasks if "aifactory.benchmark." + name in task]
    assert used
    assert set().union(*used) <= known
    required = {option for option, spec in documented.items() if spec.get("required")}
    assert all(required <= set(options) for options in used)


def test_every_field_of_a_job_is_documented():
    documented = set(returned("slurm_job_info")["jobs"]["contains"]) - {"asked", "known", "steps"}
    assert documented == set(Job(id="1").to_dict())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_fact_of_a_cluster_is_documented(version):
    document = recording(version, "cluster")
    facts = cluster.gather(SlurmClient(Replay(document["calls"])), document["what"].split()[-1])
    documented = returned("slurm_cluster_info")
    assert set(facts) - {"warnings"} == set(documented) - {"calls", "queue"}
    for key in ("partitions", "qos", "controllers", "may"):
        assert set(facts[key][0]) == set(documented[key]["contains"])
    assert set(facts["limits"]) == set(documented["limits"]["contains"])


def test_every_option_of_slurm_job_reaches_sbatch():
    typed = set(arguments.RESOURCES) | set(arguments.WHOLE_JOB)
    assert typed == {name for name, _option in OPTIONS} | {"exclusive", "requeue", "hold"}
