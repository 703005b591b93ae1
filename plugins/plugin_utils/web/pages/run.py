# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run: what the report says of it, live while it goes on; its logs; stop, run again."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import logs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import log_lines
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import content, figures, page, texts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher, live, reading, stream
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import NotThere, Refused
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("run", __name__, url_prefix="/runs/<run_id>")
# What is handed out as it is; none of it has a secret. Scripts and logs are on the page, with secrets taken out.
FILES = {
    "report.html": "text/html", "report.md": "text/markdown", "results.csv": "text/csv", "run.json": "application/json",
    "provenance.json": "application/json", "teardown.json": "application/json", "events.jsonl": "application/jsonl",
}  # fmt: skip
# A report has scripts of its own, which its own policy names one by one; it gets an origin without rights here.
_REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "frame-ancestors 'none'; sandbox allow-scripts allow-popups allow-downloads allow-modals"
)
LINES = 200  # of each log that the page shows at first
MOST_LINES = 2000


@blueprint.get("/")
def show(run_id: str) -> Any:
    """The page; of a run of another controller what the store has of it."""
    here = reading.settings()
    run, record = reading.found(here, run_id)
    if record["id"] != run_id:
        return flask.redirect(flask.url_for("run.show", run_id=record["id"]))
    if run is None:
        return flask.render_template("run_elsewhere.html.j2", record=record)
    gathered = content.collect(run, record)
    plots = figures.figures(gathered)
    is_over = reading.is_over(record)
    if not is_over:
        plots |= live.figures(run)
    files = [name for name in FILES if run.has(name)]
    return flask.render_template(
        "run.html.j2", **gathered, **page.figures(plots, figures.WIDE), files=files,
        is_over=is_over, is_drawn_later=not is_over,  # the page of a run that has just begun has nothing to draw yet
        sources=_sources(run), plays=launcher.plays(here, run.id)[:5], state_of=_state_of, **_live(run, is_over),
    )  # fmt: skip


def _state_of(play: launcher.Play) -> str:
    return launcher.state(reading.settings(), play)


def _live(run: Any, is_over: bool) -> dict[str, Any]:
    return {} if is_over else {"now": live.situation(run), "age": live.age_text}


def _sources(run: Any) -> list[str]:
    return [*logs.SOURCES, *sorted(path.name for path in run.path.glob("logs/*") if path.is_file())][:200]


@blueprint.get("/stream")
def follow(run_id: str) -> Any:
    """What changes on the page of a run that goes on."""
    run, _record = reading.local(reading.settings(), run_id)

    def look() -> tuple[Any, Any, bool]:
        is_over = reading.is_over(run.read_json("run.json", None) or {})
        return live.stamp(run), lambda: _news(run), is_over

    return stream.answer(look)


def _news(run: Any) -> dict[str, Any]:
    if reading.is_over(run.read_json("run.json", None) or {}):
        return {}
    return {"html": flask.render_template("run_live.html.j2", **_live(run, False)), "figures": live.figures(run)}


@blueprint.get("/logs")
def show_logs(run_id: str) -> Any:
    """Lines of the logs, as a part of the page."""
    run, _record = reading.local(reading.settings(), run_id)
    given = flask.request.args
    wanted = logs.Wanted(
        given.get("source") or None,
        given.get("client") or None,
        given.get("search") or None,
        given.get("level") or None,
    )
    try:
        found = logs.read(run, wanted, tail=LINES, merge=given.get("merge") == "1", limit=MOST_LINES)
    except RunError as error:
        return flask.render_template("log_lines.html.j2", problem=str(error), lines=[], left_out=0)
    return flask.render_template(
        "log_lines.html.j2", lines=found.lines, left_out=found.left_out, clock=log_lines.clock, problem=None
    )


@blueprint.get("/files/<name>")
def give(run_id: str, name: str) -> Any:
    """A file of the run."""
    run, _record = reading.local(reading.settings(), run_id)
    if name == "recipe.yml" and run.has(name):
        return flask.Response(texts.redact(run.read_text(name)), mimetype="application/yaml")
    if name not in FILES or not run.has(name):
        raise NotThere(f"run {run.id} has no {name} that is handed out: choose {', '.join(FILES)}")
    answer = flask.send_file(run.file(name), mimetype=FILES[name], max_age=0)
    if name == "report.html":
        answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    return answer


# -- what starts a play --------------------------------------------------------------------------------


@blueprint.get("/stop")
def ask_to_stop(run_id: str) -> Any:
    """Ask whether that is meant."""
    run, record = reading.local(reading.settings(), run_id)
    return flask.render_template("stop.html.j2", record=record, run=run, is_over=reading.is_over(record))


@blueprint.post("/stop")
def stop(run_id: str) -> Any:
    """Stop the run."""
    if flask.request.form.get("confirm") != run_id:
        raise RunError("the run was not stopped: confirm it")
    return _show(stop_run(run_id))


@blueprint.post("/rerun")
def rerun(run_id: str) -> Any:
    """Run it again, or say what would differ."""
    run, _record = reading.local(reading.settings(), run_id)
    return _show(launcher.start(reading.settings(), "rerun", {"run": run.id}))


@blueprint.post("/watch")
def watch(run_id: str) -> Any:
    """Follow a run that nobody follows."""
    return _show(watch_run(run_id))


@blueprint.post("/logs/follow")
def follow_logs(run_id: str) -> Any:
    """Follow the logs of a run that goes on; whoever does so already is joined."""
    return flask.redirect(flask.url_for("plays.show_one", play_id=follow_run_logs(run_id).id), 303)


def stop_run(run_id: str) -> launcher.Play:
    """Start the play that stops a run. Raises Refused where that is of no use."""
    here = reading.settings()
    run, record = reading.local(here, run_id)
    if reading.is_over(record) and run.has("teardown.json"):
        raise Refused(f"run {run.id} is over ({record['state']}) and torn down: there is nothing to stop")
    return _going_on(run.id, "stop") or launcher.start(here, "stop", {"run": run.id})


def watch_run(run_id: str) -> launcher.Play:
    """Start the play that follows a run. Raises Refused for one that is over."""
    return _of_living(run_id, "watch", "there is nothing to follow")


def follow_run_logs(run_id: str) -> launcher.Play:
    """Start the play that follows a run's logs. Raises Refused for one that is over."""
    return _of_living(run_id, "logs", "its logs are on its page", follow=True)


def _of_living(run_id: str, kind: str, why_not: str, **variables: Any) -> launcher.Play:
    """Start a play of this kind for a run, unless one goes on. Raises Refused for a run that is over."""
    here = reading.settings()
    run, record = reading.local(here, run_id)
    if reading.is_over(record):
        raise Refused(f"run {run.id} is over: {why_not}")
    return _going_on(run.id, kind) or launcher.start(here, kind, {"run": run.id, **variables})


def _going_on(run_id: str, kind: str) -> launcher.Play | None:
    here = reading.settings()
    alike = (play for play in launcher.plays(here) if play.kind == kind and play.variables.get("run") == run_id)
    return next((play for play in alike if launcher.state(here, play) in launcher.GOING_ON), None)


def _show(play: launcher.Play) -> Any:
    return flask.redirect(flask.url_for("plays.show_one", play_id=play.id), 303)
