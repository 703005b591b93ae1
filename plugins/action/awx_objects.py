# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has objects in AWX: projects, inventories, credentials, job templates with surveys, workflows, schedules."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

_OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "api_path": {"type": "str", "default": "/api/v2/"},
    "token": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout_s": {"type": "float", "default": 30.0},
    "project_deadline_s": {"type": "float", "default": 300.0},
    "update_secrets": {"type": "bool", "default": False},
    "objects": {"type": "list", "elements": "dict", "required": True},
}
_OF_CLIENT = ("api_path", "token", "username", "password", "validate_certs", "ca_path", "timeout_s")


class ActionModule(ActionBase):
    """See the module awx_objects for the options."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have the objects, in their order; what AWX refuses fails the task with its own words."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx.client import AwxError, Client
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx.objects import Objects
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx.survey import SurveyError, check

        super().run(tmp, task_vars)
        _unused, options = self.validate_argument_spec(_OPTIONS)
        changes: list[str] = []
        try:
            if not options["token"] and not (options["username"] and options["password"]):
                raise AwxError("AWX asks who this is: give a token, or username and password")
            for wanted in options["objects"]:
                if wanted.get("survey"):
                    check(wanted["survey"])
            objects = Objects(
                Client(options["host"], **{name: options[name] for name in _OF_CLIENT}),
                check_mode=bool(self._task.check_mode),
                update_secrets=options["update_secrets"],
                project_deadline_s=options["project_deadline_s"],
                say=self._display.display,
            )
            changes = objects.changes
            for wanted in options["objects"]:
                objects.have(wanted)
        except (AwxError, SurveyError) as error:
            return {"failed": True, "changed": bool(changes), "changes": changes, "msg": str(error)}
        ids: dict[str, dict[str, int]] = {}
        for (kind, name), number in objects.ids.items():
            ids.setdefault(kind, {})[name] = number
        after = "".join(f"{line}\n" for line in changes)
        return {"changed": bool(changes), "changes": changes, "ids": ids, "diff": {"before": "", "after": after}}
