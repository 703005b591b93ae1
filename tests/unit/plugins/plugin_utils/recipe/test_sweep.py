# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""Sweeps: the cases that they make, and what is wrong with them."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.cases import cases_of
from hypothesis import given, settings
from hypothesis import strategies as st

from .helpers import load_text, model_of, plan_of, problems_in

pytestmark = pytest.mark.usefixtures("made_up_workloads")

TOP = "service: {image: 'nginx:1.27', command: nginx}\nclient:\n  type: made_up\nbenchmarks:\n  duration: 10s\n"


def sweep(text: str, more: str = "") -> str:
    return f"{TOP}{more}  sweep: {text}\n"


def cases(text: str, more: str = "") -> list[tuple[Any, ...]]:
    return [tuple(case.values()) for case in cases_of(model_of(sweep(text, more)).benchmarks)]


def test_a_grid_has_every_combination():
    assert cases("{parameters: {rate: [100, 12.5], settings.ef: [20, 40]}}", "  concurrency: 3\n") == [
        ("rate-100,ef-20", 3, 100.0, {"ef": 20}),
        ("rate-100,ef-40", 3, 100.0, {"ef": 40}),
        ("rate-12.5,ef-20", 3, 12.5, {"ef": 20}),
        ("rate-12.5,ef-40", 3, 12.5, {"ef": 40}),
    ]


def test_zip_goes_value_by_value():
    assert cases("{mode: zip, parameters: {concurrency: [1, 2], client.settings.quick: [yes, no]}}", "  rate: 5\n") == [
        ("concurrency-1,quick-true", 1, 5.0, {"quick": True}),
        ("concurrency-2,quick-false", 2, 5.0, {"quick": False}),
    ]


def test_a_list_names_its_cases():
    assert cases(
        "{mode: list, cases: [{rate: 50%, settings: {ef: 20}}, {}, {concurrency: 4, settings: {wait: 10s}}]}"
    ) == [
        ("max", 1, None, {}),  # first, because of the percentage
        ("rate-50pct,ef-20", 1, "50%", {"ef": 20}),
        ("concurrency-4,wait-10", 4, None, {"wait": 10.0}),
    ]


def test_the_highest_rate_comes_first_for_the_percentages():
    assert [case[0] for case in cases("{parameters: {rate: [50%, 9, max]}}")] == ["max", "rate-50pct", "rate-9"]


def test_names_of_values_that_are_no_words():
    more = [[{"size": 1}], [{"size": 2}], []]
    assert [case[0] for case in cases(f"{{parameters: {{settings.more: {more}}}}}".replace("'", ""))] == [
        "more-v1", "more-v2", "more-v3",
    ]  # fmt: skip
    search = sweep("{parameters: {settings.search: [{ef: 10}, {ef: 200}]}}").replace("made_up", "vector")
    assert [case["name"] for case in cases_of(model_of(search).benchmarks)] == ["search-ef-10", "search-ef-200"]
    words = "[/a/b, a_b, 'x y', '', 'a very long name of a file that nobody would like to read']"
    text = sweep(f"{{parameters: {{settings.user: {words}}}}}").replace("made_up", "pgbench")
    assert [case["name"] for case in cases_of(model_of(text).benchmarks)] == [
        "user-v1", "user-v2", "user-x_y", "user-v4", "user-v5",
    ]  # fmt: skip


