# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows the logs of a run that goes on as they grow, until it is over or a deadline; changes nothing."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import Wanted, log_lines
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs.follow import Follower
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    UNREACHABLE_S,
    RunAction,
    RunFailed,
    add_calls,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

WAIT_S = 10.0
PAUSE_S = 1.0  # between two calls, so that a service that logs without end is no load for the login node


class ActionModule(RunAction):
    """See the module run_logs for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "source": {"type": "str"},
        "client": {"type": "str"},
        "search": {"type": "str"},
        "level": {"type": "str", "choices": ["error", "warning"]},
        "tail": {"type": "int", "default": 10},
        "timeout_s": {"type": "float", "default": 3600.0},
    }

    def act(self) -> dict[str, Any]:
        """Poll and print; `over` says whether nothing more is to come, `count` how many lines were shown."""
        if self.options["timeout_s"] <= 0 or self.options["tail"] < 0:
            raise RunFailed("timeout_s must be more than 0 seconds, and tail at least 0 lines")
        run = self.find(self.options["run"])
        wanted = Wanted(*(self.options[name] for name in ("source", "client", "search", "level")))
        plan = run.read_json("plan.json")
        follower = Follower(wanted, plan.get("created_at") or 0.0, self.options["tail"])
        remote = self.remote(patience_s=UNREACHABLE_S)
        count, give_up = 0, time.monotonic() + self.options["timeout_s"]
        try:
            while not follower.over and (left_s := give_up - time.monotonic()) > 0:
                lines = follower.poll(remote, plan["run_dir"], min(WAIT_S, left_s), time.time())
                self._tell(lines)
                count += len(lines)
                time.sleep(PAUSE_S if follower.over else min(PAUSE_S, max(0.0, give_up - time.monotonic())))
            if follower.over:  # what was said last may reach the files a moment after the event
                lines = follower.poll(remote, plan["run_dir"], 0.0, time.time())
                self._tell(lines)
                count += len(lines)
        finally:
            add_calls(run, remote.calls)
        self.say(self._end(run, follower.over))
        return {"run": run.id, "over": follower.over, "count": count}

    def _tell(self, lines: list[dict[str, Any]]) -> None:
        coloured = screen.colours()
        for line in lines:
            text = f"{log_lines.clock(line['t'])} {line['file'].removeprefix('logs/')}  {line['text']}"
            self._display.display(text, color=log_lines.COLOURS.get(line["level"]) if coloured else None)

    def _end(self, run: RunDirectory, over: bool) -> str:
        if over:
            return f"the service has ended: no more is to come of run {run.id}"
        after = f"{self.options['timeout_s']:g} s are over and run {run.id} goes on"
        return f"{after}; follow its logs again, or give -e follow_timeout=SECONDS"
