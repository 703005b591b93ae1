# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sets, shows, moves and removes named baselines, files of the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed


class ActionModule(RunAction):
    """See the module run_baseline for the options."""

    _requires_connection = False
    OPTIONS = {
        "baseline": {"type": "str"},
        "run": {"type": "str"},
        "threshold": {"type": "str"},
        "thresholds": {"type": "dict"},
        "clusters": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def act(self) -> dict[str, Any]:
        """Set one where runs or thresholds are given, remove one where it is to be absent, else show."""
        name = self.options["baseline"]
        if self.options["state"] == "absent":
            return self._remove(name)
        if any(self.options[key] for key in ("run", "threshold", "thresholds")):
            return self._set(name)
        return self._show(name)

    def _show(self, name: str | None) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import baselines, terminal

        found = [baselines.read(self.home, each) for each in ([name] if name else baselines.names(self.home))]
        for baseline in found:
            self._display.display("\n".join(terminal.baseline_text(baseline)))
        if not found:
            self._display.display(
                f"no baseline in {self.home}: ansible-playbook aifactory.benchmark.baseline -e baseline=NAME -e run=ID"
            )
        return {"baselines": found}

    def _set(self, name: str | None) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import (
            baselines,
            judged,
            observations,
            sides,
            terminal,
        )

        if not name:
            raise RunFailed("which baseline? -e baseline=NAME")
        if self.options["run"]:
            runs = sides.listed(self.home, self.options["run"], self.options["clusters"])
        else:
            runs = [sides.find(self.home, run_id) for run_id in baselines.read(self.home, name)["runs"]]
        known = observations.of_side(sides.Side(name, runs))
        judged.Thresholds(self.options["threshold"], self.options["thresholds"]).check(key.number for key in known)
        wanted = {"threshold": self.options["threshold"], "thresholds": self.options["thresholds"]}
        baseline, is_changed = baselines.changed(self.home, name, runs, **wanted)
        if is_changed and not self.check_mode:
            baselines.write(self.home, baseline)
        self._display.display("\n".join(terminal.baseline_text(baseline)))
        return {"changed": is_changed, "baselines": [baseline]}

    def _remove(self, name: str | None) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import baselines

        if not name:
            raise RunFailed("which baseline? -e baseline=NAME")
        path = baselines.path_of(self.home, name)
        is_there = path.exists()
        if is_there and not self.check_mode:
            path.unlink(missing_ok=True)
        self._display.display(f"baseline {name}: {'removed' if is_there else 'not there'}")
        return {"changed": is_there, "baselines": []}
