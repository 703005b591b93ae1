# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks for a benchmark at the terminal, or takes the answers from variables, and writes the recipe."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import terminal
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import write_at_once
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.screen import WIDTH

if TYPE_CHECKING:
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.questions import Question

YES, NO = "yes", "no"


class ActionModule(RunAction):
    """See the module recipe_wizard for the options."""

    OPTIONS = {
        "clusters": {"type": "list", "elements": "str", "required": True},
        "name": {"type": "str"},
    }

    def act(self) -> dict[str, Any]:
        """Return the recipe's path, its cluster, and whether it is to be run."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import RecipeError, overview
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.composer import (
            Composer,
            Interview,
            WrongAnswer,
        )

        composer = Composer(self.task_vars.get("groups"))
        ask = self._ask if terminal.attended(terminal.STDIN) else None
        self.interview = Interview(composer, self._given(), ask, self._display.display)
        self.chosen: dict[str, str] = {}
        try:
            self._choose(self._cluster_question(), "cluster")
            self.interview.hold()
            composer.data = {"configuration": {"target": self.chosen["cluster"]}, **composer.data}
            problems = composer.problems()
            if problems:
                raise RecipeError(problems)
            path, changed = self._write(composer.text("Made by the playbook wizard"), str(composer.service))
            self._display.display(path.read_text(encoding="utf-8"))
            self._display.display(overview.sentence(overview.overview(path)))
            self._choose(self._run_question(), "run")
        except WrongAnswer as error:
            raise RunFailed(str(error)) from None
        except RecipeError as error:
            raise RunFailed(f"these answers make no valid recipe:\n{error}") from None
        run = self.chosen["run"] == YES
        if not run:
            self._display.display(f"later: ansible-playbook aifactory.benchmark.run -e recipe={path}")
        return {"changed": changed, "recipe": str(path), "cluster": self.chosen["cluster"], "run": run}

    def _given(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.questions import PREFIX

        return {name: self.variable(name) for name in self.task_vars if name.startswith(PREFIX)}

    def _choose(self, question: Question, name: str) -> None:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.composer import WrongAnswer, parse

        self.interview.settle(question, lambda answer: self.chosen.update({name: parse(question, answer)}))
        if name not in self.chosen:
            give = f"give one as a variable: -e {question.variable}=…, one of {', '.join(question.choices)}"
            raise WrongAnswer(f"several clusters, and nobody can be asked (no terminal, AWX, CI): {give}")

    def _cluster_question(self) -> Question:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.questions import Question

        names = tuple(self.options["clusters"])
        return Question(
            "cluster", (), "Cluster", "where it runs", "choice", names, default=names[0] if len(names) == 1 else None,
            required=True,
        )  # fmt: skip

    def _run_question(self) -> Question:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.questions import Question

        what = "a dry run, which submits nothing" if self.check_mode else "it costs what is said above"
        return Question("run", (), "Run it now", what, "choice", (YES, NO), default=YES, required=True)

    def _write(self, text: str, service: str) -> tuple[Path, bool]:
        """The recipe's file, and whether it is new. In check mode it lies in the cache."""
        name = self.options["name"] or f"{service}-{time.strftime('%Y%m%d-%H%M%S')}"
        folder = self.home / ("cache/wizard" if self.check_mode else "recipes")
        path = folder / f"{Path(name).name.removesuffix('.yml')}.yml"
        if path.exists() and not self.check_mode:
            if path.read_text(encoding="utf-8", errors="replace") == text:
                return path, False
            raise RunFailed(f"{path} is there and says something else: give another name, or remove it")
        write_at_once(path, text.encode())
        return path, not self.check_mode

    def _ask(self, question: Question) -> str:
        from ansible.errors import AnsibleError

        try:
            answer = self._display.prompt_until(_prompt(question))
        except AnsibleError as error:  # Ctrl-C, or a terminal that went away: the classes differ between releases
            raise RunFailed(f"left without an answer ({error}): nothing was submitted") from None
        return answer.decode("utf-8", "replace")


def _prompt(question: Question) -> str:
    """What is shown, at most 80 columns wide; the answer is typed below it."""
    lines = textwrap.wrap(f"{question.title}: {question.description}", WIDTH)
    if question.choices:
        choices = f"one of: {', '.join(question.choices)}"
        lines += textwrap.wrap(choices, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    if question.default is not None:
        default = f"[Enter: {' '.join(str(question.default).split())}]"
        lines += textwrap.wrap(default, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(["", *lines])
