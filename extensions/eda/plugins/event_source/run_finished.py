# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An event for Event-Driven Ansible for each run that has ended; see DOCUMENTATION.

ansible-rulebook runs this file by itself, without the collection around it: it imports nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
---
short_description: Runs of benchmarks that have ended
description:
  - Gives one event for each run that finished, failed or was stopped, with its verdict, first numbers and reasons.
  - Looks into benchmark_home, or into the database of benchmark_store_url; nothing is asked of a cluster.
options:
  benchmark_home:
    description:
      - Where the runs are. Either this or store_url.
    type: str
  store_url:
    description:
      - The PostgreSQL database that benchmark_store_url names; needs psycopg.
    type: str
  interval_s:
    description:
      - Seconds between two looks.
    type: float
    default: 5
  recipe:
    description:
      - Only runs of this recipe.
    type: str
  cluster:
    description:
      - Only runs on this cluster.
    type: str
  bookmark:
    description:
      - A file that keeps which runs were told. With it nothing is missed and nothing is told twice when the rulebook is
        started again; without it, and the first time, only runs count that end from now on.
    type: str
"""

EXAMPLES = r"""
- name: Look after benchmarks
  hosts: localhost
  sources:
    - aifactory.benchmark.run_finished:
        benchmark_home: /var/lib/aifactory
        bookmark: /var/lib/aifactory/cache/eda.json
  rules:
    - name: Tell of a run that failed
      condition: event.run.verdict == "INVALID"
      action:
        print_event:
"""

LOGGER = logging.getLogger(__name__)
OPTIONS = {
    "benchmark_home": str, "store_url": str, "interval_s": (int, float), "recipe": str, "cluster": str, "bookmark": str,
}  # fmt: skip
FINAL = ("finished", "failed", "stopped")
RUN_ID = re.compile(r"^\d{8}-\d{6}-[a-z0-9][a-z0-9-]*-[0-9a-f]{4}$")
WINDOW_S = 30 * 86400.0  # a run that began before that is told no more
FIELDS = ("id", "recipe", "cluster", "state", "verdict", "created_at", "ended_at", "headline", "reasons", "rerun_of")
QUERY = (
    "SELECT record FROM runs WHERE created_at >= %s AND state IN ('finished', 'failed', 'stopped') ORDER BY created_at"
)


async def main(queue: asyncio.Queue, args: dict[str, Any]) -> None:
    """Put an event into the queue for each run that has ended, as long as it lasts."""
    options = checked(args)
    told = bookmarked(options)
    while True:
        try:
            records = await asyncio.to_thread(ended, options, told or frozenset())
        except (OSError, LookupFailed) as error:
            LOGGER.warning("runs can't be read, trying again: %s", error)
        else:
            if told is None:  # what ended before this began is no news
                told = {record["id"] for record in records}
            else:
                for record in records:
                    told.add(record["id"])
                    if all(options.get(name) in (None, record.get(name)) for name in ("recipe", "cluster")):
                        await queue.put({"run": {name: record.get(name) for name in FIELDS}})
            keep(options, told)
        await asyncio.sleep(options.get("interval_s", 5))


class LookupFailed(Exception):
    """The database does not answer."""


def checked(args: Mapping[str, Any]) -> dict[str, Any]:
    """The options. Raises ValueError with what is wrong and what there is."""
    for name, value in args.items():
        if name not in OPTIONS:
            raise ValueError(f"run_finished has no option {name!r} (allowed: {', '.join(OPTIONS)})")
        if value is not None and not isinstance(value, OPTIONS[name]):
            raise ValueError(f"run_finished: {name} is no {'number' if name == 'interval_s' else 'text'}: {value!r}")
    options = {name: value for name, value in args.items() if value not in (None, "")}
    if ("benchmark_home" in options) == ("store_url" in options):
        raise ValueError("run_finished needs either benchmark_home or store_url")
    if "store_url" in options:
        if not re.match(r"postgres(ql)?(\+psycopg)?://", options["store_url"]):
            raise ValueError("run_finished: store_url is a database of PostgreSQL: postgresql://HOST/NAME")
        import psycopg  # noqa: F401 - says here, and not while it looks, that it is missing
    if options.get("interval_s", 1) <= 0:
        raise ValueError("run_finished: interval_s must be more than 0")
    return options


def ended(options: Mapping[str, Any], told: set[str] | frozenset[str]) -> list[dict[str, Any]]:
    """The records of runs that have ended and were not told, oldest first."""
    since = time.time() - WINDOW_S
    if "store_url" in options:
        return [record for record in _of_store(options["store_url"], since) if record["id"] not in told]
    return _of_home(Path(options["benchmark_home"]).expanduser() / "runs", since, told)


def _of_home(runs: Path, since: float, told: set[str] | frozenset[str]) -> list[dict[str, Any]]:
    first = time.strftime("%Y%m%d-%H%M%S", time.gmtime(since))  # what an id begins with
    names = sorted(entry.name for entry in os.scandir(runs)) if runs.is_dir() else []
    found = []
    for name in names:
        if RUN_ID.match(name) and name >= first and name not in told:
            with contextlib.suppress(OSError, ValueError):  # not there yet
                record = json.loads((runs / name / "run.json").read_text(encoding="utf-8"))
                if record.get("state") in FINAL:
                    found.append(record)
    return found


def _of_store(url: str, since: float) -> list[dict[str, Any]]:
    import psycopg

    try:
        with psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=10) as connection:
            return [json.loads(row[0]) for row in connection.execute(QUERY, (since,))]
    except psycopg.Error as error:
        raise LookupFailed(type(error).__name__) from None  # its text may have the password


def bookmarked(options: Mapping[str, Any]) -> set[str] | None:
    """The runs that were told before; None where nothing is known of before."""
    if "bookmark" not in options:
        return None
    try:
        return set(json.loads(Path(options["bookmark"]).expanduser().read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ValueError(f"run_finished: the bookmark {options['bookmark']} can't be read: {error}") from None


def keep(options: Mapping[str, Any], told: set[str] | None) -> None:
    """Write the bookmark, at once, without the runs that are too old to be told."""
    if "bookmark" not in options or told is None:
        return
    first = time.strftime("%Y%m%d-%H%M%S", time.gmtime(time.time() - WINDOW_S))
    target = Path(options["bookmark"]).expanduser()
    text = json.dumps(sorted(name for name in told if name >= first))
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(target)
