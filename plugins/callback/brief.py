# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""See DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
name: brief
type: stdout
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Only what a person wants to read of a run
description:
  - A run prints its own lines. This callback leaves out what Ansible says about tasks that went well, and shows a
    failure as the text of its message.
  - With C(-v) everything is shown, as the default callback does.
requirements:
  - set as stdout callback in the configuration
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

import contextlib  # noqa: E402
import importlib  # noqa: E402
import textwrap  # noqa: E402

from ansible import constants as C  # noqa: E402
from ansible.plugins.callback.default import CallbackModule as Default  # noqa: E402

_OURS = "ansible_collections.aifactory.benchmark.plugins.plugin_utils"
REPORT_MODULES = (
    "rich.console",
    "rich.table",
    f"{_OURS}.store",
    f"{_OURS}.finish",
    f"{_OURS}.confidence",
    f"{_OURS}.screen",
    f"{_OURS}.report",
)


class CallbackModule(Default):
    """The default callback without the noise."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "aifactory.benchmark.brief"

    def _quiet(self):
        return self._display.verbosity == 0

    def v2_playbook_on_play_start(self, play):
        """No banner: the run's own lines name the cluster."""
        self._play = play
        if not self._quiet():
            super().v2_playbook_on_play_start(play)

    def v2_playbook_on_task_start(self, task, is_conditional):
        """While the cluster works, load what the report will need: the workers are forked and inherit it."""
        super().v2_playbook_on_task_start(task, is_conditional)
        if task.action.endswith("run_watch"):
            # without its libraries the report itself says what is missing
            with contextlib.suppress(ImportError, RuntimeError):
                for module in REPORT_MODULES:
                    importlib.import_module(module)
                importlib.import_module(REPORT_MODULES[-1]).preload()

    def v2_playbook_on_include(self, included_file):
        """Nothing: roles that include others are of no interest here."""
        if not self._quiet():
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_ok(self, result):
        """Nothing for what went well, the actions of a run print for themselves; warnings, the text of a debug task."""
        self._handle_warnings(_data(result))  # not left to the default callback: without display_ok_hosts it shows none
        if not self._quiet():
            super().v2_runner_on_ok(result)
        elif _data(result).get("_ansible_verbose_always") and "results" not in _data(result):
            self._display.display(f"[{_host(result)}] {_data(result).get('msg')}")

    def v2_runner_item_on_ok(self, result):
        """As for a task without a loop."""
        if not self._quiet():
            super().v2_runner_item_on_ok(result)
        else:
            self.v2_runner_on_ok(result)

    def v2_runner_item_on_failed(self, result):
        """The message as text, line by line."""
        if not self._quiet():
            super().v2_runner_item_on_failed(result)
        else:
            self._tell(result, "failed", C.COLOR_ERROR)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """The message as text, line by line."""
        if not self._quiet() or ignore_errors:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._tell(result, "failed", C.COLOR_ERROR)

    def v2_runner_on_unreachable(self, result):
        """The message as text, line by line."""
        if not self._quiet():
            super().v2_runner_on_unreachable(result)
            return
        self._tell(result, "unreachable", C.COLOR_UNREACHABLE)

    def v2_playbook_on_stats(self, stats):
        """No recap: the summary of the run has said it all."""
        if not self._quiet():
            super().v2_playbook_on_stats(stats)

    def _tell(self, result, what, color):
        data = _data(result)
        self._handle_warnings(data)
        message = str(data.get("msg") or "no message").strip()
        for key in ("stderr", "module_stderr"):
            if data.get(key):
                message += "\n" + str(data[key]).strip()
        first, *rest = message.splitlines() or [""]
        self._display.display(f"[{_host(result)}] {what}: {first}", color=color)
        if rest:
            self._display.display(textwrap.indent("\n".join(rest), "  "), color=color)


# ansible-core 2.19 made a result's fields public
def _data(result):
    return getattr(result, "result", None) or result._result


def _host(result):
    return (getattr(result, "host", None) or result._host).get_name()
