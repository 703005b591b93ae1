# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a run's numbers come from: recipe, code, scripts, image, model, machines, jobs (provenance.json).

What is not known is null, never guessed, and `missing` beside it says why. docs/provenance.md describes every field,
docs/provenance.schema.json is their schema.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.release import __version__ as ansible_version
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import image_facts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.plan_parts import parts_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance.code import git_state
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance.nodes import gather as gather_nodes
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.version import ROOT, collection_version

SCHEMA = 2
# Of one run, of one controller, or of one release: two runs that ask for the same differ in them.
_NOT_ASKED = ("run_id", "group", "created_at", "run_dir", "collection_version", "recipe", "extra")
_IMAGE_FACTS, _FILE_FACTS = ("asked", "reference", "path"), ("bytes", "sha256", "sif_id", "digest")


def at_submission(
    plan: Mapping[str, Any],
    slurm: str | None,
    agent_sha256: str | None,
    files: Mapping[str, str],
    images: Iterable[Mapping[str, Any]] = (),
    *,
    gathering: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the controller knows when it submits: recipe, plan, collection, scripts, images, Slurm.

    `files`: name → text of what is shipped; `images`: `part`, `asked`, `reference` and `path` of each (role run);
    `gathering`: see module_utils/slurm/cluster.
    """
    extra = plan.get("extra") or {}
    known = {
        "schema": SCHEMA,
        "run": plan["run_id"],
        "rerun_of": extra.get("rerun_of"),
        "recipe": {key: plan["recipe"][key] for key in ("name", "path", "sha256")},
        "plan_sha256": plan_sha256(plan),
        "collection": {"version": collection_version(), "agent_sha256": agent_sha256, **git_state(ROOT)},
        "controller": {
            "host": platform.node(),
            "python": platform.python_version(),
            "ansible_core": ansible_version,
            "system": platform.platform(),
        },
        "cluster": {
            "name": plan["cluster"]["name"],
            "slurm": slurm,
            "gathering": gathering,
            "modules": plan["cluster"]["modules"],
        },
        "modules": {part.name: list(part.plan.get("modules") or []) for part in parts_of(plan)},
        "scripts": script_sha256(files, plan["run_id"]),
        "images": _images_asked(images),
        "missing": {},
    }
    if slurm is None:
        known["missing"]["cluster.slurm"] = "Slurm was not asked for its version"
    if gathering is None:
        known["missing"]["cluster.gathering"] = "Slurm's commands were not asked, and slurmrestd does not tell"
    if not known["rerun_of"]:
        known["missing"]["rerun_of"] = "it was started from a recipe"
    return known


def after_collection(run: RunDirectory) -> dict[str, Any]:
    """The whole provenance of a collected run: what was known at its submission, its images, models, nodes and jobs."""
    known = run.read_json("provenance.json", {})
    events = run.events()
    nodes, environment, odd = gather_nodes(run, events)
    clocks = next((event.get("offsets") for event in reversed(events) if event["event"] == "clocks"), None)
    models = _models(run, events)
    jobs = run.read_json("jobs.json", [])
    missing = {
        **(known.get("missing") or {}),
        **odd,
        "models": "the service type names none" if not models else "",
        "nodes": "no agent described its node: no job of the run has run" if not nodes else "",
        "environment": "no agent wrote down its environment" if not environment else "",
        "clocks": "no client was asked for its clock: none got ready, or none answered" if not clocks else "",
        "jobs": "no job was submitted" if not jobs else "",
    }
    return {
        **known,
        "schema": SCHEMA,
        "run": run.id,
        "images": _images(run, known.get("images") or [], events),
        "models": models,
        "nodes": nodes,
        "environment": environment,
        "clocks": clocks,
        "jobs": jobs,
        "missing": {name: why for name, why in missing.items() if why},
    }


def asked_of(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan asks for, without what is of one run or of one controller; the run's id is RUN_ID in it."""
    asked = {key: value for key, value in plan.items() if key not in _NOT_ASKED}
    asked["inputs"] = {name: file["sha256"] for name, file in (plan.get("inputs") or {}).items()}
    return json.loads(json.dumps(asked, sort_keys=True).replace(str(plan["run_id"]), "RUN_ID"))


def plan_sha256(plan: Mapping[str, Any]) -> str:
    """Checksum of what a plan asks for: equal for two runs of the same recipe on the same cluster."""
    return hashlib.sha256(json.dumps(asked_of(plan), sort_keys=True).encode()).hexdigest()


def script_sha256(files: Mapping[str, str], run_id: str) -> dict[str, str]:
    """Name → SHA-256 of each file that is shipped, the run's id being RUN_ID in it: two runs can be compared."""
    return {name: hashlib.sha256(anonymous(files[name], run_id).encode()).hexdigest() for name in sorted(files)}


def anonymous(text: str, run_id: str) -> str:
    """A script without what is of one run: its id is RUN_ID."""
    return text.strip().replace(run_id, "RUN_ID") + "\n"


# -- images ----------------------------------------------------------------------------------------------


def _images_asked(images: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each path, in the order of images.txt, with the parts that use it."""
    found: dict[str, dict[str, Any]] = {}
    for image in images:
        unknown = {**dict.fromkeys(_FILE_FACTS), "missing": dict.fromkeys(_FILE_FACTS, "it was not collected yet")}
        known = {"parts": [], **{name: image.get(name) for name in _IMAGE_FACTS}, **unknown}
        found.setdefault(image["path"], known)["parts"].append(image.get("part"))
    return list(found.values())


def _images(run: RunDirectory, asked: list[dict[str, Any]], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What images.tsv says of each file, and what the run asked for."""
    lines = [line.split("\t") for line in run.read_text("images.tsv", "").splitlines() if line.split("\t")[0]]
    lines = lines or [[image["path"]] for image in asked]  # nothing was collected
    pulled = {event.get("sha256"): event for event in events if event["event"] == "pull_done"}
    found = []
    for number, (path, *fields) in enumerate(lines):
        there = image_facts.parse(fields)
        known = dict(asked[number]) if number < len(asked) else {"parts": [], "asked": None, "reference": None}
        image = {
            **known,
            **there,
            "reference": _reference(known.get("reference"), there["reference"]),
            "path": path,
            "digest": there["digest"] or pulled.get(there["sha256"], {}).get("digest"),
        }
        found.append({**image, "missing": _missing_of_image(image)})
    return found


def _reference(used: str | None, made_from: str | None) -> str | None:
    """What stands for an image; in the place of a file, as a run has it that is run again, what that was made from."""
    return made_from if made_from and "://" not in (used or "") else used


def _missing_of_image(image: Mapping[str, Any]) -> dict[str, str]:
    reasons = {
        "asked": "it was submitted by an earlier release",
        "reference": "it was submitted by an earlier release",
        "bytes": "the file was not looked at: it is not there, or nothing was collected",
        "sha256": f"there is no {image['path']}.sha256 beside it that is as new as the image",
        "sif_id": "it is no SIF file, was made without a UUID, or nothing was collected",
        "digest": "nothing is known of the registry: it is a file of the site's, or came without a digest",
    }
    return {name: why for name, why in reasons.items() if image.get(name) is None}


def _models(run: RunDirectory, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the agents found of the models that the service types name."""
    hidden = ("t", "source", "event", "node")
    found = [
        {key: value for key, value in event.items() if key not in hidden}
        for event in events
        if event["event"] == "model_described"
    ]
    if found:
        return found
    service = run.read_json("spec.json", {}).get("service") or {}
    why = "the service was not healthy, or its agent was killed before it could say"
    unknown = ("revision", "files", "bytes", "weights_sha256", "weights_how")
    return [
        {
            "service": service.get("name"),
            **{name: model.get(name) for name in ("name", "layout", "path")},
            **dict.fromkeys(unknown),
            "missing": dict.fromkeys(unknown, why),
        }
        for model in service.get("models") or []
    ]
