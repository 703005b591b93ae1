# SPDX-License-Identifier: MIT
"""What the service type milvus renders."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "milvus"
DEFINITION = yaml.safe_load((ROLE / "vars/main.yml").read_text())["milvus_service"]


@pytest.fixture
def script():
    """Renders the start script: script(authentication, parameters) → text."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters["to_nice_yaml"] = lambda value, indent: yaml.safe_dump(value, indent=indent)
    environment.filters["quote"] = shlex.quote
    template = environment.from_string((ROLE / "templates/start.sh.j2").read_text())
    return lambda authentication, parameters: template.render(
        milvus_authentication=authentication, milvus_parameters=parameters
    )


def test_the_script_is_one(script):
    subprocess.run(["sh", "-n"], input=script(True, {"log": {"level": "warn"}}), text=True, check=True)


def test_every_port_that_it_opens_is_one_of_the_run(script):
    named = set(re.findall(r"\$SERVICE_PORT_([A-Z_]+)", script(True, {})))
    assert named == {name.upper() for name in DEFINITION["ports"]}


def test_the_password_is_read_from_its_file_and_only_where_it_is_asked_for(script):
    assert "=$(cat /aifactory/secrets/password)\n" in script(True, {})
    assert "password" not in script(False, {})


def test_parameters_are_not_read_by_the_shell(script):
    text = script(True, {"proxy": {"name": "$HOME `id`"}})
    part = shlex.split(text[text.index("printf %s ") : text.index(' >"$dir/conf/$user"')])[2]
    assert yaml.safe_load(part) == {"proxy": {"name": "$HOME `id`"}}