def test_a_sweep_over_a_trace_keeps_its_times():
    more = "  arrival: {type: trace, path: /times.csv}\n"
    assert cases("{mode: list, cases: [{}, {settings: {ef: 20}}, {rate: 5}]}", more) == [
        ("trace", 1, None, {}), ("ef-20", 1, None, {"ef": 20}), ("rate-5", 1, 5.0, {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("{}", "", [": makes no case; add parameters, such as parameters: {rate: [100, 200]}"]),
        ("{mode: list}", "", [": makes no case; add cases, such as cases: [{rate: 100}, {rate: 200}]"]),
        ("{mode: list, parameters: {rate: [1]}}", "", [".parameters: has no meaning in the mode list; write cases, or set mode: grid"]),
        ("{cases: [{rate: 1}]}", "", [".cases: has no meaning in the mode grid; write parameters, or set mode: list"]),
        ("{mode: gird, parameters: {rate: [1]}}", "", [".mode: unknown value 'gird'; did you mean 'grid'? (allowed: grid, zip, list)"]),
        ("{rate: [1, 2]}", "", [".rate: unknown key; put it under parameters: {rate: [VALUE, VALUE]}"]),
        ("{settings.ef: [1, 2]}", "", [".settings.ef: unknown key; put it under parameters: {settings.ef: [VALUE, VALUE]}"]),
        ("{parameters: {rate: 5}}", "", [".parameters.rate: expected a list, found the number 5; write [A, B]"]),
        ("{parameters: {rate: []}}", "", [".parameters.rate: is empty; give values, or remove the parameter"]),
        ("{parameters: {rte: [1]}}", "", [".parameters.rte: unknown parameter; did you mean 'rate'? (allowed: rate, concurrency, settings.ef, settings.kind,"]),
        ("{parameters: {kind: [flat]}}", "", [".parameters.kind: unknown parameter; did you mean 'settings.kind'? (allowed: "]),
        ("{parameters: {settings.knd: [flat]}}", "", [".parameters.settings.knd: unknown setting; did you mean 'kind'? (settings: ef, kind, wait,"]),
        ("{parameters: {client.rate: [1]}}", "", [".parameters.client.rate: unknown parameter; did you mean 'rate'?"]),
        ("{parameters: {settings.ef: [1], client.settings.ef: [2]}}", "", [".parameters.client.settings.ef: is the parameter settings.ef again; remove one"]),
        (
            "{parameters: {rate: [fast, 1], concurrency: [0, x, true], settings.ef: [1, 0, 2.5], settings.kind: [tree]}}",
            "",
            [
                ".parameters.rate[0]: expected a rate, found the text 'fast'; write a number of operations per second",
                ".parameters.concurrency[0]: expected a whole number of at least 1, found the number 0",
                ".parameters.concurrency[1]: expected a whole number of at least 1, found the text 'x'",
                ".parameters.concurrency[2]: expected a whole number of at least 1, found the truth value true",
                ".parameters.settings.ef[1]: expected at least 1, found the number 0",
                ".parameters.settings.ef[2]: expected a whole number, found the number 2.5; its default is 10",
                ".parameters.settings.kind[0]: expected one of its choices, found the text 'tree'; allowed: flat, graph",
            ],
        ),
        ("{mode: zip, parameters: {rate: [1, 2], concurrency: [1]}}", "", [".parameters: in the mode zip every parameter has as many values: rate has 2, concurrency has 1; make them equal"]),
        ("{parameters: {rate: [1, 2, 1]}}", "", [".parameters: cases 1 and 3 are the same; remove one; benchmarks.repetitions"]),
        ("{mode: list, cases: [{rate: 1}, {}, {rate: 1.0}]}", "", [".cases[2]: cases 1 and 3 are the same"]),
        ("{mode: list, cases: [{rate: fast}]}", "", [".cases[0].rate: expected a rate, found the text 'fast'"]),
        ("{mode: list, cases: [{rte: 5}]}", "", [".cases[0].rte: unknown key; did you mean 'rate'? (allowed: rate, concurrency, settings)"]),
        ("{mode: list, cases: [{settings: {ef: x}}, {settings: {f: 1}}]}", "", [".cases[0].settings.ef: expected a whole number, found the text 'x'", ".cases[1].settings.f: unknown setting of the workload made_up; did you mean 'ef'?"]),
        ("{parameters: {rate: [50%, max], concurrency: [1, 2]}}", "", [": 50% is a part of the highest rate, which no case finds out; sweep only the rate, with max among its values"]),
        ("{parameters: {rate: [50%, 9]}}", "", [": 50% is a part of the highest rate"]),
        ("{parameters: {settings.ef: [40, 60]}}", "", [".parameters.settings.ef: 60 is too far for kind flat; lower it, or set kind: graph"]),
        ("{mode: list, cases: [{settings: {ef: 60}}]}", "", [".cases[0].settings.ef: 60 is too far for kind flat"]),
    ],
)  # fmt: skip
def test_mistakes(text, more, expected):
    found = problems_in(sweep(text, more))
    assert len(found) == len(expected), found
    for line, words in zip(found, expected, strict=True):
        assert f"recipe.yml:6: benchmarks.sweep{words}" in line


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("{parameters: {rate: [1, 2]}}", "  rate: 3\n", "benchmarks.rate: the sweep has the parameter rate, too; remove one of them"),
        ("{parameters: {rate: [1, 2]}}", "  concurrency: [3, 4]\n", "benchmarks.concurrency: is a list beside a sweep; give one value here, or sweep: {parameters: {concurrency: [VALUE, VALUE]}}"),
        ("{mode: list, cases: [{rate: 5}]}", "  rate: [1, 2]\n", "benchmarks.rate: is a list beside a sweep"),
    ],
)  # fmt: skip
def test_what_stands_beside_a_sweep(text, more, expected):
    [found] = problems_in(sweep(text, more))
    assert expected in found


