# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Serves the results of the controller's runs to Prometheus until it is interrupted."""

from __future__ import annotations

import os
import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError

_LOOK_S = 0.5


class ActionModule(RunAction):
    """See the module results_exporter for the options."""

    _requires_connection = False
    OPTIONS = {
        "address": {"type": "str", "default": "127.0.0.1"},
        "port": {"type": "int", "required": True},
        "user": {"type": "str", "default": "prometheus"},
        "password_file": {"type": "path", "no_log": False},
    }

    def act(self) -> dict[str, Any]:
        """Listen until the play ends."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import exporter, pushgateway

        options, login = self.options, None
        if options["password_file"]:
            password = pushgateway.password_of(options["password_file"], "exporter_password_file")
            if not password:
                raise RunError(f"exporter_password_file: {options['password_file']} is empty")
            login = (options["user"], password)
        latest = exporter.Latest(self.home, self.variable("benchmark_store_url"), self.say)
        with exporter.served(latest, options["address"], options["port"], login) as port:
            if self.check_mode:
                return {"changed": False}
            host = f"[{options['address']}]" if ":" in options["address"] else options["address"]
            self.say(f"results of {self.home} at http://{host}:{port}/metrics, until you interrupt it (Ctrl-C)")
            parent = os.getppid()
            while os.getppid() == parent:  # Ansible's main process may be killed without a word to this one
                time.sleep(_LOOK_S)
        return {"changed": False}
