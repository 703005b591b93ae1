# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs: list, one, its results and logs; stop, follow, run again."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, logs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher, live, reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api import models, plays
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.pages import run as page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.reading import FILTERS, Wanted

api = models.api("runs", "runs of this controller and of those that share its store")


@api.get("/runs", responses={200: models.Runs})
def list_runs(query: models.RunQuery) -> Any:
    """List runs, newest first."""
    filters = {name: value for name in FILTERS if (value := getattr(query, name))}
    wanted = Wanted(filters, query.prefix, query.order, query.page, query.size)
    found = reading.listed(reading.settings(), wanted)
    rows = [_run(record) for record in found.records]
    return flask.jsonify(runs=rows, total=found.total, page=query.page, problems=found.problems)


@api.get("/runs/<string:run_id>", responses={200: models.RunDetail})
def get_run(path: models.RunPath) -> Any:
    """One run."""
    run, record = reading.found(reading.settings(), path.run_id)
    now = None if run is None or reading.is_over(record) else live.situation(run)
    return flask.jsonify({**_run(record), "record": record, "live": now})


@api.get("/runs/<string:run_id>/results", responses={200: models.Results})
def get_results(path: models.RunPath, query: models.ResultQuery) -> Any:
    """Its results: rows of results.csv."""
    run, _record = reading.local(reading.settings(), path.run_id)
    wanted = {"metric": query.metric, "case": query.case, "client": query.client}
    rows = [
        row for row in run.results() if all(value is None or row[field] == value for field, value in wanted.items())
    ]
    return flask.jsonify(results=rows)


@api.get("/runs/<string:run_id>/logs", responses={200: models.LogLines})
def get_logs(path: models.RunPath, query: models.LogQuery) -> Any:
    """Lines of its logs, without secrets."""
    run, _record = reading.local(reading.settings(), path.run_id)
    wanted = logs.Wanted(query.source, query.client, query.search, query.level)
    found = logs.read(run, wanted, tail=query.tail, merge=query.merge, limit=logs.MOST_LINES)
    return flask.jsonify(lines=found.lines, left_out=found.left_out)


@api.post("/runs/<string:run_id>/stop", responses={202: models.Play, **models.problems(409, 501)})
def stop_run(path: models.RunPath, body: models.Stop) -> Any:
    """Stop a run in order: what it measured is kept, and that nothing is left is proven."""
    if body.confirm != path.run_id:
        raise RunError("confirm: it is not the id of this run, which was not stopped")
    return plays.started(page.stop_run(path.run_id))


@api.post("/runs/<string:run_id>/watch", responses={202: models.Play, **models.problems(409, 501)})
def watch_run(path: models.RunPath) -> Any:
    """Follow a run that nobody follows, until it is over and torn down."""
    return plays.started(page.watch_run(path.run_id))


@api.post("/runs/<string:run_id>/rerun", responses={202: models.Play, **models.problems(409, 501)})
def rerun(path: models.RunPath) -> Any:
    """Run it again, from its own recipe and with its own images."""
    run, _record = reading.local(reading.settings(), path.run_id)
    return plays.started(launcher.start(reading.settings(), "rerun", {"run": run.id}))


def _run(record: dict[str, Any]) -> dict[str, Any]:
    fields = ("id", "recipe", "cluster", "service", "workload", "state", "verdict", "created_at", "ended_at")
    lines = [line(each) for each in record.get("headline") or []]
    return {**{field: record.get(field) for field in fields}, "headline": lines}


def line(each: dict[str, Any]) -> dict[str, Any]:
    """A line of a headline, with its text."""
    return {**each, "text": formatting.with_interval(each)}
