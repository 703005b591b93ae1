# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A play in a process of its own: python worker.py FOLDER (see launcher). Ends when the play does."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import write_at_once
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher, processes
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.library import ansible_runner
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

IDENT = "play"
_PLAN = "aifactory.benchmark.run_plan"
_CLUSTER = "aifactory.benchmark.slurm_cluster_info"
# How it prints: as on a terminal of people, without colours.
_PLAIN = {
    "ANSIBLE_STDOUT_CALLBACK": "aifactory.benchmark.brief", "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1",
    "ANSIBLE_FORCE_COLOR": "0", "TERM": "dumb",
}  # fmt: skip


class Worker:
    """Runs the play of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.play = launcher.Play(**json.loads((folder / "play.json").read_text()))
        self.settings = Settings.read(folder.parents[2])
        self.runs: list[str] = []
        self.results: dict[str, Any] = {}

    def work(self) -> int:
        """Run it; returns its exit status."""
        self._write("worker.json", processes.me())
        os.umask(0o077)
        rc = 1
        try:
            rc = self._run()
        finally:
            self._write("ended.json", {"rc": rc})
        return rc

    def _run(self) -> int:
        play, inventory = self.play, self.settings.inventory
        options = [word for path in inventory for word in ("-i", path)] + (["--check"] if play.check else [])
        options += ["--limit", play.limit] if play.limit else []
        # a file of mode 0600: what a command line has, every user of the machine can read
        variables = self._write("variables.json", {**self._own_variables(), **play.variables})
        runner = ansible_runner.interface.init_runner(
            private_data_dir=str(self.folder),
            project_dir=os.getcwd(),
            ident=IDENT,
            playbook=f"aifactory.benchmark.{launcher.KINDS[play.kind]}",
            cmdline=shlex.join([*options, "-e", f"@{variables}"]),
            envvars={**_PLAIN, **self._configuration()},
            quiet=True,
            event_handler=self._hear,
            status_handler=self._forget_environment,
        )
        if "ANSIBLE_HOST_KEY_CHECKING" not in os.environ:  # else ansible-runner turns it off
            runner.config.env.pop("ANSIBLE_HOST_KEY_CHECKING", None)
        runner.run()
        return runner.rc if runner.status != "canceled" else 130

    def _own_variables(self) -> dict[str, Any]:
        return {"benchmark_store_url": self.settings.store_url} if self.settings.store_url else {}

    @staticmethod
    def _configuration() -> dict[str, str]:
        """ansible.cfg of the directory that the server was started in, which ansible-runner does not look at."""
        here = Path("ansible.cfg").absolute()
        known = os.environ.get("ANSIBLE_CONFIG") or (str(here) if here.exists() else "")
        return {"ANSIBLE_CONFIG": known} if known else {}

    def _hear(self, event: dict[str, Any]) -> bool:
        """Keep what the pages want of the events; the others are ansible-runner's output only."""
        data = event.get("event_data") or {}
        if event.get("event") == "runner_on_ok" and data.get("task_action") == _PLAN:
            plan = ((data.get("res") or {}).get("ansible_facts") or {}).get("benchmark_plan") or {}
            run_id = plan.get("run_id")
            if run_id and run_id not in self.runs and not self.play.check:
                self.runs.append(run_id)
                self._write("runs.json", self.runs)
        if event.get("event") == "runner_on_ok" and data.get("task_action") == _CLUSTER:
            self.results[data["host"]] = data.get("res")
            self._write("results.json", self.results)
        return False  # nothing of an event is kept as a file: results are large

    def _forget_environment(self, _status: dict[str, Any], runner_config: Any) -> None:
        """Remove ansible-runner's copy of the environment, which may hold a recipe's secrets."""
        (Path(runner_config.artifact_dir) / "command").unlink(missing_ok=True)

    def _write(self, name: str, content: Any) -> Path:
        return write_at_once(self.folder / name, json.dumps(content).encode(), 0o600)


if __name__ == "__main__":
    sys.exit(Worker(Path(sys.argv[1])).work())
