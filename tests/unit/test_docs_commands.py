# SPDX-License-Identifier: MIT
"""Every fenced block of the documentation is run, or it is checked to the letter and said why it is not run."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish

from tests.unit.docs_blocks import PAGES, ROOT, Block, Command, blocks, commands
from tests.unit.docs_commands import OTHERS, RUN_ELSEWHERE, WHOLE_PAGES, mistakes, page_files, playbook, runs_here
from tests.unit.plugins.plugin_utils import samples

# what the pages call runs, by id or in words
RUNS = (
    "20261123-190212-postgresql-3f9a",
    "20261123-201500-postgresql-0a01",
    "20261124-020000-postgresql-1b02",
    "20261124-081503-postgresql-77c1",
)
IN_WORDS = {"BEFORE": RUNS[0], "A1": RUNS[0], "A2": RUNS[1], "A3": RUNS[2]}
FOLDERS = ("/srv/history", "/etc/grafana/provisioning")
# what is to be seen of a command that ran; of others: that it wrote something and ended with 0
SEEN = {
    "compare": "a side needs|b against a|gate main",
    "list": r"ID|no run",
    "recipes": "quickstart",
    "validate": "valid",
}
# what other languages are, and which test has them
ELSEWHERE = {
    "jsonc": "outlines with …; test_run_schema.py and the tests of the plan have the real thing",
    "nginx": "needs nginx in front of the web UI; tests/e2e has the headers that it sets",
    "sh": "docs/service-types.md, which tests/integration/test_outside_role.py runs",
    "text": "to be read",
}
PYTHON_ELSEWHERE = {"docs/metrics.md": "tests/unit/test_metrics_page.py"}

BLOCKS = [block for page in PAGES for block in blocks(page)]
COMMANDS = [command for block in BLOCKS if not block.language for command in commands(block)]


def of_language(language: str) -> pytest.MarkDecorator:
    found = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", found, ids=[block.where for block in found])


def test_every_block_is_run_or_said_why_not():
    known = {"", "json", "python", "sql", "yaml", *ELSEWHERE}
    assert [block.where for block in BLOCKS if block.language not in known] == []
    assert [language for language in ELSEWHERE if language not in {block.language for block in BLOCKS}] == []


def test_where_the_others_are_run_exists():
    reasons = [*RUN_ELSEWHERE.values(), *OTHERS.values(), *WHOLE_PAGES.values(), *PYTHON_ELSEWHERE.values()]
    named = [path for reason in reasons for path in re.findall(r"tests/[\w/.]+", reason)]
    assert named and [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("block", [each for each in BLOCKS if not each.language], ids=lambda block: block.where)
def test_what_a_block_of_commands_says_exists(block):
    assert commands(block), "no command in it: write ```text for what is only read"
    assert [f"{command.line}: {mistake}" for command in commands(block) for mistake in mistakes(command)] == []


def test_blocks_of_commands_are_of_the_shell():
    script = "\n".join(
        f"part_{number}() {{\n{block.text}\n}}" for number, block in enumerate(BLOCKS) if not block.language
    )
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@of_language("yaml")
def test_yaml_can_be_read(block):
    assert yaml.safe_load(block.text)


@of_language("sql")
def test_sql_fits_the_store(block):
    store = sqlite3.connect(":memory:")
    store.executescript((ROOT / "tests/unit/fixtures/store-0.1.0.sql").read_text())
    store.executescript(block.text)


def fill(home: Path) -> None:
    """Four runs, whose service told of itself."""
    for run_id in RUNS:
        run = samples.make(home, "finished", run_id=run_id)
        run.write_text(
            "metrics/postgresql.csv",
            "t,metric,labels,kind,value\n1790000010.0,pg_stat_database_xact_commit,,counter,5\n"
            "1790000011.0,pg_stat_database_xact_commit,,counter,9\n",
        )
        run.write_json("run.json", finish.preview(run))


def prepared(folder: Path, page: str, filled: Path) -> tuple[Path, Path]:
    """(working folder with the page's files and those of a run, benchmark_home with the runs)."""
    home, work = folder / "home", folder / "work"
    shutil.copytree(filled, home)
    shutil.copytree(home / "runs" / RUNS[0], work)
    for name, text in page_files(page).items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    return work, home


def typed(command: Command, work: Path) -> list[str]:
    """The words of a command, with runs that there are and folders that may be written."""
    words = command.words if command.words[0] == "ansible-playbook" else (command.words[0], command.line)
    line = "\0".join(words)
    for folder in FOLDERS:
        line = line.replace(folder, str(work / Path(folder).name))
    line = re.sub(rf"\b({'|'.join(IN_WORDS)})\b", lambda word: IN_WORDS[word.group(1)], line)
    return line.split("\0")


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> dict[Command, tuple[int, str, Path]]:
    """What became of each command that runs here: exit code, output, folder; and the folder of each page."""
    jobs, found = [], {}
    filled = tmp_path_factory.mktemp("filled")
    fill(filled)
    pages = Counter(command.block.page for command in COMMANDS if runs_here(command))
    for page, _count in pages.most_common():  # the longest first, since two go on at once
        work, home = prepared(tmp_path_factory.mktemp("docs"), page, filled)
        own = [command for command in COMMANDS if command.block.page == page and runs_here(command)]
        jobs.append({"folder": str(work), "home": str(home), "commands": [typed(command, work) for command in own]})
        found |= {command: (work, number) for number, command in enumerate(own)}
    path = tmp_path_factory.mktemp("jobs") / "jobs.json"
    path.write_text(json.dumps(jobs))
    settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    player = [sys.executable, str(ROOT / "tests/unit/docs_player.py"), str(path)]
    subprocess.run(player, env={**os.environ, **settings, "NO_COLOR": "1"}, check=True, timeout=300)
    return {
        command: (int((work / f".{number}.rc").read_text()), (work / f".{number}.out").read_text(), work)
        for command, (work, number) in found.items()
    }


@pytest.mark.parametrize("command", [each for each in COMMANDS if runs_here(each)], ids=str)
def test_a_command_that_needs_no_cluster_runs(played, command):
    code, output, work = played[command]
    assert code == 0, output
    assert "Traceback" not in output
    written = re.findall(r"(?:csv|parquet|openmetrics)=(\S+)", " ".join(typed(command, work)))
    assert all((work / path).exists() for path in written)
    assert written or command.words[0] == "sed" or re.search(SEEN.get(playbook(command), r"\S"), output), output


@of_language("python")
def test_python_runs(played, block, monkeypatch):
    if block.page in PYTHON_ELSEWHERE:
        assert block.page in (ROOT / PYTHON_ELSEWHERE[block.page]).read_text()
        return
    monkeypatch.chdir(
        next(work for command, (_code, _output, work) in played.items() if command.block.page == block.page)
    )
    names: dict = {}
    exec(block.text, names)
    tables = [value for value in names.values() if hasattr(value, "empty")]
    assert tables and not any(table.empty for table in tables)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ansible-playbook aifactory.benchmark.sumary", "no such playbook"),
        ("ansible-playbook aifactory.benchmark.run -e recipe=quickstart --chekc", "option"),
        ("ansible-playbook aifactory.benchmark.run -e recipes=quickstart", "run does not know it"),
        ("ansible-playbook aifactory.benchmark.run -e recipe=slowstart", "no such recipe"),
        ("ansible-playbook aifactory.benchmark.web -e web_state=start", "one of"),
        ("ansible-playbook -i inventory/melux.yml aifactory.benchmark.list", "not in the repository"),
        ("ansible-playbook aifactory.benchmark.list -l meluxino", "not in an inventory"),
        ("make dmeo", "no such target"),
        ("rm -rf build", "unknown command"),
    ],
)
def test_a_wrong_command_is_found(line, words):
    [command] = commands(Block("README.md", 1, "", line))
    [mistake] = mistakes(command)
    assert words in mistake
