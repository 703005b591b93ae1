# SPDX-License-Identifier: MIT
"""The published reference and schema are those of the code."""

from __future__ import annotations

import importlib.util
import json
import re

import jsonschema
import pytest
import yaml

from .helpers import BASE, ROOT


@pytest.fixture(scope="module")
def builder():
    """docs/build_recipe_reference.py as a module."""
    spec = importlib.util.spec_from_file_location("build_recipe_reference", ROOT / "docs" / "build_recipe_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_and_schema_are_current(builder, capsys):
    assert builder.main(["--check"]) == 0, capsys.readouterr().err


def test_every_key_has_a_description(builder):
    for name, section in builder.json_schema()["$defs"].items():
        for key, value in section["properties"].items():
            assert value.get("description"), f"{name}.{key}"


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_recipes_fit_the_schema(path):
    schema = json.loads((ROOT / "docs" / "recipe.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_the_documented_recipes_fit_the_schema():
    schema = json.loads((ROOT / "docs" / "recipe.schema.json").read_text())
    text = (ROOT / "docs" / "recipe.md").read_text()
    blocks = re.findall(r"^```yaml\n((?:#[^\n]*\n)*service:.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 3
    for block in blocks:
        jsonschema.validate(yaml.safe_load(block), schema)


@pytest.mark.parametrize(
    "change",
    [
        {"arrival": "poison"}, {"arrival": {"burstiness": 0}}, {"stop_on": {"stable": 5}}, {"search": {"from": 3}},
        {"sweep": {"mode": "gird"}}, {"sweep": {"cases": [{"rte": 3}]}}, {"retries": -1}, {"max_in_flight": 0},
    ],
)  # fmt: skip
def test_the_schema_refuses_wrong_loads(change):
    schema = json.loads((ROOT / "docs" / "recipe.schema.json").read_text())
    data = yaml.safe_load(BASE)
    data["benchmarks"].update(change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_the_schema_refuses_what_the_recipe_refuses():
    schema = json.loads((ROOT / "docs" / "recipe.schema.json").read_text())
    for change in ({"num_gpu": 1}, {"nodes": 0}, {"port": "x"}, {"volumes": ["x"]}, {"memory": "16"}):
        data = yaml.safe_load(BASE)
        data["service"].update(change)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, schema)
