# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A comparison as a user asks for it: runs, sides or a baseline, with thresholds; of the playbook and of the web UI."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import baselines, differences, judged, sides
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError


def record(home: str | os.PathLike[str], *, baseline: str | None = None, **given: Any) -> dict[str, Any]:
    """The content of comparison.json. Raises RunError.

    `baseline`: its name. `given`: run, runs, sides, clusters (see sides.read), metrics, threshold, thresholds,
    directions, varied, strict (see the module run_compare).
    """
    kept = baselines.read(home, baseline) if baseline else None
    return compare.compare(_sides(home, kept, given), _options(kept or {}, given), kept)


def _sides(home: str | os.PathLike[str], baseline: dict[str, Any] | None, given: dict[str, Any]) -> list[sides.Side]:
    chosen = {key: given.get(key) for key in ("run", "runs", "sides")}
    clusters = given.get("clusters") or ()
    if baseline is None:
        return sides.read(home, **chosen, clusters=clusters)
    try:
        known = [sides.find(home, run_id) for run_id in baseline["runs"]]
    except RunError as error:
        raise RunError(f"baseline {baseline['name']}: {error}. Set it to runs that are here") from None
    reference = sides.Side(baseline["name"], known)
    if not any(chosen.values()):
        return [reference, sides.Side("run", [sides.newest_like(home, known)])]
    others = sides.read(home, **chosen, clusters=clusters)
    if len(others) == 1 and not chosen["sides"]:
        others = [sides.Side("run", others[0].runs)]
    return sides.distinct([reference, *others])


def _options(kept: dict[str, Any], given: dict[str, Any]) -> compare.Options:
    thresholds = judged.Thresholds(
        given.get("threshold") or kept.get("threshold"),
        {**(kept.get("thresholds") or {}), **(given.get("thresholds") or {})},
    )
    varied = given.get("varied")
    return compare.Options(
        metrics=given.get("metrics") or [],
        thresholds=thresholds,
        directions=judged.read_directions(given.get("directions") or {}),
        varied=(differences.SERVICE,) if varied is None else varied,
        strict=bool(given.get("strict")),
    )
