# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the collection's dashboards and their data source where a Grafana on the controller, or a copy, finds them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible.plugins.action import ActionBase
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import dashboards
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError, write_at_once

_OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "grafana_path": {"type": "str"},
    "prometheus_url": {"type": "str", "default": "http://localhost:9090"},
    "prometheus_user": {"type": "str"},
    "prometheus_password_file": {"type": "str", "no_log": False},
}


class ActionModule(ActionBase):
    """See the module grafana_provisioning for the options."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write what is new or changed; foreseen errors fail the task with their own text."""
        super().run(tmp, task_vars)
        _unused, options = self.validate_argument_spec(_OPTIONS)
        try:
            written, changed = self._write(options)
        except RunError as error:
            # raised, ansible-core 2.16 would print a banner about an exception
            return {"changed": False, "failed": True, "msg": str(error)}
        return {"changed": bool(changed), "path": options["path"], "files": changed, "written": written}

    def _write(self, options: dict[str, Any]) -> tuple[dict[str, dict[str, str]], list[str]]:
        """Of every file where it is and its checksum; names of those that are new or changed."""
        written = {}
        folder = Path(options["path"]).absolute()
        prometheus = _prometheus(options)
        changed = []
        for name, text in dashboards.files(options["grafana_path"] or str(folder), prometheus).items():
            target = folder / name
            written[name] = {"source": str(target), "sha256": hashlib.sha256(text.encode()).hexdigest()}
            try:
                if target.is_file() and target.read_bytes() == text.encode():
                    continue
                changed.append(name)
                if not self._task.check_mode:
                    write_at_once(target, text.encode())
            except OSError as error:
                raise RunError(f"path: {target} cannot be written: {error.strerror}") from error
        return written, changed


def _prometheus(options: dict[str, Any]) -> dashboards.Prometheus:
    """The data source. Raises RunError that names the wrong option."""
    url, user, file = (options[f"prometheus_{name}"] for name in ("url", "user", "password_file"))
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RunError("prometheus_url must be http://HOST:PORT or https://HOST:PORT, as Grafana reaches it")
    if parts.username or parts.password:
        raise RunError(
            "prometheus_url must not have an account in it: set prometheus_user and prometheus_password_file"
        )
    if bool(user) != bool(file):
        raise RunError("set both prometheus_user and prometheus_password_file, or none of them")
    if options["grafana_path"] and not options["grafana_path"].startswith("/"):
        raise RunError(f"grafana_path must be absolute: {options['grafana_path']!r}")
    return dashboards.Prometheus(url, user, file)
