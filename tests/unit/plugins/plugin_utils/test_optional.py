# SPDX-License-Identifier: MIT
"""A play without a library must load, and then say what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing, require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store

from tests.conftest import COLLECTIONS

BASE = "ansible_collections.aifactory.benchmark.plugins.plugin_utils"


def without(library: str, statement: str) -> str:
    """The last line that a Python without this library prints."""
    program = f"import sys; sys.modules[{library!r}] = None; sys.path.insert(0, {str(COLLECTIONS)!r})\n{statement}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return (done.stderr or done.stdout).strip().splitlines()[-1]


def test_missing_takes_part_in_definitions_and_fails_when_used():
    library = Missing("install it")

    class Model(library.Base):
        field = library.Field(1, description="x")

    assert not list(Model.fields_of_the_library)
    with pytest.raises(ImportError, match="install it"):
        require(library)
    require(pytest)


def test_recipes_without_pydantic():
    statement = f"from {BASE}.recipe.load import load_recipe; load_recipe('quickstart')"
    assert "recipes need pydantic 2 on the controller" in without("pydantic", statement)


@pytest.mark.parametrize(("library", "told"), [("sqlalchemy", "SQLAlchemy 2"), ("alembic", "Alembic")])
def test_a_new_store_without_what_makes_its_tables(tmp_path, library, told):
    statement = f"from {BASE}.store import Store; Store({str(tmp_path)!r}).ids()"
    assert f"the store needs {told} on the controller: pip install" in without(library, statement)
    with Store(tmp_path) as store:
        assert store.ids() == set()
    assert without(library, f"{statement}; print('listed')") == "listed", "a store that is up to date needs neither"
