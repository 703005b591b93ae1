# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plays that were started here: what they print, whether they go on, which runs they made."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher, reading, stream
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("plays", __name__, url_prefix="/plays")
SHOWN = 100


@blueprint.get("/")
def show() -> Any:
    """The list."""
    here = reading.settings()
    rows = [(play, launcher.state(here, play), launcher.runs(here, play)) for play in launcher.plays(here)[:SHOWN]]
    return flask.render_template("plays.html.j2", rows=rows)


@blueprint.get("/<play_id>/")
def show_one(play_id: str) -> Any:
    """One of them."""
    here = reading.settings()
    play = launcher.find(here, play_id)
    text, offset = launcher.output(here, play)
    return flask.render_template("play.html.j2", text=text, offset=offset, **_place(play))


def _place(play: launcher.Play) -> dict[str, Any]:
    here = reading.settings()
    state = launcher.state(here, play)
    return {"play": play, "state": state, "runs": launcher.runs(here, play), "is_over": state not in launcher.GOING_ON}


@blueprint.get("/<play_id>/stream")
def follow(play_id: str) -> Any:
    """What it prints from a byte on."""
    here = reading.settings()
    play = launcher.find(here, play_id)
    at = int(flask.request.headers.get("Last-Event-ID") or flask.request.args.get("offset", type=int) or 0)

    def look() -> tuple[Any, Any, bool]:
        nonlocal at
        place = _place(play)
        text, end = launcher.output(here, play, at)

        def content() -> dict[str, Any]:
            nonlocal at
            at = end
            return {"text": text, "offset": end, "html": flask.render_template("play_state.html.j2", **place)}

        return (end, place["state"], tuple(place["runs"])), content, place["is_over"]

    return stream.answer(look, look_s=0.5)
