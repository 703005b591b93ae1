# SPDX-License-Identifier: MIT
"""What the documentation's commands may say (playbooks, options, variables, paths), and which run without a cluster."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import jinja2
import yaml
from ansible.cli.playbook import PlaybookCLI

from tests.unit.docs_blocks import ROOT, Command, files

# a run is only read, or nothing is asked of a cluster
RUN_HERE = {"baseline", "compare", "list", "logs", "metrics", "recipes", "report", "summary", "validate"}
# why a playbook is not run by the unit tests, and by which test it is
RUN_ELSEWHERE = {
    "awx": "needs an AWX: tests/integration/test_awx.py",
    "collect": "asks a cluster: tests/integration/test_run.py",
    "images": "asks a cluster: tests/integration/test_prefetch.py",
    "local_cluster": "starts a cluster: make test-cluster",
    "monitoring": "starts servers: tests/integration/test_monitoring.py",
    "rerun": "asks a cluster: tests/integration/test_rerun.py",
    "run": "asks a cluster: tests/integration/test_docs_commands.py",
    "stop": "asks a cluster: tests/integration/test_run.py",
    "teardown": "asks a cluster: tests/integration/test_orphans.py",
    "watch": "asks a cluster: tests/integration/test_run.py",
    "web": "starts a server: tests/integration/test_web.py",
    "wizard": "asks at a terminal: tests/unit/plugins/action/test_recipe_wizard.py",
}
# commands that are not the collection's: why they are not run here
OTHERS = {
    ".": "enters the virtual environment in which the tests run already",
    "ansible": "asks a cluster's slurmrestd: tests/integration/test_run_by_rest.py",
    "ansible-galaxy": "installs the tarball that was built: tools/import_build.sh",
    "antsibull-changelog": "changes the changelog: tools/release.sh has it done in a copy",
    "ansible-rulebook": "needs Java: tests/unit/extensions/test_run_finished.py reads the rulebook",
    "cat": "shows a file of a server that runs",
    "createdb": "changes a PostgreSQL of the reader's",
    "createuser": "changes a PostgreSQL of the reader's",
    "curl": "asks the web UI: tests/unit/plugins/plugin_utils/web",
    "cut": "reads a file of the local cluster",
    "env": "runs inside the local cluster",
    "git": "changes the repository",
    "gpg": "needs the release's key: tests/unit/test_release.py has one of its own",
    "make": "a target that is checked to exist; the tests are run by them",
    "nsenter": "enters the local cluster",
    "pip": "changes the environment of the tests",
    "sed": "changes a file of the repository, where it has -i; else it is run",
    "podman": "sends an image to a registry",
    "promtool": "needs a Prometheus: tests/unit/plugins/plugin_utils/monitoring",
    "sha256sum": "needs the files of a release",
    "ssh": "asks a cluster",
}
# pages whose example is run as a whole by a test of its own
WHOLE_PAGES = {"docs/service-types.md": "tests/integration/test_outside_role.py"}
# files that a page has its reader make in words: a copy of
COPIES = {
    "docs/getting-started.md": {"mine.yml": "recipes/quickstart.yml"},
    "docs/upgrade.md": {"recipes/mine.yml": "recipes/quickstart.yml"},
}
_OF_THE_READER = re.compile(r"my-[\w-]+\.yml$")


def playbook(command: Command) -> str | None:
    """The playbook's name without the collection's; None of another command."""
    if command.words[0] != "ansible-playbook":
        return None
    [name] = re.findall(r"aifactory\.benchmark\.(\w+)", " ".join(command.words)) or [""]
    return name


def runs_here(command: Command) -> bool:
    """Whether the unit tests run this command as it stands."""
    if command.words[0] == "sed":
        return "-i" not in command.words
    name, words = playbook(command), " ".join(command.words)
    if command.block.page in WHOLE_PAGES or "follow=true" in words:
        return False
    return name in RUN_HERE or (name == "monitoring" and "provisioning=" in words)


def mistakes(command: Command) -> list[str]:
    """What is wrong with a command, each as one line; nothing where it is right."""
    check = _CHECKS.get(command.words[0])
    if check:
        return check(command)
    if command.words[0] in OTHERS or runs_here(command):
        return []
    return [f"{command.words[0]}: an unknown command; have it run, or say in OTHERS why it is not"]


def page_files(page: str) -> dict[str, str]:
    """The files that a page has its reader write: name → text."""
    copies = {name: (ROOT / source).read_text() for name, source in COPIES.get(page, {}).items()}
    return {**files(ROOT / page), **copies}


def _playbook(command: Command) -> list[str]:
    cli = PlaybookCLI(list(command.words))
    cli.init_parser()
    try:
        options = cli.parser.parse_args(list(command.words[1:]))
    except SystemExit:
        return ["ansible-playbook does not know an option"]
    [name] = options.args or [""]
    stem = name.removeprefix("aifactory.benchmark.")
    if not (ROOT / "playbooks" / f"{stem}.yml").exists():
        return [f"{name}: no such playbook"]
    found = [] if stem in RUN_HERE | set(RUN_ELSEWHERE) else [f"{name}: neither run here, nor said why not"]
    for path in options.inventory or []:
        found += _path(command, path)
    for host in (options.subset or "").split(","):
        if host and host not in hosts():
            found.append(f"-l {host}: not in an inventory of the collection")
    for given in options.extra_vars:
        found += _extra_variables(command, stem, given)
    return found


def _extra_variables(command: Command, name: str, given: str) -> list[str]:
    if given.startswith("@"):
        path = str(Path(given.removeprefix("@")).relative_to(Path.cwd()))  # argparse makes it absolute
        text = page_files(command.block.page).get(path)
        if text is None:
            return _path(command, path)
        pairs = yaml.safe_load(text)
    elif given.startswith("{"):
        pairs = json.loads(given)
    else:
        key, equals, value = given.partition("=")
        if not equals:
            return [f"-e {given}: neither NAME=VALUE nor a file"]
        pairs = {key: value}
    found = []
    for key, value in pairs.items():
        known, choices = variables(name)
        if key not in known:
            found.append(f"-e {key}: {name} does not know it")
        elif choices.get(key) and value not in choices[key]:
            found.append(f"-e {key}={value}: one of {', '.join(map(str, choices[key]))}")
        elif key == "recipe":
            found += _recipe(command, value)
    return found


def _recipe(command: Command, name: str) -> list[str]:
    written = page_files(command.block.page)
    made = {*written, *(Path(path).stem for path in written), *re.findall(r">([\w./-]+)", _page_text(command))}
    made |= {Path(path).stem for path in made}
    if name in made or (ROOT / name).exists() or (ROOT / "recipes" / f"{name}.yml").exists():
        return []
    if command.block.page in WHOLE_PAGES and name in _page_text(command):
        return []
    return [f"-e recipe={name}: no such recipe, and the page does not have it written"]


def _make(command: Command) -> list[str]:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    return [f"make {word}: no such target" for word in command.words[1:] if "=" not in word and word not in targets]


def _pip(command: Command) -> list[str]:
    words = command.words
    return _path(command, words[words.index("-r") + 1]) if "-r" in words else []


def _ansible(command: Command) -> list[str]:
    module = command.words[command.words.index("-m") + 1].removeprefix("aifactory.benchmark.")
    known = variables("run")[0]
    given = [
        word.partition("=")[0] for flag, word in zip(command.words, command.words[1:], strict=False) if flag == "-e"
    ]
    found = [] if (ROOT / "plugins" / "modules" / f"{module}.py").exists() else [f"-m {module}: no such module"]
    return found + [f"-e {key}: no such variable" for key in given if key not in known]


def _rulebook(command: Command) -> list[str]:
    name = command.words[command.words.index("-r") + 1].removeprefix("aifactory.benchmark.")
    return [] if (ROOT / "extensions/eda/rulebooks" / f"{name}.yml").exists() else [f"-r {name}: no such rulebook"]


_CHECKS: dict[str, Callable[[Command], list[str]]] = {
    "ansible": _ansible,
    "ansible-playbook": _playbook,
    "ansible-rulebook": _rulebook,
    "make": _make,
    "pip": _pip,
}


def _path(command: Command, path: str) -> list[str]:
    if (ROOT / path).exists() or _OF_THE_READER.fullmatch(path):
        return []
    return [f"{path}: not in the repository, and not one of the reader's (my-NAME.yml)"]


def _page_text(command: Command) -> str:
    return (ROOT / command.block.page).read_text()


@functools.cache
def hosts() -> set[str]:
    """The names of the clusters in the collection's inventories."""
    paths = (ROOT / "inventory").glob("*.yml")
    groups = [group for path in paths for group in yaml.safe_load(path.read_text()).values()]
    return {host for group in groups for host in group.get("hosts", {})}


def _asked_for(node: object, is_expression: bool = False) -> Iterator[str]:
    """The variables in the templates and conditions of a playbook."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _asked_for(value, key in ("when", "that"))
    elif isinstance(node, list):
        for value in node:
            yield from _asked_for(value, is_expression)
    elif isinstance(node, str):
        template = f"{{{{ {node} }}}}" if is_expression else node
        for found in jinja2.Environment().parse(template).find_all(jinja2.nodes.Name):
            yield found.name


@functools.cache
def variables(name: str) -> tuple[set[str], dict[str, list]]:
    """(every variable that a playbook asks for, the values that one of them may have) of the playbook and its roles."""
    text = (ROOT / "playbooks" / f"{name}.yml").read_text()
    known = set(_asked_for(yaml.safe_load(text)))
    known |= set(re.findall(r"`(benchmark_\w+)`", (ROOT / "inventory" / "README.md").read_text()))
    choices = {}
    for role in re.findall(r"aifactory\.benchmark\.(\w+)", text):
        path = ROOT / "roles" / role / "meta" / "argument_specs.yml"
        if path.exists():
            for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
                known |= set(entry.get("options", {}))
                choices |= {key: option.get("choices", []) for key, option in entry.get("options", {}).items()}
    return known, choices
