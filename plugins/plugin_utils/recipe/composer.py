# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recipe made of answers to `questions`, each checked as the recipe itself is."""

from __future__ import annotations

import copy
import functools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from . import questions
from .errors import Problem, RecipeError, did_you_mean
from .load import load_recipe
from .questions import Question

LISTS = ("concurrency", "rate")  # `1, 2, 4` are three cases


class WrongAnswer(Exception):
    """An answer that can't be used; the text says why, and what could be."""


class Composer:
    """Answers as they come. `groups`: the inventory's, so that clusters are checked, too."""

    def __init__(self, groups: Mapping[str, Any] | None = None) -> None:
        self.groups = groups
        self.service: str | None = None
        self.data: dict[str, Any] = {}

    def start(self, service: str, base: str | None) -> None:
        """Begin with a shipped recipe of this service type."""
        self.service = service
        self.data = copy.deepcopy(questions.base_data(base)) if base else {"service": {"type": service}}

    def questions(self) -> list[Question]:
        """What is left to be asked, now that the service is known."""
        model = questions.model_question(self.service, self.data)
        return [*([model] if model else []), *questions.load_questions(self.data, service=self.service)]

    def take(self, question: Question, answer: Any) -> None:
        """Use an answer; what is wrong with it is a WrongAnswer, and the recipe stays as it was."""
        value = parse(question, answer)
        if value is None:
            return
        before = copy.deepcopy(self.data)
        section = self.data
        for key in question.path[:-1]:
            section = section.setdefault(key, {})
        section[question.path[-1]] = value
        self._give_way(question.name)
        wrong = [problem for problem in self.problems() if _is_of(problem, question)]
        if wrong:
            self.data = before
            raise WrongAnswer("; ".join(f"{p.message}; {p.remedy}" if p.remedy else p.message for p in wrong))

    def _give_way(self, name: str) -> None:
        """What the answer takes the place of."""
        bench = self.data.setdefault("benchmarks", {})
        if name == "duration":
            bench.pop("requests", None)
        if name in LISTS:
            for key in ("sweep", "search"):
                bench.pop(key, None)

    def problems(self) -> list[Problem]:
        """Everything that is wrong with the recipe so far."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recipe.yml"
            path.write_text(self.text(), encoding="utf-8")
            try:
                load_recipe(str(path), groups=self.groups)
            except RecipeError as error:
                return error.problems
        return []

    def text(self, title: str = "") -> str:
        """The recipe as YAML."""
        head = f"# {title}\n" if title else ""
        return head + yaml.safe_dump(self.data, sort_keys=False, allow_unicode=True, width=100)


def _is_of(problem: Problem, question: Question) -> bool:
    return problem.field.startswith(".".join(question.path))


def parse(question: Question, answer: Any) -> Any:
    """An answer, typed or from a survey, as the value of the recipe's field; None where it says nothing.

    Raises WrongAnswer for no choice, and for no whole number where one is asked for.
    """
    text = str(answer).strip() if answer is not None else ""
    if not text:
        return None
    if question.kind == "choice" and text not in question.choices:
        raise WrongAnswer(f"there is no '{text}'; {did_you_mean(text, question.choices, allowed='one of')}")
    if question.kind == "integer":
        try:
            return int(text)
        except ValueError:
            raise WrongAnswer(f"expected a whole number, found '{text}'") from None
    if question.name in LISTS:
        items = [_number(item) for item in text.strip("[]").split(",") if item.strip()]
        return items[0] if len(items) == 1 else items
    if question.path[-1:] == ("models",):
        return [item.strip() for item in text.split(",") if item.strip()]
    return text


def _number(text: str) -> Any:
    """A number where it is one; `max` and `50%` stay text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


class Interview:
    """Fills a composer with answers: those that are `given`, by variable, and for the others what `ask` brings.

    `ask` None: nobody can be asked; what is not given is as in the recipe that it starts from, and what has to be given
    is a WrongAnswer that names every variable. `tell` gets what is wrong with an answer before it is asked for again.
    """

    def __init__(
        self,
        composer: Composer,
        given: Mapping[str, Any],
        ask: Callable[[Question], str] | None,
        tell: Callable[[str], Any] = lambda text: None,
    ) -> None:
        self.composer, self.given, self.ask, self.tell = composer, given, ask, tell
        self.missing: list[str] = []

    def hold(self) -> None:
        """Ask everything. Raises WrongAnswer where nobody can be asked again."""
        self.settle(questions.service_question(), self._begin)
        self._all_given()
        for question in self.composer.questions():
            self.settle(question, functools.partial(self.composer.take, question))
        self._all_given()

    def settle(self, question: Question, use: Callable[[Any], Any]) -> None:
        """Get one answer and use it; an empty one leaves things as they are, where they are anything."""
        given = self.given.get(question.variable)
        while True:
            value = given if given not in (None, "") or self.ask is None else self.ask(question)
            nothing = value is None or not str(value).strip()
            if nothing and question.default is None and question.required:
                if self.ask is None:
                    self.missing.append(question.variable)
                    return
                self.tell("an answer is needed here")
                continue
            try:
                if not nothing or not question.path:
                    use(question.default if nothing else value)
                return
            except WrongAnswer as error:
                if value is given:
                    raise WrongAnswer(f"{question.variable}: {error}") from None
                self.tell(str(error))

    def _begin(self, answer: Any) -> None:
        service = parse(questions.service_question(), answer)
        if not questions.bases(service):
            self.composer.start(service, None)
            return
        base = questions.base_question(service)
        self.settle(base, lambda name: self.composer.start(service, parse(base, name)))

    def _all_given(self) -> None:
        if self.missing:
            give = " ".join(f"-e {name}=…" for name in self.missing)
            raise WrongAnswer(f"nobody can be asked here (no terminal, AWX, CI): give the answers as variables: {give}")
