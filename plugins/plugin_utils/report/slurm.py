# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report says of Slurm's own figures: what the jobs used, and the energy that Slurm counted."""

from __future__ import annotations

from typing import Any

_LOAD = "while the load ran"
_DEVICES = {"gpu": "GPUs", "cpu": "processors"}
NO_USAGE = {
    "source": None, "reason": None, "cpu_s": None, "max_rss_bytes": None, "disk_read_bytes": None,
    "disk_write_bytes": None, "energy_j": None,
}  # fmt: skip


def gather(record: dict[str, Any]) -> dict[str, Any]:
    """Of run.json: `sources` and `missing` of what the jobs used; `rows`, `plain` and `covers` of Slurm's energy.

    `plain` is the one sentence that says why there is none, where that is the same for all.
    """
    usages = [(job, job.get("usage") or NO_USAGE) for job in record.get("jobs") or []]
    by_reason: dict[str, list[str]] = {}
    for job, usage in usages:
        if usage["reason"]:
            by_reason.setdefault(usage["reason"], []).append(f"{job['role']} job {job['id']}")
    energy = (record.get("energy") or {}).get("slurm") or {}
    rows = _rows(energy)
    reasons = {row["reason"] for row in rows if row["joules"] is None or not row["counted"]}
    counted = any(row["counted"] for row in rows)
    return {
        "sources": list(dict.fromkeys(usage["source"] for _job, usage in usages if usage["source"])),
        "missing": [f"{', '.join(who)}: {reason}" for reason, who in by_reason.items()],
        "rows": rows,
        "plain": reasons.pop() if len(reasons) == 1 and not counted else None,
        "covers": energy.get("covers") or "",
        "plugins": ", ".join(energy.get("plugins") or []) or "an unknown plugin",
        "own": " and ".join(_DEVICES.get(kind, kind) for kind in energy.get("own_kinds") or []) or "nothing",
    }


def _rows(energy: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each job, and one for the time of the load where sstat told of it."""
    rows = [_row(f"{job['role']} job {job['id']}", job) for job in energy.get("jobs") or []]
    load = energy.get("load") or {}
    return [*rows, _row(_LOAD, load)] if load.get("joules") else rows


def _row(what: str, found: dict[str, Any]) -> dict[str, Any]:
    own = found.get("own") or {}
    told = [found.get("reason"), found.get("others"), own.get("reason")]
    return {
        "what": what,
        "status": found["status"],
        "counted": found["status"] == "counted",
        "reason": "; ".join(text for text in told if text),
        "joules": found.get("joules"),
        "seconds": found.get("seconds"),
        "step": found.get("step"),
        "own_joules": own.get("joules"),
        "ratio": own.get("ratio"),
    }
