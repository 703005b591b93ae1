# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Styles, scripts and plotly.js, all from this machine; their URLs change with their content: browsers keep them."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import NotThere
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("assets", __name__)
_STATIC = Path(__file__).parents[1] / "static"
_FOREVER_S = 365 * 86400
PLOTLY = "plotly.min.js"


@cache
def _files() -> dict[str, Path]:
    """Name → file: ours, the report's style and script, plotly's."""
    own = {path.name: path for path in _STATIC.iterdir() if path.suffix in (".css", ".js", ".svg")}
    return {**own, **{name: page.FOLDER / name for name in ("report.css", "report.js")}, PLOTLY: page.plotly_file()}


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_files()[name].read_bytes()).hexdigest()[:12]


@blueprint.app_template_global("asset")
def url(name: str) -> str:
    """Where a browser gets a file."""
    return flask.url_for("assets.give", digest=_digest(name), name=name)


@blueprint.get("/assets/<digest>/<name>")
def give(digest: str, name: str) -> Any:
    """A file; of another digest than its own it is not kept."""
    if name not in _files():
        raise NotThere(f"there is no file {name} of the web UI")
    is_known = digest == _digest(name)
    kind = mimetypes.types_map.get(Path(name).suffix, "application/octet-stream")
    answer = flask.send_file(_files()[name], mimetype=kind, max_age=_FOREVER_S if is_known else 0)
    answer.headers["Cache-Control"] = f"public, max-age={_FOREVER_S}, immutable" if is_known else "no-store"
    return answer


@blueprint.get("/healthz")
def health() -> Any:
    """That the server answers; for a proxy or a supervisor, without a token."""
    return flask.Response("ok\n", mimetype="text/plain")
