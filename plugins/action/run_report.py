# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turns what was collected of a run into run.json, rows of the store, and the report; tells the verdict."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import after_collection
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    RunAction,
    controller_event,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import merge_events


class ActionModule(RunAction):
    """See the module run_report for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "fail": {"type": "bool", "default": True},
    }

    def act(self) -> dict[str, Any]:
        """Finish the run's record and render; fails when the run failed or is INVALID."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import render

        run = self.find(self.options["run"])
        controller_event(run, "reported")
        run.write_text("events.jsonl", merge_events(run))
        # once more: how its jobs ended is known now
        run.write_json("provenance.json", after_collection(run))
        record = finish(
            run,
            run.read_json("plan.json"),
            run_jobs.read(run),
            None,
            run.read_json("calls.json", {}),
            store_url=self.variable("benchmark_store_url"),
            warn=self._display.warning,
        )
        html, _markdown = render(run)
        self._display.display(screen.summary(run, record))
        over = record["state"] in ("finished", "failed", "stopped")
        if over:
            self._push(run)
        told = {
            "run": run.id,
            "recipe": record["recipe"],
            "state": record["state"],
            "verdict": record["verdict"],
            "headline": screen.short_headline(record),
            "report": str(html),
        }
        if self.options["fail"] and over and record["verdict"] != "VALID":
            lines = [f"  {reason['message']}" for reason in record["reasons"]]
            why = f"run {run.id} {record['state']}, {record['verdict'] or 'no verdict'}:"
            # not raised: what follows a run in a workflow wants to know which one it was
            return {**told, "failed": True, "msg": "\n".join([why, *lines, *_last_words(run), f"  report: {html}"])}
        return told

    def _push(self, run: RunDirectory) -> None:
        """To the Pushgateway, where there is one. It takes nothing from the run when that is away."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import pushgateway

        try:
            gateway = pushgateway.named(self.variable)
            if gateway is not None:
                gateway.push(run)
                self.say(f"pushed to {gateway.url}")
        except (RunError, ImportError) as error:
            again = f"ansible-playbook aifactory.benchmark.metrics -e run={run.id} -e push=true"
            self._display.warning(f"{error}\nThe run is complete. To push it again: {again}")


def _last_words(run: RunDirectory) -> list[str]:
    """The end of the log of whatever failed, as its agent told it."""
    lines = []
    for event in run.events():
        if event["event"] in ("service_failed", "failed") and event.get("log_tail"):
            tail = event["log_tail"]
            last = tail if isinstance(tail, list) else str(tail).splitlines()
            lines += [f"  last lines of the {event['source']}'s log:", *(f"    {line}" for line in last[-12:])]
    return lines
