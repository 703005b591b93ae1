# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where recipes lie, and how one is found by its name."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .errors import Problem, RecipeError, did_you_mean
from .roles import COLLECTION_ROOT

_SUFFIXES = (".yml", ".yaml")
_SERVICE_SECTION = re.compile(rb"^[\"']?service[\"']?\s*:", re.MULTILINE)


def default_search_paths(playbook_dir: str | None = None, home: str | None = None) -> list[Path]:
    """Folders of recipes; the first one that has a name wins, so that users' recipes come before shipped ones.

    ``home`` is ``benchmark_home``.
    """
    paths = [Path("recipes").absolute()]
    if playbook_dir and not Path(playbook_dir).resolve().is_relative_to(COLLECTION_ROOT):
        paths += [Path(playbook_dir) / "recipes", Path(playbook_dir)]
    user = Path(os.path.expanduser(home or os.environ.get("AIFACTORY_HOME") or "~/.aifactory"))
    paths += [user / "recipes", COLLECTION_ROOT / "recipes"]
    return list(dict.fromkeys(paths))


def find_recipe(path_or_name: str, search_paths: Sequence[Path]) -> Path:
    """The file of a recipe given by path or by name. Raises ``RecipeError`` with the nearest name."""
    text = str(path_or_name).strip()
    if not text:
        names = ", ".join(recipe_names(search_paths))
        raise RecipeError(
            [Problem("recipe", None, None, "", "no recipe is given", f"add -e recipe=PATH_OR_NAME ({names})")]
        )
    candidate = Path(text).expanduser()
    if os.sep in text or candidate.suffix in _SUFFIXES:
        for path in (candidate, *(folder / candidate.name for folder in search_paths if os.sep not in text)):
            if path.is_file():
                return path
        if not candidate.is_absolute() and (COLLECTION_ROOT / candidate).is_file():
            return COLLECTION_ROOT / candidate  # recipes/NAME.yml of the installed collection
        remedy = did_you_mean(candidate.stem, recipe_names(search_paths), allowed="recipes")
        reason = "is a folder, not a recipe" if candidate.is_dir() else "no such file"
        raise RecipeError([Problem(text, None, None, "", reason, remedy)])
    for path in _recipes(search_paths):
        if path.stem == text:
            return path
    remedy = did_you_mean(text, recipe_names(search_paths), allowed="recipes")
    raise RecipeError([Problem("recipe", None, None, "", f"there is no recipe '{text}'", remedy)])


def recipe_names(search_paths: Sequence[Path]) -> list[str]:
    """Names of all recipes in the folders, each once."""
    return list(dict.fromkeys(path.stem for path in _recipes(search_paths)))


def recipe_files(path_or_name: str, search_paths: Sequence[Path]) -> list[Path]:
    """The recipes that are meant by a path, a name, a folder, a glob, or nothing (all).

    Raises ``RecipeError`` when there is none.
    """
    text = str(path_or_name).strip()
    if not text:
        files = list({path.stem: path for path in reversed(list(_recipes(search_paths)))}.values())[::-1]
    elif Path(text).expanduser().is_dir():
        files = list(_files([Path(text).expanduser()]))
    elif glob.has_magic(text):
        files = sorted(Path(found) for found in glob.glob(os.path.expanduser(text)) if found.endswith(_SUFFIXES))
    else:
        return [find_recipe(text, search_paths)]
    if not files:
        where = text or ", ".join(str(path) for path in search_paths)
        raise RecipeError([Problem(where, None, None, "", "no recipe found", "a recipe is a file NAME.yml")])
    return files


def shown_path(path: Path) -> str:
    """A path as messages show it: relative to the current directory where it lies below it."""
    absolute = Path(os.path.abspath(path))
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)


def description_of(text: str) -> str:
    """The first comment line of a recipe that is not a licence's."""
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        words = line.lstrip("#").strip()
        if words and not words.startswith(("SPDX-", "Copyright", "yaml-language-server:")):
            return words
    return ""


def _recipes(folders: Sequence[Path]) -> Iterator[Path]:
    """Files with a section `service:`; a search path may also hold playbooks and inventories."""
    for path in _files(folders):
        if not os.access(path, os.R_OK) or _SERVICE_SECTION.search(path.read_bytes()):
            yield path  # one that can't be read says so when it is used


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        try:
            files = (path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
            yield from sorted(files, key=lambda path: path.stem)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue  # a search path that this user does not have
