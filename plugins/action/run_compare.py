# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares runs that are over, or holds one against a named baseline; nothing is asked of a cluster."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed


class ActionModule(RunAction):
    """See the module run_compare for the options."""

    _requires_connection = False
    OPTIONS = {
        "run": {"type": "str"},
        "runs": {"type": "list", "elements": "raw"},
        "sides": {"type": "dict"},
        "baseline": {"type": "str"},
        "metrics": {"type": "list", "elements": "str", "default": []},
        "threshold": {"type": "str"},
        "thresholds": {"type": "dict"},
        "directions": {"type": "dict", "default": {}},
        "varied": {"type": "list", "elements": "str"},
        "strict": {"type": "bool", "default": False},
        "clusters": {"type": "list", "elements": "str", "default": []},
        "fail": {"type": "bool", "default": True},
    }

    def act(self) -> dict[str, Any]:
        """Compare, show, write; fails on a regression and where the gate is not passed."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare, screen
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import asked, pages, terminal, words

        compare.library_is_here()
        record = asked.record(self.home, **{key: value for key, value in self.options.items() if key != "fail"})
        self._display.display(terminal.text(record, screen.colours()))
        result: dict[str, Any] = {"comparison": record, "paths": {}, "failure": words.failure(record)}
        if not self.check_mode:
            result["paths"] = pages.write(compare.directory(self.home, record), record)
            result["changed"] = True
            self._display.display(f"report {result['paths']['html']}")
        if self.options["fail"] and result["failure"]:
            raise RunFailed(result["failure"])
        return result
