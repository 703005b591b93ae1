# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results for Prometheus: what the exporter of the playbook monitoring tells, at the web UI's own address."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import exporter
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import reading
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import flask

blueprint = flask.Blueprint("metrics", __name__)
_KEY = "aifactory_latest"


@blueprint.get("/metrics")
def show() -> Any:
    """Of every recipe on every cluster the latest run."""
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder
    except ImportError:
        raise ImportError("/metrics needs prometheus_client: pip install -r requirements.txt") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_latest())
    encode, kind = choose_encoder(flask.request.headers.get("Accept", ""))
    return flask.Response(encode(registry), content_type=kind)


def _latest() -> exporter.Latest:
    """One for the server: it keeps what it has read."""
    app, here = flask.current_app, reading.settings()
    if _KEY not in app.extensions:
        app.extensions[_KEY] = exporter.Latest(here.home, here.store_url, app.logger.warning)
    return app.extensions[_KEY]
