# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has changed between a stored run and the plan by which it is about to be run again, in words. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.nested import (
    Difference,
    differences,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import anonymous, asked_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance.rerun import Stored
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.texts import redact
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

SPEC, IMAGES = "spec.json", "image.sbatch"
LINES_OF_A_KIND = 12
_SITE = ("partition", "account", "qos", "image")  # what a plan has from the inventory, outside of its `cluster`
_CODE = ("collection", "controller")
_VALUE_CHARACTERS = 80


@dataclass(frozen=True)
class Changes:
    """By where they come from."""

    code: list[Difference]
    inventory: list[Difference]
    plan: list[Difference]
    service: list[Difference]
    scripts: list[Difference]

    def all(self) -> list[Difference]:
        """One after another."""
        return [*self.code, *self.inventory, *self.plan, *self.service, *self.scripts]


def gather(then: Stored, plan: Mapping[str, Any], now: Mapping[str, Any], files: Mapping[str, str]) -> Changes:
    """`now`: what provenance says at submission; `files`: name → text of what is about to be shipped."""
    code = differences(*({part: known.get(part) for part in _CODE} for known in (then.provenance, now)))
    code = [each for each in code if ".missing" not in each.field]
    asked = differences(asked_of(then.plan), asked_of(plan))
    of_site = [each for each in asked if _is_of_site(each.field)]
    before, after = _spec(then.run), _plain_json(files.get(SPEC, "{}"), plan["run_id"])
    service = differences(before.get("service") or {}, after.get("service") or {}, "service")
    said = {each.field for each in asked}
    return Changes(
        code=code,
        inventory=of_site,
        plan=[each for each in asked if each not in of_site],
        service=[each for each in service if each.field not in said],
        scripts=[
            Difference(f"scripts.{name}", *(None if text is None else "…" for text in pair))
            for name, *pair in _changed_texts(then, plan, files)
        ],
    )


def lines(found: Changes) -> Iterator[str]:
    """What a person reads, a line for each change; one that says so where there is none."""
    for kind, changes in (
        ("", found.code),
        ("inventory: ", found.inventory),
        ("plan: ", found.plan),
        ("service type: ", found.service),
    ):
        for each in changes[:LINES_OF_A_KIND]:
            yield f"{kind}{each.field}: {_shown(each.before)} → {_shown(each.after)}"
        if changes[LINES_OF_A_KIND:]:
            yield f"{kind}{len(changes) - LINES_OF_A_KIND} more fields differ"
    names = [each.field.partition(".")[2] + _only(each) for each in found.scripts]
    if names:
        yield f"scripts: {', '.join(names)} (--diff shows how)"
    if not found.all():
        yield "nothing else differs: collection, inventory, plan and scripts are as they were"


def unified(then: Stored, plan: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """How the scripts differ, as `diff -u` shows it; empty where they don't."""
    found: list[str] = []
    for name, before, after in _changed_texts(then, plan, files):
        pair = (redact(before or "").splitlines(), redact(after or "").splitlines())
        found += difflib.unified_diff(*pair, f"{name} of {then.run.id}", f"{name} now", lineterm="")
    return "\n".join(found)


def _changed_texts(
    then: Stored, plan: Mapping[str, Any], files: Mapping[str, str]
) -> Iterator[tuple[str, str | None, str | None]]:
    """(name, text then, text now) of the scripts that differ; None where there is none."""
    run = then.run
    names = {path.name for pattern in ("*.sbatch", "start*.sh", "submit.sh") for path in run.path.glob(pattern)}
    if IMAGES not in files:
        names.discard(IMAGES)  # the images are there: said of each of them
    for name in sorted(names | {name for name in files if name.endswith((".sbatch", ".sh"))}):
        before = anonymous(run.read_text(name), run.id) if run.has(name) else None
        after = anonymous(files[name], plan["run_id"]) if name in files else None
        if before != after:
            yield name, before, after


def _is_of_site(field: str) -> bool:
    return field.startswith("cluster.") or field.rpartition(".")[2] in _SITE


def _spec(run: RunDirectory) -> dict[str, Any]:
    return _plain_json(run.read_text(SPEC, "{}"), run.id)


def _plain_json(text: str, run_id: str) -> dict[str, Any]:
    """What the agent is told, with RUN_ID for the run's id."""
    try:
        found = json.loads(text.replace(run_id, "RUN_ID"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _only(each: Difference) -> str:
    return " (only now)" if each.before is None else " (only then)" if each.after is None else ""


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = redact(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", text):
        return f"{text[:12]}…"
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[:_VALUE_CHARACTERS]}…"
