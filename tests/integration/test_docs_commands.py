# SPDX-License-Identifier: MIT
"""The commands of the first pages, in their order, on the local cluster: what the unit tests can't run.

The recipes that the pages have their reader write measure for a second here; everything else is as it stands there.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.docs_blocks import ROOT, Command, blocks, commands
from tests.unit.docs_commands import page_files, playbook

from .conftest import INVENTORY, Played, assert_measured, assert_nothing_left, environment

pytestmark = [pytest.mark.integration, pytest.mark.extra]

PAGES = ("README.md", "docs/getting-started.md", "docs/tutorial/first-sweep.md", "docs/tutorial/first-comparison.md")
# of the playbooks that need no cluster, those that say something of the runs that were just made
NAMES = {"compare", "list", "logs", "metrics", "rerun", "run", "summary", "validate"}


def own(page: str) -> list[Command]:
    """The commands of a page that need no other cluster than the local one."""
    found = [command for block in blocks(ROOT / page) if not block.language for command in commands(block)]
    elsewhere = {"-i", "-l", "follow=true"}
    return [
        each
        for each in found
        if each.words[0] == "sed" or (playbook(each) in NAMES and not elsewhere & set(each.words))
    ]


def write_files(page: str, folder: Path) -> None:
    """The files of a page, whose measurements are short."""
    for name, text in page_files(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"^  (duration|warmup): .*$", r"  \1: 1s", text, flags=re.MULTILINE))


def typed(command: Command, runs: list[str]) -> list[str]:
    """The words, on the test's inventory and with the id of the run before the latest."""
    if command.words[0] == "sed":
        return ["bash", "-c", command.line]
    words = [word.replace("BEFORE", runs[-2] if len(runs) > 1 else "BEFORE") for word in command.words[1:]]
    return [str(ROOT / ".venv/bin/ansible-playbook"), *words, "-i", str(INVENTORY), "-l", "local"]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_in_their_order(page, home, tmp_path):
    write_files(page, tmp_path)
    runs: list[str] = []
    for command in own(page):
        done = subprocess.run(
            typed(command, runs),
            env=environment(home),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        played = Played(done.returncode, done.stdout)
        if playbook(command) in ("run", "rerun") and "--check" not in command.words:
            runs.append(played.run_ids()[-1])
            assert_measured(played, home, runs[-1])
        elif playbook(command) == "compare":  # a busy machine may well be slower the second time
            assert "b against a" in played.output, f"{command}\n{played.output}"
        else:
            assert played.rc == 0, f"{command}\n{played.output}"
    assert runs
    assert_nothing_left(runs)
