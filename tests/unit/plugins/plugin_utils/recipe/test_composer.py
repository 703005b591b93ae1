# SPDX-License-Identifier: MIT
"""Recipes made of answers: what the wizard asks, what a survey of AWX gives."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import load_recipe, questions
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.composer import (
    Composer,
    Interview,
    WrongAnswer,
    parse,
)

CONTAINER = {
    "wizard_service": "container", "wizard_image": "nginx:1.27", "wizard_command": "nginx -g 'daemon off;'",
    "wizard_client_command": "curl http://$SERVICE_HOSTNAME:8080/",
}  # fmt: skip


def made(given, ask=None, tell=lambda text: None, groups=None):
    composer = Composer(groups)
    Interview(composer, given, ask, tell).hold()
    return composer


@pytest.mark.parametrize("service", questions.service_question().choices)
def test_every_service_makes_a_valid_recipe_without_further_answers(service, tmp_path):
    composer = made(CONTAINER if service == "container" else {"wizard_service": service})
    path = tmp_path / "r.yml"
    path.write_text(composer.text("made"))
    assert load_recipe(str(path)).service.name == service


def test_answers_are_the_recipes_fields():
    given = {"wizard_model": "Qwen/Qwen3-8B", "wizard_gpus": 2, "wizard_clients": "8",
             "wizard_concurrency": "1, 4", "wizard_rate": "max, 50%", "wizard_duration": "5m",
             "wizard_repetitions": 3, "wizard_warmup": ""}  # fmt: skip
    data = yaml.safe_load(made({"wizard_service": "vllm", **given}).text())
    assert data["service"]["settings"]["model"] == "Qwen/Qwen3-8B" and data["service"]["num_gpus"] == 2
    bench = data["benchmarks"]
    assert (bench["num_clients"], bench["concurrency"], bench["rate"]) == (8, [1, 4], ["max", "50%"])
    assert (bench["duration"], bench["repetitions"], bench["warmup"]) == ("5m", 3, "30s")
    assert "sweep" not in bench, "the rate of the recipe that it started from was one"


def test_an_answer_that_is_wrong_is_asked_for_again():
    wanted = {"service": ["vlm", "ollama"], "model": [""], "clients": ["many", "0", "3"], "duration": ["1x", "20s"]}
    said = []

    def ask(question):
        return (wanted.get(question.name) or [""]).pop(0)

    data = made({}, ask, said.append).data
    assert data["benchmarks"]["num_clients"] == 3 and data["benchmarks"]["duration"] == "20s"
    assert "did you mean 'vllm'?" in said[0] and "whole number, found 'many'" in said[1]
    assert any("1x" in text and "10s" in text for text in said), said


def test_without_anybody_to_ask_all_that_is_missing_is_named():
    with pytest.raises(WrongAnswer, match="-e wizard_service=…"):
        made({})
    with pytest.raises(WrongAnswer, match=r"wizard_image=….*wizard_command=….*wizard_client_command=…"):
        made({"wizard_service": "container"})


def test_a_given_answer_that_is_wrong_is_told_by_its_variable():
    with pytest.raises(WrongAnswer, match=r"^wizard_duration: expected a duration"):
        made({"wizard_service": "redis", "wizard_duration": "1x"}, ask=lambda question: "")


def test_a_duration_takes_the_place_of_a_number_of_requests():
    data = made({"wizard_service": "ollama", "wizard_base": "ollama-small", "wizard_duration": "10s"}).data
    assert data["benchmarks"]["duration"] == "10s" and "requests" not in data["benchmarks"]


def test_questions_say_what_the_schema_says():
    found = {question.name: question for question in questions.load_questions()}
    assert (found["clients"].kind, found["clients"].minimum, found["clients"].default) == ("integer", 1, 1)
    assert all("`" not in question.description and question.description for question in found.values())
    assert questions.model_question("redis") is None
    assert questions.model_question("ollama").path == ("service", "settings", "models")
    assert parse(questions.model_question("ollama"), "a:1, b") == ["a:1", "b"]
