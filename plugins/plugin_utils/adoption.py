# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs that another controller started: found on the cluster, and taken over by this one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    RUN_ID,
    RunDirectory,
    RunError,
    run_directory,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import unpack

# Each run's directory, and how long ago anything in it was touched: a watching controller leaves its mark in it, too.
_LIST = r"""
cd "$1/runs" 2>/dev/null || exit 0
now=$(date +%s)
for run in *; do
  [ -d "$run" ] || continue
  last=$(stat -c %Y "$run" "$run"/control "$run"/events/* "$run"/logs/* "$run"/control/* 2>/dev/null | sort -n |
    tail -n 1)
  plan=no; [ ! -e "$run/plan.json" ] || plan=yes
  printf '%s %d %s\n' "$run" "$((now - ${last:-0}))" "$plan"
done
"""
# What the controller that submitted it wrote; all else is collected. Nothing is written on the cluster, whose file
# system may be full.
_FETCH = r"""
cd "$1" && [ -e plan.json ] || exit 3
set --
for name in plan.json spec*.json recipe.yml provenance.json submit.sh start*.sh ./*.sbatch inputs; do
  [ ! -e "$name" ] || set -- "$@" "$name"
done
t=$(mktemp -d) || exit 4
trap 'rm -rf "$t"' EXIT
find "$@" -type f -exec sha256sum {} + >"$t/manifest.sha256" && tar -czf - "$@" -C "$t" manifest.sha256
"""


@dataclass(frozen=True)
class Found:
    """A directory in the cluster's folder of runs, and how many seconds ago anything in it was touched."""

    name: str
    idle_s: float
    has_plan: bool = True

    @property
    def is_run(self) -> bool:
        """Whether it is a run's, and not what a removal left of one."""
        return bool(RUN_ID.match(self.name))


def on_cluster(remote: Remote, scratch: str) -> list[Found]:
    """All directories below `scratch`/runs on the cluster, oldest run first. Raises ClusterUnreachable."""
    lines = (line.split() for line in remote.shell(_LIST, scratch).out.splitlines())
    return sorted(
        (Found(words[0], float(words[1]), words[2] == "yes") for words in lines if len(words) == 3),
        key=lambda found: found.name,
    )


def run_dir(scratch: str, name: str) -> str:
    """The directory of a run (or what is called so) on the cluster."""
    return f"{scratch.rstrip('/')}/runs/{name}"


def matching(found: list[Found], reference: str) -> list[str]:
    """Ids of the runs that `reference` (an id, a prefix of one, or `latest`) means, oldest first."""
    names = [each.name for each in found if each.is_run]
    if reference == "latest":
        return names[-1:]
    return [reference] if reference in names else [name for name in names if name.startswith(reference)]


def adopt(remote: Remote, scratch: str, home: str | os.PathLike[str], run_id: str) -> RunDirectory:
    """Take a run over: what its controller wrote comes into `home`/runs/`run_id`; its jobs are found by name later.

    Raises ClusterUnreachable, and RunError when the directory is not that of a run or has gone meanwhile.
    """
    run = run_directory(home, run_id)
    path = run_dir(scratch, run_id)
    answer = remote.shell(_FETCH, path)
    if answer.rc != 0:
        why = "another controller removed it" if answer.rc == 3 else answer.err.strip() or f"exit status {answer.rc}"
        raise RunError(f"run {run_id}: its directory {path} on {remote.host} can't be read: {why}")
    unpack(answer.stdout, run, lambda name: name)
    plan = run.read_json("plan.json")
    if not isinstance(plan, Mapping) or plan.get("run_id") != run_id or plan.get("run_dir") != path:
        run.file("plan.json").unlink()
        raise RunError(f"{path} on {remote.host} is not the directory of run {run_id}: its plan.json says otherwise")
    return run
