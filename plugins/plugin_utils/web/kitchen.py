# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipes as the web UI has them: where they lie, what is in them, and what a user makes of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import catalogue
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.overview import overview, sentence
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.roles import COLLECTION_ROOT
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError, write_at_once
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import NotThere, Refused
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

OWN, HERE, SHIPPED = "own", "here", "shipped"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
_WORDS = {OWN: "yours", HERE: "of the directory", SHIPPED: "shipped"}
BLANK = """# What this recipe measures
service:
  type: redis
client:
  type: redis
benchmarks:
  num_clients: 2
  duration: 30s
"""
Groups = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Found:
    """A recipe's file. `origin`: OWN, HERE (of the server's directory) or SHIPPED (with the collection)."""

    origin: str
    path: Path

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.stem

    @property
    def words(self) -> str:
        """Whose it is, in words."""
        return _WORDS[self.origin]

    @property
    def text(self) -> str:
        """What is in it; bytes that are not UTF-8 become U+FFFD."""
        return self.path.read_text(encoding="utf-8-sig", errors="replace")


def folders(here: Settings) -> dict[str, Path]:
    """Where recipes lie, by origin."""
    known = {OWN: here.home / "recipes", HERE: Path(here.directory) / "recipes", SHIPPED: COLLECTION_ROOT / "recipes"}
    if known[HERE].resolve() == known[SHIPPED].resolve():
        del known[HERE]
    return known


def every(here: Settings) -> list[Found]:
    """All recipes, the user's own first."""
    found = []
    for origin, folder in folders(here).items():
        try:
            found += (
                [Found(origin, path) for path in catalogue.recipe_files(str(folder), [])] if folder.is_dir() else []
            )
        except RecipeError:
            continue  # an empty folder
    return found


def find(here: Settings, origin: str, name: str) -> Found:
    """One recipe. Raises NotThere."""
    for each in every(here):
        if (each.origin, each.name) == (origin, name):
            return each
    raise NotThere(f"there is no recipe {name} among those {_WORDS.get(origin, origin)}")


def look(found: Found, groups: Groups | None) -> dict[str, Any]:
    """What is in a recipe, valid or not, as overview.overview gives it."""
    state = found.path.stat()
    return _look(found.path, state.st_mtime_ns, state.st_size, _frozen(groups))


def _frozen(groups: Groups | None) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    return None if groups is None else tuple((name, tuple(hosts)) for name, hosts in groups.items())


@lru_cache(maxsize=2000)
def _look(path: Path, _changed: int, _size: int, groups: Any) -> dict[str, Any]:
    return overview(path, None if groups is None else dict(groups))


def check(here: Settings, text: str, origin: str | None, name: str | None, groups: Groups | None) -> dict[str, Any]:
    """What is in a text that is being edited: `valid`, `sentence` (what it would do), `problems`, `notes`.

    Files that it names are looked for beside the recipe of this origin and name, or where a new one would be saved.
    """
    folder = folders(here).get(origin or OWN, folders(here)[OWN])
    found = overview(folder / f"{name if name and _NAME.match(name) else 'recipe'}.yml", groups, draft=text)
    problems = [{**problem, "text": _text(problem)} for problem in found["problems"]]
    words = sentence(found).partition(": valid: ")[2] if found["valid"] else None
    return {"valid": found["valid"], "sentence": words, "problems": problems, "notes": found.get("notes", [])}


def _text(problem: dict[str, Any]) -> str:
    """What is wrong and what to do, without the place."""
    return problem["message"] + (f"; {problem['remedy']}" if problem["remedy"] else "")


def digest(text: str) -> str:
    """What tells two texts of a recipe apart."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def normal(text: str) -> str:
    """A text as files have it: a browser's form sends line ends as CR LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") or not text else f"{text}\n"


def save(here: Settings, name: str, text: str, known: str | None) -> Found:
    """Save a text as a recipe of the user's own. `known`: the digest of what it was made of.

    Raises RunError for a name that is none, and Refused where somebody else has changed the recipe since.
    """
    if not _NAME.match(name):
        raise RunError(f"{name!r} is no name of a recipe: begin with a letter or a digit, then also . _ -, 63 at most")
    found = Found(OWN, folders(here)[OWN] / f"{name}.yml")
    if found.path.exists() and digest(found.text) not in (known, digest(text)):
        raise Refused(f"the recipe {name} of yours was changed since: load it again, or save under another name")
    write_at_once(found.path, text.encode("utf-8", "replace"))
    return found


def settled(here: Settings, found: Found | None, name: str, text: str, known: str | None) -> Found:
    """The file that has this text: the recipe's where it is unchanged, else one of the user's own, saved now."""
    if found is not None and found.name == name and normal(found.text) == text:
        return found
    return save(here, name, text, known)
