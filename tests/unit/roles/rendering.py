# SPDX-License-Identifier: MIT
"""A service type's definition and start script, as the controller renders them, without a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).parents[3] / "roles"
SCRATCH = "/scratch/u1"


def render(role: str, settings: dict[str, Any] | None = None, gpus: int = 0, nodes: int = 1) -> dict[str, Any]:
    """The definition (ROLE_service) with these settings, its start script included."""
    loader = DataLoader()
    loader.set_basedir(str(ROLES / role))
    variables: dict[str, Any] = {
        "benchmark_plan": {
            "cluster": {"scratch": SCRATCH},
            "service": {
                "job": {"gpus_per_node": gpus, "nodes": nodes},
                "layout": {"replicas": 1, "nodes_per_replica": nodes, "replicas_per_node": 1, "gpus": gpus},
            },
        }
    }
    for name in ("defaults", "vars"):
        variables |= loader.load_from_file(str(ROLES / role / name / "main.yml"), trusted_as_template=True) or {}
    variables |= {f"{role}_{name}": value for name, value in (settings or {}).items()}
    definition = dict(variables.pop(f"{role}_service"))
    del definition["start_script"]
    templar = Templar(loader, variables)
    script = trust_as_template((ROLES / role / "templates/start.sh.j2").read_text())
    return {**templar.template(definition), "start_script": templar.template(script)}


def prepare(
    folder: Path, role: str, settings: dict[str, Any], *, program: str, secrets: dict[str, str], nodes: int = 1
) -> tuple[list[str], dict[str, str]]:
    """(argv, environment) to run the start script with its directories below folder, and program as the server.

    secrets: name -> value of what the run would have made.
    """
    for name in ("bin", "data", "secrets"):
        (folder / name).mkdir()
    for name, value in secrets.items():
        (folder / "secrets" / name).write_text(f"{value}\n")
    (folder / "bin" / role).write_text(program)
    (folder / "bin" / role).chmod(0o755)
    env = {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "SERVICE_ADDRESS": "127.0.0.1",
        "SERVICE_DATA": f"{folder}/data",
    }
    script = render(role, settings, nodes=nodes)["start_script"].replace("/aifactory/", f"{folder}/")
    return ["sh", "-c", script], env
