# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stored run that is started again: its recipe as it was resolved, and its images, if they can still be had."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.image import is_digest, normalise
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import image_facts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.images import substitute_image
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import Recipe, load_recipe
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

RECIPE = "recipe.yml"
_LOOK = (
    image_facts.SHELL
    + r"""
for image in "$@"; do
  if [ -e "$image" ]; then image_facts "$image"; else echo missing; fi
done
"""
)
Facts = dict[str, Any]
_SHOWN = 12  # digits of a checksum, for a person


@dataclass(frozen=True)
class Stored:
    """A run of this controller, and what was kept of it."""

    run: RunDirectory
    plan: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def cluster(self) -> str | None:
        """The inventory's name of its cluster."""
        return (self.plan.get("cluster") or {}).get("name")

    def recipe(self) -> Recipe:
        """Its recipe, with the name and checksum of the file that it was resolved from. Raises RecipeError."""
        found = load_recipe(str(self.run.file(RECIPE)))
        known = self.plan.get("recipe") or {}
        return dataclasses.replace(found, **{key: known[key] for key in ("name", "path", "sha256") if key in known})


def stored(run: RunDirectory) -> Stored:
    """What was kept of a run. Raises RunError where that is not enough to start it again."""
    plan = run.read_json("plan.json", None)
    missing = [name for name, there in ((RECIPE, run.has(RECIPE)), ("plan.json", bool(plan))) if not there]
    if missing:
        raise RunError(
            f"run {run.id} can't be run again: {run.path} has no {' and no '.join(missing)}. It was not submitted from "
            "here, or its files were removed. Start its recipe: ansible-playbook aifactory.benchmark.run -e recipe=…"
        )
    return Stored(run, plan, run.read_json("provenance.json", {}))


@dataclass(frozen=True)
class Pin:
    """What becomes of an image: `used` in the place of what the recipe names (None: that), and why, in words."""

    parts: tuple[str, ...]
    used: str | None
    why: str


def pins(
    then: Stored, cluster: str, images: Mapping[str, str], look: Callable[[list[str]], list[Facts | None]]
) -> list[Pin]:
    """For each image of the run how it is had again: the same file, else by its digest, else by its name.

    `images`: what the cluster has in the place of others (benchmark_images). `look`: paths on it → what is there, None
    for nothing.
    """
    known = [image for image in then.provenance.get("images") or [] if image.get("path") and image.get("parts")]
    if cluster != then.cluster:
        return [_elsewhere(image, images) for image in known]
    there = look([image["path"] for image in known]) if known else []
    return [_here(image, found) for image, found in zip(known, there, strict=True)]


def _here(image: Mapping[str, Any], found: Facts | None) -> Pin:
    """On the cluster of then."""
    how = image_facts.same_file(image, found or {})
    if how:
        shown = f"sha256 {image['sha256'][:_SHOWN]}…" if how == "sha256" else f"SIF id {image['sif_id']}"
        return Pin(tuple(image["parts"]), image["path"], f"image {_name(image)}: the same file, {shown}")
    if found is None:
        why = f"{image['path']} is not there any more"
    elif any(image.get(name) and found[name] for name in ("sha256", "sif_id")):
        why = f"{image['path']} is another file now"
    else:
        why = f"whether {image['path']} is what it was is not known"
    return _by_digest(image) or _by_name(image, why)


def _elsewhere(image: Mapping[str, Any], images: Mapping[str, str]) -> Pin:
    asked = image.get("asked")
    if asked and (own := substitute_image(asked, images)) != normalise(asked):
        return Pin(tuple(image["parts"]), None, f"image {_name(image)}: this cluster has its own, {own}")
    return _by_digest(image) or _by_name(image, "this cluster has not the file of then")


def _by_digest(image: Mapping[str, Any]) -> Pin | None:
    reference, digest = image.get("reference") or "", image.get("digest")
    if not is_digest(digest) or "://" not in reference or digest not in (pinned := normalise(reference, digest)):
        return None
    return Pin(tuple(image["parts"]), pinned, f"image {_name(image)}: fetched by its digest, {digest[: _SHOWN + 7]}…")


def _by_name(image: Mapping[str, Any], why: str) -> Pin:
    text = f"image {_name(image)}: as the recipe names it, and it may be another: {why}, and it has no digest"
    return Pin(tuple(image["parts"]), None, text)


def _name(image: Mapping[str, Any]) -> str:
    return image.get("asked") or image["path"]


def looker(remote: Remote) -> Callable[[list[str]], list[Facts | None]]:
    """What `pins` asks a cluster with, in one remote call."""

    def look(paths: list[str]) -> list[Facts | None]:
        lines = remote.shell(_LOOK, *paths).out.splitlines()
        if len(lines) != len(paths):  # a path with a line break in its name
            return [image_facts.parse([])] * len(paths)
        return [None if line == "missing" else image_facts.parse(line.split("\t")) for line in lines]

    return look


def extra(then: Stored, found: Iterable[Pin]) -> dict[str, Any]:
    """What the plan of the new run keeps of this: `rerun_of`, and part → image in the place of the recipe's."""
    return {"rerun_of": then.run.id, "images": {part: pin.used for pin in found if pin.used for part in pin.parts}}
