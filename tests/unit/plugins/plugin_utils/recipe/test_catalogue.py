# SPDX-License-Identifier: MIT
"""Finding recipes by path and by name."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import catalogue
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import load_recipe
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.overview import overview, sentence, table

from .helpers import BASE, ROOT


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder and an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIFACTORY_HOME", str(tmp_path / "home"))
    return tmp_path


def test_shipped_recipes_are_found_by_name_from_anywhere(elsewhere):
    assert load_recipe("quickstart").path == str(ROOT / "recipes" / "quickstart.yml")
    assert load_recipe("recipes/quickstart.yml").name == "quickstart"
    assert load_recipe("quickstart.yml").name == "quickstart"


def test_a_users_recipe_goes_before_a_shipped_one(elsewhere):
    for folder in ("home/recipes", "recipes", "plays/recipes"):
        (elsewhere / folder).mkdir(parents=True)
        (elsewhere / folder / "quickstart.yaml").write_text(BASE)
        paths = catalogue.default_search_paths(str(elsewhere / "plays"))
        expected = "recipes" if folder == "plays/recipes" else folder
        assert catalogue.find_recipe("quickstart", paths).parent == elsewhere / expected
    assert load_recipe("quickstart", [elsewhere / "plays" / "recipes"]).path.startswith(str(elsewhere / "plays"))


def test_playbooks_beside_recipes_are_no_recipes(elsewhere):
    (elsewhere / "site.yml").write_text("- hosts: all\n")
    (elsewhere / "mine.yml").write_text(BASE)
    assert catalogue.recipe_names([elsewhere]) == ["mine"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "quikstart",
            "recipe: there is no recipe 'quikstart'; did you mean 'quickstart'? (recipes: chromadb,",
        ),
        ("./quikstart.yml", "./quikstart.yml: no such file; did you mean 'quickstart'?"),
        ("zzz", "recipe: there is no recipe 'zzz'; recipes: chromadb"),
        ("", "recipe: no recipe is given; add -e recipe=PATH_OR_NAME (chromadb"),
        ("./", "./: is a folder, not a recipe"),
    ],
)
def test_recipes_that_are_not_there(elsewhere, name, expected):
    with pytest.raises(RecipeError) as caught:
        load_recipe(name)
    assert str(caught.value).startswith(expected)


def test_folders_globs_and_all(elsewhere):
    (elsewhere / "own").mkdir()
    for name in ("a.yml", "b.yaml", "c.txt"):
        (elsewhere / "own" / name).write_text(BASE)
    paths = catalogue.default_search_paths()
    assert [path.name for path in catalogue.recipe_files("own", paths)] == ["a.yml", "b.yaml"]
    assert [path.name for path in catalogue.recipe_files("own/*.yml", paths)] == ["a.yml"]
    assert "quickstart" in [path.stem for path in catalogue.recipe_files("", paths)]
    with pytest.raises(RecipeError, match=r"own/\*.json: no recipe found; a recipe is a file NAME.yml"):
        catalogue.recipe_files("own/*.json", paths)


def test_descriptions_are_the_first_comment_that_is_no_licence():
    text = "# SPDX-License-Identifier: MIT\n# yaml-language-server: $schema=x\n\n#\n# What it is\n# more\nservice: {}\n"
    assert catalogue.description_of(text) == "What it is"
    assert catalogue.description_of("service: {}\n# later\n") == ""


def test_overviews(elsewhere):
    (elsewhere / "mine.yml").write_text("# Of mine\nconfiguration: {target: gone}\n" + BASE + "  rate: [max, 50%]\n")
    found = overview(elsewhere / "mine.yml", {"all": ["alpha"]})
    assert sentence(found) == (
        "mine.yml: valid: service container (1 node), 2 command clients (1 node), 2 cases (max, rate-50pct) of 10s,"
        " about 0.04 node-hours (at most 1.00 by its time limits)"
    )
    assert found["notes"] == [
        "target 'gone' is not in this inventory: run it with -l CLUSTER, or with the inventory that has it (-i)"
    ]
    (elsewhere / "bad.yml").write_text("service: {type: x y}\n")
    wrong = overview(elsewhere / "bad.yml")
    assert not wrong["valid"] and wrong["lines"][0].startswith("bad.yml:1: service.type:")
    assert wrong["problems"][0]["line"] == 1


def test_tables_fit_a_terminal(elsewhere):
    (elsewhere / "long.yml").write_text("# [bold]a[/] " + "word " * 40 + "\n" + BASE)
    (elsewhere / "bad.yml").write_text("service: 1\n")
    text = table([overview(elsewhere / "long.yml"), overview(elsewhere / "bad.yml")])
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[0].split() == ["Name", "Service", "Clients", "Load", "Target"]
    assert "[bold]a[/]" in text and "not valid: 1 problem" in text and "\x1b" not in text
    assert "\x1b[" in table([overview(elsewhere / "bad.yml")], colour=True)


def test_unreadable_search_paths_are_passed_over(elsewhere):
    (elsewhere / "recipes").write_text("a file, not a folder")
    assert "quickstart" in catalogue.recipe_names(catalogue.default_search_paths())


def overview_of(tmp_path, more: str):
    path = tmp_path / "load.yml"
    path.write_text(f"service: {{type: postgresql}}\nbenchmarks:\n  duration: 10s\n{more}")
    return overview(path)


def test_many_cases_are_not_all_named(tmp_path):
    found = overview_of(tmp_path, f"  sweep: {{parameters: {{concurrency: {list(range(1, 101))}}}}}\n")
    assert len(found["cases"]) == 100 and found["measured_s"] == 1000
    assert " 100 cases (concurrency-1, concurrency-2, " in sentence(found)
    assert " concurrency-8, …) of 10s, about " in sentence(found)


def test_a_search_is_said_in_place_of_cases(tmp_path):
    found = overview_of(tmp_path, "  slo: throughput > 1\n  search: {over: rate, max_trials: 12}\n")
    assert (found["cases"], found["search"], found["trials"], found["measured_s"]) == ([], "rate", 12, 120.0)
    assert " a search for the highest rate, 12 trials at most, of 10s, about " in sentence(found)
