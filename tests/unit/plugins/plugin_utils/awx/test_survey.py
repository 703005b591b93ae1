# SPDX-License-Identifier: MIT
"""Surveys, held against AWX's rules as the fake server has them."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx import survey
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import questions
from hypothesis import given
from hypothesis import strategies as st

from . import fake_awx_rules as rules


@pytest.mark.parametrize("name", survey.NAMES)
def test_awx_takes_every_survey(name):
    made = survey.named(name)
    rules.survey(made)
    assert all(item["question_description"] for item in made["spec"])


def test_the_wizard_asks_in_awx_what_it_asks_at_the_terminal():
    items = {item["variable"]: item for item in survey.named("wizard")["spec"]}
    assert items["wizard_service"]["choices"] == list(questions.service_question().choices)
    assert set(items) >= {question.variable for question in questions.load_questions()}
    assert items["wizard_clients"]["type"] == "integer" and items["wizard_clients"]["min"] == 1
    assert [name for name, item in items.items() if item["required"]] == ["wizard_service"]


def test_recipes_to_choose_from():
    assert survey.named("recipe", ["a", "b"])["spec"][0]["choices"] == ["a", "b"]
    shipped = survey.named("gate")["spec"][0]["choices"]
    assert "redis" in shipped and not [name for name in shipped if name.endswith("-small")]
    with pytest.raises(survey.SurveyError, match="no survey 'x'"):
        survey.named("x")


ITEMS = st.fixed_dictionaries(
    {
        "variable": st.sampled_from(["a", "b"]), "question_name": st.just("q"), "required": st.booleans(),
        "type": st.sampled_from([*rules.SURVEY_TYPES, "number"]),
    },
    optional={
        "default": st.one_of(st.just(""), st.integers(0, 3), st.sampled_from(["x", "y", "x\ny", "$encrypted$"])),
        "choices": st.lists(st.sampled_from(["x", "y"]), max_size=2, unique=True),
        "min": st.one_of(st.none(), st.integers(0, 2), st.just("1")), "max": st.one_of(st.none(), st.integers(0, 9)),
    },
)  # fmt: skip


@given(st.lists(ITEMS, max_size=2))
def test_what_is_checked_here_is_taken_by_awx(items):
    made = {"name": "n", "description": "", "spec": items}
    try:
        survey.check(made)
    except survey.SurveyError as error:
        assert "survey" in str(error)
        return
    rules.survey(made)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "number"}, "no type 'number'"),
        ({"default": "many"}, "not of the type integer"),
        ({"default": 9}, "beyond max, 5"),
        ({"min": 1.5}, "min must be a whole number"),
        ({"type": "multiplechoice"}, "needs choices"),
        ({"type": "multiplechoice", "choices": ["x"], "default": "y"}, "none of its choices"),
        ({"required": "yes"}, "needs the field required"),
    ],
)
def test_what_awx_would_refuse_is_named(change, words):
    item = survey.item("v", "V", "what", "integer", default=3, minimum=1, maximum=5)
    survey.survey("S", [item])
    with pytest.raises(survey.SurveyError, match=words):
        survey.survey("S", [{**item, **change}])
