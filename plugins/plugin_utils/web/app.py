# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application: its pages, its API, its templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import pages as comparison_pages
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import require
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.version import collection_version
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import api, errors, pages, security
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask, openapi, proxy_fix
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

_HERE = Path(__file__).parent
MOST_BYTES = 2 * 2**20  # of a request: a recipe with its form
_MENU = (
    ("runs.show", "Runs"), ("recipes.show", "Recipes"), ("plays.show", "Plays"), ("compare.show", "Compare"),
    ("trends.show", "Trends"), ("clusters.show", "Clusters"), ("docs.show", "API"),
)  # fmt: skip


def create_app(settings: Settings) -> Any:
    """The Flask application of a controller. Raises RunError, and ImportError where Flask is not installed."""
    require(flask)
    settings.check()
    app = openapi.OpenAPI(
        __name__,
        info={"title": "aifactory.benchmark", "version": collection_version()},
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        static_folder=None,
        doc_ui=False,
        validation_error_status=422,
        validation_error_model=errors.Problem,
        validation_error_callback=errors.of_validation,
    )
    app.openapi_version = "3.1.0"  # 3.2 is understood by few tools yet
    app.config.update(
        SECRET_KEY=settings.key(),
        SETTINGS=settings,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        SESSION_COOKIE_NAME="aifactory",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=settings.proxies > 0,
    )
    app.json.sort_keys = False
    _templates(app)
    security.guard(app, settings)
    errors.register(app)
    pages.register(app)
    api.register(app)
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = proxy_fix.ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_prefix=count)
    return app


def _templates(app: Any) -> None:
    """Those of the pages, and those of the reports, which say the same in the same words."""
    folders = [_HERE / "templates", page.FOLDER, comparison_pages.FOLDER]
    app.jinja_loader = jinja2.FileSystemLoader(folders)
    app.jinja_options = {
        "autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "undefined": jinja2.ChainableUndefined,
    }  # fmt: skip
    page.add_filters(app.jinja_env)
    app.jinja_env.filters["short_when"] = formatting.short_when
    app.jinja_env.globals.update(comparison_pages.vocabulary())
    app.jinja_env.globals.update(menu=_MENU, version=collection_version(), csrf=security.csrf_token)
