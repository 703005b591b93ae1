# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the actions of a run's life share: arguments, the run's directory, the cluster, the screen, readable errors."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import slurm_transport
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import ClusterUnreachable, Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import (
    RunDirectory,
    RunError,
    benchmark_home,
    find_run,
)

DEFAULT_SCRATCH = "~/.aifactory-scratch"
UNREACHABLE_S = 300.0  # a run that is under way waits so long for its cluster to be reached again
FORESEEN = (RunError, ClusterUnreachable, SlurmError, ImportError)


class RunFailed(Exception):
    """The action can't go on; the text tells the user what is wrong, where, and what to do."""


class RunAction(ActionBase):
    """Base of the `run_*` actions.

    A subclass names its options in OPTIONS (as an argument_spec) and does its work in `act`, which returns the
    task's result. Foreseen errors become a task failure with their own text, without a traceback.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    OPTIONS: dict[str, dict[str, Any]] = {"run": {"type": "str", "required": True}}

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate the options, call `act`, and turn foreseen errors into a readable failure."""
        super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        self.host = self.task_vars.get("inventory_hostname", "localhost")
        _unused, self.options = self.validate_argument_spec(self.OPTIONS)
        # of what is submitted like a run and is none: it has a home and a scratch directory of its own
        self.place = self.variable("run_place", {})
        self.home = benchmark_home(self.place.get("home") or self.variable("benchmark_home"))
        self.check_mode = bool(self._task.check_mode)
        try:
            return {"changed": False, **self.act()}
        except (RunFailed, *FORESEEN) as error:
            # raised, ansible-core 2.16 would print a banner about an exception
            return {"failed": True, "msg": str(error)}

    def act(self) -> dict[str, Any]:
        """Do the work of this action; returns the task's result."""
        raise NotImplementedError(type(self).__name__)

    def variable(self, name: str, default: Any = None) -> Any:
        """An inventory or play variable of this host, templated; `default` where it is not defined."""
        value = self.task_vars.get(name)
        return default if value is None else self._templar.template(value)

    def find(self, reference: str) -> RunDirectory:
        """The run that `reference` means (id, unique prefix, `latest`), on this cluster where there is a choice."""
        return find_run(self.home, reference, () if self.host == "localhost" else (self.host,))

    def remote(self, *, patience_s: float = 0.0) -> Remote:
        """This cluster's login node; `patience_s`: how long a lost connection is tried again."""
        return Remote(self._connection, self.host, patience_s=patience_s, say=self.say)

    def scratch(self, remote: Remote) -> str:
        """The absolute path of this cluster's `benchmark_scratch`. Raises RunFailed when it can't be one."""
        path = str(self.place.get("scratch") or self.variable("benchmark_scratch") or DEFAULT_SCRATCH)
        if path.startswith("~/"):
            # job scripts need the path itself: sbatch expands nothing in its options
            path = remote.shell('printf %s "$HOME"').out + path[1:]
        if not path.startswith("/"):
            raise RunFailed(f"benchmark_scratch of {self.host} must be an absolute path, or begin with ~/: {path!r}")
        return path

    @property
    def by_rest(self) -> bool:
        """Whether this cluster's Slurm is reached by slurmrestd. Files go over the connection in any case."""
        return slurm_transport.transport(self.variable) == slurm_transport.SLURMRESTD

    def slurm(self, remote: Remote) -> SlurmClient:
        """This cluster's Slurm: by slurmrestd where the inventory says so, else by commands on the login node."""
        return SlurmClient(slurm_transport.rest_slurm(self.variable) if self.by_rest else remote.argv)

    def say(self, message: str, *, color: str | None = None) -> None:
        """Print one line at once, marked with the cluster and the time."""
        self._display.display(f"[{self.host}] {time.strftime('%H:%M:%S')} {message}", color=color)


def add_calls(run: RunDirectory, calls: Counter[str]) -> dict[str, int]:
    """Add the calls that an action made to the run's count; returns the sums so far."""
    total = Counter(run.read_json("calls.json", {}))
    total.update(calls)
    run.write_json("calls.json", dict(sorted(total.items())))
    calls.clear()
    return dict(total)


def controller_event(run: RunDirectory, event: str, **fields: Any) -> None:
    """Append an event of the controller to the run's own event file."""
    path = run.file("events/controller.jsonl")
    run.make()
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"t": time.time(), "source": "controller", "event": event, **fields}, ensure_ascii=False)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), "w") as stream:
        stream.write(line + "\n")
