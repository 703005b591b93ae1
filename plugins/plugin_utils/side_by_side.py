# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runs of one play, one per cluster, beside one another."""

from __future__ import annotations

import datetime
import os
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, formatting, screen, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, run_ids, runs_root

A_DAY = datetime.timedelta(days=1)
CLUSTERS_A_TABLE = 3  # of 80 columns


def of_one_play(home: str | os.PathLike[str], run: RunDirectory) -> list[dict[str, Any]]:
    """The records (run.json, or what there is of it) of all runs that were started with `run`, by cluster."""
    group = run.read_json("plan.json")["group"]
    # runs of one play are planned within one moment, and an id begins with its day
    day = _day(run.id)
    found = []
    for run_id in run_ids(home):
        other = RunDirectory(runs_root(home) / run_id)
        if abs(_day(run_id) - day) <= A_DAY and (other.read_json("plan.json", None) or {}).get("group") == group:
            record = other.read_json("run.json", None)
            over = record is not None and record["state"] in timeline.FINAL_STATES
            found.append(record if over else finish.preview(other))
    return sorted(found, key=lambda record: record["cluster"])


def _day(run_id: str) -> datetime.datetime:
    return datetime.datetime.strptime(run_id[:8], "%Y%m%d")


def text(records: list[dict[str, Any]], colour: bool = False) -> str:
    """Tables of at most 80 columns: a row for every number of a case, a column for every cluster."""
    tables = [_table(records[first : first + CLUSTERS_A_TABLE]) for first in range(0, len(records), CLUSTERS_A_TABLE)]
    return screen.draw(*tables, colour=colour)


def _table(records: list[dict[str, Any]]) -> Any:
    numbers: dict[tuple[str, str], dict[str, str]] = {}
    for record in records:
        for line in record.get("headline") or []:
            key = (line["case"], formatting.metric(line))
            numbers.setdefault(key, {})[record["cluster"]] = formatting.with_interval(line)
    clusters = [record["cluster"] for record in records]
    rows: list[tuple[Any, ...]] = [("", "", *(record.get("verdict") or record["state"] for record in records))]
    last = None
    for (case, metric), values in numbers.items():
        rows.append(("" if case == last else case, metric, *(values.get(cluster, "-") for cluster in clusters)))
        last = case
    return screen.table(("case", "metric", *clusters), rows, right=range(2, 2 + len(clusters)), fold=(0, 1))
