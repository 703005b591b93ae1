# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Flask and what belongs to it, or what says that it is missing: the one place that imports it."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.optional import Missing

_MISSING = "the web UI needs {} on the controller: pip install -r requirements.txt"

try:
    import flask
    import flask_openapi as openapi
    from werkzeug import exceptions
    from werkzeug.middleware import proxy_fix
except ImportError:
    flask = openapi = exceptions = proxy_fix = Missing(_MISSING.format("Flask and flask-openapi"))
try:
    import waitress
except ImportError:
    waitress = Missing(_MISSING.format("waitress"))
try:
    import ansible_runner
except ImportError:
    ansible_runner = Missing(_MISSING.format("ansible-runner"))

__all__ = ["ansible_runner", "exceptions", "flask", "openapi", "proxy_fix", "waitress"]
