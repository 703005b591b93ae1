# SPDX-License-Identifier: MIT
"""run.json, as `finish` writes it, fits the schema that is published (docs/run.schema.json)."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_schema import run_schema

from . import samples
from .telemetry.test_energy import gpu_rows
from .telemetry.test_slurm_jobs import gathers, has_steps, step
from .test_finish import finished

SCHEMA = json.loads((Path(__file__).resolve().parents[4] / "docs/run.schema.json").read_text())


def check(record):
    """Fails where a record does not fit the published schema."""
    jsonschema.validate(record, SCHEMA, jsonschema.Draft202012Validator)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Of a run with GPUs, prices and a term of an SLO."""
    run = samples.make(tmp_path_factory.mktemp("whole"), "finished")
    gpu_rows(run)
    gathers(run)
    has_steps(run, step("extern", 6300), step("batch", 6200))
    plan = run.read_json("plan.json")
    plan["cluster"]["prices"] = {"currency": "EUR", "node_hour": 2.0, "gpu_hour": 1.0}
    term = {"text": "error_rate < 0.01", "metric": "error_rate", "statistic": "value", "operator": "<", "value": 0.01}
    plan["benchmarks"]["slo"] = {"text": term["text"], "terms": [term]}
    cases = run.read_json("cases.json")
    for case in cases:
        case["slo"] = {"met": True, "terms": [{"text": term["text"], "value": 0.0, "met": True}]}
    run.write_json("cases.json", cases)
    return finish.finish(run, plan, run.read_json("jobs.json"), None, {"ssh": 3}, now=samples.BEGIN + 90)


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_every_kind_of_run_fits(tmp_path, variant):
    run, _record = finished(tmp_path, variant)
    check(run.read_json("run.json"))


def test_a_run_with_energy_prices_and_objectives_fits(record):
    check(record)
    assert record["jobs"][0]["usage"]["steps"] and record["energy"]["slurm"]["jobs"][0]["status"] == "counted"
    assert record["energy"]["status"] == "measured" and record["cost"]["price"] and record["slo"]["cases"]


def test_how_sure_it_is_may_be_there(record):
    assert record["confidence"]["cases"] and record["confidence"]["statement"].endswith(".")
    check({key: value for key, value in record.items() if key != "confidence"})


@pytest.mark.parametrize(
    "where", [(), ("cost",), ("headline", 0), ("jobs", 0), ("timeline", 0), ("energy", "cases", 0)]
)
def test_what_it_does_not_know_is_refused(record, where):
    changed = json.loads(json.dumps(record))
    place = changed
    for key in where:
        place = place[key]
    place["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        check(changed)


@pytest.mark.parametrize("name", ["schema", "id", "verdict", "headline", "bottleneck"])
def test_what_is_always_there_is_required(record, name):
    with pytest.raises(jsonschema.ValidationError, match=name):
        check({key: value for key, value in record.items() if key != name})


def test_every_field_has_a_type_and_a_description():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    schema = run_schema()
    for name, part in {"run.json": schema, **schema["$defs"]}.items():
        assert part["description"], name
        for field, told in part["properties"].items():
            assert told.get("description"), f"{name}.{field}"
            assert {"type", "anyOf", "$ref", "enum", "const"} & set(told), f"{name}.{field} has a type"
