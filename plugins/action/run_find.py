# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds a run on this controller, else on the cluster, and takes it over from the controller that started it."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import adoption
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import ClusterUnreachable
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    RunAction,
    add_calls,
    controller_event,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import NoSuchRun


class ActionModule(RunAction):
    """See the module run_find for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "adopt": {"type": "bool", "default": False},
    }

    def act(self) -> dict[str, Any]:
        """Return the ids that the reference means; with `adopt`, after its files were taken over."""
        reference = self.options["run"]
        try:
            run = self.find(reference)
            if run.has("plan.json"):
                return {"runs": [run.id], "here": True, "problem": ""}
            # its controller died before it could write down what it was about to do
            reference, unknown = run.id, f"{run.path} has no plan.json: nothing was submitted from here"
        except NoSuchRun as error:
            unknown = str(error)
        remote = self.remote()
        try:
            scratch = self.scratch(remote)
            runs = adoption.matching(adoption.on_cluster(remote, scratch), reference)
        except ClusterUnreachable as error:
            # another cluster may have it
            return {"runs": [], "here": False, "problem": str(error)}
        if not self.options["adopt"] or len(runs) != 1:
            problem = "" if runs else f"{unknown}\nOn {self.host} there is none in {scratch}/runs either"
            return {"runs": runs, "here": False, "problem": problem}
        run = adoption.adopt(remote, scratch, self.home, runs[0])
        controller_event(run, "adopted")
        add_calls(run, remote.calls)
        self.say(f"run {run.id} was started by another controller; its files are in {run.path} now")
        return {"changed": True, "runs": runs, "here": True, "problem": ""}
