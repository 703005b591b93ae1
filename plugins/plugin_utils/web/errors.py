# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors as a person and as a program is told them."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.models import BaseModel, Field
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import NoSuchRun, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import StoreError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import exceptions, flask

API = "/api/"


class NotThere(RunError):
    """What a URL names is not there."""


class Refused(RunError):
    """What is asked for can't be done now; asked again, it may."""


class Problem(BaseModel):
    """Why a request was not answered as it was meant."""

    message: str = Field(description="what is wrong, and what to do")
    field: str | None = Field(None, description="the field that is wrong, where it is one")


_STATUS = ((NoSuchRun, 404), (NotThere, 404), (Refused, 409), (StoreError, 503), (ImportError, 501))


def register(app: Any) -> None:
    """Turn foreseen errors into pages and JSON with their own text."""
    for kind in (RunError, RecipeError, StoreError, ImportError):
        app.register_error_handler(kind, _foreseen)
    app.register_error_handler(exceptions.HTTPException, _http)


def of_validation(error: Any) -> Any:
    """The answer to a request that its model refuses: the first field that is wrong, and why."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"])) or None
    return _json(422, f"{field}: {first['msg']}" if field else first["msg"], field)


def _foreseen(error: Exception) -> Any:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 422)
    return _answer(status, str(error))


def _http(error: Any) -> Any:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    answer = _answer(error.code, error.description or error.name)
    answer.headers.extend(
        (name, value) for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")
    )
    return answer


def _answer(status: int, message: str) -> Any:
    if flask.request.path.startswith(API):
        return _json(status, message)
    if status == 400:  # there may be no name by which a page could lead to others
        return flask.Response(f"{message}\n", 400, mimetype="text/plain")
    return flask.make_response(flask.render_template("error.html.j2", status=status, message=message), status)


def _json(status: int, message: str, field: str | None = None) -> Any:
    answer = flask.jsonify(Problem(message=message, field=field).model_dump())
    answer.status_code = status
    return answer
