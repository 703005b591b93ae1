# SPDX-License-Identifier: MIT
"""Whatever is done to a valid recipe, the answer is a plan or a readable error."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import errors, load, plan
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.document import parse_document
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load_schema import (
    Arrival,
    Search,
    StopOn,
    Sweep,
    SweepCase,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.schema import RecipeModel, keys_of
from hypothesis import given, settings
from hypothesis import strategies as st

from .helpers import ROOT

pytestmark = pytest.mark.usefixtures("made_up_workloads")

LOADS = """
- {rate: [max, 50%], arrival: {type: gamma, burstiness: 0.5}, slo: ttft_p95_ms < 5 and goodput > 3, repetitions: 3}
- {arrival: {type: trace, path: /times.csv}, max_in_flight: 9, stop_on: {over_saturation: true, stable: 5%}}
- {slo: latency_p99 < 5, search: {over: rate, from: 10, to: 99, tolerance: 2%}, timeout: 5s, retries: 1, cooldown: 1s}
- {slo: throughput > 5, search: {over: concurrency}, think_time: 5ms, records: true}
- {sweep: {mode: grid, parameters: {rate: [5, max], settings.ef: [20, 40], settings.kind: [flat, graph]}}}
- {sweep: {mode: list, cases: [{rate: 5, settings: {wait: 10s}}, {concurrency: 3}]}, order: sequential, drain: 5s}
"""
RECIPES = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "recipes").glob("*.yml"))]
RECIPES += [
    {
        "service": {"image": "nginx", "command": "nginx"},
        "client": {"type": "made_up", "settings": {"ef": 5, "data": "/data"}},
        "benchmarks": {"duration": "10s", **load},
    }
    for load in yaml.safe_load(LOADS)
]
NESTED = (Arrival, Search, StopOn, Sweep, SweepCase)
KEYS = sorted(
    {key for field in RecipeModel.model_fields.values() for key in keys_of(field.annotation)}
    | {key for model in NESTED for key in keys_of(model)}
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.dates(),
    st.sampled_from(["10s", "01:00:00", "16G", "50%", "max", "gpu", "http", "$SERVICE_HOSTNAME:80", "x/y:z", "/a:/b"]),
    st.sampled_from(["5%", "poisson", "trace", "error_rate < 1%", "rate", "concurrency", "zip", "list", "settings.ef"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A shipped recipe after some damage: keys dropped, renamed, added, values of any type."""
    data = copy.deepcopy(draw(st.sampled_from(RECIPES)))
    for _change in range(draw(st.integers(1, 4))):
        parent: Any = data
        for _level in range(draw(st.integers(0, 3))):
            inner = [value for value in parent.values() if isinstance(value, dict) and value]
            parent = draw(st.sampled_from(inner)) if inner else parent
        key = draw(st.sampled_from(sorted(parent))) if parent else "x"
        kind = draw(st.sampled_from(["drop", "rename", "replace", "add"]))
        if kind == "drop":
            parent.pop(key, None)
        elif kind == "rename" and key in parent:
            parent[draw(st.text(min_size=1, max_size=8))] = parent.pop(key)
        elif kind == "replace":
            parent[key] = draw(VALUES)
        else:
            parent[draw(st.sampled_from(KEYS))] = draw(VALUES)
    return data


def recipe_of(text: str) -> load.Recipe:
    model, kind = load.check(parse_document(text, "r.yml"))
    return load.Recipe(name="r", path="/r.yml", sha256="0" * 64, description="", model=model, service=kind)


def plan_of(recipe: load.Recipe) -> dict[str, Any]:
    return plan.resolve(
        recipe, "alpha", {"benchmark_account": "p1"}, run_id="id", group="g", now=1.0, collection_version="0.1.0"
    )


@settings(deadline=None, max_examples=300)
@given(mutated())
def test_a_damaged_recipe_gives_a_plan_or_an_error_with_lines(data):
    text = yaml.safe_dump(data, allow_unicode=True)
    try:
        recipe = recipe_of(text)
    except errors.RecipeError as error:
        assert error.problems
        for problem, line in zip(error.problems, str(error).splitlines(), strict=True):
            assert problem.line is not None and 1 <= problem.line <= text.count("\n") + 1
            assert problem.message and re.match(r"r\.yml:\d+:", line)
        return
    first = plan_of(recipe)
    assert first == plan_of(recipe)  # deterministic
    again = plan_of(recipe_of(recipe.as_resolved_yaml()))
    assert again == first  # the resolved recipe says the same


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted((ROOT / "recipes").glob("*.yml"))), st.data())
def test_damaged_text_gives_a_recipe_or_an_error_with_lines(path, data):
    text = path.read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    try:
        recipe_of(text[:start] + data.draw(st.text(max_size=3)) + text[end:])
    except errors.RecipeError as error:
        assert all(problem.line is not None for problem in error.problems)
