# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs side by side: what differs, ratios with their intervals, the verdict; by the code of the playbook compare."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import asked, baselines, pages
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import NotThere
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.pages.run import _REPORT_POLICY

blueprint = flask.Blueprint("compare", __name__, url_prefix="/compare")
KEPT = 50
FILES = {"comparison.html": "text/html", "comparison.md": "text/markdown", "comparison.json": "application/json"}


@blueprint.get("/")
def show() -> Any:
    """What is to be compared, and how it compares."""
    given, here = flask.request.args, reading.settings()
    values = given.getlist("runs")
    if len(values) > 1:  # ticked in the list, which is sorted by anything: ids begin with the time
        values.sort()
    runs = [name for value in values for name in value.split(",") if name.strip()]
    form = {name: given.get(name, "").strip() for name in ("baseline", "threshold", "metrics")}
    record, problem = None, None
    if len(runs) > 1 or form["baseline"]:
        try:
            record = judged(runs, **form)
        except RunError as error:
            problem = str(error)
    elif runs:
        problem = "one run is chosen: choose another, or a baseline, to compare it with"
    plots = pages.figures(record) if record else {}
    return flask.render_template(
        "compare.html.j2", **(record or {}), record=record, problem=problem, runs=runs, form=form,
        **page.figures(plots, ["ratios"]), known=baselines.names(here.home), kept=_kept(),
    )  # fmt: skip


def judged(runs: list[str], baseline: str = "", threshold: str = "", metrics: str = "") -> dict[str, Any]:
    """The content of comparison.json of these runs, the first being the reference, or of a baseline and them."""
    compare.library_is_here()
    return asked.record(
        reading.settings().home,
        baseline=baseline or None,
        runs=runs or None,
        threshold=threshold or None,
        metrics=[name.strip() for name in metrics.split(",") if name.strip()],
    )


@blueprint.post("/")
def keep() -> Any:
    """Keep a comparison as files."""
    form = flask.request.form
    runs = [name for name in form.get("runs", "").split(",") if name]
    record = judged(runs, form.get("baseline", ""), form.get("threshold", ""), form.get("metrics", ""))
    pages.write(compare.directory(reading.settings().home, record), record)
    return flask.redirect(flask.url_for("compare.give", comparison=record["id"], name="comparison.html"), 303)


@blueprint.get("/<comparison>/<name>")
def give(comparison: str, name: str) -> Any:
    """A file of a comparison that was kept."""
    folder = reading.settings().home / "comparisons"
    if name not in FILES or comparison not in _kept():
        raise NotThere(f"there is no {name} of a comparison {comparison}")
    answer = flask.send_file(folder / comparison / name, mimetype=FILES[name], max_age=0)
    if name == "comparison.html":
        answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    return answer


def _kept() -> list[str]:
    folder = reading.settings().home / "comparisons"
    return sorted((path.parent.name for path in folder.glob("*/comparison.html")), reverse=True)[:KEPT]
