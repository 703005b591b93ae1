# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a run's numbers come from: recipe, code, image, machines. What is not known is null, never guessed."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from typing import Any

from ansible.release import __version__ as ansible_version
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.version import ROOT, collection_version


def at_submission(plan: dict[str, Any], slurm: str | None, agent_sha256: str) -> dict[str, Any]:
    """What the controller knows when it submits: recipe, plan, collection, controller, Slurm's version."""
    return {
        "recipe": {key: plan["recipe"][key] for key in ("name", "path", "sha256")},
        "plan_sha256": plan_sha256(plan),
        "collection": {"version": collection_version(), "agent_sha256": agent_sha256, **_git()},
        "controller": {
            "host": platform.node(),
            "python": platform.python_version(),
            "ansible_core": ansible_version,
            "system": platform.platform(),
        },
        "cluster": {"name": plan["cluster"]["name"], "slurm": slurm, "modules": plan["cluster"]["modules"]},
    }


def after_collection(run: RunDirectory) -> dict[str, Any]:
    """The whole provenance of a collected run: what was known at its submission, its images, its nodes."""
    known = run.read_json("provenance.json", {})
    events = run.events()
    return {**known, "images": _images(run, events), "nodes": _nodes(events)}


def plan_sha256(plan: dict[str, Any]) -> str:
    """Checksum of what a plan asks for: equal for two runs of the same recipe on the same cluster."""
    differs = ("run_id", "group", "created_at", "run_dir")
    asked = {key: value for key, value in plan.items() if key not in differs}
    text = json.dumps(asked, sort_keys=True).replace(str(plan["run_id"]), "RUN_ID")
    return hashlib.sha256(text.encode()).hexdigest()


def _git() -> dict[str, Any]:
    """Commit of the checkout that the collection runs from, and whether it has changes; nothing when installed."""
    if not (ROOT / ".git").exists():
        return {}

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return {"commit": git("rev-parse", "HEAD") or None, "changed_files": len(git("status", "--porcelain").splitlines())}


def _images(run: RunDirectory, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """From images.tsv: path, size in bytes, sha256 where the image has one beside it, the digest that its tag meant."""
    images = []
    digests = {e["sha256"]: e["digest"] for e in events if e["event"] == "pull_done" and e.get("digest")}
    for line in run.read_text("images.tsv", "").splitlines():
        path, size, digest = [*line.split("\t"), "", ""][:3]
        if path:
            image = {"path": path, "bytes": int(size) if size.isdigit() else None, "sha256": digest or None}
            images.append({**image, "digest": digests[digest]} if digest in digests else image)
    asked = run.read_json("spec.json", {}).get("service", {}).get("image")
    if images and asked:
        images[0]["reference"] = asked
    return images


def _nodes(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Node name → what the agent said of it."""
    hidden = ("t", "source", "event", "node")
    nodes: dict[str, Any] = {}
    for event in events:
        if event["event"] == "node_described":
            facts = {key: value for key, value in event.items() if key not in hidden and value is not None}
            nodes.setdefault(event["node"], {}).update(facts)
    return nodes
