# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds the run that is to be run again, and says what has changed since then before anything is submitted."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import zipapp
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.formatting import when
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import (
    at_submission,
    rerun,
    rerun_differences,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import find_run


class ActionModule(RunAction):
    """See the module run_again for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "plan": {"type": "dict"},
        "spec": {"type": "dict", "default": {}},
        "files": {"type": "dict", "default": {}},
        "images": {"type": "list", "elements": "dict", "default": []},
    }

    def act(self) -> dict[str, Any]:
        """Return the run's id; with a plan, after saying what differs."""
        # of whatever cluster: it may be run again on another one
        then = rerun.stored(find_run(self.home, self.options["run"]))
        if self.options["plan"] is None:
            return {"run": then.run.id}
        plan = self.options["plan"]
        files = {**self.options["files"], "spec.json": json.dumps(self.options["spec"])}
        with tempfile.TemporaryDirectory() as folder:
            agent_sha256 = zipapp.build(Path(folder) / "agent.pyz")
        now = at_submission(plan, None, agent_sha256, files, self.options["images"])
        found = rerun_differences.gather(then, plan, now, files)
        ended = (then.run.read_json("run.json", None) or {}).get("verdict") or "no verdict"
        self.say(f"again: run {then.run.id} of {when(then.plan.get('created_at'))}, {ended}")
        for line in rerun_differences.lines(found):
            self.say(line)
        if self._task.diff and (text := rerun_differences.unified(then, plan, files)):
            self._display.display(text)  # Ansible itself shows differences of what has changed only
        return {"run": then.run.id, "differences": [each._asdict() for each in found.all()]}
