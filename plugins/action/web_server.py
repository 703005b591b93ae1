# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts and stops the web UI of this controller."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed

_LOOK_S = 0.5


class ActionModule(RunAction):
    """See the module web_server for the options."""

    _requires_connection = False
    OPTIONS = {
        "state": {"type": "str", "choices": ["started", "stopped", "foreground"], "default": "started"},
        "address": {"type": "str", "default": "127.0.0.1"},
        "port": {"type": "int", "default": 5000},
        "hosts": {"type": "list", "elements": "str", "default": []},
        "proxies": {"type": "int", "default": 0},
        "inventory": {"type": "list", "elements": "path"},
        "directory": {"type": "path"},
    }

    def act(self) -> dict[str, Any]:
        """Bring the server to the state that is wanted."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import control

        if self.options["state"] == "stopped":
            was_there = bool(control.running(self.home)) if self.check_mode else control.stop(self.home)
            did = "would be stopped" if self.check_mode else "was stopped; the plays that it launched go on"
            self.say(f"the web UI of {self.home} {did if was_there else 'does not run'}")
            return {"changed": was_there}
        settings = self._settings()
        settings.check()
        is_there = control.is_as(settings)
        if self.check_mode:
            return {"changed": not is_there, "url": settings.url}
        if not is_there:
            control.stop(self.home)
        process = control.running(self.home) if is_there else control.start(settings)
        if process is None:
            raise RunFailed("the web server has ended a moment ago: start it again")
        url = settings.url.rpartition(":")[0] + f":{process['port']}"
        self.say(f"the web UI of {self.home} is at {url}; its token: cat {settings.folder}/token")
        if self.options["state"] == "foreground":
            self._stay(control, process)
        return {"changed": not is_there, "url": url, "pid": process["pid"], "token_file": f"{settings.folder}/token"}

    def _settings(self) -> Any:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

        options = self.options
        inventory = options["inventory"]
        if inventory is None:
            inventory = [path for path in self.task_vars.get("ansible_inventory_sources") or [] if os.path.exists(path)]
        return Settings(
            home=self.home,
            address=options["address"],
            port=options["port"],
            hosts=tuple(options["hosts"]),
            proxies=options["proxies"],
            store_url=self.variable("benchmark_store_url"),
            inventory=tuple(os.path.abspath(path) for path in inventory),
            directory=str(Path(options["directory"] or os.getcwd()).absolute()),
        )

    def _stay(self, control: Any, process: dict[str, Any]) -> None:
        """Stay until the play or the server ends; then end the server."""
        parent = os.getppid()
        try:
            # Ansible's main process may be killed without a word to this one
            while os.getppid() == parent and control.running(self.home) == process:
                time.sleep(_LOOK_S)
        finally:
            control.stop(self.home)
