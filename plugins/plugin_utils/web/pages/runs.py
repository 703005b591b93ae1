# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The list of runs: filtered, sorted, and kept up to date while it is looked at."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import runs, screen
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import ORDERS
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import live, reading, stream
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.reading import FILTERS, Wanted

blueprint = flask.Blueprint("runs", __name__)
_FIRST_PAGE = 1


@blueprint.get("/")
def show() -> Any:
    """The page."""
    return flask.render_template("runs.html.j2", **_content())


@blueprint.get("/runs/stream")
def follow() -> Any:
    """The table, again whenever a run has changed."""
    content = _content()
    here, shown = reading.settings(), [record["id"] for record in content["listed"].records]

    def look() -> tuple[Any, Any, bool]:
        return _stamp(here, shown), lambda: {"html": flask.render_template("runs_table.html.j2", **_content())}, False

    return stream.answer(look, look_s=2.0)


def _stamp(here: Any, shown: list[str]) -> tuple[Any, ...]:
    """What changes when a run is added, or one of those that are shown has news."""
    places = [runs.runs_root(here.home), here.home / "unstored"]
    times = tuple(place.stat().st_mtime_ns for place in places if place.exists())
    return times, tuple(live.stamp(runs.run_directory(here.home, run_id)) for run_id in shown[: reading.PAGE])


def wanted(arguments: Any) -> Wanted:
    """What the query of a URL asks for. Raises RunError."""
    order = arguments.get("order", "-created_at")
    if order.removeprefix("-") not in ORDERS:
        raise RunError(f"order={order}: runs can be ordered by {', '.join(ORDERS)}, after a minus the other way round")
    try:
        page = max(_FIRST_PAGE, int(arguments.get("page", _FIRST_PAGE)))
    except ValueError:
        raise RunError(f"page={arguments['page']} is no number") from None
    filters = {name: arguments[name] for name in FILTERS if arguments.get(name)}
    return Wanted(filters, arguments.get("prefix", "").strip(), order, min(page, 10**6))


def _content() -> dict[str, Any]:
    asked = wanted(flask.request.args)
    found = reading.listed(reading.settings(), asked)
    return {
        "wanted": asked, "listed": found, "filters": FILTERS, "short_headline": screen.short_headline,
        "pages": -(-found.total // asked.size), "is_over": reading.is_over,
    }  # fmt: skip
