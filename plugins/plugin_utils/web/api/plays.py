# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays that were started here, and starting one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import inventory, kitchen, launcher, reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.api import models
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

api = models.api("plays", "launches: each a process of its own, by ansible-runner")
LISTED = 100


@api.get("/plays", responses={200: models.Plays})
def list_plays() -> Any:
    """List the plays that were started here, newest first."""
    return flask.jsonify(plays=[told(play) for play in launcher.plays(reading.settings())[:LISTED]])


@api.get("/plays/<string:play_id>", responses={200: models.PlayDetail})
def get_play(path: models.PlayPath, query: models.PlayQuery) -> Any:
    """One play, with what it printed from a byte on."""
    play = launcher.find(reading.settings(), path.play_id)
    output, offset = launcher.output(reading.settings(), play, query.offset)
    return flask.jsonify({**told(play), "output": output, "offset": offset})


@api.post("/plays", responses={202: models.Play, **models.problems(409, 501)})
def launch(body: models.Launch) -> Any:
    """Run a recipe, or say what that would do."""
    here = reading.settings()
    found = kitchen.find(here, body.origin, body.name)
    limit = inventory.check(here, body.limit)
    return started(launcher.start(here, "dry-run" if body.check else "run", {"recipe": str(found.path)}, limit))


def told(play: launcher.Play) -> dict[str, Any]:
    """A play as the API tells it."""
    here, fields = reading.settings(), asdict(play)
    kept = {key: fields[key] for key in ("id", "kind", "limit", "created_at")}
    return {**kept, "subject": play.subject, "state": launcher.state(here, play), "runs": launcher.runs(here, play)}


def started(play: launcher.Play) -> Any:
    """The answer to what starts a play."""
    return flask.jsonify(told(play)), 202