def test_too_many_cases_are_refused_before_they_are_made():
    values = list(range(1, 1001))
    text = sweep(f"{{parameters: {{rate: {values}, concurrency: {values}, settings.ef: {values}}}}}")
    assert problems_in(text) == [
        "recipe.yml:6: benchmarks.sweep: makes 1000000000 cases, more than 500; take fewer values"
    ]
    assert len(cases(f"{{parameters: {{rate: {values[:500]}}}}}")) == 500


def test_a_required_setting_may_be_swept():
    text = TOP.replace("made_up", "demanding")
    missing = "recipe.yml:2: client.settings: the workload demanding requires the setting 'size'; How large it is"
    assert problems_in(text) == [missing]
    assert model_of(text + "  sweep: {parameters: {settings.size: [1, 2]}}\n")
    some = "  sweep: {mode: list, cases: [{settings: {size: 1}}, {settings: {level: 2}}]}\n"
    assert problems_in(text + some) == [missing]
    every = some.replace("level: 2", "size: 2")
    assert model_of(text + every)


def test_the_plan_has_the_cases(tmp_path):
    recipe = load_text(tmp_path, sweep("{parameters: {rate: [1], settings.wait: [1m, 500ms]}}"))
    assert plan_of(recipe)["benchmarks"]["cases"] == [
        {"name": "rate-1,wait-60", "concurrency": 1, "rate": 1.0, "settings": {"wait": 60.0}},
        {"name": "rate-1,wait-0.5", "concurrency": 1, "rate": 1.0, "settings": {"wait": 0.5}},
    ]
    assert plan_of(recipe)["clients"]["settings"] == {}


TEXT = st.text(alphabet="ab/ ,_-.é'", max_size=30)
VALUES = {
    "rate": st.integers(1, 10**6) | st.floats(0.001, 1e6),
    "concurrency": st.integers(1, 10**6),
    "settings.scale": st.integers(1, 10**12),
    "settings.user": TEXT,
    "settings.setup_sql": TEXT,
    "settings.vacuum": st.booleans(),
    "settings.extra_arguments": st.lists(TEXT, max_size=2),
}


@st.composite
def parameters(draw):
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3, unique=True))
    return {name: draw(st.lists(VALUES[name], min_size=1, max_size=4, unique_by=repr)) for name in names}


@settings(deadline=None, max_examples=60)
@given(parameters())
def test_whatever_is_swept_has_names_for_files(chosen):
    recipe = {
        "service": {"type": "postgresql"},
        "benchmarks": {"duration": 1, "sweep": {"parameters": chosen}},
    }
    made = cases_of(model_of(yaml.safe_dump(recipe, sort_keys=False)).benchmarks)
    wanted = [dict(zip(chosen, row, strict=True)) for row in itertools.product(*chosen.values())]
    assert [
        {"rate": case["rate"], "concurrency": case["concurrency"], **{f"settings.{k}": v for k, v in case["settings"].items()}}
        for case in made
    ] == [{"rate": None, "concurrency": 1, **choice} for choice in wanted]  # fmt: skip
    names = [case["name"] for case in made]
    assert all(re.fullmatch(r"[A-Za-z0-9._,-]{1,120}", name) for name in names)
    assert len({name.replace(",", "_") for name in names}) == len(names)
