# SPDX-License-Identifier: MIT
"""What the documentation names exists: files, headings, playbooks, recipe keys, inventory variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import load_recipe
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.plan_models import ClusterVariables

from tests.faults import conftest as faults
from tests.integration import more, test_services, test_standins
from tests.unit.docs_blocks import DOCS, FENCE, PAGES, ROOT, blocks

SITE = ROOT / "docs" / "site"
CODE = ("plugins", "roles", "playbooks")

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_PLAYBOOK = re.compile(r"ansible-playbook(?: -[a-z] \S+)* aifactory\.benchmark\.([a-z_]+)")
_VARIABLE = re.compile(r"\bbenchmark_[a-z_]+\b")


def test_every_small_recipe_is_run_by_make_test_services():
    """But vLLM's, whose image is too large for every run of CI: `make test-vllm`."""
    recipes = {path.stem.removesuffix("-small") for path in (ROOT / "recipes").glob("*-small.yml")}
    assert recipes == {*test_services.SAYS, *test_standins.SAYS, "vllm"}


def test_ci_runs_each_fault_once():
    """As docs/faults.md says."""
    there = {
        name
        for path in (ROOT / "tests/faults").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    in_ci = [case.partition("[")[0] for case in faults.IN_CI]
    assert there == set(in_ci) and len(in_ci) == len(there)


def test_what_ci_leaves_out_is_there():
    """A name that no test has would leave out nothing, and nobody would see it."""
    for module, names in more.MORE.items():
        text = (ROOT / f"tests/integration/{module}.py").read_text()
        assert not [name for name in names if f"def {name.partition('[')[0]}" not in text], module


def named(pages):
    return pytest.mark.parametrize("page", pages, ids=[str(page.relative_to(ROOT)) for page in pages])


def prose(page: Path) -> str:
    """The text without its blocks of code."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in _HEADING.findall(prose(page)):
        text = _LINK.sub(lambda link: link.group(0)[1:].split("]")[0], heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{number}" if number else slug for slug, most in found.items() for number in range(most + 1)}


def recipes() -> list[tuple[str, str]]:
    """(where, text) of the blocks of YAML that are recipes."""
    return [
        (block.where, block.text)
        for page in PAGES
        for block in blocks(page)
        if re.match(r"(#.*\n)*(service|configuration):", block.text)
        and page.name != "service-types.md"  # test_outside_role.py runs it, with the collection that the page makes
    ]


@named(PAGES)
def test_links_lead_somewhere(page):
    broken = []
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _hash, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@named(PAGES)
def test_playbooks_that_are_named_exist(page):
    known = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert set(_PLAYBOOK.findall(page.read_text())) - {"NAME"} <= known


def test_the_readme_names_every_playbook():
    table = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


@pytest.mark.parametrize(("where", "text"), recipes(), ids=[where for where, _text in recipes()])
def test_recipes_are_valid(where, text, tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text(text)
    load_recipe(str(path))


def test_the_quick_look_is_the_quickstart():
    [(_where, shown)] = [found for found in recipes() if found[0].startswith("README.md")]
    text = (ROOT / "recipes" / "quickstart.yml").read_text()
    assert shown == "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


@named(PAGES)
def test_variables_that_are_named_exist(page):
    known = {f"benchmark_{name}" for name in ClusterVariables.model_fields}
    wanted = set(_VARIABLE.findall(page.read_text())) - known
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yml", ".j2")]
    code = "\n".join(path.read_text() for path in files)
    assert [name for name in sorted(wanted) if not re.search(rf"\b{name}\b", code)] == []


def test_every_variable_of_a_cluster_is_described():
    text = (ROOT / "inventory" / "README.md").read_text()
    assert [name for name in ClusterVariables.model_fields if f"`benchmark_{name}`" not in text] == []


def test_every_page_is_in_the_index():
    pages = {page for page in DOCS if page.name != "README.md"}
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(index.read_text())}
    assert {str(page.relative_to(ROOT)) for page in pages - linked} == set()


def test_every_page_has_its_place_in_the_site():
    orders = "\n".join(page.read_text() for page in SITE.glob("*.md"))
    trees = "\n".join(re.findall(r"^```{toctree}$(.*?)^```$", orders, re.MULTILINE | re.DOTALL))
    entries = re.findall(r"^(?:[^:].*<)?([\w/*-]+)>?$", trees, re.MULTILINE)
    placed = {path for entry in entries for folder in (ROOT, SITE) for path in folder.glob(f"{entry}.md")}
    assert {page for page in PAGES if page not in placed} == set()
